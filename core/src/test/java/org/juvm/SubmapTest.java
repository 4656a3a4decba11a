package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.juvm.AuditedVms.assertFault;
import static org.juvm.AuditedVms.assertRefused;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Inheritance;
import org.juvm.base.Protection;

/** Parts of an address space that are managed by themselves. */
class SubmapTest {
  private static final long PAGE = 4096;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  @Test
  void M10_whatIsMappedInASubmapIsFoundByAccesses() {
    Vm vm = vms.boot(256);
    Vmspace vmspace = vm.newVmspace();
    Submap submap = vmspace.submap(64 * PAGE);
    long address = submap.map(3 * PAGE, Protection.READ_WRITE);
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(vmspace);
      cpu.set(JAVA_LONG, address + PAGE, 42);
      assertThat(cpu.get(JAVA_LONG, address + PAGE)).isEqualTo(42);
      assertThat(address).isBetween(submap.start(), submap.end() - 3 * PAGE);

      submap.protect(address, PAGE, Protection.READ);
      assertFault(MemoryFault.Reason.PROTECTION, address, () -> cpu.set(JAVA_LONG, address, 1));
      submap.unmap(address, 3 * PAGE);
      assertFault(
          MemoryFault.Reason.NOT_MAPPED, address + PAGE, () -> cpu.get(JAVA_LONG, address + PAGE));
    }
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  @Test
  void F14_faultsInSubmapsGoThroughTheSameCases() {
    Vm vm = vms.boot(256);
    Vmspace vmspace = vm.newVmspace();
    Submap submap = vmspace.submap(1 << 20);
    long top = submap.map(MapRequest.stack(256 << 10)) + (256 << 10);
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(vmspace);
      cpu.set(JAVA_LONG, top - (150 << 10), 7);
      assertThat(vm.statistics().stackGrowths()).isEqualTo(1);
      submap.paging().wire(top - (128 << 10), 128 << 10);
      assertThat(submap.paging().wiredBytes()).isEqualTo(128 << 10);
      assertThat(cpu.get(JAVA_LONG, top - (150 << 10))).isEqualTo(7);
    }
  }

  @Test
  void M10_operationsOnTheWholeLeaveASubmapAlone() {
    Vm vm = vms.boot(256);
    Vmspace vmspace = vm.newVmspace();
    Submap submap = vmspace.submap(16 * PAGE);
    submap.map(PAGE, Protection.READ_WRITE);
    long start = submap.start();
    assertRefused(MapException.Reason.SUBMAP, () -> vmspace.unmap(start, PAGE));
    assertRefused(MapException.Reason.SUBMAP, () -> vmspace.protect(start, PAGE, Protection.READ));
    assertRefused(
        MapException.Reason.SUBMAP, () -> vmspace.inherit(start, PAGE, Inheritance.SHARE));
    assertRefused(MapException.Reason.SUBMAP, () -> vmspace.paging().wire(start, PAGE));
    assertRefused(MapException.Reason.SUBMAP, () -> vmspace.paging().discard(start, PAGE));
    assertRefused(
        MapException.Reason.SUBMAP, () -> vmspace.map(MapRequest.anonymous(PAGE).replacing(start)));
    assertRefused(MapException.Reason.SUBMAP, () -> vmspace.remap(start, PAGE, 2 * PAGE));
    assertThat(submap.mappings()).hasSize(1);
  }

  @Test
  void M10_aFullSubmapHasNoSpace() {
    Vmspace vmspace = vms.boot(256).newVmspace();
    Submap submap = vmspace.submap(4 * PAGE);
    submap.map(4 * PAGE, Protection.READ);
    assertRefused(MapException.Reason.NO_SPACE, () -> submap.map(PAGE, Protection.READ));
    submap.unmap(submap.start() + PAGE, PAGE);
    assertThat(submap.map(PAGE, Protection.READ)).isEqualTo(submap.start() + PAGE);
  }

  @Test
  void M10_aChildHasNoSubmapAndTheEndTakesItAlong() {
    Vm vm = vms.boot(256);
    Vmspace vmspace = vm.newVmspace();
    Submap submap = vmspace.submap(16 * PAGE);
    long address = submap.map(PAGE, Protection.READ_WRITE);
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(vmspace);
      cpu.set(JAVA_LONG, address, 1);
      Vmspace child = vmspace.fork();
      assertThat(child.mappings()).isEmpty();
      vmspace.close();
      assertThatThrownBy(() -> cpu.get(JAVA_LONG, address)).isInstanceOf(MemoryFault.class);
      assertThatThrownBy(() -> submap.map(PAGE, Protection.READ))
          .isInstanceOf(IllegalStateException.class);
    }
    assertThat(vm.statistics().usedFrames()).isZero();
  }
}
