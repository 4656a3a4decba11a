package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.juvm.AuditedVms.assertRefused;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.KernelFlag;
import org.juvm.base.Protection;

/** What was wrong with the kernel's memory once. */
@Tag("threads")
class KernelBugsTest {
  private static final long PAGE = 4096;
  private static final int SIZE = 16 << 10;
  private static final Duration LONG = Duration.ofHours(1);

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  /** What a thread does, by its number. */
  @FunctionalInterface
  private interface Work {
    void run(int number) throws Exception;
  }

  private static void together(int threads, Work work) throws Exception {
    List<FutureTask<Void>> tasks = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      int number = i;
      tasks.add(
          new FutureTask<>(
              () -> {
                work.run(number);
                return null;
              }));
    }
    tasks.forEach(task -> Thread.ofPlatform().daemon().start(task));
    for (FutureTask<Void> task : tasks) {
      task.get();
    }
  }

  private static Thread started(FutureTask<?> task) {
    Thread thread = Thread.ofPlatform().daemon().start(task);
    while (thread.isAlive()
        && thread.getState() != Thread.State.WAITING
        && thread.getState() != Thread.State.TIMED_WAITING) {
      Thread.onSpinWait();
    }
    return thread;
  }

  @Test
  void pagesOfFreedAddressesWereFoundByTheNextOwner() throws Exception {
    Vm vm = vms.boot(256);
    KernelMap submap = vm.kernel().submap(12 * PAGE, true);
    together(
        3,
        number -> {
          try (Cpu cpu = vm.newCpu()) {
            cpu.attach(submap);
            for (long round = 1; round <= 4000; round++) {
              long at =
                  round % 2 == 0
                      ? submap.allocateOnDemand(4 * PAGE, KernelFlag.WAIT_FOR_SPACE)
                      : submap.allocate(4 * PAGE, KernelFlag.ZERO, KernelFlag.WAIT_FOR_SPACE);
              long mine = round << 8 | number + 1;
              for (int i = 0; i < 4; i++) {
                assertThat(cpu.get(JAVA_LONG, at + i * PAGE)).isZero();
                cpu.set(JAVA_LONG, at + i * PAGE, mine);
              }
              for (int i = 0; i < 4; i++) {
                assertThat(cpu.get(JAVA_LONG, at + i * PAGE)).isEqualTo(mine);
              }
              submap.free(at, 4 * PAGE);
            }
          }
        });
    assertThat(vm.audit()).isEmpty();
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  @Test
  void pagesOfAClosedSubmapWereFoundByTheNextOwner() throws Exception {
    Vm vm = vms.boot(256);
    together(
        3,
        number -> {
          try (Cpu cpu = vm.newCpu()) {
            cpu.attach(vm.kernel());
            for (long round = 1; round <= 1500; round++) {
              KernelMap outer = vm.kernel().submap(16 * PAGE, true);
              KernelMap submap = round % 2 == 0 ? outer : outer.submap(8 * PAGE, true);
              long at = submap.allocateOnDemand(4 * PAGE);
              for (int i = 0; i < 4; i++) {
                assertThat(cpu.get(JAVA_LONG, at + i * PAGE)).isZero();
                cpu.set(JAVA_LONG, at + i * PAGE, round);
              }
              outer.close();
            }
          }
        });
    assertThat(vm.audit()).isEmpty();
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  @Test
  void twoThreadsPopulatedAndDepopulatedOnePlace() throws Exception {
    Vm vm = vms.boot(256);
    long at = vm.kernel().reserve(8 * PAGE);
    together(
        3,
        number -> {
          for (int round = 0; round < 4000; round++) {
            try {
              if ((round + number) % 2 == 0) {
                vm.kernel().populate(at + (round % 3) * PAGE, 4 * PAGE);
              } else {
                vm.kernel().depopulate(at + (round % 3) * PAGE, 4 * PAGE);
              }
            } catch (MapException e) {
              assertThat(e.reason()).isEqualTo(MapException.Reason.NOT_MAPPED);
            }
          }
        });
    assertThat(vm.audit()).isEmpty();
    vm.kernel().free(at, 8 * PAGE);
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  @Test
  void aStrayAccessMadeAPageWhereWiredMemoryWasToCome() throws Exception {
    Vm vm = vms.boot(1024);
    KernelMap submap = vm.kernel().submap(64 * PAGE, true);
    AtomicBoolean done = new AtomicBoolean();
    together(
        2,
        number -> {
          try (Cpu cpu = vm.newCpu()) {
            cpu.attach(submap);
            for (int round = 0; number == 0 && round < 3000; round++) {
              submap.free(submap.allocate(64 * PAGE), 64 * PAGE);
            }
            for (long i = 0; number == 1 && !done.get(); i++) {
              try {
                long _ = cpu.get(JAVA_LONG, submap.start() + (i * 37 & 63) * PAGE);
              } catch (MemoryFault e) {
                assertThat(e.reason())
                    .isIn(MemoryFault.Reason.NOT_MAPPED, MemoryFault.Reason.PROTECTION);
              }
            }
          } finally {
            if (number == 0) {
              done.set(true);
            }
          }
        });
    assertThat(vm.audit()).isEmpty();
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  @Test
  void whoWaitedInASubmapWasNotToldOfTheEndOfTheOneAroundIt() throws Exception {
    Vm vm = vms.boot(256);
    KernelMap outer = vm.kernel().submap(16 * PAGE, true);
    KernelMap inner = outer.submap(12 * PAGE, true).submap(8 * PAGE, true);
    inner.reserve(8 * PAGE);
    FutureTask<Long> waiter =
        new FutureTask<>(() -> inner.reserve(PAGE, KernelFlag.WAIT_FOR_SPACE));
    started(waiter);
    outer.close();
    assertThatThrownBy(waiter::get).hasCauseInstanceOf(IllegalStateException.class);
    inner.close();
    assertThat(vm.audit()).isEmpty();
  }

  @Test
  void whoWaitedForPooledMemoryWasNotToldOfTheEndOfWhatIsAroundIt() throws Exception {
    for (boolean all : new boolean[] {false, true}) {
      Vm vm = vms.boot(256);
      KernelMap outer = vm.kernel().submap(64 * PAGE, false);
      KernelMemory memory = outer.memory(8 * PAGE);
      memory.allocate(8 * PAGE);
      FutureTask<MemorySegment> waiter = new FutureTask<>(() -> memory.allocate(64, 8, LONG));
      started(waiter);
      if (all) {
        vm.close();
      } else {
        outer.close();
      }
      assertThatThrownBy(waiter::get).hasCauseInstanceOf(IllegalStateException.class);
      memory.close();
    }
  }

  @Test
  void aClosedPoolGaveOutWhatWasInItsMagazines() {
    Vm vm = vms.boot(256);
    KernelMap outer = vm.kernel().submap(128 * PAGE, false);
    for (boolean around : new boolean[] {false, true}) {
      KernelMemory memory = outer.memory(32 * PAGE);
      memory.free(memory.allocate(64));
      if (around) {
        outer.close();
      } else {
        memory.close();
      }
      assertThatThrownBy(() -> memory.allocate(64)).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void memoryOfMoreThanTwoGibibytesCouldNotBeFreed() {
    int pageSize = 64 << 10;
    Vm vm = vms.boot(40 << 10, pageSize);
    KernelMemory large = vm.kernel().memory((40L << 10) * pageSize);
    long bytes = (1L << 31) + 5;
    MemorySegment segment = large.allocate(bytes);
    assertThat(large.usage().used()).isEqualTo(bytes);
    assertThat(vm.audit()).isEmpty();
    assertThatThrownBy(() -> large.free(segment.asSlice(0, bytes - 1)))
        .isInstanceOf(IllegalArgumentException.class);
    large.free(segment);
    assertThat(large.usage().used()).isZero();
  }

  @Test
  void contiguousMemoryOfManyTerabytesWasGivenOut() {
    Vm vm = vms.boot(256);
    for (int shift = 43; shift <= 45; shift++) {
      long bytes = 1L << shift;
      assertRefused(
          MapException.Reason.NO_MEMORY,
          () -> vm.kernel().allocate(bytes, KernelFlag.CONTIGUOUS, KernelFlag.NO_WAIT));
      assertRefused(
          MapException.Reason.NO_MEMORY, () -> vm.kernel().allocate(bytes, KernelFlag.CONTIGUOUS));
    }
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  @Test
  void contiguousMemoryWasWaitedForInALoop() {
    Vm vm = vms.bootWithSwap(128, 1024);
    Vmspace vmspace = vm.newVmspace();
    long user = vmspace.map(256 * PAGE, Protection.READ_WRITE);
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(vmspace);
      for (int i = 0; i < 256; i++) {
        cpu.set(JAVA_LONG, user + i * PAGE, i);
      }
      for (int pages = 1; pages < 128; pages += 7) {
        try {
          long at = vm.kernel().allocate(pages * PAGE, KernelFlag.CONTIGUOUS);
          vm.kernel().free(at, pages * PAGE);
        } catch (MapException e) {
          assertThat(e.reason()).isEqualTo(MapException.Reason.NO_MEMORY);
        }
      }
      for (int i = 0; i < 256; i++) {
        assertThat(cpu.get(JAVA_LONG, user + i * PAGE)).isEqualTo(i);
      }
    }
  }

  @Test
  void anObjectThatIsLargerThanTheLimitWasWaitedFor() throws Exception {
    Vm vm = vms.boot(256, 1024);
    KernelMemory memory = vm.kernel().memory(9 << 10);
    memory.free(memory.allocate(8300, 8, LONG));
    MemorySegment aligned = memory.allocate(5000, 1024, LONG);
    assertThat(aligned.address() % 1024).isZero();
    memory.free(aligned);
  }

  @Test
  void aTimeoutOfManyYearsWasRefused() throws Exception {
    Vm vm = vms.boot(256);
    KernelMemory memory = vm.kernel().memory(8 * PAGE);
    MemorySegment all = memory.allocate(8 * PAGE);
    FutureTask<MemorySegment> waiter =
        new FutureTask<>(() -> memory.allocate(64, 8, Duration.ofSeconds(Long.MAX_VALUE)));
    started(waiter);
    memory.free(all);
    memory.free(waiter.get());
  }

  @Test
  void whatAnArenaHadFreedWasFreedAgain() throws Exception {
    Vm vm = vms.boot(256);
    KernelMemory memory = vm.kernel().memory(64 * PAGE);
    AtomicBoolean done = new AtomicBoolean();
    CyclicBarrier barrier = new CyclicBarrier(2);
    Arena[] arenas = new Arena[1];
    together(
        3,
        number -> {
          if (number == 2) {
            while (!done.get()) {
              MemorySegment mine = memory.allocate(SIZE, 8);
              mine.set(JAVA_LONG, 0, 1);
              memory.free(mine);
            }
            return;
          }
          for (int round = 0; round < 400; round++) {
            if (number == 0) {
              arenas[0] = Arena.ofShared();
            }
            barrier.await();
            if (number == 0) {
              arenas[0].close();
            } else {
              try {
                memory.allocate(SIZE, 8, arenas[0]);
              } catch (IllegalStateException e) {
                assertThat(e).hasMessageContaining("closed");
              }
            }
            barrier.await();
          }
          done.set(true);
        });
    assertThat(memory.usage().used()).isZero();
  }

  /** Carriers looked at a magazine whose owner could not run for them. */
  @Test
  void virtualThreadsWaitedForOneThatWasNotRunning() throws Exception {
    Vm vm = vms.boot(1024);
    KernelMemory memory = vm.kernel().memory(24 * PAGE);
    List<FutureTask<Void>> tasks = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      int number = i;
      tasks.add(
          new FutureTask<>(
              () -> {
                for (int round = 0; round < 2000; round++) {
                  try {
                    memory.free(memory.allocate(number % 2 == 0 ? 64 : 16000));
                  } catch (MapException e) {
                    assertThat(e.reason()).isEqualTo(MapException.Reason.NO_SPACE);
                  }
                }
                return null;
              }));
    }
    tasks.forEach(task -> Thread.ofVirtual().start(task));
    for (FutureTask<Void> task : tasks) {
      task.get();
    }
    assertThat(memory.usage().used()).isZero();
  }

  @Test
  void aSubmapThatWasBeingClosedMetTheEndOfTheSystem() throws Exception {
    for (int round = 0; round < 60; round++) {
      Vm vm = vms.boot(256);
      KernelMap outer = vm.kernel().submap(64 * PAGE, true);
      List<KernelMap> inner = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        inner.add(outer.submap(8 * PAGE, true));
      }
      CyclicBarrier barrier = new CyclicBarrier(3);
      together(
          3,
          number -> {
            try (Cpu cpu = vm.newCpu()) {
              cpu.attach(outer);
              barrier.await();
              if (number == 0) {
                vm.close();
              } else if (number == 1) {
                outer.close();
              } else {
                for (KernelMap each : inner) {
                  long at = each.allocateOnDemand(2 * PAGE);
                  cpu.set(JAVA_LONG, at, 1);
                  cpu.set(JAVA_LONG, at + PAGE, 1);
                }
              }
            } catch (IllegalStateException | MemoryFault e) {
              assertThat(number).isNotEqualTo(0);
            }
          });
    }
  }
}
