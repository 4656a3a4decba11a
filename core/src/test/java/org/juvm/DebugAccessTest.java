package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.AuditedVms.assertFault;
import static org.juvm.Program.PAGE;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Protection;

/** Reads and writes of debuggers, past the protection. */
class DebugAccessTest {
  private static final long AT = 1 << 20;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  private static long peek(Vmspace space, long address) {
    MemorySegment target = MemorySegment.ofArray(new long[3]);
    space.debug().read(address, target, 8, 8);
    assertThat(target.get(JAVA_LONG, 0)).isZero();
    assertThat(target.get(JAVA_LONG, 16)).isZero();
    return target.get(JAVA_LONG, 8);
  }

  private static void poke(Vmspace space, long address, long value) {
    space.debug().write(address, MemorySegment.ofArray(new long[] {0, value}), 8, 8);
  }

  @Test
  void M23_readsWhatTheProgramMayNot() {
    Program program = Program.in(vms.boot(64));
    program.space.map(AT, 2 * PAGE, Protection.READ_WRITE);
    program.number(AT, 2);
    program.space.protect(AT, 2 * PAGE, Protection.NONE);
    assertThat(peek(program.space, AT)).isEqualTo(1);
    assertThat(peek(program.space, AT + PAGE)).isEqualTo(2);
    assertFault(MemoryFault.Reason.PROTECTION, AT, () -> program.get(AT));
    assertThat(program.space.residentPages()).as("no translation is made").isZero();
    poke(program.space, AT, 10);
    program.space.protect(AT, PAGE, Protection.READ);
    assertThat(program.get(AT)).isEqualTo(10);
  }

  /** A breakpoint in code: the program sees it, its parent and its child do not. */
  @Test
  void M23_writesToCodeStayPrivate() {
    Program parent = Program.in(vms.boot(64));
    parent.space.map(AT, PAGE, Protection.READ_WRITE);
    parent.set(AT, 1);
    parent.space.protect(AT, PAGE, Protection.READ_EXECUTE);
    Program program = parent.fork();
    Program child = program.fork();
    assertThat(program.get(AT)).isEqualTo(1);
    poke(program.space, AT, 0xcc);
    assertThat(program.get(AT)).isEqualTo(0xcc);
    assertThat(parent.get(AT)).isEqualTo(1);
    assertThat(child.get(AT)).isEqualTo(1);
    assertThat(peek(program.space, AT)).isEqualTo(0xcc);
    assertFault(MemoryFault.Reason.PROTECTION, AT, () -> program.set(AT, 2));
    assertThat(parent.usedFrames()).isEqualTo(2);
  }

  @Test
  void M23_privateMappingOfSharedMemoryGetsItsOwnPage() {
    Vm vm = vms.boot(64);
    Program owner = Program.in(vm);
    Program program = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().create(PAGE)) {
      owner.space.map(MapRequest.of(memory, 0, PAGE).shared().at(AT));
      owner.set(AT, 1);
      program.space.map(MapRequest.of(memory, 0, PAGE).at(AT).protection(Protection.READ_EXECUTE));
      assertThat(program.get(AT)).isEqualTo(1);
      poke(program.space, AT, 2);
      assertThat(program.get(AT)).isEqualTo(2);
      assertThat(owner.get(AT)).isEqualTo(1);
      // Where stores are shared, those of a debugger are.
      program.space.map(
          MapRequest.of(memory, 0, PAGE).shared().at(2 * AT).protection(Protection.READ));
      poke(program.space, 2 * AT, 3);
      assertThat(owner.get(AT)).isEqualTo(3);
      assertThat(program.get(AT)).isEqualTo(2);
    }
  }

  /** A wired page that is replaced by the debugger's copy: the copy is wired. */
  @Test
  void M23_writeToAWiredPageOfCode() {
    Program parent = Program.in(vms.boot(64));
    parent.space.map(AT, PAGE, Protection.READ_WRITE);
    parent.set(AT, 1);
    Program program = parent.fork();
    program.space.protect(AT, PAGE, Protection.READ_EXECUTE);
    program.space.paging().wire(AT, PAGE);
    poke(program.space, AT, 2);
    assertThat(program.get(AT)).isEqualTo(2);
    assertThat(parent.get(AT)).isEqualTo(1);
    assertThat(program.vm.audit()).isEmpty();
    program.space.paging().unwire(AT, PAGE);
    program.space.close();
    parent.space.close();
    assertThat(parent.usedFrames()).isZero();
  }

  @Test
  void M23_neverBeyondTheMaximum() {
    Program program = Program.in(vms.boot(64));
    Vmspace space = program.space;
    space.map(
        MapRequest.anonymous(PAGE).at(AT).protection(Protection.READ).maximum(Protection.READ));
    assertThat(peek(space, AT)).isZero();
    assertFault(MemoryFault.Reason.PROTECTION, AT, () -> poke(space, AT, 1));
    space.protectMaximum(AT, PAGE, Protection.NONE);
    assertFault(MemoryFault.Reason.PROTECTION, AT, () -> peek(space, AT));
  }

  @Test
  void M23_whatIsNotMappedFaultsAndWhatCameBeforeIsDone() {
    Program program = Program.in(vms.boot(64));
    Vmspace space = program.space;
    space.map(AT, PAGE, Protection.READ_WRITE);
    program.set(AT + PAGE - 8, 7);
    MemorySegment target = MemorySegment.ofArray(new long[2]);
    assertFault(
        MemoryFault.Reason.NOT_MAPPED,
        AT + PAGE,
        () -> space.debug().read(AT + PAGE - 8, target, 0, 16));
    assertThat(target.get(JAVA_LONG, 0)).isEqualTo(7);
    assertFault(
        MemoryFault.Reason.NOT_MAPPED,
        AT + PAGE,
        () -> space.debug().write(AT + PAGE - 8, MemorySegment.ofArray(new long[2]), 0, 16));
    assertThat(program.get(AT + PAGE - 8)).isZero();
    assertFault(MemoryFault.Reason.NOT_MAPPED, AT - 8, () -> peek(space, AT - 8));
    space.close();
    assertFault(MemoryFault.Reason.NOT_MAPPED, AT, () -> peek(space, AT));
  }

  @Test
  void M23_rangesAcrossPagesAndMappings() {
    Program program = Program.in(vms.boot(64));
    program.space.map(AT, 2 * PAGE, Protection.READ_WRITE);
    program.space.map(AT + 2 * PAGE, 2 * PAGE, Protection.NONE);
    byte[] source = new byte[3 * PAGE];
    for (int i = 0; i < source.length; i++) {
      source[i] = (byte) (i * 31);
    }
    program.space.debug().write(AT + 5, MemorySegment.ofArray(source), 0, source.length);
    byte[] target = new byte[source.length];
    program.space.debug().read(AT + 5, MemorySegment.ofArray(target), 0, target.length);
    assertThat(target).isEqualTo(source);
    assertThat(program.cpu.get(JAVA_LONG_UNALIGNED, AT + 5))
        .isEqualTo(MemorySegment.ofArray(source).get(JAVA_LONG_UNALIGNED, 0));
    program.space.debug().read(0, MemorySegment.ofArray(target), 0, 0);
  }
}
