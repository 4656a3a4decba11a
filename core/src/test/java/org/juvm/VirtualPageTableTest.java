package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.AuditedVms.assertFault;
import static org.juvm.Guest.VIRTUAL;
import static org.juvm.Program.PAGE;
import static org.juvm.base.VirtualPte.ACCESSED;
import static org.juvm.base.VirtualPte.LARGE;
import static org.juvm.base.VirtualPte.MODIFIED;
import static org.juvm.base.VirtualPte.VALID;
import static org.juvm.base.VirtualPte.WRITABLE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.MemoryFault.Reason;
import org.juvm.base.Access;
import org.juvm.base.VirtualPte;

/** What a guest's page tables mean, and what is marked in them. */
class VirtualPageTableTest {
  private static final long AT = 0x12_3456_7000L;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  private Guest guest() {
    return Guest.boot(vms.boot(128), 64);
  }

  @Test
  void M24_translatesByTheGuestsTables() {
    Guest guest = guest();
    long root = guest.newRoot();
    long one = guest.newPage();
    long two = guest.newPage();
    guest.setPhysical(one + 8, 11);
    guest.setPhysical(two + 8, 22);
    guest.map(root, AT, two, WRITABLE);
    guest.map(root, AT + PAGE, one, WRITABLE);
    guest.map(root, 0, one, WRITABLE);
    guest.setRoot(root);
    assertThat(guest.get(AT + 8)).isEqualTo(22);
    assertThat(guest.get(AT + PAGE + 8)).isEqualTo(11);
    guest.set(8, 33);
    assertThat(guest.get(AT + PAGE + 8)).isEqualTo(33);
    assertThat(guest.physical(one + 8)).isEqualTo(33);
    guest.setPhysical(two + 16, 44);
    assertThat(guest.get(AT + 16)).isEqualTo(44);
    assertThat(guest.program.vm.audit()).isEmpty();
  }

  /** Also for the tables themselves, through an entry that names the highest one as a page. */
  @Test
  void M24_tablesMayNameThemselves() {
    Guest guest = guest();
    long root = guest.newRoot();
    long page = guest.newPage();
    guest.map(root, AT, page, WRITABLE);
    long own = 5L << VirtualPte.shift(guest.levels() - 1, guest.pageSize);
    guest.change(root, own, guest.levels() - 1, root);
    guest.setRoot(root);
    guest.set(AT, 7);
    long self = own;
    for (int level = guest.levels() - 2; level >= 0; level--) {
      self |= 5L << VirtualPte.shift(level, guest.pageSize);
    }
    long at = self | VirtualPte.position(AT, guest.levels() - 1, guest.pageSize);
    assertThat(guest.get(at)).isEqualTo(guest.entry(root, AT, guest.levels() - 1));
    guest.set(self, 0x5500);
    assertThat(guest.entry(root, 0, guest.levels() - 1)).isEqualTo(0x5500);
  }

  @Test
  void M24_accessedAndModifiedAreMarkedOnTheWay() {
    Guest guest = guest();
    long root = guest.newRoot();
    guest.map(root, AT, guest.newPage(), WRITABLE);
    guest.setRoot(root);
    for (int level = 0; level < guest.levels(); level++) {
      assertThat(guest.marks(root, AT, level)).isZero();
    }
    assertThat(guest.get(AT)).isZero();
    for (int level = 0; level < guest.levels(); level++) {
      assertThat(guest.marks(root, AT, level)).isEqualTo(ACCESSED);
    }
    guest.set(AT, 1);
    for (int level = 0; level < guest.levels(); level++) {
      assertThat(guest.marks(root, AT, level)).isEqualTo(ACCESSED | MODIFIED);
    }
  }

  @Test
  void M24_marksThatWereClearedComeBack() {
    Guest guest = guest();
    long root = guest.newRoot();
    long page = guest.newPage();
    guest.map(root, AT, page, WRITABLE);
    guest.setRoot(root);
    for (int round = 0; round < 3; round++) {
      guest.set(AT, round);
      assertThat(guest.marks(root, AT, 0)).isEqualTo(ACCESSED | MODIFIED);
      guest.map(root, AT, page, WRITABLE);
      guest.invalidate(AT, PAGE);
      assertThat(guest.get(AT)).isEqualTo(round);
      assertThat(guest.marks(root, AT, 0)).isEqualTo(ACCESSED);
    }
  }

  /** What M says already needs no second fault. */
  @Test
  void M24_readOfAModifiedPageMapsItForStores() {
    Guest guest = guest();
    long root = guest.newRoot();
    guest.map(root, AT, guest.newPage(), WRITABLE);
    guest.setAtAllLevels(root, AT, MODIFIED);
    guest.map(root, AT + PAGE, guest.newPage(), WRITABLE);
    guest.setRoot(root);
    assertThat(guest.get(AT) + guest.get(AT + PAGE)).isZero();
    long faults = guest.program.vm.statistics().faults();
    guest.set(AT, 1);
    assertThat(guest.program.vm.statistics().faults()).isEqualTo(faults);
    guest.set(AT + PAGE, 1);
    assertThat(guest.program.vm.statistics().faults()).isEqualTo(faults + 1);
    // Also if it is only a table whose mark was cleared.
    guest.change(root, AT, 2, guest.entry(root, AT, 2) & ~MODIFIED);
    guest.invalidate(AT, PAGE);
    assertThat(guest.get(AT)).isEqualTo(1);
    assertThat(guest.marks(root, AT, 2)).isEqualTo(ACCESSED);
    guest.set(AT, 2);
    assertThat(guest.marks(root, AT, 2)).isEqualTo(ACCESSED | MODIFIED);
  }

  @Test
  void M24_everyLevelMustAllowStores() {
    Guest guest = guest();
    long root = guest.newRoot();
    guest.map(root, AT, guest.newPage(), WRITABLE);
    guest.setAtAllLevels(root, AT, MODIFIED);
    for (int level = 0; level < guest.levels(); level++) {
      long entry = guest.entry(root, AT, level);
      guest.change(root, AT, level, entry & ~WRITABLE);
      guest.setRoot(root);
      assertThat(guest.get(AT)).isZero();
      assertFault(Reason.PROTECTION, VIRTUAL + AT, () -> guest.set(AT, 1));
      guest.change(root, AT, level, entry);
    }
    guest.setRoot(root & ~WRITABLE);
    assertThat(guest.get(AT)).isZero();
    assertFault(Reason.PROTECTION, VIRTUAL + AT, () -> guest.set(AT, 1));
    guest.setRoot(root);
    guest.set(AT, 1);
    assertThat(guest.get(AT)).isEqualTo(1);
  }

  @Test
  void M24_aStoreThatIsNotAllowedIsNotMarked() {
    Guest guest = guest();
    long root = guest.newRoot();
    guest.map(root, AT, guest.newPage(), 0);
    guest.setRoot(root);
    assertFault(Reason.PROTECTION, VIRTUAL + AT, () -> guest.set(AT, 1));
    assertThat(guest.marks(root, AT, 0)).isZero();
    assertThat(guest.get(AT)).isZero();
    assertThat(guest.marks(root, AT, 0)).isEqualTo(ACCESSED);
  }

  @Test
  void M24_largePagesAtEachLevel() {
    Guest guest = guest();
    long base = guest.newPage();
    for (int i = 0; i < 16; i++) {
      guest.setPhysical(base + (long) i * PAGE, i + 1);
    }
    long first = guest.newPage();
    for (int i = 0; i < 16; i++) {
      long _ = guest.newPage();
    }
    assertThat(first).isEqualTo(base + PAGE);
    for (int level = 1; level < guest.levels(); level++) {
      long root = guest.newRoot();
      long start = 3L << VirtualPte.shift(level, guest.pageSize);
      guest.mapLarge(root, start, level, base, WRITABLE);
      guest.setRoot(root);
      for (int i = 0; i < 16; i += 3) {
        assertThat(guest.get(start + (long) i * PAGE)).as("level %d", level).isEqualTo(i + 1);
      }
      assertThat(guest.marks(root, start, level)).isEqualTo(ACCESSED);
      guest.set(start + 8, level);
      assertThat(guest.physical(base + 8)).isEqualTo(level);
      assertThat(guest.marks(root, start, level)).isEqualTo(ACCESSED | MODIFIED);
      // The end of what the entry covers is beyond that of the memory.
      long last = start + (1L << VirtualPte.shift(level, guest.pageSize)) - PAGE;
      assertFault(Reason.BEYOND_END, VIRTUAL + last, () -> guest.get(last));
      assertFault(Reason.NOT_MAPPED, VIRTUAL + last + PAGE, () -> guest.get(last + PAGE));
    }
  }

  @Test
  void M24_aLargeRootIsLinear() {
    Guest guest = guest();
    guest.setPhysical(5 * PAGE, 55);
    guest.setRoot(VALID | LARGE);
    assertThat(guest.get(5 * PAGE)).isEqualTo(55);
    assertFault(Reason.PROTECTION, VIRTUAL, () -> guest.set(0, 1));
    assertFault(Reason.BEYOND_END, VIRTUAL + 64 * PAGE, () -> guest.get(64 * PAGE));
    guest.setRoot(VirtualPte.of(4 * PAGE, LARGE | WRITABLE));
    guest.set(PAGE + 8, 56);
    assertThat(guest.physical(5 * PAGE + 8)).isEqualTo(56);
  }

  @Test
  void M24_theRootSwitchesBetweenTwoAddressSpaces() {
    Guest guest = guest();
    long one = guest.newRoot();
    long two = guest.newRoot();
    guest.map(one, AT, guest.newPage(), WRITABLE);
    guest.map(two, AT, guest.newPage(), WRITABLE);
    guest.map(two, 0, guest.newPage(), WRITABLE);
    for (int round = 1; round < 4; round++) {
      guest.setRoot(one);
      guest.set(AT, guest.get(AT) + 1);
      assertFault(Reason.NOT_MAPPED, VIRTUAL, () -> guest.get(0));
      guest.setRoot(two);
      guest.set(AT, guest.get(AT) + 100);
      assertThat(guest.get(AT)).isEqualTo(round * 100L);
      assertThat(guest.get(0)).isZero();
    }
    guest.setRoot(one);
    assertThat(guest.get(AT)).isEqualTo(3);
  }

  @Test
  void M24_aChangeCountsAfterInvalidate() {
    Guest guest = guest();
    long root = guest.newRoot();
    long one = guest.newPage();
    long two = guest.newPage();
    guest.setPhysical(one, 1);
    guest.setPhysical(two, 2);
    guest.setRoot(root);
    for (int round = 0; round < 3; round++) {
      guest.map(root, AT, one, WRITABLE);
      guest.invalidate(AT, PAGE);
      assertThat(guest.get(AT)).isEqualTo(1);
      guest.map(root, AT, two, WRITABLE);
      guest.invalidate(AT, PAGE);
      assertThat(guest.get(AT)).isEqualTo(2);
      guest.change(root, AT, 1, 0);
      guest.invalidate(0, Guest.LENGTH);
      assertFault(Reason.NOT_MAPPED, VIRTUAL + AT, () -> guest.get(AT));
    }
  }

  /** Without it, what was changed may be noticed or not, but nothing breaks. */
  @Test
  void M24_changesWithoutInvalidateDoNoHarm() {
    Guest guest = guest();
    long root = guest.newRoot();
    long one = guest.newPage();
    long two = guest.newPage();
    guest.setPhysical(one, 1);
    guest.setPhysical(two, 2);
    guest.map(root, AT, one, WRITABLE);
    guest.setRoot(root);
    assertThat(guest.get(AT)).isEqualTo(1);
    guest.map(root, AT, two, WRITABLE);
    assertThat(guest.get(AT)).isIn(1L, 2L);
    assertThat(guest.program.vm.audit()).isEmpty();
    // The store faults, since M was not set, and finds the new page.
    guest.set(AT + 8, 3);
    assertThat(guest.physical(two + 8)).isEqualTo(3);
    assertThat(guest.get(AT)).isEqualTo(2);
    guest.map(root, AT, one, 0);
    assertThat(guest.get(AT)).isIn(1L, 2L);
    assertThat(guest.program.vm.audit()).isEmpty();
  }

  @Test
  void M24_invalidTablesGiveOrdinaryFaults() {
    Guest guest = guest();
    assertFault(Reason.NOT_MAPPED, VIRTUAL, () -> guest.get(0));
    long root = guest.newRoot();
    guest.map(root, AT, guest.newPage(), WRITABLE);
    for (int level = 0; level < guest.levels(); level++) {
      long entry = guest.entry(root, AT, level);
      guest.change(root, AT, level, entry & ~VALID);
      guest.setRoot(root);
      assertFault(Reason.NOT_MAPPED, VIRTUAL + AT, () -> guest.get(AT));
      assertFault(Reason.NOT_MAPPED, VIRTUAL + AT, () -> guest.set(AT, 1));
      for (long garbage : new long[] {64 * PAGE, 1L << 46, (1L << 52) - PAGE, -1L << 12}) {
        guest.change(root, AT, level, garbage | VALID | WRITABLE);
        guest.setRoot(root);
        assertFault(Reason.BEYOND_END, VIRTUAL + AT, () -> guest.get(AT));
        assertFault(Reason.BEYOND_END, VIRTUAL + AT, () -> guest.set(AT, 1));
      }
      guest.change(root, AT, level, entry);
    }
    guest.setRoot(-1 & ~LARGE);
    assertFault(Reason.BEYOND_END, VIRTUAL, () -> guest.get(0));
    guest.setRoot(-1);
    assertFault(Reason.BEYOND_END, VIRTUAL, () -> guest.get(0));
    guest.setRoot(Long.MIN_VALUE);
    assertFault(Reason.NOT_MAPPED, VIRTUAL, () -> guest.get(0));
    guest.setRoot(root);
    guest.set(AT, 9);
    assertThat(guest.get(AT)).isEqualTo(9);
  }

  @Test
  void M24_allPageSizes() {
    int[] levels = {6, 5, 4, 4, 3, 3, 3};
    for (int shift = 10; shift <= 16; shift++) {
      Guest guest = Guest.boot(vms.boot(64, 1 << shift), 40);
      assertThat(guest.levels()).isEqualTo(levels[shift - 10]);
      assertThat(VirtualPte.shift(guest.levels(), guest.pageSize))
          .isGreaterThanOrEqualTo(VirtualPte.ADDRESS_BITS);
      long root = guest.newRoot();
      long[] addresses = {0, guest.bytes(), 0x55_5555_0000L, Guest.LENGTH - guest.bytes()};
      guest.setRoot(root);
      for (int i = 0; i < addresses.length; i++) {
        guest.map(root, addresses[i], guest.newPage(), WRITABLE);
        guest.set(addresses[i] + 8, i + 1);
      }
      for (int i = 0; i < addresses.length; i++) {
        long entry = guest.entry(root, addresses[i], 0);
        long page = guest.pageSize.address(VirtualPte.page(entry, guest.pageSize));
        assertThat(guest.physical(page + 8)).isEqualTo(i + 1);
        assertThat(entry & (ACCESSED | MODIFIED)).isEqualTo(ACCESSED | MODIFIED);
      }
      int large = guest.levels() - 1;
      guest.mapLarge(root, 1L << VirtualPte.shift(large, guest.pageSize), large, 0, 0);
      assertThat(guest.get((1L << VirtualPte.shift(large, guest.pageSize)) + 8))
          .isEqualTo(guest.physical(8));
    }
  }

  /** The offset of the mapping is an address of the virtual memory. */
  @Test
  void M24_mappingsOfPartsOfTheVirtualMemory() {
    Vm vm = vms.boot(128);
    Program program = Program.in(vm);
    SharedMemory memory = vm.sharedMemory().create(64 * PAGE);
    Guest guest = new Guest(program, memory, 64 * PAGE);
    long root = guest.newRoot();
    long high = (1L << 47) - PAGE;
    guest.map(root, AT, guest.newPage(), WRITABLE);
    guest.map(root, high, guest.newPage(), WRITABLE);
    guest.setRoot(root);
    guest.set(AT, 77);
    long part = program.space.map(MapRequest.of(memory, AT, PAGE).pageTable(root));
    assertThat(program.get(part)).isEqualTo(77);
    long top = program.space.map(MapRequest.of(memory, high, 2 * PAGE).pageTable(root));
    program.set(top, 78);
    assertThat(guest.marks(root, high, 0)).isEqualTo(ACCESSED | MODIFIED);
    assertFault(Reason.NOT_MAPPED, top + PAGE, () -> program.get(top + PAGE));
    program.space.paging().setPageTable(top, 2 * PAGE, VALID | LARGE);
    assertFault(Reason.NOT_MAPPED, top + PAGE, () -> program.get(top + PAGE));
  }

  @Test
  void M24_bulkOperationsWindowsAndDebuggers() {
    Guest guest = guest();
    long root = guest.newRoot();
    long[] pages = new long[4];
    for (int i = 0; i < pages.length; i++) {
      pages[i] = guest.newPage();
      guest.setPhysical(pages[i], i + 1);
    }
    for (int i = 0; i < pages.length; i++) {
      guest.map(root, AT + (long) i * PAGE, pages[pages.length - 1 - i], WRITABLE);
    }
    guest.setRoot(root);
    MemorySegment bytes = Arena.ofAuto().allocate(4 * PAGE, 8);
    guest.program.space.debug().read(VIRTUAL + AT, bytes, 0, 4 * PAGE);
    for (int i = 0; i < pages.length; i++) {
      assertThat(bytes.get(ValueLayout.JAVA_LONG, (long) i * PAGE)).isEqualTo(4 - i);
      assertThat(guest.marks(root, AT + (long) i * PAGE, 0)).isZero();
    }
    guest.program.space.debug().write(VIRTUAL + AT, bytes, 0, PAGE);
    assertThat(guest.marks(root, AT, 0)).isEqualTo(ACCESSED | MODIFIED);
    bytes.fill((byte) 0);
    guest.program.cpu.bulk().read(VIRTUAL + AT, bytes, 0, 4 * PAGE);
    assertThat(bytes.get(ValueLayout.JAVA_LONG, 2 * PAGE)).isEqualTo(2);
    int[] runs = new int[1];
    guest
        .program
        .cpu
        .bulk()
        .window(
            VIRTUAL + AT,
            4 * PAGE,
            Access.WRITE,
            run -> {
              runs[0]++;
              run.fill((byte) 9);
            });
    assertThat(runs[0]).isEqualTo(4);
    for (int i = 0; i < pages.length; i++) {
      assertThat(guest.marks(root, AT + (long) i * PAGE, 0)).isEqualTo(ACCESSED | MODIFIED);
      assertThat(guest.physical(pages[i] + 8)).isEqualTo(0x0909090909090909L);
    }
    guest.map(root, AT, pages[0], 0);
    guest.invalidate(AT, PAGE);
    assertFault(
        Reason.PROTECTION,
        VIRTUAL + AT,
        () -> guest.program.space.debug().write(VIRTUAL + AT, bytes, 0, 8));
  }

  /** What is next to a page in the memory is not what is next to it for the guest. */
  @Test
  void M24_nothingIsMappedAheadAndWindowsEndWithTheirPage() {
    Guest guest = guest();
    long root = guest.newRoot();
    for (int page = 1; page < 64; page++) {
      guest.setPhysical((long) page * PAGE + 16, page);
    }
    // Page after page as in the memory, but for page 52.
    for (int page = 50; page < 54; page++) {
      guest.map(root, (long) page * PAGE, (page == 52 ? 40L : page) * PAGE, WRITABLE);
    }
    guest.setRoot(root);
    int[] runs = new int[1];
    guest
        .program
        .cpu
        .bulk()
        .window(
            VIRTUAL + 50 * PAGE,
            4 * PAGE,
            Access.READ,
            run -> {
              int page = 50 + runs[0]++;
              assertThat(run.byteSize()).isEqualTo(PAGE);
              assertThat(run.get(ValueLayout.JAVA_LONG, 16)).isEqualTo(page == 52 ? 40 : page);
            });
    assertThat(runs[0]).isEqualTo(4);
    guest.map(root, 50 * PAGE, 50 * PAGE, WRITABLE);
    guest.map(root, 51 * PAGE, 51 * PAGE, WRITABLE);
    guest.map(root, 52 * PAGE, 40 * PAGE, WRITABLE);
    guest.invalidate(0, 64 * PAGE);
    assertThat(guest.get(51 * PAGE + 16)).isEqualTo(51);
    assertThat(guest.marks(root, 50 * PAGE, 0) | guest.marks(root, 52 * PAGE, 0)).isZero();
    assertThat(guest.get(52 * PAGE + 16)).isEqualTo(40);
    assertThat(guest.marks(root, 52 * PAGE, 0)).isEqualTo(ACCESSED);
  }

  @Test
  void M24_aGuestWithTwoTasks() {
    assertThat(GuestExample.run())
        .isEqualTo("16+3 15+3 14+3 13+3 12+3 11+3 10+3 9+3 8+3 7+3 counter 11");
  }
}
