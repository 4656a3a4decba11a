package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.juvm.AuditedVms.assertFault;
import static org.juvm.AuditedVms.assertRefused;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Inheritance;
import org.juvm.base.Protection;

/** Mappings as their owner sees them. */
class MapTest {
  private static final long AT = 1 << 20;
  private static final int PAGE = 4096;
  private static final long END = 1L << 47;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  private static List<String> layout(Vmspace space) {
    return space.mappings().stream()
        .map(m -> (m.start() - AT) / PAGE + "+" + m.length() / PAGE + " " + m.protection())
        .toList();
  }

  @Test
  void M4_neighboursJoin() {
    Vmspace space = vms.boot(64).newVmspace();
    space.map(AT, PAGE, Protection.READ_WRITE);
    space.map(AT + 2 * PAGE, PAGE, Protection.READ_WRITE);
    assertThat(layout(space)).containsExactly("0+1 rw-", "2+1 rw-");
    space.map(AT + PAGE, PAGE, Protection.READ_WRITE);
    assertThat(layout(space)).containsExactly("0+3 rw-");
  }

  /** Two amaps with a hole between them, which is filled: no lookup may leave its amap. */
  @Test
  void M4_mappingBetweenTwoAmaps() {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(space);
    space.map(AT, PAGE, Protection.READ_WRITE);
    space.map(AT + 2 * PAGE, PAGE, Protection.READ_WRITE);
    cpu.set(JAVA_LONG, AT, 1);
    cpu.set(JAVA_LONG, AT + 2 * PAGE, 3);
    space.map(AT + PAGE, PAGE, Protection.READ_WRITE);
    cpu.set(JAVA_LONG, AT + PAGE, 2);
    for (int i = 0; i < 3; i++) {
      assertThat(cpu.get(JAVA_LONG, AT + (long) i * PAGE)).isEqualTo(i + 1);
    }
  }

  /**
   * What is unmapped at the end of a mapping and mapped again is zero, and no mapping of its own.
   */
  @Test
  void A5_growsIntoWhatWasUnmapped() {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(space);
    space.map(AT, 10 * PAGE, Protection.READ_WRITE);
    for (int i = 0; i < 10; i++) {
      cpu.set(JAVA_LONG, AT + (long) i * PAGE, i + 1);
    }
    space.unmap(AT + 4 * PAGE, 6 * PAGE);
    space.map(AT + 4 * PAGE, 8 * PAGE, Protection.READ_WRITE);
    assertThat(layout(space)).containsExactly("0+12 rw-");
    for (int i = 0; i < 12; i++) {
      assertThat(cpu.get(JAVA_LONG, AT + (long) i * PAGE)).isEqualTo(i < 4 ? i + 1 : 0);
    }
  }

  @Test
  void M8_clipsAtStartAndEnd() {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(space);
    space.map(AT, 10 * PAGE, Protection.READ_WRITE);
    for (int i = 0; i < 10; i++) {
      cpu.set(JAVA_LONG, AT + (long) i * PAGE, i);
    }
    space.protect(AT + 3 * PAGE, 2 * PAGE, Protection.READ);
    assertThat(layout(space)).containsExactly("0+3 rw-", "3+2 r--", "5+5 rw-");
    for (int i = 0; i < 10; i++) {
      assertThat(cpu.get(JAVA_LONG, AT + (long) i * PAGE)).isEqualTo(i);
    }
    space.protect(AT, 10 * PAGE, Protection.READ_WRITE);
    assertThat(layout(space)).containsExactly("0+10 rw-");
    space.unmap(AT + 4 * PAGE, PAGE);
    assertThat(layout(space)).containsExactly("0+4 rw-", "5+5 rw-");
    assertThat(vm.statistics().usedFrames()).isEqualTo(9);
    assertThat(cpu.get(JAVA_LONG, AT + 9 * PAGE)).isEqualTo(9);
  }

  @Test
  void M11_protectChecksEverythingFirst() {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(space);
    space.map(AT, 3 * PAGE, Protection.READ_WRITE);
    space.map(AT + 4 * PAGE, PAGE, Protection.READ_WRITE);
    cpu.set(JAVA_LONG, AT, 1);
    List<Mapping> before = space.mappings();
    assertRefused(
        MapException.Reason.NOT_MAPPED, () -> space.protect(AT, 5 * PAGE, Protection.READ));
    assertRefused(
        MapException.Reason.NOT_MAPPED, () -> space.protect(AT - PAGE, PAGE, Protection.READ));
    assertThat(space.mappings()).isEqualTo(before);
    cpu.set(JAVA_LONG, AT, 2);
    for (Protection protection : Protection.values()) {
      space.protect(AT, 3 * PAGE, protection);
      assertThat(space.mappings().getFirst().protection()).isEqualTo(protection);
    }
  }

  /** In force for all cpus when the call returns, whatever they have cached. */
  @Test
  void M11_rightsAreGoneForEveryCpu() {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    Cpu one = vm.newCpu();
    Cpu two = vm.newCpu();
    one.attach(space);
    two.attach(space);
    space.map(AT, PAGE, Protection.READ_WRITE);
    for (int i = 0; i < 4; i++) {
      one.set(JAVA_LONG, AT, i);
      two.set(JAVA_LONG, AT, i);
    }
    space.protect(AT, PAGE, Protection.READ);
    assertFault(MemoryFault.Reason.PROTECTION, AT, () -> one.set(JAVA_LONG, AT, 9));
    assertFault(MemoryFault.Reason.PROTECTION, AT, () -> two.set(JAVA_LONG, AT, 9));
    assertThat(two.get(JAVA_LONG, AT)).isEqualTo(3);
    space.unmap(AT, PAGE);
    assertFault(MemoryFault.Reason.NOT_MAPPED, AT, () -> one.get(JAVA_LONG, AT));
    assertFault(MemoryFault.Reason.NOT_MAPPED, AT, () -> two.get(JAVA_LONG, AT));
  }

  @Test
  void M3_lowestHoleIsTaken() {
    Vmspace space = vms.boot(64).newVmspace();
    assertThat(space.map(PAGE, Protection.READ)).isEqualTo(1 << 16);
    space.map((1 << 16) + 3L * PAGE, PAGE, Protection.READ);
    assertThat(space.map(3 * PAGE, Protection.READ_WRITE)).isEqualTo((1 << 16) + 4 * PAGE);
    assertThat(space.map(2 * PAGE, Protection.READ_WRITE)).isEqualTo((1 << 16) + PAGE);
  }

  @Test
  void M4_boundsAndOverlapAreRefused() {
    Vmspace space = vms.boot(64).newVmspace();
    space.map(AT, 2 * PAGE, Protection.READ_WRITE);
    for (long at : new long[] {AT - PAGE, AT, AT + PAGE}) {
      assertRefused(
          MapException.Reason.OCCUPIED, () -> space.map(at, 2 * PAGE, Protection.READ_WRITE));
    }
    for (long at : new long[] {0, PAGE, END - PAGE, END, Long.MAX_VALUE - PAGE + 1, -PAGE}) {
      assertRefused(
          MapException.Reason.NO_SPACE, () -> space.map(at, 2 * PAGE, Protection.READ_WRITE));
    }
    assertRefused(MapException.Reason.NO_SPACE, () -> space.map(END, Protection.READ));
    assertThat(space.mappings()).hasSize(1);
    space.map(END - PAGE, PAGE, Protection.READ);
  }

  @Test
  void M4_badArgumentsAreRefused() {
    Vmspace space = vms.boot(64).newVmspace();
    space.map(AT, 2 * PAGE, Protection.READ_WRITE);
    List<Mapping> before = space.mappings();
    for (long length : new long[] {0, -1, Long.MIN_VALUE, Long.MAX_VALUE, END + 1}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> space.map(length, Protection.READ))
          .withMessageContaining("length=" + length);
      assertThatIllegalArgumentException().isThrownBy(() -> space.unmap(AT, length));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> space.protect(AT, length, Protection.READ));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> space.inherit(AT, length, Inheritance.NONE));
    }
    for (long at : new long[] {1, AT + 1, AT - 1, -1}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> space.map(at, PAGE, Protection.READ))
          .withMessageContaining("address=0x" + Long.toHexString(at));
      assertThatIllegalArgumentException().isThrownBy(() -> space.unmap(at, PAGE));
    }
    for (long at : new long[] {-PAGE, END, Long.MIN_VALUE}) {
      assertThatIllegalArgumentException().isThrownBy(() -> space.unmap(at, PAGE));
    }
    assertThat(space.mappings()).isEqualTo(before);
    space.unmap(0, END);
    assertThat(space.mappings()).isEmpty();
  }

  @Test
  void M1_exitedSpaceRefusesEverything() {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(space);
    space.map(AT, PAGE, Protection.READ_WRITE);
    cpu.set(JAVA_LONG, AT, 1);
    space.close();
    space.close();
    assertThat(space.isExited()).isTrue();
    assertFault(MemoryFault.Reason.NOT_MAPPED, AT, () -> cpu.get(JAVA_LONG, AT));
    assertThatIllegalStateException().isThrownBy(() -> space.map(PAGE, Protection.READ));
    assertThatIllegalStateException().isThrownBy(() -> space.map(AT, PAGE, Protection.READ));
    assertThatIllegalStateException().isThrownBy(() -> space.protect(AT, PAGE, Protection.READ));
    assertThatIllegalStateException().isThrownBy(space::fork);
    assertThat(vm.statistics().usedFrames()).isZero();
    assertThat(vm.statistics().pageTables()).isZero();
    assertThat(vm.statistics().vmspaces()).isZero();
  }

  @Test
  void bootRefusesBadSizes() {
    for (long memory : new long[] {0, -1, 15 * PAGE, Long.MAX_VALUE, Long.MIN_VALUE}) {
      assertThatIllegalArgumentException().isThrownBy(() -> Vm.builder().memory(memory).boot());
    }
    for (int size : new int[] {0, -1, 512, 4095, 1 << 17, Integer.MIN_VALUE}) {
      assertThatIllegalArgumentException().isThrownBy(() -> Vm.builder().pageSize(size).boot());
    }
  }
}
