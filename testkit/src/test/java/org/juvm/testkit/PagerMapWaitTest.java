package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.juvm.Cpu;
import org.juvm.SwapDevice;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Protection;
import org.juvm.store.FileStore;

/** Fewer buffers on the pager map than writers that want one. */
@Tag("threads")
@Timeout(120)
class PagerMapWaitTest {
  private static final int PAGE = 1024;
  private static final int FRAMES = 64;
  private static final int PAGES = 256;
  private static final int THREADS = 3;

  /** So many buffers there are with so much memory. */
  private static final int BUFFERS = 2;

  @TempDir Path directory;

  /**
   * Every buffer is held up in a transfer, and then transfers fail: faults and the daemon wait for
   * that, and go on; no buffer is lost.
   */
  @Test
  void K7_whoFindsNoBufferWaitsForOne() throws Exception {
    FaultyStore store = new FaultyStore(FileStore.temporary(directory));
    try (Vm vm = Vm.builder().memory((long) FRAMES * PAGE).pageSize(PAGE).boot();
        Vmspace vmspace = vm.newVmspace()) {
      SwapDevice device = vm.swap().add("slow", store, 4L * PAGES * PAGE, 0, true);
      assertThat(vm.statistics().usedFrames()).isEqualTo(BUFFERS);
      long user = vmspace.map((long) PAGES * PAGE, Protection.READ_WRITE);
      FaultyStore.Hold hold = store.hold(FaultyStore.Operation.WRITE);
      Crew crew = new Crew();
      for (int n = 0; n < THREADS; n++) {
        int thread = n;
        crew.add("worker " + n, () -> work(vm, vmspace, user, thread));
      }
      crew.start();
      hold.awaitOperations(BUFFERS);
      store.failNext(FaultyStore.Operation.WRITE, 5);
      assertThat(store.operations(FaultyStore.Operation.WRITE)).isEqualTo(BUFFERS);
      hold.release();
      crew.run();
      assertThat(vm.audit()).isEmpty();
      vmspace.unmap(user + 20L * PAGE, (PAGES - 20L) * PAGE);
      vm.swap().remove(device);
      assertThat(vm.audit()).isEmpty();
    }
  }

  /**
   * The buffers are made although another device is just being removed, however long that takes.
   */
  @Test
  @Timeout(20)
  void K7_aDeviceIsAddedWhileAnotherIsRemoved() throws Exception {
    FaultyStore store = new FaultyStore(FileStore.temporary(directory));
    try (Vm vm = Vm.builder().memory((long) FRAMES * PAGE).pageSize(PAGE).boot();
        Vmspace vmspace = vm.newVmspace()) {
      SwapDevice device = vm.swap().add("slow", store, 4L * PAGES * PAGE, 0, false);
      long user = vmspace.map(2L * FRAMES * PAGE, Protection.READ_WRITE);
      try (Cpu cpu = vm.newCpu()) {
        cpu.attach(vmspace);
        cpu.bulk().fill(user, 2L * FRAMES * PAGE, (byte) 1);
      }
      vmspace.unmap(user + FRAMES * PAGE / 2, 2L * FRAMES * PAGE - FRAMES * PAGE / 2);
      FaultyStore.Hold hold = store.hold(FaultyStore.Operation.READ);
      FutureTask<Void> removal = new FutureTask<>(() -> vm.swap().remove(device), null);
      Thread.ofPlatform().daemon().start(removal);
      FutureTask<SwapDevice> addition =
          new FutureTask<>(() -> vm.swap().addTemporary((long) PAGES * PAGE, 0, true));
      try {
        hold.awaitOperations(1);
        Thread.ofPlatform().daemon().start(addition);
        assertThat(addition.get().pagesInUse()).isZero();
      } finally {
        hold.release();
      }
      removal.get();
      assertThat(vm.audit()).isEmpty();
    }
  }

  private static void work(Vm vm, Vmspace vmspace, long user, int thread) {
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(vmspace);
      for (int round = 0; round < 3; round++) {
        for (int i = thread; i < PAGES; i += THREADS) {
          long at = user + (long) i * PAGE;
          assertThat(cpu.get(JAVA_LONG, at)).isEqualTo(round == 0 ? 0 : i + round);
          cpu.set(JAVA_LONG, at, i + round + 1);
        }
      }
    }
  }
}
