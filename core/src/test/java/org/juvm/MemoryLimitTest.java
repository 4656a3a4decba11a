package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.AuditedVms.assertFault;
import static org.juvm.AuditedVms.assertRefused;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Access;
import org.juvm.base.Protection;

/** The budget, and what happens at its end. */
class MemoryLimitTest {
  @RegisterExtension final AuditedVms vms = new AuditedVms();

  /** Stores to one page after the other until there is no memory; returns how many it got. */
  private static int exhaust(Cpu cpu, long at, int pages) {
    for (int i = 0; i < pages; i++) {
      try {
        cpu.set(JAVA_LONG, at + i * 4096L, i + 1);
      } catch (MemoryFault e) {
        assertThat(e.reason()).isEqualTo(MemoryFault.Reason.OUT_OF_MEMORY);
        return i;
      }
    }
    throw new AssertionError("memory never ended");
  }

  @Test
  void P1_budgetIsHard() {
    for (int frames : new int[] {16, 31, 64, 1000}) {
      Vm vm = vms.boot(frames);
      Vmspace space = vm.newVmspace();
      Cpu cpu = vm.newCpu();
      cpu.attach(space);
      long at = space.map(2000 * 4096, Protection.READ_WRITE);
      int got = exhaust(cpu, at, 2000);
      // A few frames are a reserve, no more than one in 64.
      assertThat(got).isBetween(frames - frames / 64, frames);
      assertThat(vm.statistics().usedFrames()).isEqualTo(got);
      assertThat(vm.statistics().outOfMemory()).isEqualTo(1);
      for (int i = 0; i < got; i++) {
        assertThat(cpu.get(JAVA_LONG, at + i * 4096L)).isEqualTo(i + 1);
      }
      assertThat(vm.audit()).isEmpty();
      space.unmap(at, 10 * 4096);
      assertThat(exhaust(cpu, at + 1000 * 4096, 100)).isEqualTo(10);
    }
  }

  @Test
  void P1_framesInOtherCpusCachesAreFound() {
    Vm vm = vms.boot(256);
    Vmspace space = vm.newVmspace();
    List<Cpu> cpus = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      Cpu cpu = vm.newCpu();
      cpu.attach(space);
      cpus.add(cpu);
    }
    long at = space.map(1000 * 4096, Protection.READ_WRITE);
    for (int i = 0; i < 60; i++) {
      cpus.get(i % 4).set(JAVA_LONG, at + i * 4096L, 1);
    }
    int got = 60 + exhaust(cpus.get(0), at + 60 * 4096, 900);
    assertThat(got).isBetween(252, 256);
    cpus.forEach(Cpu::close);
  }

  @Test
  void F10_copyWithoutMemoryChangesNothing() {
    Vm vm = vms.boot(64);
    Vmspace parent = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(parent);
    long at = parent.map(100 * 4096, Protection.READ_WRITE);
    int got = exhaust(cpu, at, 100);
    Vmspace child = parent.fork();
    assertFault(MemoryFault.Reason.OUT_OF_MEMORY, at, () -> cpu.set(JAVA_LONG, at, 99));
    assertThat(cpu.get(JAVA_LONG, at)).isEqualTo(1);
    cpu.attach(child);
    assertThat(cpu.get(JAVA_LONG, at)).isEqualTo(1);
    assertFault(MemoryFault.Reason.OUT_OF_MEMORY, at, () -> cpu.set(JAVA_LONG, at, 98));
    assertThat(vm.audit()).isEmpty();
    // With the parent gone the child is the only owner and needs no copies.
    parent.close();
    for (int i = 0; i < got; i++) {
      cpu.set(JAVA_LONG, at + i * 4096L, -i);
    }
    assertThat(vm.statistics().usedFrames()).isEqualTo(got);
    child.close();
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  @Test
  void F10_forkThatMustCopyIsAllOrNothing() {
    Vm vm = vms.boot(32);
    Vmspace parent = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(parent);
    long at = parent.map(100 * 4096, Protection.READ_WRITE);
    int got = exhaust(cpu, at, 100);
    cpu.bulk()
        .window(
            at,
            4096,
            Access.WRITE,
            segment -> {
              assertRefused(MapException.Reason.NO_MEMORY, parent::fork);
              segment.fill((byte) 5);
            });
    assertThat(vm.statistics().vmspaces()).isEqualTo(1);
    assertThat(vm.statistics().usedFrames()).isEqualTo(got);
    assertThat(vm.audit()).isEmpty();
    assertThat(cpu.get(JAVA_LONG, at)).isEqualTo(0x0505050505050505L);
    cpu.set(JAVA_LONG, at + 4096, 77);
    parent.unmap(at + 10 * 4096, 90 * 4096);
    try (Vmspace child = parent.fork()) {
      cpu.attach(child);
      assertThat(cpu.get(JAVA_LONG, at + 4096)).isEqualTo(77);
    }
  }

  /** A store across pages happens as a whole or not at all. */
  @Test
  void F10_straddlingStoreWithoutMemoryStoresNothing() {
    Vm vm = vms.boot(32);
    Vmspace space = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(space);
    long at = space.map(100 * 4096, Protection.READ_WRITE);
    int got = exhaust(cpu, at, 100);
    long border = at + got * 4096L;
    assertFault(
        MemoryFault.Reason.OUT_OF_MEMORY,
        border,
        () -> cpu.set(JAVA_LONG.withByteAlignment(1), border - 4, -1));
    assertThat(cpu.get(JAVA_LONG.withByteAlignment(1), border - 8)).isZero();
  }

  /**
   * Pages that lie far apart need many nodes of amaps and many page tables. Whatever a space has,
   * it can always give back, and a child costs nothing.
   */
  @Test
  void A4_sparseMemoryCanAlwaysBeGivenBack() {
    int pageSize = 1024;
    Vm vm = vms.boot(2000, pageSize);
    // So far apart that each page needs five nodes of its own.
    long apart = (long) pageSize << 30;
    int each = 120;
    List<Vmspace> spaces = new ArrayList<>();
    Cpu cpu = vm.newCpu();
    long at = 0;
    boolean full = false;
    while (!full) {
      Vmspace space = vm.newVmspace();
      spaces.add(space);
      cpu.attach(space);
      at = space.map(each * apart, Protection.READ_WRITE);
      for (int i = 0; i < each && !full; i++) {
        try {
          cpu.set(JAVA_LONG, at + i * apart, 1);
        } catch (MemoryFault e) {
          assertThat(e.reason()).isEqualTo(MemoryFault.Reason.OUT_OF_MEMORY);
          full = true;
        }
      }
    }
    Vmspace space = spaces.getFirst();
    Vmspace child = space.fork();
    cpu.attach(space);
    Random random = new Random(1);
    for (int i = 0; i < 64; i++) {
      long page = at + random.nextInt(each) * apart;
      (i % 2 == 0 ? child : space).unmap(page, pageSize);
      try {
        cpu.set(JAVA_LONG, at + random.nextInt(each) * apart, 2);
      } catch (MemoryFault e) {
        assertThat(e.reason())
            .isIn(MemoryFault.Reason.OUT_OF_MEMORY, MemoryFault.Reason.NOT_MAPPED);
      }
    }
    child.fork().close();
    child.close();
    spaces.forEach(Vmspace::close);
    assertThat(vm.statistics().usedFrames()).isZero();
    assertThat(vm.statistics().amapNodes()).isZero();
  }
}
