package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.AuditedVms.assertRefused;
import static org.juvm.Program.PAGE;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Advice;
import org.juvm.base.Inheritance;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;

/** Advice, cleaning, and what a program gives back. */
class AdviceTest {
  private static final long AT = 1 << 20;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  private Program program(int pages) {
    Program program = Program.in(vms.boot(64));
    program.space.map(AT, (long) pages * PAGE, Protection.READ_WRITE);
    program.number(AT, pages);
    return program;
  }

  /** Two mappings with a hole between them. */
  private Program withHole() {
    Program program = program(6);
    program.space.unmap(AT + 2 * PAGE, PAGE);
    return program;
  }

  @Test
  void M12_adviceIsNotedAndHolesAreLeftOut() {
    Program program = withHole();
    for (Advice advice : List.of(Advice.SEQUENTIAL, Advice.RANDOM, Advice.NORMAL)) {
      program.space.paging().advise(AT - PAGE, 8 * PAGE, advice);
      assertThat(program.space.mappings()).hasSize(2).allMatch(m -> m.advice() == advice);
    }
    program.space.paging().advise(AT + PAGE, 3 * PAGE, Advice.RANDOM);
    assertThat(program.layout(AT)).containsExactly("0+1 rw-", "1+1 rw-", "3+1 rw-", "4+2 rw-");
    assertThat(program.space.mappings().stream().map(Mapping::advice).toList())
        .containsExactly(Advice.NORMAL, Advice.RANDOM, Advice.RANDOM, Advice.NORMAL);
    assertThat(program.space.fork().mappings().get(1).advice()).isEqualTo(Advice.RANDOM);
    program.space.paging().advise(64 * AT, PAGE, Advice.RANDOM);
  }

  @Test
  void M12_flagsAreSetAndTakenBack() {
    Program program = withHole();
    Paging paging = program.space.paging();
    paging.conceal(AT, 6 * PAGE, true);
    paging.writeLazily(AT + 3 * PAGE, PAGE, true);
    assertThat(program.space.mappings().get(0).flags()).containsExactly(MapFlag.NO_CORE);
    assertThat(program.space.mappings().get(1).flags())
        .containsExactlyInAnyOrder(MapFlag.NO_CORE, MapFlag.NO_SYNC);
    paging.conceal(AT, 6 * PAGE, false);
    paging.writeLazily(AT, 6 * PAGE, false);
    assertThat(program.space.mappings()).hasSize(2).allMatch(m -> m.flags().isEmpty());
  }

  @Test
  void M12_discardFreesPrivatePages() {
    Program program = withHole();
    program.space.paging().discard(AT + PAGE, 3 * PAGE);
    assertThat(program.usedFrames()).isEqualTo(3);
    assertThat(program.get(AT)).isEqualTo(1);
    assertThat(program.get(AT + PAGE)).isZero();
    assertThat(program.get(AT + 3 * PAGE)).isZero();
    assertThat(program.get(AT + 4 * PAGE)).isEqualTo(5);
    assertThat(program.layout(AT)).as("mappings stay").containsExactly("0+2 rw-", "3+3 rw-");
  }

  @Test
  void M12_discardLeavesWhatOthersSee() {
    Program parent = program(4);
    parent.space.inherit(AT, 2 * PAGE, Inheritance.SHARE);
    Program child = parent.fork();
    parent.space.paging().discard(AT, 4 * PAGE);
    for (int i = 0; i < 4; i++) {
      assertThat(child.get(AT + (long) i * PAGE)).isEqualTo(i + 1);
    }
    child.set(AT, 9);
    assertThat(parent.get(AT)).as("still one memory").isEqualTo(9);
    assertThat(parent.get(AT + 2 * PAGE)).isEqualTo(3);
  }

  /** Pages that a child has, too, are given up after the first store, but never the child's. */
  @Test
  void M12_discardAfterACopy() {
    Program parent = program(4);
    Program child = parent.fork();
    parent.set(AT, 10);
    parent.space.paging().discard(AT, 4 * PAGE);
    assertThat(parent.get(AT)).isZero();
    for (int i = 0; i < 4; i++) {
      assertThat(child.get(AT + (long) i * PAGE)).isEqualTo(i + 1);
    }
    parent.space.close();
    assertThat(child.usedFrames()).isEqualTo(4);
  }

  @Test
  void M12_discardShowsWhatLiesBehind() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().create(2 * PAGE)) {
      program.space.map(MapRequest.of(memory, 0, 2 * PAGE).shared().at(AT));
      program.number(AT, 2);
      program.space.map(MapRequest.of(memory, 0, 2 * PAGE).at(2 * AT));
      program.set(2 * AT, 10);
      program.space.paging().discard(2 * AT, 2 * PAGE);
      assertThat(program.get(2 * AT)).isEqualTo(1);
      program.space.paging().discard(AT, 2 * PAGE);
      assertThat(program.get(AT)).as("shared memory stays").isEqualTo(1);
    }
  }

  @Test
  void M12_discardIsRefusedAsAWhole() {
    Program program = program(4);
    Paging paging = program.space.paging();
    paging.wire(AT + 3 * PAGE, PAGE);
    assertRefused(MapException.Reason.WIRED, () -> paging.discard(AT, 4 * PAGE));
    assertThat(program.get(AT)).isEqualTo(1);
    paging.unwireAll();
    program.space.protect(AT + 3 * PAGE, PAGE, Protection.READ);
    program.space.makeImmutable(AT + 2 * PAGE, 2 * PAGE);
    assertRefused(MapException.Reason.IMMUTABLE, () -> paging.discard(AT, 4 * PAGE));
    assertThat(program.get(AT)).isEqualTo(1);
    paging.discard(AT, 3 * PAGE);
    assertThat(program.get(AT + 2 * PAGE)).as("immutable and writable").isZero();
    assertThat(program.usedFrames()).isEqualTo(3 - 1);
  }

  @Test
  void M12_invalidateForgetsTranslationsOnly() {
    Program program = withHole();
    Statistics before = program.vm.statistics();
    assertThat(program.space.residentPages()).isEqualTo(5);
    program.space.paging().invalidate(AT + PAGE, 3 * PAGE);
    assertThat(program.space.residentPages()).isEqualTo(3);
    assertThat(program.usedFrames()).isEqualTo(5);
    assertThat(program.get(AT + PAGE)).isEqualTo(2);
    assertThat(program.get(AT + 3 * PAGE)).isEqualTo(4);
    Statistics after = program.vm.statistics();
    assertThat(after.direct() - before.direct()).isEqualTo(2);
    assertThat(after.zeroFills()).isEqualTo(before.zeroFills());
    program.space.paging().wire(AT, PAGE);
    program.space.paging().invalidate(AT, PAGE);
    assertThat(program.get(AT)).isEqualTo(1);
  }

  @Test
  void M16_cleanWantsEverythingMapped() {
    Program program = withHole();
    Paging paging = program.space.paging();
    for (boolean invalidate : new boolean[] {false, true}) {
      assertRefused(MapException.Reason.NOT_MAPPED, () -> paging.clean(AT, 6 * PAGE, invalidate));
      assertRefused(
          MapException.Reason.NOT_MAPPED, () -> paging.clean(AT + 5 * PAGE, 2 * PAGE, invalidate));
      paging.clean(AT, 2 * PAGE, invalidate);
      paging.clean(AT + 3 * PAGE, 3 * PAGE, invalidate);
    }
    paging.wire(AT + PAGE, PAGE);
    assertRefused(MapException.Reason.WIRED, () -> paging.clean(AT, 2 * PAGE, true));
    paging.clean(AT, 2 * PAGE, false);
    paging.clean(AT, PAGE, true);
    for (int i : new int[] {0, 1, 3, 4, 5}) {
      assertThat(program.get(AT + (long) i * PAGE)).isEqualTo(i + 1);
    }
  }

  @Test
  void X_residentSaysWhatIsInMemory() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    program.space.map(AT, 3 * PAGE, Protection.READ_WRITE);
    program.set(AT + PAGE, 1);
    assertThat(program.space.paging().resident(AT, 3 * PAGE)).containsExactly(false, true, false);
    try (SharedMemory memory = vm.sharedMemory().create(2 * PAGE)) {
      program.space.map(MapRequest.of(memory, 0, 3 * PAGE).at(AT + 3 * PAGE));
      program.space.map(MapRequest.of(memory, 0, 2 * PAGE).shared().at(2 * AT));
      program.set(2 * AT, 1);
      assertThat(program.space.paging().resident(AT + PAGE, 5 * PAGE))
          .containsExactly(true, false, true, false, false);
    }
    assertRefused(
        MapException.Reason.NOT_MAPPED, () -> program.space.paging().resident(AT, 7 * PAGE));
  }
}
