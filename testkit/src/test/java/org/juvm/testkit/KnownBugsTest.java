package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.Cpu;
import org.juvm.MapException;
import org.juvm.MapRequest;
import org.juvm.Mapping;
import org.juvm.MemoryFault;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Inheritance;
import org.juvm.base.Protection;

/** What other implementations of the same design once got wrong. */
@Tag("threads")
class KnownBugsTest {
  private static final long AT = 1 << 20;
  private static final int PAGE = 4096;

  @RegisterExtension final VmExtension vms = new VmExtension();

  private static void ignoringRefusals(Runnable operation) {
    try {
      operation.run();
    } catch (MapException e) {
      assertThat(e.reason()).isIn(MapException.Reason.NOT_MAPPED, MapException.Reason.WIRED);
    } catch (MemoryFault e) {
      assertThat(e.reason()).isEqualTo(MemoryFault.Reason.NOT_MAPPED);
    }
  }

  /** Nobody waits for a page with the map locked while others wait for the map. */
  @Test
  @Timeout(120)
  void bug1_cleanWireFaultAndMapTogether() {
    Vm vm = vms.boot();
    Vmspace space = vm.newVmspace();
    space.map(AT, 64 * PAGE, Protection.READ_WRITE);
    int rounds = Choices.times(1500);
    Crew crew = new Crew();
    crew.add(
        "cleaner",
        () -> {
          for (int i = 0; i < rounds; i++) {
            ignoringRefusals(() -> space.paging().clean(AT, 64 * PAGE, false));
            ignoringRefusals(() -> space.paging().wire(AT, 32 * PAGE));
            ignoringRefusals(() -> space.paging().unwire(AT, 32 * PAGE));
            ignoringRefusals(() -> space.paging().discard(AT, 64 * PAGE));
          }
        });
    crew.add(
        "faulter",
        () -> {
          try (Cpu cpu = vm.newCpu()) {
            cpu.attach(space);
            for (int i = 0; i < rounds; i++) {
              ignoringRefusals(() -> cpu.bulk().fill(AT, 64 * PAGE, (byte) 1));
            }
          }
        });
    crew.add(
        "mapper",
        () -> {
          for (int i = 0; i < rounds; i++) {
            long at = AT + i % 64 * (long) PAGE;
            space.unmap(at, PAGE);
            space.map(at, PAGE, Protection.READ_WRITE);
          }
        });
    crew.run();
  }

  @Test
  @Timeout(120)
  void bug2_wireWhileOthersMapAndUnmap() {
    Vm vm = vms.boot();
    Vmspace space = vm.newVmspace();
    int rounds = Choices.times(1500);
    Crew crew = new Crew();
    for (int n = 0; n < 2; n++) {
      Choices choices = Choices.fresh();
      crew.add(
          "wirer " + n,
          () -> {
            for (int i = 0; i < rounds; i++) {
              long at = AT + choices.below(16) * (long) PAGE;
              ignoringRefusals(() -> space.paging().wire(at, 8 * PAGE));
              ignoringRefusals(() -> space.paging().unwire(at, 8 * PAGE));
            }
          });
      crew.add(
          "mapper " + n,
          () -> {
            for (int i = 0; i < rounds; i++) {
              long at = AT + choices.below(16) * (long) PAGE;
              space.map(MapRequest.anonymous(9 * PAGE).replacing(at));
              space.unmap(AT + choices.below(24) * (long) PAGE, PAGE);
            }
          });
    }
    crew.run();
    space.paging().unwireAll();
    assertThat(space.paging().wiredBytes()).isZero();
    space.unmap(AT, 64 * PAGE);
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  /** Who replaces a mapping does not give the place to anybody for a moment. */
  @Test
  @Timeout(120)
  void bug3_replacingIsAtomic() {
    Vm vm = vms.boot();
    Vmspace space = vm.newVmspace();
    // The lowest place, which everybody gets who maps anywhere.
    long at = space.map(16 * PAGE, Protection.READ_WRITE);
    AtomicBoolean stop = new AtomicBoolean();
    Crew crew = new Crew();
    crew.add(
        "replacer",
        () -> {
          try {
            for (int i = 0; i < Choices.times(4000) && !crew.hasFailed(); i++) {
              space.map(MapRequest.anonymous(16 * PAGE).replacing(at));
            }
          } finally {
            stop.set(true);
          }
        });
    crew.add(
        "reader",
        () -> {
          try (Cpu cpu = vm.newCpu()) {
            cpu.attach(space);
            for (int i = 0; !stop.get(); i++) {
              assertThat(cpu.get(JAVA_LONG, at + i % 16 * (long) PAGE)).isZero();
            }
          }
        });
    crew.add(
        "mapper",
        () -> {
          while (!stop.get()) {
            long other = space.map(2 * PAGE, Protection.READ_WRITE);
            assertThat(other).isGreaterThanOrEqualTo(at + 16 * PAGE);
            space.unmap(other, 2 * PAGE);
          }
        });
    crew.run();
  }

  @Test
  void bug4_wiringPartOfAnEntryStaysInside() {
    Vm vm = vms.boot();
    Vmspace space = vm.newVmspace();
    space.map(AT, 10 * PAGE, Protection.READ_WRITE);
    space.paging().wire(AT + 3 * PAGE, 2 * PAGE);
    assertThat(space.mappings())
        .extracting(Mapping::start)
        .containsExactly(AT, AT + 3 * PAGE, AT + 5 * PAGE);
    assertThat(space.mappings()).extracting(Mapping::wirings).containsExactly(0, 1, 0);
    assertThat(space.paging().wiredBytes()).isEqualTo(2 * PAGE);
    assertThat(vm.statistics().usedFrames()).isEqualTo(2);
    space.paging().unwire(AT, 10 * PAGE);
    assertThat(space.mappings()).hasSize(1);
  }

  @Test
  void bug5_joinForwardAndBackward() {
    Vm vm = vms.boot();
    try (Cpu cpu = vm.newCpu()) {
      Choices choices = Choices.fresh();
      for (int round = 0; round < Choices.times(50); round++) {
        Vmspace space = vm.newVmspace();
        cpu.attach(space);
        int a = choices.between(1, 40);
        int b = choices.between(1, 40);
        int c = choices.between(1, 40);
        long middle = AT + (long) a * PAGE;
        long last = middle + (long) b * PAGE;
        space.map(AT, (long) a * PAGE, Protection.READ_WRITE);
        space.map(last, (long) c * PAGE, Protection.READ_WRITE);
        fill(cpu, AT, a, 1);
        fill(cpu, last, c, 3);
        space.map(middle, (long) b * PAGE, Protection.READ_WRITE);
        assertThat(space.mappings()).hasSizeLessThan(3);
        expect(cpu, middle, b, 0);
        fill(cpu, middle, b, 2);
        expect(cpu, AT, a, 1);
        expect(cpu, middle, b, 2);
        expect(cpu, last, c, 3);
        assertThat(vm.statistics().usedFrames()).isEqualTo(a + b + c);
        assertThat(vm.audit()).isEmpty();
        cpu.detach();
        space.close();
      }
    }
  }

  private static void fill(Cpu cpu, long at, int pages, int value) {
    for (int i = 0; i < pages; i++) {
      cpu.set(JAVA_BYTE, at + (long) i * PAGE, (byte) value);
    }
  }

  private static void expect(Cpu cpu, long at, int pages, int value) {
    for (int i = 0; i < pages; i++) {
      assertThat((int) cpu.get(JAVA_BYTE, at + (long) i * PAGE)).isEqualTo(value);
    }
  }

  /** A child that got a copy does not see what goes on in memory that is shared afterwards. */
  @Test
  void bug23_sharedMemoryThatWasCopiedBefore() {
    Vm vm = vms.boot();
    Vmspace space = vm.newVmspace();
    space.map(AT, PAGE, Protection.READ_WRITE);
    try (Cpu cpu = vm.newCpu();
        Cpu other = vm.newCpu()) {
      cpu.attach(space);
      cpu.set(JAVA_LONG, AT, 1);
      Vmspace copy = space.fork();
      space.inherit(AT, PAGE, Inheritance.SHARE);
      Vmspace sharer = space.fork();
      other.attach(sharer);
      assertThat(other.get(JAVA_LONG, AT)).isEqualTo(1);
      cpu.set(JAVA_LONG, AT, 2);
      assertThat(other.get(JAVA_LONG, AT)).isEqualTo(2);
      other.set(JAVA_LONG, AT, 3);
      assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(3);
      other.attach(copy);
      assertThat(other.get(JAVA_LONG, AT)).isEqualTo(1);
    }
  }

  /** A store that comes with a fork is in the child or is not, and what is not never gets there. */
  @Test
  @Timeout(120)
  void bug22_forkWhileOthersWrite() {
    Vm vm = vms.boot();
    Vmspace space = vm.newVmspace();
    int pages = 8;
    space.map(AT, pages * (long) PAGE, Protection.READ_WRITE);
    AtomicBoolean stop = new AtomicBoolean();
    Crew crew = new Crew();
    for (int n = 0; n < 2; n++) {
      long word = AT + n * 64L;
      crew.add(
          "writer " + n,
          () -> {
            try (Cpu cpu = vm.newCpu()) {
              cpu.attach(space);
              for (long i = 1; !stop.get(); i++) {
                for (int page = 0; page < pages; page++) {
                  cpu.atomics().setRelease(JAVA_LONG, word + (long) page * PAGE, i);
                }
              }
            }
          });
    }
    crew.add(
        "forker",
        () -> {
          try (Cpu cpu = vm.newCpu()) {
            long[] seen = new long[pages];
            for (int i = 0; i < Choices.times(1000) && !crew.hasFailed(); i++) {
              try (Vmspace child = space.fork()) {
                cpu.attach(child);
                long word = AT + i % 2 * 64L;
                for (int page = 0; page < pages; page++) {
                  seen[page] = cpu.get(JAVA_LONG, word + (long) page * PAGE);
                  if (page > 0) {
                    assertThat(seen[page]).isBetween(seen[0] - 1, seen[page - 1]);
                  }
                }
                cpu.set(JAVA_LONG, AT + 128, i);
                for (int page = 0; page < pages; page++) {
                  long again = cpu.get(JAVA_LONG, word + (long) page * PAGE);
                  assertThat(again).isEqualTo(seen[page]);
                }
              }
            }
          } finally {
            stop.set(true);
          }
        });
    crew.run();
  }

  @Test
  void bug24_wireProtectForkAndExit() {
    Vm vm = vms.boot();
    Choices choices = Choices.fresh();
    try (Cpu cpu = vm.newCpu()) {
      for (int round = 0; round < Choices.times(100); round++) {
        Vmspace space = vm.newVmspace();
        space.map(AT, 16 * PAGE, Protection.READ_WRITE);
        cpu.attach(space);
        fill(cpu, AT, 16, 1);
        Vmspace sibling = space.fork();
        space.protect(AT, 8 * PAGE, Protection.READ);
        space.paging().wire(AT, 16 * PAGE);
        space.protect(AT, 16 * PAGE, choices.oneIn(2) ? Protection.READ_WRITE : Protection.READ);
        Vmspace child = space.fork();
        space.protect(AT, 16 * PAGE, Protection.READ_WRITE);
        fill(cpu, AT, 16, 2);
        cpu.attach(child);
        expect(cpu, AT, 16, 1);
        cpu.attach(sibling);
        expect(cpu, AT, 16, 1);
        cpu.detach();
        assertThat(vm.statistics().usedFrames()).isEqualTo(3 * 16);
        assertThat(vm.audit()).isEmpty();
        if (choices.oneIn(2)) {
          space.paging().unwire(AT + 4 * PAGE, 4 * PAGE);
        }
        List<Vmspace> all = List.of(space, sibling, child);
        int first = choices.below(3);
        for (int i = 0; i < 3; i++) {
          all.get((first + i) % 3).close();
        }
        assertThat(vm.statistics().usedFrames()).isZero();
        assertThat(vm.audit()).isEmpty();
      }
    }
  }

  @Test
  void bug40_exitWithWiredPages() {
    Vm vm = vms.boot();
    Vmspace space = vm.newVmspace();
    space.map(AT, 16 * PAGE, Protection.READ_WRITE);
    space.map(MapRequest.anonymous(16 * PAGE).shared());
    space.paging().wireAll(true, true);
    Vmspace child = space.fork();
    child.paging().wireAll(true, false);
    space.close();
    assertThat(vm.audit()).isEmpty();
    child.close();
    assertThat(vm.statistics().freeFrames()).isEqualTo(vm.statistics().frames());
    assertThat(vm.audit()).isEmpty();
  }
}
