package org.juvm.loan;

import org.juvm.fault.Fault;
import org.juvm.fault.FaultHandler;
import org.juvm.fault.FaultOutcome;
import org.juvm.fault.LentFrames;
import org.juvm.map.VmMap;
import org.juvm.trace.Counters;

/**
 * Lends a range of pages: all of it, or nothing. Each page is lent as it is at one moment between
 * begin and end of the call; neighbours in memory are lent at the same moment.
 *
 * <p>Source: {@code uvm_loan}.
 */
public final class Lender {
  /** Bounds how long others wait for the locks. */
  private static final int MAXIMUM_PAGES = 256;

  private final VmMap map;
  private final FaultHandler faults;
  private final LentFrames lent;
  private long address;
  private boolean refused;

  /**
   * An operation for one thread, to be used once.
   *
   * @param map the address space
   * @param faults finds and lends pages
   * @param start first address, page aligned
   * @param pages how many pages
   */
  public Lender(VmMap map, FaultHandler faults, long start, long pages) {
    this.map = map;
    this.faults = faults;
    address = start;
    lent = new LentFrames(Math.toIntExact(pages));
  }

  /**
   * Does it. Called without locks; pages that are not in memory are brought in.
   *
   * @param end the address after the last, page aligned
   * @return RESOLVED, and {@link #lent} has the frames unless it {@link #isRefused}; or why {@link
   *     #address} could not be lent. Unless all of it is lent, nothing is
   */
  public FaultOutcome lend(long end) {
    Fault fault = new Fault(0, null, new Counters());
    FaultOutcome outcome = FaultOutcome.RESOLVED;
    try {
      while (address < end && outcome == FaultOutcome.RESOLVED && !refused) {
        long pages = map.machine().pageSize().vpn(end - address);
        int maximum = (int) Math.min(pages, MAXIMUM_PAGES);
        outcome = faults.loan(map, fault, address, maximum, lent);
        if (outcome == FaultOutcome.RESOLVED) {
          refused = fault.wired() == 0;
          address += map.machine().pageSize().address(fault.wired());
        }
      }
    } finally {
      fault.finish(map.machine());
      if (address < end) {
        takeBack();
      }
    }
    return outcome;
  }

  /**
   * Whether a page could not be lent because it is wired, in use by raw address, or lent too often.
   *
   * @return true if {@link #address} is in it
   */
  public boolean isRefused() {
    return refused;
  }

  /**
   * How far it came.
   *
   * @return the address after what could be lent
   */
  public long address() {
    return address;
  }

  /**
   * The frames on loan.
   *
   * @return frames, in the order of the pages
   */
  public LentFrames lent() {
    return lent;
  }

  /** Ends the loan of all pages. Any thread, once; the frames may be used for anything then. */
  public void takeBack() {
    faults.takeBack(0, lent);
    lent.clear();
  }
}
