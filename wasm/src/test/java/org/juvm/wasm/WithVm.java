package org.juvm.wasm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.juvm.Vm;

/** A vm for each test, which must be consistent and empty when the test is over. */
public abstract class WithVm {
  private static final long GUEST_STACK_BYTES = 512L << 20;

  protected final Vm vm = Vm.builder().memory(256L << 20).boot();

  protected WithVm() {}

  @AfterEach
  final void vmIsConsistentAndEmpty() {
    try (vm) {
      assertThat(vm.audit()).isEmpty();
      assertThat(vm.statistics().usedFrames()).isZero();
    }
  }

  /** Runs on a thread with a stack for guests that recurse deeply. */
  protected static <T> T onLargeStack(Supplier<T> action) {
    var result = new CompletableFuture<T>();
    new Thread(
            null,
            () -> {
              try {
                result.complete(action.get());
              } catch (Throwable e) {
                result.completeExceptionally(e);
              }
            },
            "guest",
            GUEST_STACK_BYTES)
        .start();
    return result.join();
  }
}
