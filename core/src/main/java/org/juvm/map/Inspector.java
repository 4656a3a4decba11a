package org.juvm.map;

import org.juvm.anon.Amap;
import org.juvm.base.Protection;
import org.juvm.object.MemoryObject;
import org.juvm.page.FrameTable;

/**
 * Answers questions about ranges of a map without changing anything.
 *
 * <p>Source: {@code vm_map_check_protection}, {@code vmspace_anonymous_count}; {@code mincore(2)}.
 */
public final class Inspector {
  private Inspector() {}

  /**
   * Whether everything in a range is mapped and allows an access.
   *
   * @param map a map
   * @param start first address
   * @param end the address after the last
   * @param protection what must be allowed
   * @return true if so
   */
  public static boolean permits(VmMap map, long start, long end, Protection protection) {
    map.lockRead(0);
    try {
      MapEntry entry = map.firstOfMapped(start, end);
      while (entry != null && entry.protection.includes(protection)) {
        if (entry.end >= end) {
          return true;
        }
        entry = entry.next;
      }
      return false;
    } finally {
      map.unlockRead(0);
    }
  }

  /**
   * Which pages of a range are in memory.
   *
   * @param map a map
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @param resident receives an element for each page
   * @return DONE, NOT_MAPPED, SUBMAP or EXITED; unless DONE, the array is as it was
   */
  public static MapOutcome resident(VmMap map, long start, long end, boolean[] resident) {
    map.lockRead(0);
    try {
      if (map.isExited()) {
        return MapOutcome.EXITED;
      }
      MapEntry first = map.firstOfMapped(start, end);
      if (first == null) {
        return MapOutcome.NOT_MAPPED;
      }
      for (MapEntry entry = first; entry != null && entry.start < end; entry = entry.next) {
        if (entry.submap != null) {
          return MapOutcome.SUBMAP;
        }
      }
      int page = map.pageSize().bytes();
      MapEntry entry = first;
      int i = 0;
      for (long address = start; entry != null && address < end; address += page) {
        if (address >= entry.end) {
          entry = entry.next;
        }
        if (entry != null) {
          resident[i++] = map.memory().residentFrame(entry, address) != FrameTable.NONE;
        }
      }
      return MapOutcome.DONE;
    } finally {
      map.unlockRead(0);
    }
  }

  /**
   * How many anonymous pages the mappings of a map have: those of amaps and those of anonymous
   * objects; if page tables say which of them, all. A page that is mapped twice counts twice.
   *
   * @param map a map
   * @return pages
   */
  public static long anonymousPages(VmMap map) {
    long[] pages = new long[1];
    map.lockRead(0);
    try {
      for (MapEntry entry = map.first(); entry != null; entry = entry.next) {
        long count = map.memory().pages(entry);
        Amap amap = entry.amap;
        if (amap != null) {
          amap.lock();
          amap.forEach(entry.slot, entry.slot + count, (slot, anon) -> pages[0]++);
          amap.unlock();
        }
        MemoryObject object = entry.object;
        if (object != null && object.isAnonymous()) {
          object.lock();
          object.forEach(
              entry.hasPageTable() ? 0 : entry.offset,
              entry.hasPageTable() ? Long.MAX_VALUE : entry.offset + count,
              (page, place) -> {
                pages[0]++;
                return false;
              });
          object.unlock();
        }
      }
    } finally {
      map.unlockRead(0);
    }
    return pages[0];
  }

  /**
   * How many anonymous pages of the mappings of a map are in swap only. A page that is mapped twice
   * counts twice. ({@code vmspace_swap_count})
   *
   * @param map a map
   * @return pages
   */
  public static long swappedPages(VmMap map) {
    long[] pages = new long[1];
    map.lockRead(0);
    try {
      for (MapEntry entry = map.first(); entry != null; entry = entry.next) {
        pages[0] += map.memory().swappedPages(entry);
      }
    } finally {
      map.unlockRead(0);
    }
    return pages[0];
  }
}
