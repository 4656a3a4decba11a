package org.juvm.map;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.juvm.anon.DeadAnons;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;

/**
 * Moves, resizes and doubles mappings without copying what is mapped.
 *
 * <p>Source: the role of {@code uvm_mremap} and {@code uvm_map_extract}.
 */
public final class Remapper {
  private final VmMap map;
  private final List<MapEntry> removed = new ArrayList<>(2);
  private final DeadAnons dead = new DeadAnons();
  private long address;

  /**
   * An operation for one thread, to be used once.
   *
   * @param map the map to change
   */
  public Remapper(VmMap map) {
    this.map = map;
  }

  /**
   * Where the memory is now. Valid after DONE.
   *
   * @return address
   */
  public long address() {
    return address;
  }

  /**
   * Changes the length of a range, and its place if it must. What is added is like the end of the
   * range: anonymous memory goes on with zeros, an object with its next pages.
   *
   * @param start first address of the range, page aligned
   * @param length its length, page aligned, greater than 0
   * @param newLength the length wanted, page aligned, greater than 0
   * @param placement where it must go, or null: it stays where it is if it can
   * @return DONE, NOT_MAPPED, OCCUPIED, NO_SPACE, IMMUTABLE, SUBMAP, LIMIT, NO_MEMORY, WRONG_KIND
   *     if what is added must be wired and has page tables, or EXITED
   */
  public MapOutcome remap(long start, long length, long newLength, @Nullable Placement placement) {
    map.lockStable(map.minimum(), map.maximum());
    MapOutcome outcome;
    try {
      outcome = check(start, start + length, newLength - length);
      if (outcome == MapOutcome.DONE) {
        outcome = change(start, length, newLength, placement);
      }
    } finally {
      map.unlockWrite();
    }
    map.release(removed);
    return outcome;
  }

  private MapOutcome check(long start, long end, long more) {
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
      if (entry.is(MapFlag.IMMUTABLE)) {
        return MapOutcome.IMMUTABLE;
      }
    }
    return map.mayGrowBy(more) ? MapOutcome.DONE : MapOutcome.LIMIT;
  }

  private MapOutcome change(
      long start, long length, long newLength, @Nullable Placement placement) {
    address = start;
    boolean fits =
        newLength <= length
            || (start <= map.maximum() - newLength
                && map.entries().isFree(start + length, start + newLength));
    boolean stays =
        placement == null
            ? fits && map.entries().isUnreserved(start + length, start + newLength)
            : fits && isThere(placement, start);
    if (!stays) {
      MapOutcome found = find(placement == null ? Placement.LOWEST : placement, newLength);
      if (found != MapOutcome.DONE) {
        return found;
      }
    }
    if (newLength > length) {
      MapOutcome refused = refusalToWire(start + length, newLength - length);
      if (refused != MapOutcome.DONE) {
        return refused;
      }
    }
    if (newLength < length) {
      map.reserveEntries();
      MapOutcome cut = new Unmapper(map).remove(start + newLength, start + length, removed);
      if (cut != MapOutcome.DONE) {
        return cut;
      }
    }
    long kept = Math.min(length, newLength);
    if (!stays) {
      move(start, start + kept, address - start);
    }
    if (newLength > length) {
      extend(address + length, address + newLength);
    }
    map.simplify(address, address + newLength);
    return MapOutcome.DONE;
  }

  /** Why what is added could not be wired, if it must be. */
  private MapOutcome refusalToWire(long end, long more) {
    MapEntry last = map.find(end - 1);
    if (last == null || !map.settings().wireFuture() || last.protection == Protection.NONE) {
      return MapOutcome.DONE;
    }
    if (last.hasPageTable()) {
      return MapOutcome.WRONG_KIND;
    }
    long offset = last.offset + map.pageSize().vpn(end - last.start);
    return WiringAhead.refusal(map, end, end, more, last.object, offset);
  }

  private static boolean isThere(Placement placement, long start) {
    return placement.rule() == Placement.Rule.ANYWHERE
        ? start % placement.alignment() == 0
        : placement.address() == start;
  }

  /** Finds free space; nothing is replaced. */
  private MapOutcome find(Placement placement, long length) {
    SpaceFinder finder = new SpaceFinder(map);
    MapOutcome outcome = finder.find(placement, length);
    address = finder.address();
    return outcome;
  }

  private void move(long start, long end, long distance) {
    map.clip(start, end);
    List<MapEntry> moved = new ArrayList<>(2);
    for (MapEntry entry = map.find(start); entry != null && entry.start < end; ) {
      MapEntry next = entry.next;
      map.remove(entry);
      moved.add(entry);
      entry = next;
    }
    map.pmap().remove(start, end, start, end);
    for (MapEntry entry : moved) {
      entry.start += distance;
      entry.end += distance;
      entry.leaveStack();
      map.insert(entry);
    }
    map.simplify(start, end);
  }

  private void extend(long from, long to) {
    map.reserveEntries();
    MapEntry last = map.find(from - 1);
    if (last == null) {
      return;
    }
    MapEntry added = map.newEntry();
    added.setUnwiredLike(last, from, to);
    added.leaveStack();
    added.needsCopy = last.object == null || last.copyOnWrite;
    if (last.object != null) {
      added.offset = last.offset + map.pageSize().vpn(from - last.start);
      last.object.reference();
    }
    map.insert(added);
  }

  /**
   * Maps the memory of a range a second time. Both ranges are the same memory from then on.
   *
   * @param start first address of the range, page aligned
   * @param length its length, page aligned, greater than 0
   * @param placement where the second one goes; nothing is replaced
   * @return as {@link #remap}
   */
  public MapOutcome duplicate(long start, long length, Placement placement) {
    PageCopier copier = new PageCopier(map.machine());
    MapOutcome outcome;
    map.lockStable(map.minimum(), map.maximum());
    try {
      outcome = check(start, start + length, length);
      if (outcome == MapOutcome.DONE) {
        outcome = find(placement, length);
      }
      if (outcome == MapOutcome.DONE) {
        outcome =
            copier.reserve(wiredPages(start, start + length))
                ? duplicate(start, start + length, copier)
                : MapOutcome.NO_MEMORY;
      }
    } finally {
      map.unlockWrite();
    }
    copier.close();
    map.machine().anons().free(dead, 0);
    map.release(removed);
    return outcome;
  }

  private int wiredPages(long start, long end) {
    long pages = 0;
    for (MapEntry entry = map.find(start); entry != null && entry.start < end; entry = entry.next) {
      pages += entry.wirings != 0 ? map.memory().pagesToOwn(entry) : 0;
    }
    return Math.toIntExact(pages);
  }

  private MapOutcome duplicate(long start, long end, PageCopier copier) {
    map.clip(start, end);
    List<MapEntry> copies = new ArrayList<>(2);
    for (MapEntry entry = map.find(start); entry != null && entry.start < end; entry = entry.next) {
      MapEntry copy = new MapEntry();
      long from = entry.start - start + address;
      copy.setUnwiredLike(entry, from, from + entry.end - entry.start);
      copy.leaveStack();
      if (!map.machine().amaps().hasRoom(2)
          || !map.memory().share(entry, copy, dead, copier, map.pmap())) {
        removed.addAll(copies);
        map.simplify(start, end);
        return MapOutcome.NO_MEMORY;
      }
      copies.add(copy);
    }
    copies.forEach(map::insert);
    map.simplify(start, end);
    map.simplify(address, address + end - start);
    return MapOutcome.DONE;
  }
}
