package org.juvm.map;

import org.jspecify.annotations.Nullable;
import org.juvm.anon.Amap;
import org.juvm.base.MapFlag;

/**
 * Splits and joins the entries of one map, so that operations can work on whole entries and the
 * number of entries stays as small as it can be. Every method is called with the map locked for
 * writing.
 *
 * <p>Source: {@code uvm_map_clip_start}, {@code uvm_map_clip_end}, {@code uvm_mapent_trymerge},
 * {@code vm_map_simplify_entry}.
 */
final class Clipper {
  private final VmMap map;
  private final EntryTree entries;

  Clipper(VmMap map, EntryTree entries) {
    this.map = map;
    this.entries = entries;
  }

  private long pages(long bytes) {
    return map.pageSize().vpn(bytes);
  }

  /** Splits the entries at both ends of a range, which may be in holes. */
  void clip(long start, long end) {
    clip(entries.find(start), start);
    clip(entries.find(end), end);
  }

  /** Splits an entry that contains an address, so that one starts there. */
  void clip(@Nullable MapEntry entry, long address) {
    if (entry == null || entry.start >= address || entry.end <= address) {
      return;
    }
    MapEntry right = map.newEntry();
    right.setLike(entry, address, entry.end);
    long left = pages(address - entry.start);
    right.slot = entry.slot + left;
    if (entry.object != null) {
      entry.object.reference();
      right.offset = entry.offset + left;
    }
    Amap amap = entry.amap;
    if (amap != null) {
      right.amap = amap;
      amap.lock();
      amap.splitReference();
      amap.unlock();
    }
    entries.split(entry, right);
  }

  /** Joins the entries around each boundary from start to end, wherever nothing sets them apart. */
  void simplify(long start, long end) {
    MapEntry entry = entries.firstEndingAfter(start == 0 ? 0 : start - 1);
    while (entry != null && entry.start <= end) {
      MapEntry next = entry.next;
      if (next == null || !tryJoin(entry, next)) {
        entry = next;
      }
    }
  }

  /** Joins two neighbours if nothing sets them apart; the first one stays. */
  private boolean tryJoin(MapEntry entry, MapEntry next) {
    if (entry.end != next.start || !entry.hasAttributesOf(next)) {
      return false;
    }
    if (entry.object != null && entry.offset + pages(entry.end - entry.start) != next.offset) {
      return false;
    }
    if (!tryJoinAmaps(entry, next)) {
      return false;
    }
    if (next.object != null) {
      next.object.dereference();
    }
    entries.join(entry, next);
    return true;
  }

  /** Makes one reference to one amap, or none, of those of two neighbours. */
  private boolean tryJoinAmaps(MapEntry entry, MapEntry next) {
    Amap amap = entry.amap;
    Amap nextAmap = next.amap;
    if (amap == null && nextAmap == null) {
      return entry.needsCopy == next.needsCopy;
    }
    if (amap == nextAmap && amap != null) {
      if (entry.needsCopy != next.needsCopy
          || entry.slot + pages(entry.end - entry.start) != next.slot) {
        return false;
      }
      amap.lock();
      amap.joinReferences();
      amap.unlock();
      return true;
    }
    if (amap == null) {
      // Nothing was touched in the entry: what the next one has gets slots in front of its own.
      if (!entry.needsCopy || next.wirings != 0 || !extendFront(next, entry.end - entry.start)) {
        return false;
      }
      entry.amap = nextAmap;
      entry.slot = next.slot;
      entry.needsCopy = false;
      return true;
    }
    return nextAmap == null
        && next.needsCopy
        && next.wirings == 0
        && extendBack(entry, next.end - next.start);
  }

  /**
   * Adds slots behind those of an entry, if its amap belongs to it alone. Nothing to do if it has
   * none.
   */
  boolean extendBack(MapEntry entry, long bytes) {
    Amap amap = entry.amap;
    if (amap == null) {
      return entry.needsCopy;
    }
    if (entry.needsCopy) {
      return false;
    }
    amap.lock();
    try {
      return amap.extend(entry.slot + pages(entry.end - entry.start), pages(bytes));
    } finally {
      amap.unlock();
    }
  }

  /**
   * Adds slots in front of those of an entry, if its amap belongs to it alone: its first slot is
   * then the first of the new ones.
   */
  boolean extendFront(MapEntry entry, long bytes) {
    Amap amap = entry.amap;
    if (amap == null) {
      entry.slot = Math.max(0, entry.slot - pages(bytes));
      return entry.needsCopy;
    }
    if (entry.needsCopy) {
      return false;
    }
    amap.lock();
    try {
      long shift = amap.extendBackwards(entry.slot, pages(bytes));
      if (shift != Amap.REFUSED) {
        entry.slot += shift - pages(bytes);
      }
      return shift != Amap.REFUSED;
    } finally {
      amap.unlock();
    }
  }

  /** Whether an entry with these attributes may become a part of its neighbour, just mapped. */
  static boolean fits(MapEntry neighbour, Attributes wanted) {
    return neighbour.protection == wanted.protection()
        && neighbour.maximum == wanted.maximum()
        && neighbour.inheritance == wanted.inheritance()
        && neighbour.advice == wanted.advice()
        && neighbour.flags == wanted.flags()
        && !neighbour.is(MapFlag.STACK)
        && neighbour.wirings == 0
        && neighbour.object == null
        && wanted.object() == null
        && neighbour.submap == null
        && !neighbour.inTransition;
  }
}
