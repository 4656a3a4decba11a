package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.juvm.AuditedVms.assertFault;
import static org.juvm.AuditedVms.assertRefused;
import static org.juvm.Program.PAGE;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Limit;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;

/** Stacks that grow downwards when they are touched. */
class StackTest {
  private static final long LOW = 1 << 20;
  private static final long RESERVE = 1 << 20;
  private static final long TOP = LOW + RESERVE;
  private static final long STEP = 128 << 10;
  private static final long GUARD = 64 << 10;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  private Program program() {
    Program program = Program.in(vms.boot(512));
    assertThat(program.space.map(MapRequest.stack(RESERVE).at(LOW))).isEqualTo(LOW);
    return program;
  }

  private static long start(Program program) {
    return program.space.mappings().getFirst().start();
  }

  private static void assertEnds(Program program, long address) {
    long mapped = program.space.mappedBytes();
    assertFault(MemoryFault.Reason.STACK_LIMIT, address, () -> program.set(address, 1));
    assertThat(program.space.mappedBytes()).isEqualTo(mapped);
  }

  @Test
  void M20_upperEndIsMappedAtFirst() {
    Program program = program();
    assertThat(program.space.mappings()).hasSize(1);
    Mapping stack = program.space.mappings().getFirst();
    assertThat(stack.start()).isEqualTo(TOP - STEP);
    assertThat(stack.end()).isEqualTo(TOP);
    assertThat(stack.flags()).containsExactly(MapFlag.STACK);
    assertThat(program.space.mappedBytes()).isEqualTo(STEP);
    program.set(TOP - 8, 1);
    assertThat(program.vm.statistics().stackGrowths()).isZero();
  }

  @Test
  void M20_touchBelowTheStackGrowsIt() {
    Program program = program();
    program.set(TOP - 8, 1);
    program.set(TOP - STEP - 8, 2);
    assertThat(start(program)).isEqualTo(TOP - 2 * STEP);
    assertThat(program.get(TOP - 4 * STEP - 8)).as("loads count, too").isZero();
    assertThat(start(program)).as("several steps at once").isEqualTo(TOP - 5 * STEP);
    assertThat(program.space.mappings()).hasSize(1);
    assertThat(program.vm.statistics().stackGrowths()).isEqualTo(2);
    assertThat(program.get(TOP - 8)).isEqualTo(1);
    assertThat(program.get(TOP - STEP - 8)).isEqualTo(2);
    assertThat(program.usedFrames()).isEqualTo(3);
  }

  @Test
  void M20_guardIsNeverMapped() {
    Program program = program();
    program.set(LOW + GUARD, 1);
    assertThat(start(program)).isEqualTo(LOW + GUARD);
    for (long address : new long[] {LOW + GUARD - 8, LOW}) {
      assertFault(MemoryFault.Reason.STACK_LIMIT, address, () -> program.get(address));
    }
    assertFault(MemoryFault.Reason.NOT_MAPPED, LOW - 8, () -> program.get(LOW - 8));
    Program small = Program.in(program.vm);
    small.space.map(MapRequest.stack(3 * PAGE).guard(PAGE).at(LOW));
    assertThat(small.layout(LOW)).containsExactly("1+2 rw-");
    Program bare = Program.in(program.vm);
    bare.space.map(MapRequest.stack(3 * PAGE).guard(0).at(LOW));
    assertThat(bare.layout(LOW)).containsExactly("0+3 rw-");
    for (long guard : new long[] {-1, 3 * PAGE, 2 * PAGE + 1, Long.MAX_VALUE}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> bare.space.map(MapRequest.stack(3 * PAGE).guard(guard)));
    }
  }

  @Test
  void M20_limitOfStacks() {
    Program program = Program.in(vms.boot(256));
    program.space.setLimit(Limit.STACK, 2 * STEP + PAGE + 1);
    program.space.map(MapRequest.stack(RESERVE).at(LOW));
    program.set(TOP - 2 * STEP - PAGE, 1);
    assertThat(start(program)).isEqualTo(TOP - 2 * STEP - PAGE);
    assertEnds(program, TOP - 2 * STEP - PAGE - 8);
    program.space.setLimit(Limit.STACK, 3 * STEP);
    program.set(TOP - 2 * STEP - PAGE - 8, 2);
    program.space.setLimit(Limit.STACK, 2 * PAGE);
    Program second = program.fork();
    second.space.map(MapRequest.stack(RESERVE).at(TOP));
    assertThat(second.space.mappings().getLast().length()).isEqualTo(2 * PAGE);
    second.space.setLimit(Limit.STACK, PAGE - 1);
    assertRefused(MapException.Reason.LIMIT, () -> second.space.map(MapRequest.stack(RESERVE)));
  }

  @Test
  void M20_limitOfTheAddressSpace() {
    Program program = program();
    program.space.setLimit(Limit.ADDRESS_SPACE, STEP + 3 * PAGE + 1);
    program.set(TOP - STEP - 3 * PAGE, 1);
    assertThat(program.space.mappedBytes()).isEqualTo(STEP + 3 * PAGE);
    assertEnds(program, TOP - STEP - 4 * PAGE);
    program.space.setLimit(Limit.ADDRESS_SPACE, 0);
    assertEnds(program, TOP - STEP - 4 * PAGE);
  }

  @Test
  void M20_anotherMappingInTheReserveKeepsItsDistance() {
    Program program = program();
    long other = LOW + 512L * 1024;
    program.space.map(other, PAGE, Protection.READ_WRITE);
    program.set(other, 7);
    long lowest = other + PAGE + GUARD;
    program.set(lowest, 1);
    assertThat(program.space.mappings().getLast().start()).isEqualTo(lowest);
    assertEnds(program, lowest - 8);
    assertFault(MemoryFault.Reason.NOT_MAPPED, other - 8, () -> program.get(other - 8));
    assertThat(program.get(other)).isEqualTo(7);
    program.space.unmap(other, PAGE);
    program.set(lowest - 8, 2);
    assertThat(program.get(lowest)).isEqualTo(1);
  }

  @Test
  void M20_growsAgainAfterPartsAreUnmapped() {
    Program program = program();
    program.set(TOP - 3 * STEP, 3);
    program.set(TOP - 8, 1);
    program.space.unmap(TOP - 3 * STEP, STEP);
    assertThat(start(program)).isEqualTo(TOP - 2 * STEP);
    assertThat(program.usedFrames()).isEqualTo(1);
    assertThat(program.get(TOP - 3 * STEP)).as("a new page").isZero();
    program.space.unmap(TOP - STEP, STEP);
    program.set(TOP - 4 * STEP, 4);
    assertThat(program.layout(TOP - 4 * STEP)).containsExactly("0+96 rw-");
    assertFault(MemoryFault.Reason.NOT_MAPPED, TOP - 8, () -> program.get(TOP - 8));
    // With all of it gone nothing is left that could grow.
    program.space.unmap(LOW, RESERVE);
    assertFault(MemoryFault.Reason.NOT_MAPPED, TOP - 8, () -> program.get(TOP - 8));
  }

  /** A hole in a stack is filled from above, but for the guard. */
  @Test
  void M20_holeInAStack() {
    Program program = program();
    program.set(TOP - 4 * STEP, 4);
    program.space.unmap(TOP - 3 * STEP, 2 * STEP);
    program.set(TOP - STEP - 8, 1);
    assertEnds(program, TOP - 3 * STEP);
    assertThat(program.get(TOP - 4 * STEP)).isEqualTo(4);
    program.set(TOP - 5 * STEP, 5);
    assertThat(program.get(TOP - 4 * STEP)).isEqualTo(4);
  }

  @Test
  void M20_childrenHaveStacksOfTheirOwn() {
    Program parent = program();
    parent.set(TOP - 8, 1);
    parent.set(TOP - STEP - 8, 2);
    Program child = parent.fork();
    child.set(TOP - 3 * STEP, 33);
    parent.set(TOP - 4 * STEP, 4);
    assertThat(child.get(TOP - 8)).isEqualTo(1);
    assertThat(parent.get(TOP - 3 * STEP)).isZero();
    assertThat(child.get(TOP - 4 * STEP)).isZero();
    child.set(TOP - STEP - 8, 22);
    assertThat(parent.get(TOP - STEP - 8)).isEqualTo(2);
    assertThat(child.space.map(MapRequest.anonymous(PAGE).near(LOW + GUARD))).isEqualTo(TOP);
    assertFault(MemoryFault.Reason.STACK_LIMIT, LOW + GUARD - 8, () -> child.get(LOW + GUARD - 8));
  }

  /** What is added has the rights of the part that grows. */
  @Test
  void M20_growthTakesTheRightsOfTheLowestPart() {
    Program program = program();
    program.space.protect(TOP - STEP, PAGE, Protection.READ);
    assertThat(program.get(TOP - STEP - 8)).isZero();
    assertFault(
        MemoryFault.Reason.PROTECTION, TOP - STEP - 8, () -> program.set(TOP - STEP - 8, 1));
    program.set(TOP - STEP + PAGE, 1);
  }

  @Test
  void M20_noStackInTheWayOfSmallAddresses() {
    Program program = Program.in(vms.boot(64));
    assertRefused(
        MapException.Reason.NO_SPACE,
        () -> program.space.map(MapRequest.stack(PAGE * 2).guard(0).at(0)));
    program.space.map(1 << 16, PAGE, Protection.READ);
    assertRefused(
        MapException.Reason.OCCUPIED,
        () -> program.space.map(MapRequest.stack(RESERVE).at(1 << 16)));
    assertThat(program.space.map(MapRequest.stack(RESERVE).replacing(1 << 16))).isEqualTo(1 << 16);
    assertThat(program.space.mappings()).hasSize(1);
  }
}
