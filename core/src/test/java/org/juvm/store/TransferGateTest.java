package org.juvm.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class TransferGateTest {

  @Test
  void S5_closeWaitsForThoseInside() {
    TransferGate gate = new TransferGate();
    assertThat(gate.enter()).isTrue();
    assertThat(gate.enter()).isTrue();
    CompletableFuture<Boolean> closer = CompletableFuture.supplyAsync(gate::close);
    while (gate.enter()) {
      gate.leave();
      Thread.onSpinWait();
    }
    assertThat(gate.close()).isFalse();
    gate.leave();
    assertThat(closer.isDone()).isFalse();
    gate.leave();
    assertThat(closer.join()).isTrue();
    assertThat(gate.enter()).isFalse();
  }
}
