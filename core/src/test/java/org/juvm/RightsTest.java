package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.AuditedVms.assertFault;
import static org.juvm.AuditedVms.assertRefused;
import static org.juvm.Program.PAGE;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Inheritance;
import org.juvm.base.Protection;

/** Maximum rights, questions about rights, and the removal of parts. */
class RightsTest {
  private static final long AT = 1 << 20;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  private Program program(int pages) {
    Program program = Program.in(vms.boot(64));
    program.space.map(AT, (long) pages * PAGE, Protection.READ_WRITE);
    program.number(AT, pages);
    return program;
  }

  @Test
  void M11_maximumIsLoweredForEverAndTheRightsWithIt() {
    Program program = program(4);
    Vmspace space = program.space;
    space.protectMaximum(AT + PAGE, 2 * PAGE, Protection.READ);
    assertThat(program.layout(AT)).containsExactly("0+1 rw-", "1+2 r--", "3+1 rw-");
    assertFault(MemoryFault.Reason.PROTECTION, AT + PAGE, () -> program.set(AT + PAGE, 1));
    assertThat(program.get(AT + PAGE)).isEqualTo(2);
    program.set(AT + 3 * PAGE, 44);
    assertRefused(
        MapException.Reason.MAXIMUM_PROTECTION,
        () -> space.protect(AT + PAGE, PAGE, Protection.READ_WRITE));
    assertRefused(
        MapException.Reason.MAXIMUM_PROTECTION,
        () -> space.protectMaximum(AT + PAGE, PAGE, Protection.READ_WRITE));
    space.protect(AT + PAGE, PAGE, Protection.NONE);
    space.protect(AT + PAGE, PAGE, Protection.READ);
    Program child = program.fork();
    assertRefused(
        MapException.Reason.MAXIMUM_PROTECTION,
        () -> child.space.protect(AT + PAGE, PAGE, Protection.READ_WRITE));
    space.protectMaximum(AT, 8 * PAGE, Protection.NONE);
    assertThat(program.layout(AT)).containsExactly("0+4 ---");
    assertFault(MemoryFault.Reason.PROTECTION, AT, () -> program.get(AT));
  }

  /** The rights that are left are those that both allow. */
  @Test
  void M11_maximumOfRightsThatOverlap() {
    Program program = program(1);
    program.space.protect(AT, PAGE, Protection.READ_EXECUTE);
    program.space.protectMaximum(AT, PAGE, Protection.READ_WRITE);
    assertThat(program.layout(AT)).containsExactly("0+1 r--");
    program.space.protect(AT, PAGE, Protection.READ_WRITE);
    assertThat(program.get(AT)).isEqualTo(1);
  }

  @Test
  void M18_permitsWantsAllOfItMapped() {
    Vmspace space = program(4).space;
    assertThat(space.permits(AT, 4 * PAGE, Protection.READ_WRITE)).isTrue();
    assertThat(space.permits(AT, 4 * PAGE, Protection.READ_WRITE_EXECUTE)).isFalse();
    space.protect(AT + 2 * PAGE, PAGE, Protection.READ_EXECUTE);
    assertThat(space.permits(AT, 4 * PAGE, Protection.READ)).isTrue();
    assertThat(space.permits(AT, 4 * PAGE, Protection.READ_WRITE)).isFalse();
    assertThat(space.permits(AT, 2 * PAGE, Protection.READ_WRITE)).isTrue();
    assertThat(space.permits(AT + 2 * PAGE, PAGE, Protection.READ_EXECUTE)).isTrue();
    space.protect(AT + 3 * PAGE, PAGE, Protection.NONE);
    assertThat(space.permits(AT, 4 * PAGE, Protection.NONE)).isTrue();
    assertThat(space.permits(AT, 4 * PAGE, Protection.READ)).isFalse();
    assertThat(space.permits(AT, 5 * PAGE, Protection.NONE)).isFalse();
    assertThat(space.permits(AT - PAGE, 2 * PAGE, Protection.NONE)).isFalse();
    space.unmap(AT + PAGE, PAGE);
    assertThat(space.permits(AT, 3 * PAGE, Protection.READ)).isFalse();
    assertThat(space.permits(AT, 1, Protection.READ_WRITE)).as("rounded up").isTrue();
  }

  @Test
  void M17_unmapOfPartsFreesThemAtOnce() {
    Program program = program(10);
    program.space.unmap(AT + 8 * PAGE, 4 * PAGE);
    program.space.unmap(AT - 4 * PAGE, 5 * PAGE);
    program.space.unmap(AT + 3 * PAGE, 2 * PAGE);
    assertThat(program.layout(AT)).containsExactly("1+2 rw-", "5+3 rw-");
    assertThat(program.usedFrames()).isEqualTo(5);
    for (int i : new int[] {1, 2, 5, 6, 7}) {
      assertThat(program.get(AT + (long) i * PAGE)).isEqualTo(i + 1);
    }
    for (int i : new int[] {0, 3, 4, 8}) {
      long at = AT + (long) i * PAGE;
      assertFault(MemoryFault.Reason.NOT_MAPPED, at, () -> program.get(at));
    }
    program.space.unmap(AT + 20 * PAGE, PAGE);
    program.space.unmap(AT, 10 * PAGE);
    assertThat(program.usedFrames()).isZero();
    assertThat(program.vm.statistics().pageTables()).isLessThanOrEqualTo(1);
  }

  /** What goes on one side stays on the other, whether it is shared or copied. */
  @Test
  void M17_unmapOfSharedParts() {
    Program parent = program(6);
    parent.space.inherit(AT, 3 * PAGE, Inheritance.SHARE);
    Program child = parent.fork();
    parent.space.unmap(AT + PAGE, 4 * PAGE);
    assertThat(parent.usedFrames()).isEqualTo(6);
    for (int i = 0; i < 6; i++) {
      assertThat(child.get(AT + (long) i * PAGE)).isEqualTo(i + 1);
    }
    child.space.unmap(AT + 2 * PAGE, 2 * PAGE);
    assertThat(parent.usedFrames()).isEqualTo(4);
    child.set(AT, 9);
    assertThat(parent.get(AT)).isEqualTo(9);
    child.set(AT + 5 * PAGE, 9);
    assertThat(parent.get(AT + 5 * PAGE)).isEqualTo(6);
  }
}
