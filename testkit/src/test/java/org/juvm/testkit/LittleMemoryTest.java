package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.juvm.Cpu;
import org.juvm.MemoryFault;
import org.juvm.PagingProbe;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Protection;
import org.juvm.store.FileStore;
import org.juvm.trace.Counter;

/** Systems with less memory than what is in use, and with less memory and swap than that. */
@Tag("threads")
@Timeout(120)
class LittleMemoryTest {
  private static final int PAGE = 1024;
  private static final long AT = 1 << 20;

  @Test
  void D1_tenInstancesOfAParentLargerThanMemory() {
    Choices choices = Choices.fresh();
    Instances instances = new Instances(800);
    instances.run(Choices.times(3000), choices);
    assertThat(instances.evictions()).as("evictions, %s", choices).isGreaterThan(5000);
    instances.close();
  }

  /**
   * Memory and swap are full: who needs memory is told so; when others give it up, all go on. The
   * daemon has nothing to do meanwhile.
   */
  @Test
  void F10_outOfMemoryAndSwap() throws Exception {
    try (Vm vm = Vm.builder().memory(64L * PAGE).pageSize(PAGE).swap(64L * PAGE).boot();
        Vmspace hog = vm.newVmspace();
        Cpu cpu = vm.newCpu()) {
      int threads = 4;
      cpu.attach(hog);
      hog.map(AT, 100L * PAGE, Protection.READ_WRITE);
      for (int i = 0; i < 80; i++) {
        cpu.set(JAVA_LONG, AT + (long) i * PAGE, i);
      }
      CountDownLatch refused = new CountDownLatch(threads);
      CountDownLatch returned = new CountDownLatch(1);
      AtomicInteger refusals = new AtomicInteger();
      Crew crew = new Crew();
      for (int n = 0; n < threads; n++) {
        crew.add(
            "thread " + n,
            () -> {
              try (Vmspace own = vm.newVmspace();
                  Cpu mine = vm.newCpu()) {
                own.map(AT, 100L * PAGE, Protection.READ_WRITE);
                mine.attach(own);
                boolean told = false;
                for (int i = 0; i < 17; ) {
                  try {
                    mine.set(JAVA_LONG, AT + (long) i * PAGE, i);
                    i++;
                  } catch (MemoryFault e) {
                    assertThat(e.reason()).isEqualTo(MemoryFault.Reason.OUT_OF_MEMORY);
                    refusals.incrementAndGet();
                    if (!told) {
                      refused.countDown();
                      told = true;
                    }
                    returned.await();
                  }
                }
                if (!told) {
                  refused.countDown();
                }
                returned.await();
                for (int i = 0; i < 17; i++) {
                  assertThat(mine.get(JAVA_LONG, AT + (long) i * PAGE)).isEqualTo(i);
                }
              }
            });
      }
      crew.add(
          "hog",
          () -> {
            refused.await();
            long scans = PagingProbe.count(vm, Counter.SCANS);
            assertThat(refusals.get()).isPositive();
            assertThat(scans).as("scans").isLessThan(500);
            hog.unmap(AT, 100L * PAGE);
            returned.countDown();
          });
      crew.run();
      assertThat(vm.audit()).isEmpty();
      assertThat(PagingProbe.slotsInUse(vm)).isZero();
    }
  }

  /** A page is brought in, and nothing but itself can make room for a copy: that ends, too. */
  @Test
  void F10_copyOfASwappedPageWithOneFrameLeft() {
    try (Vm vm = Vm.builder().memory(64L * PAGE).pageSize(PAGE).swap(64L * PAGE).boot();
        Vmspace hog = vm.newVmspace();
        Vmspace parent = vm.newVmspace()) {
      Crew crew = new Crew();
      crew.add(
          "writer",
          () -> {
            try (Cpu cpu = vm.newCpu()) {
              cpu.attach(parent);
              parent.map(AT, PAGE, Protection.READ_WRITE);
              cpu.set(JAVA_LONG, AT, 7);
              Vmspace child = parent.fork();
              cpu.attach(hog);
              hog.map(AT, 200L * PAGE, Protection.READ_WRITE);
              for (int i = 0; child.paging().resident(AT, PAGE)[0]; i++) {
                cpu.set(JAVA_LONG, AT + i % 100L * PAGE, i);
              }
              int made = fill(cpu);
              cpu.attach(child);
              // One frame more than those that nobody gets, and no slot.
              hog.unmap(AT + (made - 1L) * PAGE, PAGE);
              assertThat(PagingProbe.slotsFree(vm)).isZero();
              assertThatThrownBy(() -> cpu.set(JAVA_LONG, AT, 8))
                  .isInstanceOfSatisfying(
                      MemoryFault.class,
                      e -> assertThat(e.reason()).isEqualTo(MemoryFault.Reason.OUT_OF_MEMORY));
              assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(7);
              hog.unmap(AT, 200L * PAGE);
              cpu.set(JAVA_LONG, AT, 8);
              cpu.attach(parent);
              assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(7);
            }
          });
      crew.run();
      assertThat(vm.audit()).isEmpty();
    }
  }

  /** Makes pages until there is no memory for one more; returns how many. */
  private static int fill(Cpu cpu) {
    int made = 0;
    try {
      for (; ; made++) {
        cpu.set(JAVA_LONG, AT + (long) made * PAGE, made);
      }
    } catch (MemoryFault e) {
      assertThat(e.reason()).isEqualTo(MemoryFault.Reason.OUT_OF_MEMORY);
    }
    return made;
  }

  /** A daemon that can take nothing rests, however often memory is asked for and given back. */
  @Test
  void F10_theDaemonRestsWhileNothingCanBeDone() {
    try (Vm vm = Vm.builder().memory(64L * PAGE).pageSize(PAGE).swap(8L * PAGE).boot();
        Vmspace space = vm.newVmspace();
        Cpu cpu = vm.newCpu()) {
      cpu.attach(space);
      space.map(AT, 200L * PAGE, Protection.READ_WRITE);
      space.paging().wire(AT, 40L * PAGE);
      int next = 40;
      try {
        for (; ; next++) {
          cpu.set(JAVA_LONG, AT + (long) next * PAGE, 1);
        }
      } catch (MemoryFault e) {
        assertThat(e.reason()).isEqualTo(MemoryFault.Reason.OUT_OF_MEMORY);
      }
      assertThat(next).isBetween(64, 72);
      long scans = PagingProbe.count(vm, Counter.SCANS);
      for (int i = 0; i < 500; i++) {
        space.unmap(AT + (next - 1L) * PAGE, PAGE);
        space.map(AT + (next - 1L) * PAGE, PAGE, Protection.READ_WRITE);
        cpu.set(JAVA_LONG, AT + (next - 1L) * PAGE, 1);
      }
      assertThat(PagingProbe.count(vm, Counter.SCANS) - scans).as("scans").isLessThan(510);
      assertThat(vm.audit()).isEmpty();
    }
  }

  /**
   * With a device that takes nothing, because it is full or because it fails, nobody waits for ever
   * and nobody's page is lost.
   */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void F10_deviceThatTakesNothing(boolean full, @TempDir Path directory) throws Exception {
    try (Vm vm = Vm.builder().memory(64L * PAGE).pageSize(PAGE).boot();
        Vmspace space = vm.newVmspace();
        Cpu cpu = vm.newCpu()) {
      FaultyStore device = new FaultyStore(FileStore.temporary(directory));
      if (full) {
        device.setFull(true);
      } else {
        device.failNext(FaultyStore.Operation.WRITE, Integer.MAX_VALUE);
      }
      PagingProbe.addSwap(vm, device, 4096L * PAGE, 0, false);
      cpu.attach(space);
      space.map(AT, 200L * PAGE, Protection.READ_WRITE);
      int made = fill(cpu);
      device.heal();
      for (int i = made; i < 200; i++) {
        cpu.set(JAVA_LONG, AT + (long) i * PAGE, i);
      }
      for (int i = 0; i < 200; i++) {
        assertThat(cpu.get(JAVA_LONG, AT + (long) i * PAGE)).isEqualTo(i);
      }
      // What has been tried once or twice was enough to see that it is of no use.
      assertThat(PagingProbe.slotsBad(vm)).isBetween(full ? 0L : 1L, full ? 0L : 300L);
      assertThat(vm.audit()).isEmpty();
    }
  }
}
