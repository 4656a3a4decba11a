package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.juvm.AuditedVms.assertFault;
import static org.juvm.AuditedVms.assertRefused;
import static org.juvm.Guest.VIRTUAL;
import static org.juvm.Program.PAGE;
import static org.juvm.base.VirtualPte.ACCESSED;
import static org.juvm.base.VirtualPte.LARGE;
import static org.juvm.base.VirtualPte.MODIFIED;
import static org.juvm.base.VirtualPte.VALID;
import static org.juvm.base.VirtualPte.WRITABLE;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.juvm.MapException.Reason;
import org.juvm.base.Advice;
import org.juvm.base.Inheritance;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;
import org.juvm.base.VirtualPte;

/** What operations on maps do with mappings that have page tables. */
class VirtualPageTableMapTest {
  private static final int PAGES = 8;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  @TempDir Path directory;

  /** A guest with pages that contain their number, mapped in reverse order from address 0 on. */
  private long numbered(Guest guest) {
    long root = guest.newRoot();
    for (int i = PAGES - 1; i >= 0; i--) {
      long page = guest.newPage();
      guest.setPhysical(page, i + 1);
      guest.map(root, (long) i * PAGE, page, WRITABLE);
    }
    guest.setRoot(root);
    return root;
  }

  private static void assertNumbered(Program program, long at, int first, int pages) {
    for (int i = 0; i < pages; i++) {
      assertThat(program.get(at + (long) i * PAGE)).isEqualTo(first + i + 1);
    }
  }

  private static List<Mapping> virtual(Guest guest) {
    return guest.program.space.mappings().stream()
        .filter(mapping -> mapping.flags().contains(MapFlag.PAGE_TABLE))
        .toList();
  }

  @Test
  void M24_clippedMappingsKeepTheirTables() {
    Guest guest = Guest.boot(vms.boot(128), 64);
    long root = numbered(guest);
    Vmspace space = guest.program.space;
    space.protect(VIRTUAL + 2 * PAGE, 2 * PAGE, Protection.READ);
    assertThat(virtual(guest)).hasSize(3);
    assertThat(virtual(guest).get(1).offset()).isEqualTo(2 * PAGE);
    assertNumbered(guest.program, VIRTUAL, 0, PAGES);
    // A mapping that cannot be written leaves no marks.
    assertThat(guest.marks(root, 2 * PAGE, 0)).isZero();
    assertThat(guest.marks(root, 4 * PAGE, 0)).isEqualTo(ACCESSED);
    assertFault(MemoryFault.Reason.PROTECTION, VIRTUAL + 2 * PAGE, () -> guest.set(2 * PAGE, 1));
    assertThat(guest.program.vm.audit()).isEmpty();
    space.protect(VIRTUAL + 2 * PAGE, 2 * PAGE, Protection.READ_WRITE);
    assertThat(virtual(guest)).hasSize(1);
    space.unmap(VIRTUAL + PAGE, PAGE);
    assertFault(MemoryFault.Reason.NOT_MAPPED, VIRTUAL + PAGE, () -> guest.get(PAGE));
    assertNumbered(guest.program, VIRTUAL + 2 * PAGE, 2, PAGES - 2);
    space.paging().advise(VIRTUAL + 4 * PAGE, PAGE, Advice.SEQUENTIAL);
    assertNumbered(guest.program, VIRTUAL + 2 * PAGE, 2, PAGES - 2);
  }

  @Test
  void M24_onlyEqualRootsAreJoined() {
    Guest guest = Guest.boot(vms.boot(128), 64);
    long root = numbered(guest);
    Paging paging = guest.program.space.paging();
    paging.setPageTable(VIRTUAL + 2 * PAGE, 2 * PAGE, VALID | LARGE);
    assertThat(virtual(guest)).hasSize(3);
    guest.setPhysical(2 * PAGE + 8, 99);
    assertThat(guest.get(2 * PAGE + 8)).isEqualTo(99);
    assertNumbered(guest.program, VIRTUAL, 0, 2);
    assertNumbered(guest.program, VIRTUAL + 4 * PAGE, 4, PAGES - 4);
    paging.setPageTable(VIRTUAL + 2 * PAGE, 2 * PAGE, root);
    assertThat(virtual(guest)).hasSize(1);
    assertNumbered(guest.program, VIRTUAL, 0, PAGES);
  }

  @Test
  void M24_movedMappingsKeepTheirTables() {
    Guest guest = Guest.boot(vms.boot(128), 64);
    long root = numbered(guest);
    Vmspace space = guest.program.space;
    assertNumbered(guest.program, VIRTUAL, 0, PAGES);
    long to = 1L << 30;
    space.remapTo(VIRTUAL + 2 * PAGE, 3 * PAGE, 4 * PAGE, to);
    assertNumbered(guest.program, to, 2, 4);
    assertFault(MemoryFault.Reason.NOT_MAPPED, VIRTUAL + 2 * PAGE, () -> guest.get(2 * PAGE));
    guest.program.set(to + PAGE + 8, 5);
    assertThat(guest.marks(root, 3 * PAGE, 0)).isEqualTo(ACCESSED | MODIFIED);
    long twice = space.duplicate(to, 4 * PAGE);
    assertNumbered(guest.program, twice, 2, 4);
    try (Vmspace other = guest.program.vm.newVmspace()) {
      Program program = new Program(other);
      space.transfers().copy(to, 2 * PAGE, other, 1L << 20);
      assertNumbered(program, 1L << 20, 2, 2);
      program.set((1L << 20) + 8, 6);
      assertThat(guest.program.get(to + 8)).isEqualTo(6);
      space.transfers().move(twice, 4 * PAGE, other, 1L << 21);
      assertNumbered(program, 1L << 21, 2, 4);
      program.cpu.close();
    }
  }

  @Test
  void M24_aChildShares() {
    Guest guest = Guest.boot(vms.boot(128), 64);
    long root = numbered(guest);
    Vmspace space = guest.program.space;
    space.inherit(VIRTUAL, Guest.LENGTH, Inheritance.COPY);
    Guest child = guest.in(guest.program.fork());
    assertNumbered(child.program, VIRTUAL, 0, PAGES);
    child.set(8, 7);
    assertThat(guest.get(8)).isEqualTo(7);
    assertThat(guest.marks(root, 0, 0)).isEqualTo(ACCESSED | MODIFIED);
    child.setRoot(0);
    assertFault(MemoryFault.Reason.NOT_MAPPED, VIRTUAL, () -> child.get(0));
    assertNumbered(guest.program, VIRTUAL, 0, PAGES);
    space.inherit(VIRTUAL, Guest.LENGTH, Inheritance.ZERO);
    Guest empty = guest.in(guest.program.fork());
    assertThat(empty.get(0)).isZero();
    assertThat(virtual(empty)).isEmpty();
    empty.set(0, 5);
    assertNumbered(guest.program, VIRTUAL, 0, PAGES);
    space.inherit(VIRTUAL, Guest.LENGTH, Inheritance.NONE);
    Guest none = guest.in(guest.program.fork());
    assertFault(MemoryFault.Reason.NOT_MAPPED, VIRTUAL, () -> none.get(0));
  }

  @Test
  void M24_whatCannotBeDoneIsRefusedAndChangesNothing() {
    Vm vm = vms.boot(128);
    Program program = Program.in(vm);
    SharedMemory memory = vm.sharedMemory().create(64 * PAGE);
    Guest guest = new Guest(program, memory, 64 * PAGE);
    long root = numbered(guest);
    Vmspace space = program.space;
    space.unmap(VIRTUAL + PAGES * PAGE, Guest.LENGTH - PAGES * PAGE);
    space.map(VIRTUAL + PAGES * PAGE, PAGE, Protection.READ_WRITE);
    List<Mapping> before = space.mappings();
    assertRefused(Reason.WRONG_KIND, () -> space.paging().setPageTable(Guest.PHYSICAL, PAGE, 0));
    assertRefused(
        Reason.WRONG_KIND, () -> space.paging().setPageTable(VIRTUAL, (PAGES + 1) * PAGE, 0));
    assertRefused(Reason.WRONG_KIND, () -> space.paging().wire(VIRTUAL, PAGE));
    assertRefused(Reason.WRONG_KIND, () -> space.paging().wireAll(true, true));
    assertRefused(Reason.WIRED, () -> space.lend(VIRTUAL, PAGE));
    MapRequest request = MapRequest.of(memory, 0, PAGE).pageTable(root);
    assertRefused(
        Reason.WRONG_KIND,
        () ->
            space.map(
                MapRequest.of(memory, 0, PAGE)
                    .pageTable(root)
                    .wired()
                    .replacing(VIRTUAL + PAGES * PAGE)));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> space.map(MapRequest.anonymous(PAGE).pageTable(0)));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> space.map(MapRequest.stack(1 << 20).pageTable(0)));
    assertThatIllegalArgumentException().isThrownBy(() -> request.flag(MapFlag.PAGE_TABLE));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> space.map(MapRequest.of(memory, 2L << 47, PAGE).pageTable(0)));
    assertThat(space.mappings()).isEqualTo(before);
    assertNumbered(program, VIRTUAL, 0, PAGES);
    space.paging().wireAll(false, true);
    assertRefused(Reason.WRONG_KIND, () -> space.map(request));
    assertRefused(Reason.WRONG_KIND, () -> space.duplicate(VIRTUAL, PAGE));
    assertRefused(Reason.WRONG_KIND, () -> space.remap(VIRTUAL, PAGES * PAGE, 99 * PAGE));
    assertThat(space.mappings()).isEqualTo(before);
    assertNumbered(program, VIRTUAL, 0, PAGES);
  }

  @Test
  void M24_questionsLeaveNoMarks() {
    Guest guest = Guest.boot(vms.boot(128), 64);
    long root = numbered(guest);
    Paging paging = guest.program.space.paging();
    assertThat(paging.resident(VIRTUAL, PAGES * PAGE)).containsOnly(true);
    assertThat(paging.resident(VIRTUAL + PAGES * PAGE, PAGES * PAGE)).containsOnly(false);
    assertThat(guest.marks(root, 0, 0)).isZero();
    paging.prefault(VIRTUAL, PAGES * PAGE);
    paging.deactivate(VIRTUAL, PAGES * PAGE);
    paging.discard(VIRTUAL, PAGES * PAGE);
    assertThat(guest.marks(root, 0, 0)).isZero();
    // Those of the memory, once for each of its two mappings.
    long pages = guest.program.vm.statistics().usedFrames();
    assertThat(paging.anonymousPages()).isEqualTo(2 * pages);
    assertThat(paging.swappedPages()).isZero();
    assertThat(guest.program.space.show())
        .contains(" page_table", ", root=" + Long.toHexString(root));
    guest.setRoot(0);
    assertThat(paging.resident(VIRTUAL, PAGES * PAGE)).containsOnly(false);
  }

  /** The loan shows the table as it was; the guest sees the marks. */
  @Test
  void M24_marksBreakALoanOfTheTable() {
    Guest guest = Guest.boot(vms.boot(128), 64);
    long root = numbered(guest);
    long table = guest.place(root, 0, 0);
    long before = guest.entry(root, 0, 0);
    try (Loan loan = guest.program.space.lend(Guest.PHYSICAL + table, PAGE)) {
      assertThat(guest.get(0)).isEqualTo(1);
      guest.set(PAGE, 2);
      MemorySegment lent = loan.segments().getFirst();
      assertThat(lent.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(before);
      assertThat(guest.marks(root, 0, 0)).isEqualTo(ACCESSED);
      assertThat(guest.marks(root, PAGE, 0)).isEqualTo(ACCESSED | MODIFIED);
    }
    try (Loan loan = guest.program.space.lend(Guest.PHYSICAL + 2 * PAGE, PAGES * PAGE)) {
      assertThat(loan.length()).isEqualTo(PAGES * PAGE);
      assertNumbered(guest.program, VIRTUAL, 0, PAGES);
      guest.set(8, 5);
      assertThat(guest.get(8)).isEqualTo(5);
    }
  }

  @Test
  void M24_memoryThatShrinksTakesTablesAndPages() {
    Vm vm = vms.boot(128);
    Program program = Program.in(vm);
    SharedMemory memory = vm.sharedMemory().create(64 * PAGE);
    Guest guest = new Guest(program, memory, 64 * PAGE);
    long root = numbered(guest);
    assertNumbered(program, VIRTUAL, 0, PAGES);
    memory.resize(guest.place(root, 0, 0) & -PAGE);
    assertFault(MemoryFault.Reason.BEYOND_END, VIRTUAL, () -> guest.get(0));
    memory.resize(64 * PAGE);
    assertFault(MemoryFault.Reason.NOT_MAPPED, VIRTUAL, () -> guest.get(0));
    memory.close();
  }

  @Test
  void M24_tablesAndPagesInAFile() throws IOException {
    Vm vm = vms.boot(128);
    Path path = Files.write(directory.resolve("guest"), new byte[64 * PAGE]);
    try (MappedFile file = vm.files().open(path, StandardOpenOption.WRITE)) {
      Program program = Program.in(vm);
      Guest guest = new Guest(program, file, 64 * PAGE);
      long root = numbered(guest);
      guest.set(8, 88);
      long place = guest.place(root, 0, 0);
      // All of the memory is written: the page, and the tables with their marks.
      program.space.paging().clean(VIRTUAL + PAGE, PAGE, false);
      MemorySegment bytes = MemorySegment.ofArray(Files.readAllBytes(path));
      long entry = bytes.get(ValueLayout.JAVA_LONG_UNALIGNED, place);
      assertThat(entry).isEqualTo(guest.entry(root, 0, 0));
      assertThat(entry & (ACCESSED | MODIFIED)).isEqualTo(ACCESSED | MODIFIED);
      assertThat(bytes.get(ValueLayout.JAVA_LONG_UNALIGNED, (entry & -PAGE) + 8)).isEqualTo(88);
      program.space.paging().cleanLater(VIRTUAL, 2 * PAGE);
      program.space.paging().clean(VIRTUAL, PAGE, true);
      assertThat(guest.get(8)).isEqualTo(88);
      assertThat(guest.marks(root, 0, 0)).isEqualTo(ACCESSED | MODIFIED);
      assertNumbered(program, VIRTUAL, 0, PAGES);
    }
  }

  @Test
  void M24_tablesInADeviceAndMappingsInASubmap() {
    Vm vm = vms.boot(128);
    Program program = Program.in(vm);
    MemorySegment segment = Arena.ofAuto().allocate(32 * PAGE, 8);
    DeviceMemory memory = vm.newDeviceMemory(segment);
    Guest guest = new Guest(program, memory, 32 * PAGE);
    long root = numbered(guest);
    assertNumbered(program, VIRTUAL, 0, PAGES);
    assertThat(program.space.paging().resident(VIRTUAL, 2 * PAGES * PAGE))
        .startsWith(true, true)
        .endsWith(false, false);
    Submap submap = program.space.submap(1 << 20);
    long at = submap.map(MapRequest.of(memory, 0, PAGES * PAGE).pageTable(root));
    assertNumbered(program, at, 0, PAGES);
    submap.paging().setPageTable(at, PAGE, 0);
    assertFault(MemoryFault.Reason.NOT_MAPPED, at, () -> program.get(at));
    assertThat(vm.audit()).isEmpty();
    memory.close();
    assertFault(MemoryFault.Reason.BEYOND_END, VIRTUAL, () -> guest.get(0));
    assertThat(program.space.paging().resident(VIRTUAL, PAGE)).containsOnly(false);
  }

  @Test
  void M24_pageTablesMayLeadToThePageOfStatistics() {
    Vm vm = vms.boot(64);
    Vmspace vmspace = vm.newVmspace();
    long root = VirtualPte.of(0, LARGE);
    long at = vmspace.map(MapRequest.of(vm.statisticsPage()).pageTable(root));
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(vmspace);
      assertThat(cpu.get(StatisticsField.LAYOUT, at + StatisticsField.MAGIC.offset()))
          .isEqualTo(StatisticsField.MAGIC_NUMBER);
      assertFault(MemoryFault.Reason.PROTECTION, at, () -> cpu.set(StatisticsField.LAYOUT, at, 1));
      assertThat(vm.audit()).isEmpty();
    }
  }
}
