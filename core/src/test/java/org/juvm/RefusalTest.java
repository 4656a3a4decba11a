package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.juvm.AuditedVms.assertRefused;
import static org.juvm.MapException.Reason.BEYOND_END;
import static org.juvm.MapException.Reason.LIMIT;
import static org.juvm.MapException.Reason.MAXIMUM_PROTECTION;
import static org.juvm.MapException.Reason.NOT_MAPPED;
import static org.juvm.MapException.Reason.NO_ACCESS;
import static org.juvm.MapException.Reason.NO_MEMORY;
import static org.juvm.MapException.Reason.NO_SPACE;
import static org.juvm.MapException.Reason.OCCUPIED;
import static org.juvm.MapException.Reason.WIRED;
import static org.juvm.Program.PAGE;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Advice;
import org.juvm.base.Inheritance;
import org.juvm.base.Limit;
import org.juvm.base.Protection;

/** Every way in which a change fails: nothing is changed by it. */
class RefusalTest {
  private static final long AT = 1 << 20;
  private static final long END = 1L << 47;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  /** All that can be seen of an address space from outside. */
  private static List<Object> snapshot(Program program) {
    List<Object> all = new ArrayList<>(program.space.mappings());
    for (Mapping mapping : program.space.mappings()) {
      if (mapping.length() <= 100 * PAGE) {
        boolean[] resident = program.space.paging().resident(mapping.start(), mapping.length());
        all.add(Arrays.toString(resident));
      }
    }
    all.add(program.space.mappedBytes());
    all.add(program.space.paging().wiredBytes());
    all.add(program.usedFrames());
    all.add(program.vm.statistics().vmspaces());
    return all;
  }

  private static void assertUnchanged(
      Program program, MapException.Reason reason, Runnable change) {
    List<Object> before = snapshot(program);
    assertRefused(reason, change);
    assertThat(snapshot(program)).isEqualTo(before);
    assertThat(program.vm.audit()).isEmpty();
  }

  /** Pages 0 to 3 rw-, 4 a hole, 5 and 6 r-- at most, 7 without rights, 8 and 9 rw-. */
  private Program program() {
    Program program = Program.in(vms.boot(64));
    Vmspace space = program.space;
    space.map(AT, 4 * PAGE, Protection.READ_WRITE);
    space.map(
        MapRequest.anonymous(2 * PAGE)
            .at(AT + 5 * PAGE)
            .protection(Protection.READ)
            .maximum(Protection.READ));
    space.map(AT + 7 * PAGE, PAGE, Protection.NONE);
    space.map(AT + 8 * PAGE, 2 * PAGE, Protection.READ_WRITE);
    program.number(AT, 4);
    program.number(AT + 8 * PAGE, 2);
    return program;
  }

  @Test
  void M2_map() {
    Program program = program();
    Vmspace space = program.space;
    MapRequest ten = MapRequest.anonymous(10 * PAGE);
    assertUnchanged(program, OCCUPIED, () -> space.map(ten.at(AT - 5 * PAGE)));
    assertUnchanged(program, NO_SPACE, () -> space.map(ten.replacing(END - PAGE)));
    assertUnchanged(program, NO_SPACE, () -> space.map(MapRequest.anonymous(END - AT)));
    assertUnchanged(
        program,
        MAXIMUM_PROTECTION,
        () -> space.map(MapRequest.anonymous(PAGE).replacing(AT).maximum(Protection.READ)));
    assertUnchanged(
        program,
        NO_ACCESS,
        () ->
            space.map(
                MapRequest.anonymous(PAGE).replacing(AT).protection(Protection.NONE).wired()));
    assertUnchanged(program, NO_MEMORY, () -> space.map(MapRequest.anonymous(100 * PAGE).wired()));
    space.setLimit(Limit.LOCKED, PAGE);
    assertUnchanged(
        program, LIMIT, () -> space.map(MapRequest.anonymous(2 * PAGE).replacing(AT).wired()));
    space.paging().wireAll(false, true);
    assertUnchanged(program, LIMIT, () -> space.map(MapRequest.anonymous(2 * PAGE).replacing(AT)));
    assertUnchanged(program, LIMIT, () -> space.map(MapRequest.stack(64 * PAGE).guard(0)));
    space.setLimit(Limit.ADDRESS_SPACE, space.mappedBytes());
    assertUnchanged(program, LIMIT, () -> space.map(PAGE, Protection.NONE));
  }

  @Test
  void M2_mapOfSharedMemory() {
    Program program = program();
    try (SharedMemory memory = program.vm.sharedMemory().create(2 * PAGE)) {
      MapRequest request = MapRequest.of(memory, PAGE, 2 * PAGE).shared();
      assertUnchanged(program, OCCUPIED, () -> program.space.map(request.at(AT)));
      assertRefused(BEYOND_END, () -> program.space.map(request.at(2 * AT).wired()));
      assertThat(program.space.mappedBytes()).isEqualTo(9 * PAGE);
      assertThat(program.vm.audit()).isEmpty();
    }
    assertThat(program.usedFrames()).as("no reference to it was left").isEqualTo(6);
  }

  @Test
  void M2_changesOfRights() {
    Program program = program();
    Vmspace space = program.space;
    assertUnchanged(program, NOT_MAPPED, () -> space.protect(AT, 10 * PAGE, Protection.NONE));
    assertUnchanged(
        program,
        MAXIMUM_PROTECTION,
        () -> space.protect(AT + 5 * PAGE, 5 * PAGE, Protection.READ_WRITE));
    assertUnchanged(
        program,
        MAXIMUM_PROTECTION,
        () -> space.protectMaximum(AT, 10 * PAGE, Protection.READ_WRITE));
    // Without the reason for the refusal all of them work.
    space.protectMaximum(AT, 4 * PAGE, Protection.READ_WRITE);
    assertUnchanged(
        program, MAXIMUM_PROTECTION, () -> space.protect(AT, PAGE, Protection.READ_WRITE_EXECUTE));
  }

  @Test
  void M2_remapAndDuplicate() {
    Program program = program();
    Vmspace space = program.space;
    assertUnchanged(program, NOT_MAPPED, () -> space.remap(AT, 10 * PAGE, PAGE));
    assertUnchanged(program, NOT_MAPPED, () -> space.remapTo(AT, 6 * PAGE, PAGE, 2 * AT));
    assertUnchanged(program, NOT_MAPPED, () -> space.duplicate(AT + 3 * PAGE, 2 * PAGE));
    assertUnchanged(program, NO_SPACE, () -> space.remap(AT, 4 * PAGE, END));
    assertUnchanged(program, NO_SPACE, () -> space.remapTo(AT, 4 * PAGE, PAGE, END));
    assertUnchanged(program, NO_SPACE, () -> space.remapTo(AT, 4 * PAGE, PAGE, 0));
    assertUnchanged(program, OCCUPIED, () -> space.remapTo(AT, 4 * PAGE, 4 * PAGE, AT + 4 * PAGE));
    assertUnchanged(program, OCCUPIED, () -> space.remapTo(AT, 4 * PAGE, 8 * PAGE, AT));
    space.setLimit(Limit.ADDRESS_SPACE, 10 * PAGE);
    assertUnchanged(program, LIMIT, () -> space.remap(AT, 4 * PAGE, 6 * PAGE));
    assertUnchanged(program, LIMIT, () -> space.remapTo(AT, 4 * PAGE, 6 * PAGE, 2 * AT));
    assertUnchanged(program, LIMIT, () -> space.duplicate(AT, 2 * PAGE));
  }

  @Test
  void M2_paging() {
    Program program = program();
    Vmspace space = program.space;
    Paging paging = space.paging();
    assertUnchanged(program, NOT_MAPPED, () -> paging.wire(AT, 10 * PAGE));
    assertUnchanged(program, NO_ACCESS, () -> paging.wire(AT + 5 * PAGE, 5 * PAGE));
    assertUnchanged(program, NOT_MAPPED, () -> paging.unwire(AT, 10 * PAGE));
    assertUnchanged(program, NOT_MAPPED, () -> paging.clean(AT, 10 * PAGE, true));
    assertUnchanged(program, NOT_MAPPED, () -> paging.resident(AT, 10 * PAGE));
    paging.wire(AT + 9 * PAGE, PAGE);
    assertUnchanged(program, WIRED, () -> paging.discard(AT, 10 * PAGE));
    assertUnchanged(program, WIRED, () -> paging.clean(AT + 8 * PAGE, 2 * PAGE, true));
    space.setLimit(Limit.LOCKED, 3 * PAGE);
    assertUnchanged(program, LIMIT, () -> paging.wire(AT, 4 * PAGE));
    assertUnchanged(program, LIMIT, () -> paging.wireAll(true, true));
    space.setLimit(Limit.LOCKED, Long.MAX_VALUE);
    space.map(2 * AT, 100 * PAGE, Protection.READ);
    assertUnchanged(program, NO_MEMORY, () -> paging.wire(2 * AT, 100 * PAGE));
    assertUnchanged(program, NO_MEMORY, () -> paging.wireAll(true, true));
  }

  /** A child that cannot be made leaves no trace. */
  @Test
  void M2_fork() {
    Program program = program();
    program.space.map(2 * AT, 40 * PAGE, Protection.READ_WRITE);
    program.space.paging().wire(2 * AT, 40 * PAGE);
    assertUnchanged(program, NO_MEMORY, program.space::fork);
    program.space.reference();
    assertUnchanged(program, NO_MEMORY, program.space::unshare);
    assertThat(program.space.references()).isEqualTo(2);
    program.set(AT, 9);
    assertThat(program.get(AT)).isEqualTo(9);
    program.space.close();
  }

  @Test
  void M1_afterTheEndEveryCallIsRefused() {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    Paging paging = space.paging();
    space.map(AT, PAGE, Protection.READ_WRITE);
    space.close();
    List<Runnable> calls =
        List.of(
            () -> space.map(MapRequest.anonymous(PAGE)),
            () -> space.map(MapRequest.stack(1 << 20)),
            () -> space.protect(AT, PAGE, Protection.READ),
            () -> space.protectMaximum(AT, PAGE, Protection.READ),
            () -> space.inherit(AT, PAGE, Inheritance.NONE),
            () -> space.makeImmutable(AT, PAGE),
            () -> space.remap(AT, PAGE, PAGE),
            () -> space.remapTo(AT, PAGE, PAGE, 2 * AT),
            () -> space.duplicate(AT, PAGE),
            space::fork,
            space::reference,
            () -> paging.wire(AT, PAGE),
            () -> paging.unwire(AT, PAGE),
            () -> paging.wireAll(true, true),
            paging::unwireAll,
            () -> paging.advise(AT, PAGE, Advice.RANDOM),
            () -> paging.conceal(AT, PAGE, true),
            () -> paging.writeLazily(AT, PAGE, true),
            () -> paging.discard(AT, PAGE),
            () -> paging.invalidate(AT, PAGE),
            () -> paging.clean(AT, PAGE, false),
            () -> paging.resident(AT, PAGE));
    for (Runnable call : calls) {
      assertThatIllegalStateException().isThrownBy(call::run);
    }
    assertThat(space.permits(AT, PAGE, Protection.NONE)).isFalse();
    space.unmap(AT, PAGE);
    assertThat(space.mappings()).isEmpty();
  }
}
