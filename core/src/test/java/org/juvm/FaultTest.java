package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.AuditedVms.assertFault;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.juvm.base.Access;
import org.juvm.base.Protection;

/** The cases of a page fault, each with its counter. */
class FaultTest {
  private static final long AT = 1 << 20;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  @Test
  void F1_accessOutsideAnyMappingFaults() {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(space);
    space.map(AT, 4096, Protection.READ_WRITE);
    for (long address : new long[] {0, 8, AT - 8, AT + 4096, 1L << 47, -8, Long.MIN_VALUE}) {
      assertFault(MemoryFault.Reason.NOT_MAPPED, address, () -> cpu.get(JAVA_LONG, address));
      assertFault(MemoryFault.Reason.NOT_MAPPED, address, () -> cpu.set(JAVA_LONG, address, 1));
    }
    assertThat(vm.statistics().unresolved()).isEqualTo(14);
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  @Test
  void F1_rightsThatAreMissingFault() {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(space);
    space.map(AT, 4096, Protection.READ);
    assertThat(cpu.get(JAVA_LONG, AT)).isZero();
    assertFault(MemoryFault.Reason.PROTECTION, AT, () -> cpu.set(JAVA_LONG, AT, 1));
    space.protect(AT, 4096, Protection.NONE);
    assertFault(MemoryFault.Reason.PROTECTION, AT, () -> cpu.get(JAVA_LONG, AT));
    try {
      cpu.set(JAVA_LONG, AT, 1);
    } catch (MemoryFault e) {
      assertThat(e.access()).isEqualTo(Access.WRITE);
      assertThat(e).hasMessageContaining("protection: address=0x100000, access=write");
    }
    assertThat(vm.statistics().unresolved()).isEqualTo(3);
  }

  @Test
  void F2_pageOfTheOnlyOwnerIsMappedAsItIs() {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(space);
    space.map(AT, 4096, Protection.READ_WRITE);
    cpu.set(JAVA_LONG, AT, 7);
    space.protect(AT, 4096, Protection.NONE);
    space.protect(AT, 4096, Protection.READ_WRITE);
    long direct = vm.statistics().direct();
    cpu.set(JAVA_LONG, AT, cpu.get(JAVA_LONG, AT) + 1);
    assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(8);
    assertThat(vm.statistics().direct()).isGreaterThan(direct);
    assertThat(vm.statistics().copies()).isZero();
    assertThat(vm.statistics().usedFrames()).isEqualTo(1);
  }

  @Test
  void F3_writeToSharedAnonCopies() {
    Vm vm = vms.boot(64);
    Vmspace parent = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(parent);
    parent.map(AT, 4 * 4096, Protection.READ_WRITE);
    for (int i = 0; i < 4; i++) {
      cpu.set(JAVA_LONG, AT + i * 4096L, 1);
    }
    Vmspace child = parent.fork();
    assertThat(vm.statistics().usedFrames()).isEqualTo(4);
    cpu.set(JAVA_LONG, AT, 2);
    assertThat(vm.statistics().copies()).isEqualTo(1);
    assertThat(vm.statistics().usedFrames()).isEqualTo(5);
    cpu.attach(child);
    assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(1);
    // The child is the only owner of this page now, so it writes in place.
    cpu.set(JAVA_LONG, AT, 3);
    assertThat(vm.statistics().copies()).isEqualTo(1);
    cpu.attach(parent);
    assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(2);
    assertThat(vm.statistics().usedFrames()).isEqualTo(5);
  }

  /** The copy must replace a translation that another processor has for loads. */
  @Test
  void F3_readersOnOtherCpusSeeTheCopy() {
    Vm vm = vms.boot(64);
    Vmspace parent = vm.newVmspace();
    Cpu writer = vm.newCpu();
    Cpu reader = vm.newCpu();
    writer.attach(parent);
    reader.attach(parent);
    parent.map(AT, 4096, Protection.READ_WRITE);
    for (int round = 1; round < 50; round++) {
      writer.set(JAVA_LONG, AT, round);
      try (Vmspace child = parent.fork()) {
        assertThat(child.isExited()).isFalse();
        for (int i = 0; i < 4; i++) {
          assertThat(reader.get(JAVA_LONG, AT)).isEqualTo(round);
        }
        writer.set(JAVA_LONG, AT, -round);
        assertThat(reader.get(JAVA_LONG, AT)).isEqualTo(-round);
      }
    }
  }

  @Test
  void F5_firstTouchFillsWithZeros() {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(space);
    for (int round = 0; round < 3; round++) {
      space.map(AT, 16 * 4096, Protection.READ_WRITE);
      for (long at = AT; at < AT + 16 * 4096; at += 8) {
        assertThat(cpu.get(JAVA_LONG, at)).isZero();
        cpu.set(JAVA_LONG, at, -1);
      }
      space.unmap(AT, 16 * 4096);
    }
    assertThat(vm.statistics().zeroFills()).isEqualTo(48);
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  @Test
  void F6_protectionHoldsWhileCopyIsPending() {
    Vm vm = vms.boot(64);
    Vmspace parent = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(parent);
    parent.map(AT, 2 * 4096, Protection.READ_WRITE);
    cpu.set(JAVA_LONG, AT, 1);
    Vmspace child = parent.fork();
    assertThat(parent.mappings().getFirst().needsCopy()).isTrue();
    assertThat(child.mappings().getFirst().needsCopy()).isTrue();
    child.protect(AT, 4096, Protection.READ);
    cpu.attach(child);
    assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(1);
    assertFault(MemoryFault.Reason.PROTECTION, AT, () -> cpu.set(JAVA_LONG, AT, 2));
    child.protect(AT, 4096, Protection.READ_WRITE);
    cpu.set(JAVA_LONG, AT, 2);
    assertThat(child.mappings().getFirst().needsCopy()).isFalse();
    cpu.attach(parent);
    assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(1);
  }

  /** Rights to write that a space has must not come back through a page that is shared. */
  @Test
  void F6_readAfterForkDoesNotMakeWritable() {
    Vm vm = vms.boot(64);
    Vmspace parent = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    Cpu other = vm.newCpu();
    cpu.attach(parent);
    parent.map(AT, 4096, Protection.READ_WRITE);
    cpu.set(JAVA_LONG, AT, 1);
    Vmspace child = parent.fork();
    other.attach(child);
    for (int i = 0; i < 4; i++) {
      assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(1);
      assertThat(other.get(JAVA_LONG, AT)).isEqualTo(1);
    }
    cpu.set(JAVA_LONG, AT, 2);
    assertThat(other.get(JAVA_LONG, AT)).isEqualTo(1);
    other.set(JAVA_LONG, AT, 3);
    assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(2);
  }

  /** A copy made by a bulk write replaces the translation that loads had. (Known bug of others.) */
  @Test
  void F3_bulkCopyOutToSharedPageIsSeenByLoads() {
    Vm vm = vms.boot(64);
    Vmspace parent = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(parent);
    parent.map(AT, 2 * 4096, Protection.READ_WRITE);
    cpu.bulk().fill(AT, 2 * 4096, (byte) 1);
    Vmspace child = parent.fork();
    assertThat(cpu.get(JAVA_BYTE, AT)).isEqualTo((byte) 1);
    assertThat(cpu.get(JAVA_BYTE, AT)).isEqualTo((byte) 1);
    cpu.bulk().fill(AT, 2 * 4096, (byte) 2);
    assertThat(cpu.get(JAVA_BYTE, AT)).isEqualTo((byte) 2);
    cpu.attach(child);
    assertThat(cpu.get(JAVA_BYTE, AT)).isEqualTo((byte) 1);
    cpu.bulk().window(AT, 8192, Access.WRITE, segment -> segment.fill((byte) 3));
    assertThat(cpu.get(JAVA_BYTE, AT + 5000)).isEqualTo((byte) 3);
  }

  @ParameterizedTest
  @ValueSource(ints = {1 << 10, 4 << 10, 16 << 10, 64 << 10})
  void H1_everyFaultIsCountedOnceAtAnyPageSize(int pageSize) {
    Vm vm = vms.boot(256, pageSize);
    Vmspace space = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(space);
    long at = space.map(32L * pageSize, Protection.READ_WRITE);
    for (int i = 0; i < 32; i++) {
      cpu.set(JAVA_LONG, at + (long) i * pageSize, i);
    }
    for (int i = 0; i < 32; i++) {
      assertThat(cpu.get(JAVA_LONG, at + (long) i * pageSize)).isEqualTo(i);
    }
    Statistics before = vm.statistics();
    assertThat(before.zeroFills()).isEqualTo(32);
    assertThat(before.faults()).isEqualTo(32);
    Vmspace child = space.fork();
    for (int i = 0; i < 32; i++) {
      cpu.set(JAVA_LONG, at + (long) i * pageSize, -i);
    }
    Statistics after = vm.statistics();
    assertThat(after.copies()).isEqualTo(32);
    assertThat(after.faults() - before.faults()).isEqualTo(32);
    assertThat(after.usedFrames()).isEqualTo(64);
    child.close();
    assertThat(vm.statistics().usedFrames()).isEqualTo(32);
    cpu.close();
    assertThat(vm.statistics().faults()).as("counts outlive the cpu").isEqualTo(after.faults());
  }
}
