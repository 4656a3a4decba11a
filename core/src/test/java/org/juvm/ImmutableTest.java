package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.AuditedVms.assertFault;
import static org.juvm.AuditedVms.assertRefused;
import static org.juvm.MapException.Reason.IMMUTABLE;
import static org.juvm.Program.PAGE;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Advice;
import org.juvm.base.Inheritance;
import org.juvm.base.Limit;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;

/** Mappings whose place and rights are final. */
class ImmutableTest {
  private static final long AT = 1 << 20;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  /** Four pages, of which the second and third are immutable. */
  private Program program() {
    Program program = Program.in(vms.boot(64));
    program.space.map(AT, 4 * PAGE, Protection.READ_WRITE);
    program.number(AT, 4);
    program.space.makeImmutable(AT + PAGE, 2 * PAGE);
    return program;
  }

  @Test
  void X_everyChangeIsRefusedAndLeavesAllAsItWas() {
    Program program = program();
    Vmspace space = program.space;
    List<Mapping> before = space.mappings();
    assertThat(before).hasSize(3);
    assertThat(before.get(1).flags()).containsExactly(MapFlag.IMMUTABLE);
    Map<String, Runnable> changes = new LinkedHashMap<>();
    changes.put("unmap", () -> space.unmap(AT, 4 * PAGE));
    changes.put("protect", () -> space.protect(AT, 4 * PAGE, Protection.READ));
    changes.put("same protection", () -> space.protect(AT, 4 * PAGE, Protection.READ_WRITE));
    changes.put("maximum", () -> space.protectMaximum(AT, 4 * PAGE, Protection.READ));
    changes.put("inherit", () -> space.inherit(AT, 4 * PAGE, Inheritance.NONE));
    changes.put("replace", () -> space.map(MapRequest.anonymous(4 * PAGE).replacing(AT)));
    changes.put("move", () -> space.remapTo(AT, 4 * PAGE, 4 * PAGE, 2 * AT));
    changes.put("shrink", () -> space.remap(AT, 4 * PAGE, PAGE));
    changes.put("duplicate", () -> space.duplicate(AT, 4 * PAGE));
    changes.forEach(
        (name, change) -> {
          assertRefused(IMMUTABLE, change);
          assertThat(space.mappings()).as(name).isEqualTo(before);
        });
    for (int i = 0; i < 4; i++) {
      program.set(AT + (long) i * PAGE, program.get(AT + (long) i * PAGE) + 1);
      assertThat(program.get(AT + (long) i * PAGE)).isEqualTo(i + 2);
    }
    space.unmap(AT, PAGE);
    space.unmap(AT + 3 * PAGE, PAGE);
    assertThat(program.layout(AT)).containsExactly("1+2 rw-");
  }

  @Test
  void X_useGoesOn() {
    Program program = program();
    Paging paging = program.space.paging();
    paging.wire(AT, 4 * PAGE);
    paging.unwire(AT, 4 * PAGE);
    paging.advise(AT, 4 * PAGE, Advice.RANDOM);
    paging.advise(AT, 4 * PAGE, Advice.NORMAL);
    program.space.makeImmutable(AT, 4 * PAGE);
    assertThat(program.layout(AT)).containsExactly("0+4 rw-");
    Program child = program.fork();
    assertRefused(IMMUTABLE, () -> child.space.unmap(AT, PAGE));
    child.set(AT, 9);
    assertThat(program.get(AT)).isEqualTo(1);
    program.space.close();
    child.space.close();
    assertThat(program.usedFrames()).isZero();
  }

  /** What the program itself must not change could be changed by a fork. */
  @Test
  void X_readOnlyMemoryThatIsZeroedAtForkIsRefused() {
    Program program = Program.in(vms.boot(64));
    Vmspace space = program.space;
    space.map(AT, 4 * PAGE, Protection.READ_WRITE);
    space.protect(AT + 2 * PAGE, PAGE, Protection.READ);
    space.inherit(AT + 2 * PAGE, PAGE, Inheritance.ZERO);
    List<Mapping> before = space.mappings();
    assertRefused(IMMUTABLE, () -> space.makeImmutable(AT, 4 * PAGE));
    assertThat(space.mappings()).isEqualTo(before);
    space.protect(AT + 2 * PAGE, PAGE, Protection.READ_WRITE);
    space.makeImmutable(AT - PAGE, 6 * PAGE);
    assertThat(space.mappings()).allMatch(m -> m.flags().contains(MapFlag.IMMUTABLE));
  }

  @Test
  void X_immutableFromTheStart() {
    Program program = Program.in(vms.boot(32));
    Vmspace space = program.space;
    MapRequest request = MapRequest.anonymous(PAGE).flag(MapFlag.IMMUTABLE);
    space.map(request.at(AT));
    assertRefused(IMMUTABLE, () -> space.unmap(AT, PAGE));
    // One that cannot be wired is not there, immutable or not.
    MapRequest large = MapRequest.anonymous(100 * PAGE).flag(MapFlag.IMMUTABLE).wired();
    assertRefused(MapException.Reason.NO_MEMORY, () -> space.map(large.at(2 * AT)));
    space.setLimit(Limit.LOCKED, 0);
    assertRefused(MapException.Reason.LIMIT, () -> space.map(large.at(2 * AT)));
    assertThat(space.mappings()).hasSize(1);
    assertFault(MemoryFault.Reason.NOT_MAPPED, 2 * AT, () -> program.get(2 * AT));
    program.set(AT, 1);
    assertThat(program.get(AT)).isEqualTo(1);
  }

  /** A stack that is immutable still grows. */
  @Test
  void X_immutableStackGrows() {
    Program program = Program.in(vms.boot(64));
    long reserve = 1 << 20;
    long top = AT + reserve;
    program.space.map(MapRequest.stack(reserve).at(AT).flag(MapFlag.IMMUTABLE));
    program.set(top - (300 << 10), 1);
    assertThat(program.space.mappedBytes()).isEqualTo(384 << 10);
    assertRefused(IMMUTABLE, () -> program.space.unmap(top - (384 << 10), PAGE));
  }
}
