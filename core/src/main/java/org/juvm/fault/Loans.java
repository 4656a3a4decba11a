package org.juvm.fault;

import org.juvm.anon.Amap;
import org.juvm.anon.AnonTable;
import org.juvm.base.Access;
import org.juvm.base.VmPanic;
import org.juvm.map.Machine;
import org.juvm.map.MapEntry;
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
   *     in use by raw address, or lent too often
   */
  FaultOutcome lend(Fault fault, MapEntry entry, long page) {
    LentFrames lent = list(fault);
    long pages = machine.pageSize().vpn(entry.end() - entry.start());
    long end = Math.min(pages, page + fault.maximum);
    int first = lent.size();
    for (long i = page; i < end; i++) {
      int frame = frameToLend(entry, i);
      if (frame == FrameTable.NONE) {
        break;
      }
      lent.add(frame);
    }
    machine.pmaps().protectFrames(lent.array(), first, lent.size(), fault.scratch());
    for (int i = first; i < lent.size(); i++) {
      if (lent.frame(i) != LentFrames.ZEROS) {
        frames.lend(lent.frame(i));
        machine.loans().increment();
      }
    }
    fault.wired = lent.size() - first;
    fault.counters.add(Counter.LOANS, fault.wired);
    return FaultOutcome.RESOLVED;
  }

  /** Lends zeros in place of a page that cannot be had. */
  FaultOutcome lendZeros(Fault fault) {
    list(fault).add(LentFrames.ZEROS);
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

  /** The frame of a page that can be lent now, ZEROS, or NONE. */
  private int frameToLend(MapEntry entry, long page) {
    int frame = FrameTable.NONE;
    Amap amap = entry.amap();
    int anon = amap == null ? 0 : amap.find(entry.slot() + page);
    MemoryObject object = entry.object();
    if (anon != 0) {
      frame = anons.isResident(anon) ? anons.frame(anon) : FrameTable.NONE;
    } else if (object == null) {
      return LentFrames.ZEROS;
    } else if (object.isLocked() && object.contains(entry.offset() + page)) {
      frame = object.find(entry.offset() + page);
    }
    return frame != FrameTable.NONE && frames.mayLend(frame) ? frame : FrameTable.NONE;
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
    for (int i = 0; i < lent.size(); i++) {
      if (lent.frame(i) != LentFrames.ZEROS) {
        allocator.takeBack(processor, lent.frame(i));
        machine.loans().decrement();
      }
    }
  }
}
