package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.juvm.AuditedVms.assertFault;
import static org.juvm.AuditedVms.assertRefused;
import static org.juvm.Program.PAGE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Access;
import org.juvm.base.Inheritance;
import org.juvm.base.Protection;

/** A client's own memory, mapped. */
class DeviceTest {
  private static final long AT = 1 << 20;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  private static MemorySegment numbers(Arena arena, int pages) {
    MemorySegment segment = arena.allocate((long) pages * PAGE, 8);
    for (int i = 0; i < pages; i++) {
      segment.set(JAVA_LONG, (long) i * PAGE, i + 1);
    }
    return segment;
  }

  @Test
  void F9_devicesHaveTheirOwnFaultRoutine() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    MemorySegment segment = numbers(Arena.ofAuto(), 16);
    DeviceMemory memory = vm.newDeviceMemory(segment);
    program.space.map(MapRequest.of(memory, 2 * PAGE, 8 * PAGE).at(AT));
    Statistics before = vm.statistics();
    assertThat(program.get(AT)).isEqualTo(3);
    assertThat(program.get(AT + PAGE)).isEqualTo(4);
    Statistics after = vm.statistics();
    assertThat(after.objectPages() - before.objectPages()).isEqualTo(1);
    assertThat(after.usedFrames()).isZero();
    program.set(AT + PAGE, 50);
    assertThat(segment.get(JAVA_LONG, 3 * PAGE)).isEqualTo(50);
    segment.set(JAVA_LONG, 3 * PAGE + 8, 51);
    assertThat(program.get(AT + PAGE + 8)).isEqualTo(51);
    assertThat(vm.audit()).isEmpty();
    program.space.unmap(AT, 8 * PAGE);
    memory.close();
  }

  @Test
  void V2_allWaysOfAccess() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    MemorySegment segment = numbers(Arena.ofAuto(), 4);
    DeviceMemory memory = vm.newDeviceMemory(segment);
    program.space.map(MapRequest.of(memory, 0, 4 * PAGE).at(AT));
    byte[] bytes = new byte[4 * PAGE];
    program.cpu.bulk().read(AT, bytes, 0, bytes.length);
    assertThat(MemorySegment.ofArray(bytes).mismatch(segment)).isEqualTo(-1);
    program.cpu.bulk().fill(AT + PAGE - 4, 8, (byte) 7);
    assertThat(segment.get(JAVA_BYTE, PAGE + 3)).isEqualTo((byte) 7);
    long anonymous = program.space.map(4 * PAGE, Protection.READ_WRITE);
    program.cpu.bulk().copy(AT, anonymous, 4 * PAGE);
    program.cpu.bulk().copy(anonymous, AT + 2 * PAGE, PAGE);
    assertThat(program.get(AT + 2 * PAGE)).isEqualTo(1);
    assertThat(program.cpu.atomics().getAndAdd(JAVA_LONG, AT, 4L)).isEqualTo(1);
    program.cpu.bulk().window(AT, 4 * PAGE, Access.WRITE, page -> page.fill((byte) 3));
    assertThat(segment.get(JAVA_BYTE, 4 * PAGE - 1)).isEqualTo((byte) 3);
    program.space.debug().write(AT, MemorySegment.ofArray(new byte[] {9}), 0, 1);
    assertThat(segment.get(JAVA_BYTE, 0)).isEqualTo((byte) 9);
  }

  @Test
  void V2_pagesAreAlwaysInMemoryAndNeverCopied() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    MemorySegment segment = numbers(Arena.ofAuto(), 4);
    DeviceMemory memory = vm.newDeviceMemory(segment);
    program.space.map(MapRequest.of(memory, 0, 4 * PAGE).inheritance(Inheritance.COPY).at(AT));
    assertThat(program.space.paging().resident(AT, 4 * PAGE)).containsOnly(true);
    assertThat(program.space.paging().anonymousPages()).isZero();
    program.space.paging().wire(AT, 4 * PAGE);
    assertThat(vm.audit()).isEmpty();
    program.space.paging().unwire(AT, 4 * PAGE);
    Program child = program.fork();
    child.set(AT, 5);
    assertThat(program.get(AT)).isEqualTo(5);
    assertThat(segment.get(JAVA_LONG, 0)).isEqualTo(5);
    assertThat(vm.statistics().usedFrames()).isZero();
    assertRefused(MapException.Reason.WIRED, () -> program.space.lend(AT, PAGE));
    long moved = program.space.remap(AT, 4 * PAGE, 2 * PAGE, 1 << 25, 1 << 25);
    assertThat(program.get(moved + PAGE)).isEqualTo(2);
    assertThat(child.space.show()).contains("device");
  }

  @Test
  void V2_whatCannotBeWrittenIsNot() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    DeviceMemory memory = vm.newDeviceMemory(numbers(Arena.ofAuto(), 4).asReadOnly());
    MapRequest request = MapRequest.of(memory, 0, 4 * PAGE).at(AT);
    assertRefused(MapException.Reason.MAXIMUM_PROTECTION, () -> program.space.map(request));
    program.space.map(request.protection(Protection.READ));
    assertThat(program.get(AT)).isEqualTo(1);
    assertFault(MemoryFault.Reason.PROTECTION, AT, () -> program.set(AT, 2));
    assertRefused(
        MapException.Reason.MAXIMUM_PROTECTION,
        () -> program.space.protect(AT, PAGE, Protection.READ_WRITE));
  }

  @Test
  void V2_memoryIsTakenBack() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    try (Arena arena = Arena.ofShared()) {
      DeviceMemory memory = vm.newDeviceMemory(numbers(arena, 4));
      program.space.map(MapRequest.of(memory, 0, 4 * PAGE).at(AT));
      program.set(AT, 3);
      program.space.paging().wire(AT, PAGE);
      assertThatIllegalStateException().isThrownBy(memory::close);
      assertThat(program.get(AT)).isEqualTo(3);
      program.space.paging().unwire(AT, PAGE);
      memory.close();
      memory.close();
    }
    assertFault(MemoryFault.Reason.BEYOND_END, AT, () -> program.get(AT));
    assertFault(MemoryFault.Reason.BEYOND_END, AT + PAGE, () -> program.set(AT + PAGE, 1));
    assertThat(program.space.paging().resident(AT, 4 * PAGE)).containsOnly(false);
  }

  /** The client has closed the arena too early. */
  @Test
  void V2_pageOfAClosedArenaIsNotEntered() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    Arena arena = Arena.ofShared();
    DeviceMemory memory = vm.newDeviceMemory(numbers(arena, 4));
    program.space.map(MapRequest.of(memory, 0, 4 * PAGE).at(AT));
    arena.close();
    assertFault(MemoryFault.Reason.IO_ERROR, AT, () -> program.get(AT));
    memory.close();
  }

  @Test
  void V2_onlyWholePagesThatLastAreMapped() {
    Vm vm = vms.boot(64);
    MemorySegment heap = MemorySegment.ofArray(new byte[PAGE]);
    assertThatIllegalArgumentException().isThrownBy(() -> vm.newDeviceMemory(heap));
    MemorySegment segment = Arena.ofAuto().allocate(2 * PAGE, 8);
    MemorySegment part = segment.asSlice(0, 100);
    assertThatIllegalArgumentException().isThrownBy(() -> vm.newDeviceMemory(part));
    MemorySegment odd = segment.asSlice(1, PAGE);
    assertThatIllegalArgumentException().isThrownBy(() -> vm.newDeviceMemory(odd));
    try (Arena confined = Arena.ofConfined()) {
      MemorySegment own = confined.allocate(PAGE, 8);
      assertThatIllegalArgumentException().isThrownBy(() -> vm.newDeviceMemory(own));
    }
    Arena arena = Arena.ofShared();
    MemorySegment gone = arena.allocate(PAGE, 8);
    arena.close();
    assertThatIllegalStateException().isThrownBy(() -> vm.newDeviceMemory(gone));
    DeviceMemory one = vm.newDeviceMemory(segment);
    DeviceMemory two = vm.newDeviceMemory(segment.asSlice(PAGE));
    one.close();
    DeviceMemory three = vm.newDeviceMemory(segment.asSlice(0, PAGE));
    DeviceMemory four = vm.newDeviceMemory(segment);
    Program program = Program.in(vm);
    program.space.map(MapRequest.of(two, 0, PAGE).at(AT));
    program.space.map(MapRequest.of(three, 0, PAGE).at(AT + PAGE));
    program.space.map(MapRequest.of(four, 0, 2 * PAGE).at(AT + 2 * PAGE));
    program.set(AT, 7);
    program.set(AT + PAGE, 8);
    assertThat(program.get(AT + 2 * PAGE)).isEqualTo(8);
    assertThat(program.get(AT + 3 * PAGE)).isEqualTo(7);
    assertThatIllegalStateException()
        .isThrownBy(() -> program.space.map(MapRequest.of(one, 0, PAGE)));
  }

  /** Memory is taken back and freed while others load from it without pause. */
  @Test
  void V2_takenBackWhileOthersLoad() throws InterruptedException {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    AtomicBoolean done = new AtomicBoolean();
    Thread reader =
        Thread.ofPlatform()
            .start(
                () -> {
                  try (Cpu cpu = vm.newCpu()) {
                    cpu.attach(space);
                    while (!done.get()) {
                      try {
                        for (int i = 0; i < 1000; i++) {
                          cpu.get(JAVA_LONG, AT + (i & 3L) * PAGE);
                        }
                      } catch (MemoryFault e) {
                        assertThat(e.reason())
                            .isIn(MemoryFault.Reason.NOT_MAPPED, MemoryFault.Reason.BEYOND_END);
                      }
                    }
                  }
                });
    for (int round = 0; round < 200; round++) {
      try (Arena arena = Arena.ofShared();
          DeviceMemory memory = vm.newDeviceMemory(numbers(arena, 256))) {
        space.map(MapRequest.of(memory, 0, 256 * PAGE).replacing(AT));
        for (int spin = 0; spin < 100; spin++) {
          Thread.onSpinWait();
        }
      }
    }
    done.set(true);
    reader.join();
  }
}
