package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.juvm.AuditedVms.assertFault;
import static org.juvm.AuditedVms.assertRefused;
import static org.juvm.Program.PAGE;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Limit;
import org.juvm.base.Protection;

/** References to address spaces, their end, and what comes after it. */
class VmspaceLifeTest {
  private static final long AT = 1 << 20;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  @Test
  void M1_whatHasEndedAndIsHeldStaysKnownUntilTheLastHold() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    Vmspace space = program.space;
    space.map(AT, 4 * PAGE, Protection.READ_WRITE);
    program.number(AT, 4);
    Vmspace.Hold first = space.hold();
    Vmspace.Hold second = space.hold();
    assertThat(first.vmspace()).isSameAs(space);
    space.close();
    assertThat(space.isExited()).isTrue();
    assertThat(space.references()).isZero();
    assertThat(vm.vmspaces()).containsExactly(space);
    assertThat(vm.statistics().vmspaces()).isEqualTo(1);
    assertThat(vm.statistics().usedFrames()).as("memory is not held").isZero();
    assertThat(space.mappings()).isEmpty();
    assertThat(space.mappedBytes()).isZero();
    assertThat(space.residentPages()).isZero();
    assertThat(space.peakResidentPages()).isEqualTo(4);
    assertThat(space.show()).contains("references=0, holds=2").contains("exited");
    assertFault(MemoryFault.Reason.NOT_MAPPED, AT, () -> program.get(AT));
    assertThat(vm.audit()).isEmpty();
    first.close();
    first.close();
    assertThat(vm.vmspaces()).as("a hold that is closed twice counts once").contains(space);
    second.close();
    assertThat(vm.vmspaces()).isEmpty();
    assertThatIllegalStateException().isThrownBy(space::hold);
    assertThatIllegalStateException().isThrownBy(space::reference);
    assertThat(space.peakResidentPages()).isEqualTo(4);
  }

  @Test
  void M1_holdsDoNotKeepAnAddressSpaceAlive() {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    try (Vmspace.Hold hold = space.hold()) {
      assertThat(hold.vmspace().isExited()).isFalse();
    }
    assertThat(vm.vmspaces()).containsExactly(space);
    space.close();
    assertThat(vm.vmspaces()).isEmpty();
  }

  @Test
  void M1_endsWithItsLastReference() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    Vmspace space = program.space;
    space.map(AT, PAGE, Protection.READ_WRITE);
    program.set(AT, 1);
    assertThat(space.reference().reference()).isSameAs(space);
    assertThat(space.references()).isEqualTo(3);
    space.close();
    space.close();
    assertThat(space.isExited()).isFalse();
    assertThat(program.get(AT)).isEqualTo(1);
    space.close();
    assertThat(space.isExited()).isTrue();
    assertThat(vm.statistics().usedFrames()).isZero();
    space.close();
    assertThat(space.references()).isZero();
    assertThatIllegalStateException()
        .isThrownBy(space::reference)
        .withMessageContaining("vmspace=" + space.id());
  }

  @Test
  void M1_closingTheSystemEndsAllWhoeverRefersToThem() {
    Vm vm = vms.boot(64);
    Vmspace shared = vm.newVmspace().reference();
    Vmspace held = vm.newVmspace();
    Vmspace.Hold hold = held.hold();
    held.map(PAGE, Protection.READ_WRITE);
    vm.close();
    assertThat(List.of(shared, held)).allMatch(Vmspace::isExited);
    assertThat(vm.vmspaces()).containsExactly(held);
    shared.close();
    hold.close();
    assertThat(vm.vmspaces()).isEmpty();
    assertThatIllegalStateException().isThrownBy(vm::newVmspace);
    assertThatIllegalStateException().isThrownBy(shared::fork);
  }

  @Test
  void M1_numbersAreNeverUsedTwice() {
    Vm vm = vms.boot(64);
    Vmspace first = vm.newVmspace();
    first.close();
    Vmspace second = vm.newVmspace();
    assertThat(second.id()).isGreaterThan(first.id());
    assertThat(second).hasToString("vmspace " + second.id());
  }

  @Test
  void M21_execGivesAnEmptySpaceWithTheSameSettings() {
    Vm vm = vms.boot(64);
    Program old = Program.in(vm);
    old.space.map(AT, PAGE, Protection.READ_WRITE);
    old.set(AT, 1);
    old.space.setLimit(Limit.STACK, 1 << 20);
    old.space.setLimit(Limit.ADDRESS_SPACE, 1L << 40);
    Vmspace fresh = old.space.exec(null);
    assertThat(old.space.isExited()).isTrue();
    assertThat(vm.vmspaces()).containsExactly(fresh);
    assertThat(fresh.mappings()).isEmpty();
    assertThat(fresh.limit(Limit.STACK)).isEqualTo(1 << 20);
    assertThat(fresh.limit(Limit.ADDRESS_SPACE)).isEqualTo(1L << 40);
    assertThat(fresh.limit(Limit.LOCKED)).isEqualTo(Long.MAX_VALUE);
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  /** Whoever has placed mappings at random goes on so, with or without an image. */
  @Test
  void M21_execKeepsPlacementAtRandom() {
    Vm vm = vms.boot(64);
    Vmspace image = vm.newVmspace();
    for (Vmspace copied : new Vmspace[] {null, image}) {
      Vmspace old = vm.newVmspace();
      old.randomizePlacement(5);
      try (Vmspace fresh = old.exec(copied)) {
        assertThat(fresh.map(PAGE, Protection.READ)).isNotEqualTo(1 << 16);
      }
    }
    image.randomizePlacement(5);
    try (Vmspace fresh = vm.newVmspace().exec(image)) {
      assertThat(fresh.map(PAGE, Protection.READ)).isEqualTo(1 << 16);
    }
  }

  @Test
  void M21_execOfAnImageCopiesIt() {
    Vm vm = vms.boot(64);
    Program image = Program.in(vm);
    image.space.map(AT, 2 * PAGE, Protection.READ_WRITE);
    image.number(AT, 2);
    image.space.setLimit(Limit.STACK, 4096);
    Program old = Program.in(vm);
    old.space.map(2 * AT, PAGE, Protection.READ_WRITE);
    old.space.reference();
    Program fresh = new Program(old.space.exec(image.space));
    assertThat(old.space.references()).as("one reference was the caller's").isEqualTo(1);
    fresh.set(AT, 7);
    assertThat(fresh.get(AT + PAGE)).isEqualTo(2);
    assertThat(image.get(AT)).isEqualTo(1);
    assertThat(fresh.space.mappings()).hasSize(1);
    assertThat(fresh.space.limit(Limit.STACK)).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void M21_execThatFailsKeepsTheReference() {
    Vm vm = vms.boot(32);
    Program image = Program.in(vm);
    image.space.map(AT, 20 * PAGE, Protection.READ_WRITE);
    image.space.paging().wire(AT, 20 * PAGE);
    Vmspace old = vm.newVmspace();
    assertRefused(MapException.Reason.NO_MEMORY, () -> old.exec(image.space));
    assertThat(old.references()).isEqualTo(1);
    assertThat(vm.vmspaces()).containsExactly(image.space, old);
    assertThat(vm.statistics().usedFrames()).isEqualTo(20);
  }

  @Test
  void M21_unshareForksForSharersOnly() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    Vmspace space = program.space;
    assertThat(space.unshare()).isSameAs(space);
    space.map(AT, PAGE, Protection.READ_WRITE);
    program.set(AT, 1);
    space.reference();
    Program own = new Program(space.unshare());
    assertThat(own.space).isNotSameAs(space);
    assertThat(space.references()).isEqualTo(1);
    own.set(AT, 2);
    assertThat(program.get(AT)).isEqualTo(1);
    space.close();
    assertThat(own.get(AT)).isEqualTo(2);
    assertThatIllegalStateException().isThrownBy(space::unshare);
  }
}
