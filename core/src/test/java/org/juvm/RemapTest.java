package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.AuditedVms.assertFault;
import static org.juvm.AuditedVms.assertRefused;
import static org.juvm.Program.PAGE;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Limit;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;

/** Mappings that change their length or place, or are there twice. */
class RemapTest {
  private static final long AT = 1 << 20;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  private Program program(int pages) {
    Program program = Program.in(vms.boot(64));
    program.space.map(AT, (long) pages * PAGE, Protection.READ_WRITE);
    program.number(AT, pages);
    return program;
  }

  @Test
  void X_remapGrowsAndShrinksInPlace() {
    Program program = program(4);
    assertThat(program.space.remap(AT, 4 * PAGE, 8 * PAGE)).isEqualTo(AT);
    assertThat(program.layout(AT)).containsExactly("0+8 rw-");
    assertThat(program.get(AT + 3 * PAGE)).isEqualTo(4);
    assertThat(program.get(AT + 7 * PAGE)).isZero();
    assertThat(program.space.remap(AT, 8 * PAGE, 2 * PAGE)).isEqualTo(AT);
    assertThat(program.layout(AT)).containsExactly("0+2 rw-");
    assertThat(program.usedFrames()).isEqualTo(2);
    assertFault(MemoryFault.Reason.NOT_MAPPED, AT + 2 * PAGE, () -> program.get(AT + 2 * PAGE));
    assertThat(program.space.remap(AT, 2 * PAGE, 4 * PAGE)).isEqualTo(AT);
    assertThat(program.get(AT + 3 * PAGE)).as("nothing comes back").isZero();
  }

  @Test
  void X_remapMovesIfThereIsNoRoom() {
    Program program = program(4);
    program.space.map(AT + 4 * PAGE, PAGE, Protection.READ);
    long now = program.space.remap(AT, 4 * PAGE, 6 * PAGE);
    assertThat(now).isNotEqualTo(AT);
    assertThat(program.usedFrames()).as("nothing is copied").isEqualTo(4);
    for (int i = 0; i < 4; i++) {
      assertThat(program.get(now + (long) i * PAGE)).isEqualTo(i + 1);
    }
    assertThat(program.get(now + 5 * PAGE)).isZero();
    assertFault(MemoryFault.Reason.NOT_MAPPED, AT, () -> program.get(AT));
    assertThat(program.space.mappedBytes()).isEqualTo(7 * PAGE);
  }

  /** What is behind a mapping may be the reserve of a stack, which nobody has asked for. */
  @Test
  void M5_remapDoesNotGrowIntoTheReserveOfAStack() {
    Program program = program(2);
    program.space.map(MapRequest.stack(1 << 20).at(AT + 4 * PAGE));
    assertThat(program.space.remap(AT, 2 * PAGE, 4 * PAGE)).isEqualTo(AT);
    long now = program.space.remap(AT, 4 * PAGE, 5 * PAGE);
    assertThat(now).isNotEqualTo(AT);
    assertThat(program.get(now + PAGE)).isEqualTo(2);
    // By address it may.
    program.space.remapTo(now, 5 * PAGE, 5 * PAGE, AT);
    assertThat(program.get(AT + PAGE)).isEqualTo(2);
  }

  @Test
  void X_remapToAPlace() {
    Program program = program(4);
    program.space.remapTo(AT, 4 * PAGE, 5 * PAGE, 2 * AT);
    assertThat(program.layout(2 * AT)).containsExactly("0+5 rw-");
    assertThat(program.get(2 * AT + 3 * PAGE)).isEqualTo(4);
    program.space.remapTo(2 * AT, 5 * PAGE, 2 * PAGE, AT);
    assertThat(program.layout(AT)).containsExactly("0+2 rw-");
    assertThat(program.usedFrames()).isEqualTo(2);
    program.space.remapTo(AT, 2 * PAGE, 3 * PAGE, AT);
    assertThat(program.layout(AT)).containsExactly("0+3 rw-");
    program.space.map(2 * AT, PAGE, Protection.READ);
    assertRefused(
        MapException.Reason.OCCUPIED,
        () -> program.space.remapTo(AT, 3 * PAGE, 3 * PAGE, 2 * AT - 2 * PAGE));
    assertRefused(
        MapException.Reason.OCCUPIED,
        () -> program.space.remapTo(AT, 3 * PAGE, 3 * PAGE, AT + PAGE));
    assertThat(program.get(AT + PAGE)).isEqualTo(2);
  }

  /** A part of a mapping moves: the rest stays, and what moves keeps its rights. */
  @Test
  void X_remapOfAPartWithSeveralRights() {
    Program program = program(6);
    program.space.protect(AT + 2 * PAGE, PAGE, Protection.READ);
    program.space.remapTo(AT + PAGE, 3 * PAGE, 3 * PAGE, 2 * AT);
    assertThat(program.layout(AT).subList(0, 2)).containsExactly("0+1 rw-", "4+2 rw-");
    assertThat(program.layout(2 * AT).subList(2, 5))
        .containsExactly("0+1 rw-", "1+1 r--", "2+1 rw-");
    assertThat(program.get(2 * AT + PAGE)).isEqualTo(3);
    assertFault(MemoryFault.Reason.PROTECTION, 2 * AT + PAGE, () -> program.set(2 * AT + PAGE, 1));
    program.space.remapTo(2 * AT, 3 * PAGE, 3 * PAGE, AT + PAGE);
    program.space.protect(AT, 6 * PAGE, Protection.READ_WRITE);
    assertThat(program.layout(AT)).as("as if nothing had been").containsExactly("0+6 rw-");
    assertThat(program.get(AT + 5 * PAGE)).isEqualTo(6);
  }

  /** A child keeps what its parent moves, shrinks and writes. */
  @Test
  void X_remapAfterFork() {
    Program parent = program(4);
    Program child = parent.fork();
    parent.space.remapTo(AT, 4 * PAGE, 3 * PAGE, 2 * AT);
    parent.set(2 * AT, 10);
    assertThat(child.get(AT)).isEqualTo(1);
    assertThat(child.get(AT + 3 * PAGE)).isEqualTo(4);
    assertThat(parent.get(2 * AT + 2 * PAGE)).isEqualTo(3);
    assertThat(parent.usedFrames()).isEqualTo(5);
  }

  @Test
  void X_remapOfSharedMemoryGoesOnWithItsNextPages() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().create(8 * PAGE)) {
      long whole = program.space.map(MapRequest.of(memory, 0, 8 * PAGE).shared());
      program.number(whole, 8);
      program.space.map(MapRequest.of(memory, 2 * PAGE, 2 * PAGE).shared().at(AT));
      program.space.remap(AT, 2 * PAGE, 5 * PAGE);
      assertThat(program.get(AT + 4 * PAGE)).isEqualTo(7);
      program.space.remapTo(AT + PAGE, 4 * PAGE, 6 * PAGE, 2 * AT);
      assertThat(program.get(2 * AT)).isEqualTo(4);
      assertThat(program.get(2 * AT + 4 * PAGE)).isEqualTo(8);
      long beyond = 2 * AT + 5 * PAGE;
      assertFault(MemoryFault.Reason.BEYOND_END, beyond, () -> program.get(beyond));
    }
  }

  @Test
  void X_remapOfAStackMakesOrdinaryMemory() {
    Program program = Program.in(vms.boot(64));
    long reserve = 256 << 10;
    long low = program.space.map(MapRequest.stack(reserve).at(AT));
    long start = program.space.mappings().getFirst().start();
    program.set(start, 1);
    assertThat(program.space.remap(start, low + reserve - start, 33 * PAGE)).isEqualTo(start);
    Mapping added = program.space.mappings().getLast();
    assertThat(added.length()).isEqualTo(PAGE);
    assertThat(added.flags()).as("what is added at the top does not grow").isEmpty();
    program.space.remapTo(start, 33 * PAGE, 33 * PAGE, 4 * AT);
    assertThat(program.space.mappings()).allMatch(m -> !m.flags().contains(MapFlag.STACK));
    assertThat(program.get(4 * AT)).isEqualTo(1);
    assertFault(MemoryFault.Reason.NOT_MAPPED, 4 * AT - 8, () -> program.get(4 * AT - 8));
  }

  @Test
  void M14_remapKeepsWhatIsWired() {
    Program program = program(4);
    Paging paging = program.space.paging();
    paging.wire(AT, 4 * PAGE);
    program.space.remapTo(AT, 4 * PAGE, 6 * PAGE, 2 * AT);
    assertThat(paging.wiredBytes()).isEqualTo(4 * PAGE);
    assertThat(program.get(2 * AT + 3 * PAGE)).isEqualTo(4);
    program.space.remap(2 * AT, 6 * PAGE, PAGE);
    assertThat(paging.wiredBytes()).isEqualTo(PAGE);
    assertThat(program.usedFrames()).isEqualTo(1);
    paging.unwire(2 * AT, PAGE);
    assertThat(program.layout(2 * AT)).containsExactly("0+1 rw-");
  }

  /** What is added must be wired, and cannot be: the range is where it was, as it was. */
  @Test
  void M2_remapThatCannotWireChangesNothing() {
    Program program = program(4);
    program.space.map(AT + 4 * PAGE, PAGE, Protection.READ);
    program.space.paging().wireAll(false, true);
    List<Mapping> before = program.space.mappings();
    program.space.setLimit(Limit.LOCKED, 3 * PAGE);
    assertRefused(MapException.Reason.LIMIT, () -> program.space.remap(AT, 4 * PAGE, 8 * PAGE));
    assertThat(program.space.mappings()).isEqualTo(before);
    program.space.setLimit(Limit.LOCKED, Long.MAX_VALUE);
    assertRefused(
        MapException.Reason.NO_MEMORY, () -> program.space.remap(AT, 4 * PAGE, 200 * PAGE));
    assertThat(program.layout(AT)).containsExactly("0+4 rw-", "4+1 r--");
    assertThat(program.get(AT + 3 * PAGE)).isEqualTo(4);
    assertThat(program.usedFrames()).isEqualTo(4);
  }

  @Test
  void X_duplicateIsTheSameMemory() {
    Program program = program(4);
    long second = program.space.duplicate(AT + PAGE, 2 * PAGE);
    assertThat(program.usedFrames()).isEqualTo(4);
    assertThat(program.get(second)).isEqualTo(2);
    program.set(second, 20);
    assertThat(program.get(AT + PAGE)).isEqualTo(20);
    program.set(AT + 2 * PAGE, 30);
    assertThat(program.get(second + PAGE)).isEqualTo(30);
    assertThat(program.usedFrames()).isEqualTo(4);
    program.space.unmap(AT, 4 * PAGE);
    assertThat(program.get(second)).isEqualTo(20);
    assertThat(program.usedFrames()).isEqualTo(2);
    program.space.unmap(second, 2 * PAGE);
    assertThat(program.usedFrames()).isZero();
  }

  /** Pages that do not exist yet, and pages that a child has, too, must be one memory as well. */
  @Test
  void X_duplicateOfUntouchedAndOfForkedMemory() {
    Program program = program(2);
    program.space.map(2 * AT, 2 * PAGE, Protection.READ_WRITE);
    long untouched = program.space.duplicate(2 * AT, 2 * PAGE);
    assertThat(program.get(untouched)).isZero();
    program.set(2 * AT, 5);
    assertThat(program.get(untouched)).isEqualTo(5);
    Program child = program.fork();
    long forked = program.space.duplicate(AT, 2 * PAGE);
    assertThat(program.get(forked)).isEqualTo(1);
    assertThat(program.get(AT)).isEqualTo(1);
    program.set(forked, 10);
    assertThat(program.get(AT)).isEqualTo(10);
    assertThat(child.get(AT)).isEqualTo(1);
    child.set(AT, 11);
    assertThat(program.get(forked)).isEqualTo(10);
  }

  @Test
  void X_duplicateOfWiredMemoryIsNotWired() {
    Program program = program(4);
    Paging paging = program.space.paging();
    paging.wire(AT, 4 * PAGE);
    long second = program.space.duplicate(AT, 4 * PAGE);
    assertThat(paging.wiredBytes()).isEqualTo(4 * PAGE);
    program.set(second, 9);
    assertThat(program.get(AT)).isEqualTo(9);
    assertThat(program.usedFrames()).isEqualTo(4);
    program.space.unmap(AT, 4 * PAGE);
    assertThat(paging.wiredBytes()).isZero();
    assertThat(program.get(second)).isEqualTo(9);
  }
}
