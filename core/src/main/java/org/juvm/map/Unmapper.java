package org.juvm.map;

import java.util.ArrayList;
import java.util.List;
import org.juvm.anon.Amap;
import org.juvm.anon.DeadAnons;
import org.juvm.base.PageSize;
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
   */
  public void unmap(long start, long end) {
    List<MapEntry> removed = new ArrayList<>(2);
    map.lockWrite();
    try {
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
        return;
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
    release(removed);
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
    release(removed);
  }

  private void release(List<MapEntry> removed) {
    DeadAnons dead = new DeadAnons();
    PageSize pageSize = map.pageSize();
    for (MapEntry entry : removed) {
      Amap amap = entry.amap;
      if (amap != null) {
        amap.lock();
        try {
          amap.dereference(entry.slot, pageSize.vpn(entry.end - entry.start), dead);
        } finally {
          amap.unlock();
        }
        map.machine().anons().free(dead, 0);
      }
    }
  }
}
