package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.juvm.AuditedVms.assertFault;
import static org.juvm.Program.PAGE;

import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Access;
import org.juvm.base.Advice;
import org.juvm.base.Inheritance;
import org.juvm.base.Protection;

/** Shared memory, its mappings, and the faults that it takes. */
class SharedMemoryTest {
  private static final long AT = 1 << 20;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  @Test
  void F4_pagesAreMappedAsTheyAreForAll() {
    Vm vm = vms.boot(64);
    Program one = Program.in(vm);
    Program two = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().create(4 * PAGE)) {
      one.space.map(MapRequest.of(memory, 0, 4 * PAGE).shared().advice(Advice.RANDOM).at(AT));
      two.space.map(
          MapRequest.of(memory, PAGE, 2 * PAGE).shared().advice(Advice.RANDOM).at(2 * AT));
      Statistics before = vm.statistics();
      one.number(AT, 4);
      assertThat(two.get(2 * AT)).isEqualTo(2);
      two.set(2 * AT + PAGE, 30);
      assertThat(one.get(AT + 2 * PAGE)).isEqualTo(30);
      Statistics after = vm.statistics();
      assertThat(after.objectPages() - before.objectPages()).isEqualTo(6);
      assertThat(after.faults() - before.faults()).isEqualTo(6);
      assertThat(after.promotions()).isZero();
      assertThat(after.zeroFills()).isZero();
      assertThat(after.usedFrames()).isEqualTo(4);
      assertThat(memory.residentPages()).isEqualTo(4);
    }
  }

  @Test
  void F5_privateStoreCopiesThePageUp() {
    Vm vm = vms.boot(64);
    Program one = Program.in(vm);
    Program two = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().create(2 * PAGE)) {
      one.space.map(MapRequest.of(memory, 0, 2 * PAGE).shared().at(AT));
      two.space.map(MapRequest.of(memory, 0, 2 * PAGE).at(AT));
      one.number(AT, 2);
      two.set(AT, 10);
      Statistics statistics = vm.statistics();
      assertThat(statistics.promotions()).isEqualTo(1);
      assertThat(statistics.zeroFills()).isZero();
      assertThat(statistics.usedFrames()).isEqualTo(3);
      assertThat(one.get(AT)).isEqualTo(1);
      one.set(AT, 11);
      one.set(AT + PAGE, 22);
      assertThat(two.get(AT)).isEqualTo(10);
      assertThat(two.get(AT + PAGE)).as("not private before a store").isEqualTo(22);
      // With its own page given up the program sees the memory again.
      two.space.paging().discard(AT, PAGE);
      assertThat(two.get(AT)).isEqualTo(11);
      assertThat(vm.statistics().usedFrames()).isEqualTo(2);
    }
  }

  /** A page that was read must be replaced for every processor when it is written. */
  @Test
  void F6_readThenWrittenPrivatePage() {
    Vm vm = vms.boot(64);
    Program owner = Program.in(vm);
    Program program = Program.in(vm);
    Cpu other = vm.newCpu();
    other.attach(program.space);
    try (SharedMemory memory = vm.sharedMemory().create(2 * PAGE)) {
      owner.space.map(MapRequest.of(memory, 0, 2 * PAGE).shared().at(AT));
      owner.number(AT, 2);
      program.space.map(MapRequest.of(memory, 0, 2 * PAGE).at(AT));
      for (int i = 0; i < 4; i++) {
        assertThat(program.get(AT)).isEqualTo(1);
        assertThat(other.get(JAVA_LONG, AT)).isEqualTo(1);
      }
      assertThat(program.space.mappings().getFirst().needsCopy()).isTrue();
      assertThat(vm.statistics().usedFrames()).isEqualTo(2);
      program.set(AT, 10);
      assertThat(other.get(JAVA_LONG, AT)).isEqualTo(10);
      other.set(JAVA_LONG, AT, 11);
      assertThat(program.get(AT)).isEqualTo(11);
      assertThat(owner.get(AT)).isEqualTo(1);
      assertThat(vm.statistics().promotions()).isEqualTo(1);
      assertThat(program.get(AT + PAGE)).isEqualTo(2);
      owner.set(AT + PAGE, 22);
      assertThat(program.get(AT + PAGE)).isEqualTo(22);
    }
  }

  /** Parent and child share private memory over shared memory: one's store is the other's. */
  @Test
  void F11_promotionIntoASharedAmapIsSeenByAllSharers() {
    Vm vm = vms.boot(64);
    Program owner = Program.in(vm);
    Program parent = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().create(2 * PAGE)) {
      owner.space.map(MapRequest.of(memory, 0, 2 * PAGE).shared().at(AT));
      owner.number(AT, 2);
      parent.space.map(MapRequest.of(memory, 0, 2 * PAGE).at(AT).inheritance(Inheritance.SHARE));
      assertThat(parent.get(AT)).isEqualTo(1);
      Program child = parent.fork();
      Program grandchild = child.fork();
      for (Program each : new Program[] {parent, child, grandchild}) {
        assertThat(each.get(AT)).isEqualTo(1);
        assertThat(each.get(AT + PAGE)).isEqualTo(2);
      }
      parent.set(AT, 10);
      assertThat(child.get(AT)).isEqualTo(10);
      assertThat(grandchild.get(AT)).isEqualTo(10);
      grandchild.set(AT + PAGE, 20);
      assertThat(parent.get(AT + PAGE)).isEqualTo(20);
      assertThat(child.get(AT + PAGE)).isEqualTo(20);
      assertThat(owner.get(AT)).isEqualTo(1);
      assertThat(owner.get(AT + PAGE)).isEqualTo(2);
      assertThat(vm.statistics().promotions()).isEqualTo(2);
      assertThat(vm.statistics().usedFrames()).isEqualTo(4);
    }
  }

  @Test
  void F15_everyFaultHasItsCase() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().create(4 * PAGE)) {
      program.space.map(AT, 2 * PAGE, Protection.READ_WRITE);
      program.number(AT, 2);
      program.space.map(MapRequest.of(memory, 0, 2 * PAGE).at(2 * AT));
      assertThat(program.get(2 * AT)).isZero();
      program.set(2 * AT, 1);
      Program child = program.fork();
      assertThat(child.get(AT)).isEqualTo(1);
      child.set(AT, 2);
      assertFault(MemoryFault.Reason.NOT_MAPPED, AT - 8, () -> child.get(AT - 8));
      Statistics now = vm.statistics();
      assertThat(now.zeroFills()).isEqualTo(2);
      assertThat(now.objectPages()).isEqualTo(1);
      assertThat(now.promotions()).isEqualTo(1);
      assertThat(now.copies()).isEqualTo(1);
      assertThat(now.unresolved()).isEqualTo(1);
      assertThat(now.direct()).isEqualTo(1);
      assertThat(now.faults()).isEqualTo(7);
      assertThat(program.space.residentPages()).isLessThanOrEqualTo(3);
      assertThat(program.space.peakResidentPages()).isEqualTo(3);
      program.space.unmap(AT, 2 * PAGE);
      assertThat(program.space.peakResidentPages()).isEqualTo(3);
    }
  }

  @Test
  void M13_childOfSharedMappingsByInheritance() {
    Vm vm = vms.boot(64);
    Program parent = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().create(5 * PAGE)) {
      parent.space.map(MapRequest.of(memory, 0, 5 * PAGE).shared().at(AT));
      parent.number(AT, 4);
      parent.space.inherit(AT + PAGE, PAGE, Inheritance.COPY);
      parent.space.inherit(AT + 2 * PAGE, PAGE, Inheritance.ZERO);
      parent.space.inherit(AT + 3 * PAGE, PAGE, Inheritance.NONE);
      Program child = parent.fork();
      child.set(AT, 10);
      assertThat(parent.get(AT)).isEqualTo(10);
      // COPY: the memory itself until the child writes.
      assertThat(child.get(AT + PAGE)).isEqualTo(2);
      parent.set(AT + PAGE, 20);
      assertThat(child.get(AT + PAGE)).isEqualTo(20);
      child.set(AT + PAGE, 21);
      parent.set(AT + PAGE, 22);
      assertThat(child.get(AT + PAGE)).isEqualTo(21);
      assertThat(parent.get(AT + PAGE)).isEqualTo(22);
      assertThat(child.get(AT + 2 * PAGE)).as("ZERO").isZero();
      child.set(AT + 2 * PAGE, 5);
      assertThat(parent.get(AT + 2 * PAGE)).isEqualTo(3);
      long hole = AT + 3 * PAGE;
      assertFault(MemoryFault.Reason.NOT_MAPPED, hole, () -> child.get(hole));
      child.set(AT + 4 * PAGE, 50);
      assertThat(parent.get(AT + 4 * PAGE)).as("no page was there at fork").isEqualTo(50);
    }
  }

  @Test
  void M13_privatePagesAreCopiedWithTheMappingOverTheMemory() {
    Vm vm = vms.boot(64);
    Program parent = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().create(2 * PAGE)) {
      parent.space.map(MapRequest.of(memory, 0, 2 * PAGE).at(AT));
      parent.set(AT, 1);
      Program child = parent.fork();
      parent.set(AT, 2);
      child.set(AT + PAGE, 3);
      assertThat(child.get(AT)).isEqualTo(1);
      assertThat(parent.get(AT + PAGE)).isZero();
      parent.space.close();
      assertThat(child.get(AT)).isEqualTo(1);
    }
  }

  @Test
  void M26_anonymousPagesOfBothLayers() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    Paging paging = program.space.paging();
    program.space.map(AT, 8 * PAGE, Protection.READ_WRITE);
    assertThat(paging.anonymousPages()).isZero();
    program.number(AT, 5);
    assertThat(paging.anonymousPages()).isEqualTo(5);
    try (SharedMemory memory = vm.sharedMemory().create(8 * PAGE)) {
      program.space.map(MapRequest.of(memory, 0, 8 * PAGE).shared().at(2 * AT));
      program.number(2 * AT, 3);
      assertThat(paging.anonymousPages()).isEqualTo(8);
      program.space.map(MapRequest.of(memory, 2 * PAGE, PAGE).shared().at(3 * AT));
      assertThat(paging.anonymousPages()).as("mapped twice").isEqualTo(9);
      program.space.unmap(AT + PAGE, 2 * PAGE);
      assertThat(paging.anonymousPages()).isEqualTo(7);
      Program child = program.fork();
      assertThat(child.space.paging().anonymousPages()).isEqualTo(7);
    }
    program.space.close();
    assertThat(paging.anonymousPages()).isZero();
  }

  @Test
  void X_accessBeyondTheEndFaults() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().create(PAGE + 100)) {
      program.space.map(MapRequest.of(memory, 0, 4 * PAGE).shared().at(AT));
      program.set(AT + PAGE + 4088, 1);
      long beyond = AT + 2 * PAGE;
      assertFault(MemoryFault.Reason.BEYOND_END, beyond, () -> program.get(beyond));
      assertFault(MemoryFault.Reason.BEYOND_END, beyond, () -> program.set(beyond, 1));
      assertThat(vm.statistics().unresolved()).isEqualTo(2);
      assertThat(program.space.paging().resident(AT, 4 * PAGE))
          .containsExactly(false, true, false, false);
      memory.resize(4 * PAGE);
      program.set(beyond, 2);
      assertThat(program.get(AT + PAGE + 4088)).as("beyond the old end").isZero();
      memory.resize(0);
      assertFault(MemoryFault.Reason.BEYOND_END, AT, () -> program.get(AT));
      assertThat(vm.statistics().usedFrames()).isZero();
    }
  }

  @Test
  void X_resizeWhileMapped() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().create(4 * PAGE)) {
      program.space.map(MapRequest.of(memory, 0, 4 * PAGE).shared().at(AT));
      program.space.map(MapRequest.of(memory, 0, 4 * PAGE).at(2 * AT));
      program.number(AT, 4);
      program.set(AT + 1024, 5);
      program.set(2 * AT + 3 * PAGE, 44);
      memory.resize(1024);
      assertThat(memory.size()).isEqualTo(1024);
      assertThat(memory.residentPages()).isEqualTo(1);
      assertThat(program.get(AT)).isEqualTo(1);
      assertThat(program.get(2 * AT + 3 * PAGE)).as("a private copy stays").isEqualTo(44);
      long gone = AT + 3 * PAGE;
      assertFault(MemoryFault.Reason.BEYOND_END, gone, () -> program.get(gone));
      memory.resize(4 * PAGE);
      assertThat(program.get(AT + 1024)).isZero();
      assertThat(program.get(gone)).isZero();
      assertThat(program.get(2 * AT + 3 * PAGE)).isEqualTo(44);
      for (long bad : new long[] {-1, Long.MIN_VALUE, (1L << 46) + 1}) {
        assertThatIllegalArgumentException().isThrownBy(() -> memory.resize(bad));
        assertThatIllegalArgumentException().isThrownBy(() -> vm.sharedMemory().create(bad));
      }
    }
  }

  /** What is used by raw address stays while it is, and goes after it. */
  @Test
  void X_resizeWhileLent() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().create(4 * PAGE)) {
      program.space.map(MapRequest.of(memory, 0, 4 * PAGE).shared().at(AT));
      program.number(AT, 4);
      program
          .cpu
          .bulk()
          .window(
              AT,
              4 * PAGE,
              Access.WRITE,
              segment -> {
                memory.resize(PAGE);
                segment.fill((byte) 9);
              });
      assertThat(program.get(AT)).isEqualTo(0x0909090909090909L);
      long gone = AT + PAGE;
      assertFault(MemoryFault.Reason.BEYOND_END, gone, () -> program.get(gone));
      memory.resize(4 * PAGE);
      assertThat(program.get(gone)).isZero();
    }
    program.space.close();
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  @Test
  void X_closedMemoryIsNotMappedAgainAndMappingsStay() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    SharedMemory memory = vm.sharedMemory().create(2 * PAGE);
    MapRequest request = MapRequest.of(memory, 0, 2 * PAGE).shared();
    program.space.map(request.at(AT));
    program.number(AT, 2);
    memory.close();
    memory.close();
    assertThatIllegalStateException().isThrownBy(() -> program.space.map(request.at(2 * AT)));
    assertThatIllegalStateException().isThrownBy(memory::size);
    assertThatIllegalStateException().isThrownBy(memory::residentPages);
    assertThatIllegalStateException().isThrownBy(() -> memory.resize(1));
    assertThat(program.space.mappings()).hasSize(1);
    Program child = program.fork();
    program.space.unmap(AT, PAGE);
    assertThat(program.get(AT + PAGE)).isEqualTo(2);
    program.space.close();
    child.set(AT, 5);
    assertThat(child.get(AT)).isEqualTo(5);
    child.space.close();
    assertThat(vm.statistics().usedFrames()).isZero();
    assertThat(vm.statistics().objectNodes()).isZero();
  }

  @Test
  void X_badRequestsAreRefused() {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    Vm other = vms.boot(64);
    try (SharedMemory memory = vm.sharedMemory().create(2 * PAGE);
        SharedMemory foreign = other.sharedMemory().create(PAGE)) {
      for (long offset : new long[] {-PAGE, 1, PAGE + 1, 1L << 47}) {
        assertThatIllegalArgumentException()
            .isThrownBy(() -> space.map(MapRequest.of(memory, offset, PAGE)));
      }
      assertThatIllegalArgumentException()
          .isThrownBy(() -> space.map(MapRequest.of(foreign, 0, PAGE)));
    }
    assertThat(space.mappings()).isEmpty();
  }

  @Test
  void X_namesFindTheSameMemory() {
    Vm vm = vms.boot(64);
    SharedMemories registry = vm.sharedMemory();
    Program program = Program.in(vm);
    SharedMemory memory = Objects.requireNonNull(registry.create("/b", PAGE));
    assertThat(registry.create("/b", PAGE)).as("taken").isNull();
    try (SharedMemory a = Objects.requireNonNull(registry.create("/a", 0))) {
      assertThat(a.size()).isZero();
    }
    assertThat(registry.names()).containsExactly("/a", "/b");
    assertThat(registry.find("/c")).isNull();
    program.space.map(MapRequest.of(memory, 0, PAGE).shared().at(AT));
    program.set(AT, 7);
    program.space.unmap(AT, PAGE);
    memory.close();
    assertThat(vm.statistics().usedFrames()).as("the name keeps it").isEqualTo(1);
    SharedMemory found = Objects.requireNonNull(registry.find("/b"));
    program.space.map(MapRequest.of(found, 0, PAGE).shared().at(AT));
    assertThat(program.get(AT)).isEqualTo(7);
    assertThat(registry.unlink("/b")).isTrue();
    assertThat(registry.unlink("/b")).isFalse();
    assertThat(registry.find("/b")).isNull();
    SharedMemory second = Objects.requireNonNull(registry.create("/b", PAGE));
    assertThat(second.residentPages()).as("another one of the same name").isZero();
    found.close();
    assertThat(program.get(AT)).isEqualTo(7);
    program.space.unmap(AT, PAGE);
    assertThat(vm.statistics().usedFrames()).isZero();
    second.close();
  }
}
