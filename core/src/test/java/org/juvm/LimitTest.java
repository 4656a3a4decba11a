package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.juvm.AuditedVms.assertRefused;
import static org.juvm.Program.PAGE;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Limit;
import org.juvm.base.Protection;

/** Limits of address spaces. Those of stacks and of wiring are tested with these. */
class LimitTest {
  private static final long AT = 1 << 20;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  @Test
  void X_limitsAreSetReadAndInherited() {
    Vmspace space = vms.boot(64).newVmspace();
    for (Limit limit : Limit.values()) {
      assertThat(space.limit(limit)).isEqualTo(Long.MAX_VALUE);
      space.setLimit(limit, 100L + limit.ordinal());
      assertThatIllegalArgumentException().isThrownBy(() -> space.setLimit(limit, -1));
    }
    Vmspace child = space.fork();
    for (Limit limit : Limit.values()) {
      assertThat(child.limit(limit)).isEqualTo(100L + limit.ordinal());
      child.setLimit(limit, 0);
      assertThat(space.limit(limit)).isEqualTo(100L + limit.ordinal());
    }
  }

  @Test
  void X_addressSpaceLimitIsExact() {
    Vmspace space = vms.boot(64).newVmspace();
    space.setLimit(Limit.ADDRESS_SPACE, 8 * PAGE + 1);
    space.map(AT, 6 * PAGE, Protection.READ_WRITE);
    assertRefused(MapException.Reason.LIMIT, () -> space.map(3 * PAGE, Protection.READ));
    assertRefused(MapException.Reason.LIMIT, () -> space.map(2 * AT, 3 * PAGE, Protection.READ));
    assertRefused(MapException.Reason.LIMIT, () -> space.remap(AT, 6 * PAGE, 9 * PAGE));
    assertRefused(MapException.Reason.LIMIT, () -> space.duplicate(AT, 3 * PAGE));
    assertRefused(MapException.Reason.LIMIT, () -> space.map(MapRequest.stack(1 << 20)));
    assertThat(space.mappedBytes()).isEqualTo(6 * PAGE);
    space.duplicate(AT, 2 * PAGE);
    assertThat(space.mappedBytes()).isEqualTo(8 * PAGE);
    assertThat(space.fork().mappedBytes()).isEqualTo(8 * PAGE);
  }

  /** What is replaced makes room for what replaces it. */
  @Test
  void X_replacingCountsTheDifference() {
    Vmspace space = vms.boot(64).newVmspace();
    space.map(AT, 6 * PAGE, Protection.READ_WRITE);
    space.setLimit(Limit.ADDRESS_SPACE, 8 * PAGE);
    space.map(MapRequest.anonymous(6 * PAGE).replacing(AT + 2 * PAGE));
    assertThat(space.mappedBytes()).isEqualTo(8 * PAGE);
    assertRefused(
        MapException.Reason.LIMIT,
        () -> space.map(MapRequest.anonymous(3 * PAGE).replacing(AT + 6 * PAGE)));
    assertThat(space.mappedBytes()).isEqualTo(8 * PAGE);
  }

  /** A limit that is lowered takes nothing away, and does not keep anybody from giving back. */
  @Test
  void X_lessIsAlwaysPossible() {
    Program program = Program.in(vms.boot(64));
    Vmspace space = program.space;
    space.map(AT, 6 * PAGE, Protection.READ_WRITE);
    program.number(AT, 6);
    space.setLimit(Limit.ADDRESS_SPACE, PAGE);
    assertThat(program.get(AT + 5 * PAGE)).isEqualTo(6);
    assertThat(space.remap(AT, 6 * PAGE, 5 * PAGE)).isEqualTo(AT);
    space.remapTo(AT, 5 * PAGE, 4 * PAGE, 2 * AT);
    space.map(MapRequest.anonymous(PAGE).replacing(2 * AT));
    space.protect(2 * AT, PAGE, Protection.READ);
    space.unmap(2 * AT + PAGE, PAGE);
    assertThat(space.mappedBytes()).isEqualTo(3 * PAGE);
    assertRefused(MapException.Reason.LIMIT, () -> space.map(PAGE, Protection.READ));
    space.unmap(2 * AT, 4 * PAGE);
    space.map(PAGE, Protection.READ);
  }

  /** Wiring again what is wired is nothing more, whatever the limit is by now; new memory is. */
  @Test
  void M14_wiringAgainIsNeverTooMuch() {
    Vmspace space = vms.boot(64).newVmspace();
    space.map(AT, 4 * PAGE, Protection.READ_WRITE);
    space.paging().wire(AT, 4 * PAGE);
    space.setLimit(Limit.LOCKED, PAGE);
    space.paging().wire(AT, 4 * PAGE);
    space.paging().wireAll(true, false);
    assertRefused(
        MapException.Reason.LIMIT,
        () -> space.map(MapRequest.anonymous(PAGE).replacing(AT).wired()));
    assertThat(space.paging().wiredBytes()).isEqualTo(4 * PAGE);
  }
}
