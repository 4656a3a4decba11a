package org.juvm.map;

import java.util.ArrayList;
import java.util.List;
import org.juvm.trace.Counter;

/**
 * Removes mappings, and ends address spaces.
 *
 * <p>The order matters: first the entries go, so that no fault finds them, then the page table
 * entries and with them every processor's translations, and only then the memory.
 *
 * <p>Source: {@code uvm_unmap_remove}, {@code uvm_unmap_detach}.
 */
public final class Unmapper {
  /**
   * Room is made sure of for so many amaps whose nodes must be copied because only a part of what
   * is shared goes. Most need none.
   */
  private static final int MAXIMUM_COPIES = 1024;

  private final VmMap map;

  /**
   * An operation for one thread.
   *
   * @param map the map to change
   */
  public Unmapper(VmMap map) {
    this.map = map;
  }

  /**
   * Removes all mappings in a range, which may have holes.
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @return DONE, or NO_MEMORY if there is none to split what is only partly in the range
   */
  public MapOutcome unmap(long start, long end) {
    List<MapEntry> removed = new ArrayList<>(2);
    map.lockWrite();
    try {
      if (!map.machine().amaps().hasRoom(2 * Math.min(amapsIn(start, end), MAXIMUM_COPIES))) {
        return MapOutcome.NO_MEMORY;
      }
      map.clip(start);
      map.clip(end);
      MapEntry entry = map.entries().firstEndingAfter(start);
      while (entry != null && entry.start < end) {
        MapEntry next = entry.next;
        map.remove(entry);
        removed.add(entry);
        entry = next;
      }
      if (removed.isEmpty()) {
        return MapOutcome.DONE;
      }
      map.machine().counters().add(Counter.UNMAPS, 1);
      long holeStart = map.entries().holeBefore(entry);
      if (holeStart == VmMap.MINIMUM) {
        holeStart = 0;
      }
      map.pmap().remove(start, end, holeStart, entry == null ? VmMap.MAXIMUM : entry.start);
    } finally {
      map.unlockWrite();
    }
    map.release(removed);
    return MapOutcome.DONE;
  }

  /** The number of entries in a range that have an amap, parts of which may have to be copied. */
  private int amapsIn(long start, long end) {
    int amaps = 0;
    for (MapEntry entry = map.entries().firstEndingAfter(start);
        entry != null && entry.start < end;
        entry = entry.next) {
      amaps += entry.amap == null ? 0 : 1;
    }
    return amaps;
  }

  /** Ends the address space: everything goes. Harmless if it has ended already. */
  public void exit() {
    List<MapEntry> removed = new ArrayList<>(map.entryCount());
    map.lockWrite();
    try {
      if (map.isExited()) {
        return;
      }
      map.setExited();
      for (MapEntry entry = map.first(); entry != null; entry = map.first()) {
        map.remove(entry);
        removed.add(entry);
      }
      map.pmap().destroy();
    } finally {
      map.unlockWrite();
    }
    map.release(removed);
  }
}
