package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.juvm.AuditedVms.assertFault;
import static org.juvm.AuditedVms.assertRefused;
import static org.juvm.Program.PAGE;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Access;
import org.juvm.base.Inheritance;
import org.juvm.base.Limit;
import org.juvm.base.Protection;

/** Ranges that are mapped elsewhere without being copied. */
class TransferTest {
  private static final long AT = 1 << 20;
  private static final long THERE = 1 << 24;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  private static Program numbered(Vm vm, int pages) {
    Program program = Program.in(vm);
    program.space.map(AT, (long) pages * PAGE, Protection.READ_WRITE);
    program.number(AT, pages);
    return program;
  }

  @Test
  void V4_copyIsASnapshot() {
    Vm vm = vms.boot(64);
    Program one = numbered(vm, 8);
    Program two = Program.in(vm);
    long used = one.usedFrames();
    long at = one.space.transfers().copy(AT + PAGE, 4 * PAGE, two.space);
    assertThat(one.usedFrames()).isEqualTo(used);
    assertThat(two.layout(at)).containsExactly("0+4 rw-");
    one.set(AT + PAGE, 20);
    two.set(at + PAGE, 30);
    assertThat(two.get(at)).isEqualTo(2);
    assertThat(one.get(AT + 2 * PAGE)).isEqualTo(3);
    assertThat(two.get(at + PAGE)).isEqualTo(30);
    assertThat(two.get(at + 3 * PAGE)).isEqualTo(5);
    assertThat(one.usedFrames()).isEqualTo(used + 2);
    assertThat(vm.audit()).isEmpty();
    one.space.close();
    assertThat(two.get(at + 2 * PAGE)).isEqualTo(4);
    assertThat(two.usedFrames()).isEqualTo(4);
  }

  @Test
  void V4_copyWithinOneAddressSpace() {
    Vm vm = vms.boot(64);
    Program program = numbered(vm, 4);
    program.space.transfers().copy(AT, 4 * PAGE, program.space, THERE);
    program.set(AT, 100);
    program.set(THERE + PAGE, 200);
    assertThat(program.get(THERE)).isEqualTo(1);
    assertThat(program.get(AT + PAGE)).isEqualTo(2);
    program.space.transfers().copy(AT, 4 * PAGE, program.space, AT + 4 * PAGE);
    assertThat(program.get(AT + 4 * PAGE)).isEqualTo(100);
  }

  @Test
  void V4_moveTakesTheMemoryAway() {
    Vm vm = vms.boot(64);
    Program one = numbered(vm, 8);
    Program two = Program.in(vm);
    long used = one.usedFrames();
    one.space.transfers().move(AT + 2 * PAGE, 3 * PAGE, two.space, THERE);
    assertFault(MemoryFault.Reason.NOT_MAPPED, AT + 2 * PAGE, () -> one.get(AT + 2 * PAGE));
    assertThat(one.get(AT + PAGE)).isEqualTo(2);
    assertThat(one.get(AT + 5 * PAGE)).isEqualTo(6);
    two.set(THERE, two.get(THERE) + 10);
    assertThat(two.get(THERE)).isEqualTo(13);
    assertThat(two.get(THERE + 2 * PAGE)).isEqualTo(5);
    assertThat(one.usedFrames()).isEqualTo(used);
    assertThat(vm.audit()).isEmpty();
    two.space.transfers().move(THERE, 3 * PAGE, one.space, AT + 2 * PAGE);
    assertThat(one.get(AT + 2 * PAGE)).isEqualTo(13);
    assertThat(two.space.mappings()).isEmpty();
    long moved = one.space.transfers().move(AT, 8 * PAGE, one.space);
    assertThat(one.get(moved + 7 * PAGE)).isEqualTo(8);
    assertThat(one.space.mappedBytes()).isEqualTo(8 * PAGE);
  }

  @Test
  void V4_severalMappingsWithAttributes() {
    Vm vm = vms.boot(64);
    Program one = numbered(vm, 6);
    Program two = Program.in(vm);
    one.space.protect(AT + 2 * PAGE, 2 * PAGE, Protection.READ);
    one.space.inherit(AT + 4 * PAGE, PAGE, Inheritance.NONE);
    one.space.transfers().copy(AT, 6 * PAGE, two.space, THERE);
    assertThat(two.layout(THERE)).isEqualTo(one.layout(AT));
    assertFault(
        MemoryFault.Reason.PROTECTION, THERE + 2 * PAGE, () -> two.set(THERE + 2 * PAGE, 1));
    assertThat(two.get(THERE + 4 * PAGE)).isEqualTo(5);
    List<String> layout = one.layout(AT);
    one.space.transfers().move(AT, 6 * PAGE, two.space, 2 * THERE);
    assertThat(two.layout(2 * THERE)).containsAll(layout);
    assertThat(one.space.mappings()).isEmpty();
  }

  @Test
  void V4_objectsAndSharedMemory() {
    Vm vm = vms.boot(64);
    Program one = Program.in(vm);
    Program two = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().create(4 * PAGE)) {
      one.space.map(MapRequest.of(memory, 0, 4 * PAGE).shared().at(AT));
      one.number(AT, 4);
      one.space.transfers().copy(AT + PAGE, 2 * PAGE, two.space, THERE);
      two.set(THERE, 50);
      assertThat(one.get(AT + PAGE)).isEqualTo(2);
      one.set(AT + 2 * PAGE, 60);
      assertThat(two.get(THERE + PAGE)).as("not private before a store").isEqualTo(60);
      one.space.transfers().move(AT, PAGE, two.space, THERE + 4 * PAGE);
      two.set(THERE + 4 * PAGE, 70);
      one.space.map(MapRequest.of(memory, 0, PAGE).shared().at(AT));
      assertThat(one.get(AT)).isEqualTo(70);
    }
    Program parent = numbered(vm, 2);
    parent.space.inherit(AT, 2 * PAGE, Inheritance.SHARE);
    Program child = parent.fork();
    parent.space.transfers().copy(AT, 2 * PAGE, two.space, AT);
    child.set(AT, 80);
    assertThat(parent.get(AT)).isEqualTo(80);
    assertThat(two.get(AT)).isEqualTo(1);
    parent.space.transfers().move(AT, 2 * PAGE, two.space, 2 * THERE);
    child.set(AT + PAGE, 90);
    assertThat(two.get(2 * THERE + PAGE)).as("still shared").isEqualTo(90);
  }

  @Test
  void V4_wiredPagesAndWindows() {
    Vm vm = vms.boot(64);
    Program one = numbered(vm, 4);
    Program two = Program.in(vm);
    one.space.paging().wire(AT + PAGE, PAGE);
    one.space.transfers().copy(AT, 4 * PAGE, two.space, THERE);
    one.set(AT + PAGE, 20);
    assertThat(two.get(THERE + PAGE)).isEqualTo(2);
    assertThat(two.space.paging().wiredBytes()).isZero();
    assertRefused(
        MapException.Reason.WIRED,
        () -> one.space.transfers().move(AT, 4 * PAGE, two.space, 2 * THERE));
    one.space.paging().unwire(AT + PAGE, PAGE);
    one.cpu
        .bulk()
        .window(
            AT,
            PAGE,
            Access.WRITE,
            page -> {
              one.space.transfers().copy(AT, PAGE, two.space, 3 * THERE);
              page.set(JAVA_LONG, 0, 5);
            });
    assertThat(two.get(3 * THERE)).isEqualTo(1);
    assertThat(one.get(AT)).isEqualTo(5);
  }

  @Test
  void V4_whatFailsChangesNothing() {
    Vm vm = vms.boot(64);
    Program one = numbered(vm, 4);
    Program two = Program.in(vm);
    two.space.map(THERE, PAGE, Protection.READ);
    two.space.setLimit(Limit.ADDRESS_SPACE, 8 * PAGE);
    List<Mapping> before = one.space.mappings();
    List<Mapping> there = two.space.mappings();
    Transfers transfers = one.space.transfers();
    assertRefused(MapException.Reason.NOT_MAPPED, () -> transfers.move(AT, 5 * PAGE, two.space));
    assertRefused(MapException.Reason.NOT_MAPPED, () -> transfers.copy(AT, 5 * PAGE, two.space));
    assertRefused(MapException.Reason.OCCUPIED, () -> transfers.move(AT, PAGE, two.space, THERE));
    assertRefused(MapException.Reason.OCCUPIED, () -> transfers.copy(AT, PAGE, two.space, THERE));
    assertRefused(MapException.Reason.NO_SPACE, () -> transfers.move(AT, PAGE, two.space, 0));
    two.space.setLimit(Limit.ADDRESS_SPACE, 4 * PAGE);
    assertRefused(MapException.Reason.LIMIT, () -> transfers.move(AT, 4 * PAGE, two.space));
    assertRefused(MapException.Reason.LIMIT, () -> transfers.copy(AT, 4 * PAGE, two.space));
    assertThat(one.space.mappings().stream().mapToLong(Mapping::length).sum())
        .isEqualTo(before.stream().mapToLong(Mapping::length).sum());
    assertThat(two.space.mappings()).isEqualTo(there);
    assertThat(vm.audit()).isEmpty();
    one.space.makeImmutable(AT, PAGE);
    assertRefused(MapException.Reason.IMMUTABLE, () -> transfers.move(AT, PAGE, two.space));
    long copy = transfers.copy(AT, PAGE, two.space);
    two.space.unmap(copy, PAGE);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> transfers.copy(AT, PAGE, vms.boot(64).newVmspace()));
    two.space.close();
    assertThatIllegalStateException().isThrownBy(() -> transfers.move(AT + PAGE, PAGE, two.space));
    assertThatIllegalStateException()
        .isThrownBy(() -> two.space.transfers().copy(AT, PAGE, one.space));
    assertThat(one.get(AT + PAGE)).isEqualTo(2);
  }

  /** Submaps are maps of their own, with the page table of the whole. */
  @Test
  void V4_submaps() {
    Vm vm = vms.boot(64);
    Program program = numbered(vm, 4);
    Submap submap = program.space.submap(16 * PAGE);
    long inside = program.space.transfers().move(AT, 2 * PAGE, submap);
    assertThat(inside).isBetween(submap.start(), submap.end());
    assertThat(program.get(inside + PAGE)).isEqualTo(2);
    submap.transfers().move(inside, 2 * PAGE, program.space, AT);
    assertThat(program.get(AT + PAGE)).isEqualTo(2);
    assertRefused(
        MapException.Reason.SUBMAP,
        () -> program.space.transfers().copy(submap.start(), PAGE, program.space));
  }

  /** A page that two address spaces throw at each other is in one place, or on its way. */
  @Test
  void V4_movesAgainstEachOther() throws InterruptedException {
    Vm vm = vms.boot(128);
    Program one = numbered(vm, 4);
    Program two = Program.in(vm);
    two.space.map(THERE, 4 * PAGE, Protection.READ_WRITE);
    two.number(THERE, 4);
    Thread back =
        Thread.ofPlatform()
            .start(
                () -> {
                  for (int i = 0; i < 2000; i++) {
                    long at = two.space.transfers().move(THERE, 4 * PAGE, one.space);
                    one.space.transfers().move(at, 4 * PAGE, two.space, THERE);
                  }
                });
    for (int i = 0; i < 2000; i++) {
      long at = one.space.transfers().move(AT, 4 * PAGE, two.space);
      two.space.transfers().move(at, 4 * PAGE, one.space, AT);
      one.set(AT, i);
    }
    back.join();
    assertThat(one.get(AT)).isEqualTo(1999);
    assertThat(two.get(THERE + 3 * PAGE)).isEqualTo(4);
    assertThat(vm.statistics().usedFrames()).isEqualTo(8);
  }

  /** Pages on loan, and pages in swap, go along. */
  @Test
  void V4_lentAndSwappedPages() {
    try (Vm vm = Vm.builder().memory(64 * PAGE).swap(256 * PAGE).boot()) {
      Program one = numbered(vm, 100);
      Program two = Program.in(vm);
      try (Loan loan = one.space.lend(AT, PAGE)) {
        one.space.transfers().copy(AT, 100 * PAGE, two.space, AT);
        one.space.transfers().move(AT, 100 * PAGE, two.space, THERE);
        for (int i = 0; i < 100; i++) {
          assertThat(two.get(AT + (long) i * PAGE)).isEqualTo(i + 1);
          two.set(THERE + (long) i * PAGE, -i);
        }
        for (int i = 0; i < 100; i++) {
          assertThat(two.get(AT + (long) i * PAGE)).isEqualTo(i + 1);
          assertThat(two.get(THERE + (long) i * PAGE)).isEqualTo(-i);
        }
        assertThat(loan.segments().getFirst().get(JAVA_LONG, 0)).isEqualTo(1);
      }
      assertThat(vm.audit()).isEmpty();
    }
  }
}
