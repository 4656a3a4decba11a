package org.juvm.fault;

import org.juvm.anon.Amap;
import org.juvm.anon.AnonTable;
import org.juvm.base.Access;
import org.juvm.base.VmPanic;
import org.juvm.map.Machine;
import org.juvm.map.MapEntry;
import org.juvm.map.VmMap;
import org.juvm.object.MemoryObject;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.trace.Counter;

/**
 * Pages on loan, as faults see them.
 *
 * <p>A frame on loan keeps its bytes until the loan ends, whatever becomes of its page. So no page
 * table lets anybody store to it: with the first loan all mappings lose the right to write, and a
 * fault gives it to none. A store <em>breaks</em> the loan: the owner gets a copy in a new frame in
 * the same place, and gives the old one up, which is free when the last loan ends. If nobody stores
 * before that, the page is what it was, and can be stored to again.
 *
 * <p>A page that is wired, or in use by raw address, is not lent: whoever uses it so may store to
 * it without a fault. And such a use breaks the loans of a page first. (A debugger's look does not;
 * it is short.)
 *
 * <p>Source: {@code uvm_loananon}, {@code uvm_loanuobjpages}, {@code uvm_loanzero}, {@code
 * uvm_loanbreak} and {@code uvm_loanbreak_anon} of {@code uvm_loan.c}.
 */
final class Loans {
  private final Machine machine;
  private final FrameTable frames;
  private final FrameAllocator allocator;
  private final AnonTable anons;

  Loans(Machine machine) {
    this.machine = machine;
    frames = machine.frames();
    allocator = machine.allocator();
    anons = machine.anons();
  }

  // ---- lending ----

  /**
   * Lends pages from the one that faults on, as many as can be had without waiting. Locked: map
   * (read), the entry's amap if it has one, and its object if the first page is the object's.
   *
   * @return RESOLVED; {@link Fault#wired} says how many pages were lent: none if the first one is
   *     in use by raw address, lent too often, or a device's, or found by page tables
   */
  FaultOutcome lend(VmMap map, Fault fault, MapEntry entry, long page) {
    if (entry.hasPageTable()) {
      fault.wired = 0;
      return FaultOutcome.RESOLVED;
    }
    LentFrames lent = list(fault);
    long pages = machine.pageSize().vpn(entry.end() - entry.start());
    int first = lent.size();
    int found = (int) Math.min(pages - page, fault.maximum);
    lent.addAbsent(found);
    Amap amap = entry.amap();
    if (amap != null) {
      long slot = entry.slot() + page;
      amap.forEach(
          slot, slot + found, (at, anon) -> lent.set(first + (int) (at - slot), toLend(anon)));
    }
    boolean withObject = false;
    int loans = 0;
    for (int i = 0; i < found; i++) {
      int frame = lent.frame(first + i);
      if (frame == LentFrames.ABSENT) {
        frame = absentToLend(entry, page + i);
        lent.set(first + i, frame);
        withObject |= frame >= 0;
      }
      loans += frame >= 0 ? 1 : 0;
      found = frame == FrameTable.NONE ? i : found;
    }
    lent.cut(first + found);
    if (loans != 0) {
      protect(map, fault, entry, page, first, withObject);
      for (int i = first; i < lent.size(); i++) {
        if (lent.frame(i) >= 0) {
          frames.lend(lent.frame(i));
        }
      }
      machine.loans().add(loans);
    }
    fault.wired = found;
    fault.counters.add(Counter.LOANS, found);
    return FaultOutcome.RESOLVED;
  }

  /** The frame of an anon, if it can be lent now, or NONE. */
  private int toLend(int anon) {
    return anons.isResident(anon) && frames.mayLend(anons.frame(anon))
        ? anons.frame(anon)
        : FrameTable.NONE;
  }

  /** As above, for a page that is not in the amap: ZEROS, a frame of the object, or NONE. */
  private int absentToLend(MapEntry entry, long page) {
    MemoryObject object = entry.object();
    if (object == null) {
      return LentFrames.ZEROS;
    }
    if (object.isDevice() || !object.isLocked() || !object.contains(entry.offset() + page)) {
      return FrameTable.NONE;
    }
    int frame = object.find(entry.offset() + page);
    return frame != FrameTable.NONE && frames.mayLend(frame) ? frame : FrameTable.NONE;
  }

  /**
   * Takes the right to store from all who have it. Pages of an amap that is not shared can be
   * stored to through this entry only: then it is quicker to look at its part of the page table
   * than at each frame.
   */
  private void protect(
      VmMap map, Fault fault, MapEntry entry, long page, int first, boolean withObject) {
    LentFrames lent = list(fault);
    Amap amap = entry.amap();
    if (withObject || amap == null || amap.isShared()) {
      machine.pmaps().protectFrames(lent.array(), first, lent.size(), fault.scratch());
      return;
    }
    long start = entry.start() + machine.pageSize().address(page);
    map.pmap().protectPages(start, start + machine.pageSize().address(lent.size() - first));
  }

  /** Lends zeros in place of a page that cannot be had. */
  FaultOutcome lendZeros(Fault fault) {
    list(fault).addZeros();
    fault.wired = 1;
    return FaultOutcome.RESOLVED;
  }

  private static LentFrames list(Fault fault) {
    LentFrames lent = fault.lent;
    if (lent == null) {
      throw new VmPanic("a loan without a list for its frames");
    }
    return lent;
  }

  // ---- breaking ----

  /** Whether a fault needs a page that is not on loan. */
  static boolean mustBreak(Fault fault) {
    return fault.access == Access.WRITE
        || fault.purpose == Fault.Purpose.LEND
        || fault.purpose == Fault.Purpose.WIRE;
  }

  /**
   * Gives an anon, of which the fault's amap has the only reference, a new frame in place of one
   * that is on loan. Locked: map (read), amap.
   *
   * @return the new frame, or NONE if none is free; then nothing has changed
   */
  int breakLoan(Fault fault, Amap amap, int anon, int lent) {
    int frame = allocator.allocate(fault.processor, false, FrameAllocator.Reserve.NONE);
    if (frame == FrameTable.NONE) {
      return frame;
    }
    machine.ram().copy(lent, frame);
    machine.pmaps().removeFrame(lent);
    allocator.dropSlot(lent);
    allocator.policy().dequeue(lent);
    anons.moves(anon, frame, amap);
    allocator.free(fault.processor, lent);
    fault.counters.increment(Counter.LOAN_BREAKS);
    return frame;
  }

  /**
   * As {@link #breakLoan(Fault, Amap, int, int)}, for a page of an object, which is locked.
   *
   * @return the new frame, or NONE if none is free; then nothing has changed
   */
  int breakLoan(Fault fault, MemoryObject object, long page) {
    int frame = object.breakLoan(fault.processor, page);
    if (frame != FrameTable.NONE) {
      fault.counters.increment(Counter.LOAN_BREAKS);
    }
    return frame;
  }

  /** Takes loans back. Called without locks, by any thread. */
  void takeBack(int processor, LentFrames lent) {
    int loans = 0;
    for (int i = 0; i < lent.size(); i++) {
      if (lent.frame(i) >= 0) {
        allocator.takeBack(processor, lent.frame(i));
        loans++;
      }
    }
    machine.loans().add(-loans);
  }
}
