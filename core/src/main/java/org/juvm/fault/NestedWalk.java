package org.juvm.fault;

import org.jspecify.annotations.Nullable;
import org.juvm.base.Access;
import org.juvm.base.PageSize;
import org.juvm.base.Protection;
import org.juvm.base.VirtualPte;
import org.juvm.map.Machine;
import org.juvm.map.MapEntry;
import org.juvm.object.MemoryObject;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.ram.Native;
import org.juvm.ram.Ram;

/**
 * The first half of a two-level translation: finds the page of an object that a guest's page
 * tables, which are in the same object, put behind an address. The second half, from the page to
 * its frame, is that of every fault.
 *
 * <p>The object is locked for the whole walk, and the map for reading: so a table stays in its
 * frame, and the guest's {@code invalidate}, which locks the map for writing, comes after the page
 * has been entered. A table page is asked for as a page of data is; what stands in its way is
 * overcome without locks, and the fault starts again with the root.
 *
 * <p>The guest changes its tables meanwhile, with plain or atomic stores. Each entry is read once;
 * its marks are set only as long as it is what was read. Whatever is in a table, a walk ends after
 * as many steps as there are levels.
 *
 * <p>Source: {@code vm_fault_vpagetable}; {@code vm_map_lookup} for when nothing is marked.
 */
final class NestedWalk {
  /** Result of {@link #translate}: there is no page now; see {@link Fault#missing}. */
  static final long STOPPED = -1;

  private static final long PERMITTED = VirtualPte.VALID | VirtualPte.WRITABLE;

  private final PageSize pageSize;
  private final int levels;
  private final Ram ram;
  private final FrameTable frames;
  private final PageIns pageIns;
  private final Loans loans;

  NestedWalk(Machine machine, PageIns pageIns, Loans loans) {
    pageSize = machine.pageSize();
    levels = VirtualPte.levels(pageSize);
    ram = machine.ram();
    frames = machine.frames();
    this.pageIns = pageIns;
    this.loans = loans;
  }

  /**
   * Walks. Locked: map (read), object.
   *
   * @param entry an entry that has page tables
   * @param object its object
   * @param page which page of the entry
   * @return index of the object's page, which may be beyond its end, and {@link Fault#mayStore}
   *     says whether it may be mapped for writing; or STOPPED
   */
  long translate(Fault fault, MapEntry entry, MemoryObject object, long page) {
    long address = pageSize.address(entry.offset() + page);
    if (address >>> VirtualPte.ADDRESS_BITS != 0) {
      return stopped(fault, FaultOutcome.NOT_MAPPED);
    }
    boolean store = fault.access == Access.WRITE;
    boolean marks = marks(fault, entry);
    boolean writable = true;
    boolean modified = true;
    long pte = entry.root();
    int level = levels;
    fault.request.readAhead(0);
    fault.tables = levels;
    while (true) {
      if ((pte & VirtualPte.VALID) == 0) {
        return stopped(fault, FaultOutcome.NOT_MAPPED);
      }
      writable &= (pte & VirtualPte.WRITABLE) != 0;
      if (store && !writable) {
        return stopped(fault, FaultOutcome.PROTECTION);
      }
      if (level == 0 || (pte & VirtualPte.LARGE) != 0) {
        break;
      }
      modified &= level == levels || (pte & VirtualPte.MODIFIED) != 0;
      level--;
      long table = VirtualPte.page(pte, pageSize);
      if (!pageIns.fromObject(fault, object, table)) {
        return STOPPED;
      }
      int frame = fault.request.frame();
      if (!frames.isReferenced(frame)) {
        frames.markReferenced(frame);
      }
      int position = VirtualPte.position(address, level, pageSize);
      pte = Native.getLongAcquire(ram.address(frame) + position);
      if (marks && marked(pte, store) != pte) {
        if (frames.loans(frame) > 0) {
          frame = loans.breakLoan(fault, object, table);
          if (frame == FrameTable.NONE) {
            fault.obstacle = Fault.Obstacle.NO_FRAME;
            fault.depth = FrameAllocator.Reserve.NONE;
            return stopped(fault, null);
          }
        }
        pte = mark(frame, position, store);
      }
    }
    modified &= (pte & VirtualPte.MODIFIED) != 0;
    // What is mapped for writing before M is set, at each level, would be stored to without that.
    fault.mayStore = writable && (store || modified);
    long behind = address & ((1L << VirtualPte.shift(level, pageSize)) - 1);
    return VirtualPte.page(pte, pageSize) + pageSize.vpn(behind);
  }

  private static long stopped(Fault fault, @Nullable FaultOutcome why) {
    fault.missing = why;
    return STOPPED;
  }

  /**
   * Whether the walk is a use that the guest is to see. A look by a debugger or a loan is none; and
   * a mapping that cannot be written does not write to the tables either.
   */
  private static boolean marks(Fault fault, MapEntry entry) {
    return switch (fault.purpose) {
      case ACCESS, LEND, WIRE -> (entry.protection().bits() & Protection.WRITE_BIT) != 0;
      case OVERRIDE -> fault.access == Access.WRITE;
      case LOAN -> false;
    };
  }

  /** What an entry is to be when it is used: itself if it does not allow the use. */
  private static long marked(long pte, boolean store) {
    if (store) {
      boolean permitted = (pte & PERMITTED) == PERMITTED;
      return permitted ? pte | VirtualPte.ACCESSED | VirtualPte.MODIFIED : pte;
    }
    return (pte & VirtualPte.VALID) != 0 ? pte | VirtualPte.ACCESSED : pte;
  }

  /** Marks an entry, as it is now, and returns it. The object is locked: its frame is not busy. */
  private long mark(int frame, int position, boolean store) {
    long at = ram.address(frame) + position;
    while (true) {
      long pte = Native.getLongAcquire(at);
      long marked = marked(pte, store);
      if (marked == pte) {
        return pte;
      }
      if (Native.compareAndSetLong(at, pte, marked)) {
        frames.markDirty(frame);
        return marked;
      }
    }
  }
}
