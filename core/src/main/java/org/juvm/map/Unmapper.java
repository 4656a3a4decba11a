package org.juvm.map;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;
import org.juvm.trace.Counter;

/**
 * Removes mappings, and ends address spaces.
 *
 * <p>The order matters: first the entries go, so that no fault finds them, then the page table
 * entries and with them every processor's translations, and only then the wirings and the memory.
 * Memory of the kernel goes before the map is unlocked, since the next owner of its addresses would
 * find it; other memory goes later.
 *
 * <p>Source: {@code uvm_unmap_remove}, {@code uvm_unmap_detach}; {@code vm_map_delete}.
 */
public final class Unmapper {
  /**
   * Room is made sure of for so many amaps whose nodes must be copied because only a part of what
   * is shared goes. Most need none.
   */
  static final int MAXIMUM_COPIES = 1024;

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
   * @return DONE, IMMUTABLE, SUBMAP, or NO_MEMORY if there is none to split what is only partly in
   *     the range
   */
  public MapOutcome unmap(long start, long end) {
    return unmap(start, end, Strictness.ANY);
  }

  /**
   * As {@link #unmap}, for what has just been mapped and turned out not to be possible: it may be
   * immutable.
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @return DONE, SUBMAP or NO_MEMORY
   */
  public MapOutcome takeBack(long start, long end) {
    return unmap(start, end, Strictness.EVEN_IMMUTABLE);
  }

  /**
   * As {@link #unmap}, of a range without holes.
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @return also NOT_MAPPED if there is a hole, or EXITED
   */
  public MapOutcome unmapAll(long start, long end) {
    return unmap(start, end, Strictness.NO_HOLES);
  }

  /** What a range must be like to be unmapped. */
  private enum Strictness {
    ANY,
    EVEN_IMMUTABLE,
    NO_HOLES
  }

  private MapOutcome unmap(long start, long end, Strictness strictness) {
    List<MapEntry> removed = new ArrayList<>(2);
    map.lockStable(start, end);
    MapOutcome outcome;
    try {
      if (strictness == Strictness.NO_HOLES && map.firstOfMapped(start, end) == null) {
        return map.isExited() ? MapOutcome.EXITED : MapOutcome.NOT_MAPPED;
      }
      map.reserveEntries();
      outcome = remove(start, end, removed, strictness == Strictness.EVEN_IMMUTABLE);
      if (!removed.isEmpty()) {
        map.machine().counters().add(Counter.UNMAPS, 1);
      }
    } finally {
      map.unlockWrite();
    }
    map.release(removed);
    return outcome;
  }

  /** As above, with the map locked for writing and the range stable; the caller releases. */
  MapOutcome remove(long start, long end, List<MapEntry> removed) {
    return remove(start, end, removed, false);
  }

  private MapOutcome remove(long start, long end, List<MapEntry> removed, boolean evenImmutable) {
    int amaps = 0;
    MapEntry entry = map.entries().firstEndingAfter(start);
    for (MapEntry each = entry; each != null && each.start < end; each = each.next) {
      if (each.submap != null) {
        return MapOutcome.SUBMAP;
      }
      if (each.is(MapFlag.IMMUTABLE) && !evenImmutable) {
        return MapOutcome.IMMUTABLE;
      }
      amaps += each.amap == null ? 0 : 1;
    }
    if (entry == null || entry.start >= end) {
      return MapOutcome.DONE;
    }
    if (!map.machine().amaps().hasRoom(2 * Math.min(amaps, MAXIMUM_COPIES))) {
      return MapOutcome.NO_MEMORY;
    }
    if (entry.start < start) {
      map.clipper().clip(entry, start);
      entry = entry.next;
    }
    while (entry != null && entry.start < end) {
      map.clipper().clip(entry, end);
      MapEntry next = entry.next;
      map.remove(entry);
      removed.add(entry);
      entry = next;
    }
    long holeStart = map.entries().holeBefore(entry);
    if (holeStart == VmMap.MINIMUM) {
      holeStart = 0;
    }
    map.pmap().remove(start, end, holeStart, endOfHole(entry));
    removed.forEach(map.memory()::removeKernelPages);
    return MapOutcome.DONE;
  }

  /**
   * Takes the memory of a range of the kernel away, and keeps the addresses, without rights. The
   * map is locked for writing, the range consists of whole entries.
   *
   * @param start first address, where an entry starts
   * @param end the address after the last, where an entry ends
   */
  public void empty(long start, long end) {
    map.pmap().remove(start, end, start, end);
    for (MapEntry entry = map.find(start); entry != null && entry.start < end; entry = entry.next) {
      entry.protection = Protection.NONE;
      map.memory().removeKernelPages(entry);
    }
  }

  /**
   * Ends a submap of this map, which is one of the kernel, and takes its range out of this map.
   * Harmless if it has ended. Its memory is free before its addresses are.
   *
   * @param submap a submap of this map
   */
  public void removeSubmap(VmMap submap) {
    List<MapEntry> removed = new ArrayList<>();
    if (!removeTree(submap, removed, true)) {
      return;
    }
    long start = submap.minimum();
    map.lockWrite();
    try {
      MapEntry entry = map.find(start);
      if (entry != null && submap.equals(entry.submap)) {
        map.remove(entry);
        long holeStart = map.entries().holeBefore(entry.next);
        map.pmap().remove(start, submap.maximum(), holeStart, endOfHole(entry.next));
      }
    } finally {
      map.unlockWrite();
    }
    map.release(removed);
  }

  private long endOfHole(@Nullable MapEntry after) {
    return after == null ? map.maximum() : after.start;
  }

  /**
   * Ends a map and its submaps. Returns false if it has ended already.
   *
   * @param emptied whether the memory is to be free, map by map; else the caller ends the page
   *     table and then releases what was removed
   */
  private static boolean removeTree(VmMap from, List<MapEntry> removed, boolean emptied) {
    if (!removeAll(from, removed, emptied)) {
      return false;
    }
    // Nobody can make another submap now; those that there are end as this one does.
    for (int i = 0; i < removed.size(); i++) {
      VmMap submap = removed.get(i).submap;
      if (submap != null) {
        removeAll(submap, removed, emptied);
      }
    }
    return true;
  }

  /** Ends the address space: everything goes. Harmless if it has ended already. */
  public void exit() {
    List<MapEntry> removed = new ArrayList<>();
    if (!removeTree(map, removed, false)) {
      return;
    }
    map.lockWrite();
    map.pmap().destroy();
    removed.forEach(map.memory()::removeKernelPages);
    map.unlockWrite();
    map.release(removed);
  }

  private static boolean removeAll(VmMap from, List<MapEntry> removed, boolean emptied) {
    from.lockStable(from.minimum(), from.maximum());
    try {
      if (from.isExited()) {
        return false;
      }
      from.setExited();
      for (MapEntry entry = from.first(); entry != null; entry = from.first()) {
        from.remove(entry);
        removed.add(entry);
        if (emptied && entry.submap == null) {
          from.pmap().remove(entry.start, entry.end, entry.start, entry.end);
          from.memory().removeKernelPages(entry);
        }
      }
      return true;
    } finally {
      from.unlockWrite();
    }
  }
}
