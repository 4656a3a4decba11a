package org.juvm.fault;

import org.juvm.base.Access;
import org.juvm.map.MapEntry;
import org.juvm.map.VmMap;
import org.juvm.trace.Counters;

/**
 * Enters pages into the page table before they are accessed, and brings those in that are in swap
 * as long as memory is not short. No page is made or copied.
 *
 * <p>Source: {@code MADV_WILLNEED} of {@code vm_map_madvise}; {@code uvm_map_willneed}.
 */
public final class Prefaulter {
  private final VmMap map;
  private final FaultHandler handler;

  /**
   * An operation for one thread.
   *
   * @param map the address space
   * @param handler enters the pages
   */
  public Prefaulter(VmMap map, FaultHandler handler) {
    this.map = map;
    this.handler = handler;
  }

  /**
   * Enters what there is of a range, for reading. What may not be read, and holes, are left out.
   * Called without locks; mappings may change meanwhile.
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   */
  public void prefault(long start, long end) {
    Fault fault = new Fault(0, null, new Counters());
    long next = start;
    while (next < end) {
      long[] pages = {};
      long after = end;
      map.lockRead(0);
      try {
        MapEntry entry = map.firstEndingAfter(next);
        if (entry != null && entry.start() < end) {
          after = Math.min(end, entry.end());
          pages = map.memory().pagesThere(entry, Math.max(next, entry.start()), after);
        }
      } finally {
        map.unlockRead(0);
      }
      for (long page : pages) {
        // To bring in more than there is room for would push out what is in use.
        if (map.machine().allocator().shortage() > 0) {
          break;
        }
        // What has changed since is not needed any more.
        FaultOutcome ignored = handler.resolve(map, fault, page, Access.READ);
        assert ignored != null;
      }
      next = after;
    }
    fault.finish(map.machine());
  }
}
