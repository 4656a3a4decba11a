package org.juvm.map;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.juvm.base.Limit;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;
import org.juvm.base.VmPanic;
import org.juvm.trace.Counter;

/**
 * Makes mappings.
 *
 * <p>Source: {@code uvm_map}: prepare, enter; {@code vm_map_insert}, {@code vm_map_find}, {@code
 * vm_map_stack}, {@code vm_map_submap}.
 */
public final class Mapper {
  private final VmMap map;
  private final Unmapper unmapper;

  /** Where the last mapping was put. Valid after DONE. */
  private long address;

  /** What the last operation mapped. Valid after DONE. */
  private long mappedFrom;

  private long mappedTo;

  /** Whether the caller will wire what is mapped in any case. */
  private final boolean wired;

  /** Whether to give up rather than to wait for the map's lock. */
  private boolean tryLock;

  private @Nullable VmMap submap;

  /** What the last mapping replaced; null: nothing yet. */
  private @Nullable List<MapEntry> replaced;

  /**
   * An operation for one thread.
   *
   * @param map the map to change
   * @param wired whether the caller is going to wire what is mapped; then nothing is replaced if it
   *     is known that this cannot be done
   */
  public Mapper(VmMap map, boolean wired) {
    this.map = map;
    this.wired = wired;
    unmapper = new Unmapper(map);
  }

  /**
   * Lets operations that may map anywhere end with LOCKED if somebody has locked the map. ({@code
   * UVM_FLAG_TRYLOCK})
   *
   * @return this
   */
  public Mapper tryLock() {
    tryLock = true;
    return this;
  }

  /**
   * The result of the last operation.
   *
   * @return address of the mapping
   */
  public long address() {
    return address;
  }

  /**
   * The first address that the last operation mapped.
   *
   * @return address; for a stack more than {@link #address}
   */
  public long mappedFrom() {
    return mappedFrom;
  }

  /**
   * The address after what the last operation mapped.
   *
   * @return address
   */
  public long mappedTo() {
    return mappedTo;
  }

  /**
   * Maps memory. What is replaced goes in the same moment: no thread finds the range unmapped.
   *
   * @param placement where
   * @param length bytes, page aligned, greater than 0
   * @param attributes like what; a reference to the object, if there is one, passes to the mapping,
   *     or goes if none is made
   * @return DONE, NO_SPACE, OCCUPIED, IMMUTABLE, SUBMAP, LIMIT, BEYOND_END, NO_MEMORY, WRONG_KIND
   *     if it must be wired and has page tables, or EXITED
   */
  public MapOutcome map(Placement placement, long length, Attributes attributes) {
    MapOutcome outcome = lockAndFind(placement, length, length, attributes);
    if (outcome == MapOutcome.DONE) {
      try {
        enter(address, length, attributes);
        mappedFrom = address;
        mappedTo = address + length;
      } finally {
        map.unlockWrite();
      }
    } else if (attributes.object() != null) {
      attributes.object().dereference();
    }
    releaseReplaced();
    return outcome;
  }

  /**
   * Makes a stack. Its upper end is mapped; it grows downwards when it is touched below.
   *
   * @param placement where the reserve starts
   * @param reserve bytes that the stack can have with its guard, page aligned
   * @param guard bytes at the lower end that are never mapped, page aligned, less than reserve
   * @param attributes like what; anonymous
   * @return as {@link #map}; {@link #address} is the lowest address of the reserve
   */
  public MapOutcome mapStack(Placement placement, long reserve, long guard, Attributes attributes) {
    map.lockRead(0);
    long limit = map.pageSize().truncate(map.settings().limit(Limit.STACK));
    map.unlockRead(0);
    long initial = Math.min(Math.min(reserve - guard, StackReserve.GROWTH), limit);
    if (initial == 0) {
      return MapOutcome.LIMIT;
    }
    MapOutcome outcome = lockAndFind(placement, reserve, initial, attributes);
    if (outcome == MapOutcome.DONE) {
      try {
        long top = address + reserve;
        MapEntry entry = map.newEntry();
        entry.set(top - initial, top, attributes);
        entry.set(MapFlag.STACK, true);
        entry.stack = new StackReserve(address, top, guard);
        entry.slot = map.pageSize().vpn(reserve - initial);
        map.insert(entry);
        mappedFrom = top - initial;
        mappedTo = top;
        map.machine().counters().add(Counter.MAPS, 1);
      } finally {
        map.unlockWrite();
      }
    }
    releaseReplaced();
    return outcome;
  }

  /**
   * Makes a map of its own responsible for a range. It shares the page table, and has its own lock.
   *
   * @param placement where; not FIXED
   * @param length bytes, page aligned, greater than 0
   * @return DONE, and {@link #submap} is it; NO_SPACE, OCCUPIED, LIMIT or EXITED
   */
  public MapOutcome mapSubmap(Placement placement, long length) {
    MapOutcome outcome = lockAndFind(placement, length, length, null);
    if (outcome == MapOutcome.DONE) {
      try {
        VmMap made = new VmMap(map.machine(), map.pmap(), address, address + length);
        MapEntry entry = map.newEntry();
        entry.start = address;
        entry.end = address + length;
        entry.needsCopy = false;
        entry.submap = made;
        map.insert(entry);
        submap = made;
      } finally {
        map.unlockWrite();
      }
    }
    return outcome;
  }

  /**
   * The submap that was made last.
   *
   * @return the submap; valid after DONE
   */
  public VmMap submap() {
    VmMap made = submap;
    if (made == null) {
      throw new VmPanic("no submap was made");
    }
    return made;
  }

  /** If DONE, the map is locked for writing and the range is free. */
  private MapOutcome lockAndFind(
      Placement placement, long length, long mapped, @Nullable Attributes attributes) {
    if (placement.rule() == Placement.Rule.ANYWHERE) {
      if (!tryLock) {
        map.lockWrite();
      } else if (!map.tryLockWrite()) {
        return MapOutcome.LOCKED;
      }
    } else {
      map.lockStable(placement.address(), placement.address() + length);
    }
    MapOutcome outcome = MapOutcome.NO_MEMORY;
    try {
      outcome = find(placement, length, mapped, attributes);
    } finally {
      if (outcome != MapOutcome.DONE) {
        map.unlockWrite();
      }
    }
    return outcome;
  }

  private MapOutcome find(
      Placement placement, long length, long mapped, @Nullable Attributes attributes) {
    if (map.isExited()) {
      return MapOutcome.EXITED;
    }
    map.reserveEntries();
    MapOutcome found =
        placement.rule() == Placement.Rule.ANYWHERE
            ? findAnywhere(placement, length, mapped)
            : findThere(placement, length, mapped);
    if (found == MapOutcome.DONE && attributes != null && isToBeWired(attributes)) {
      found =
          (attributes.flags() & MapFlag.PAGE_TABLE.bit()) != 0
              ? MapOutcome.WRONG_KIND
              : WiringAhead.refusal(
                  map, address, address + length, mapped, attributes.object(), attributes.offset());
    }
    if (found != MapOutcome.DONE || placement.rule() != Placement.Rule.FIXED) {
      return found;
    }
    List<MapEntry> removed = new ArrayList<>(2);
    replaced = removed;
    return unmapper.remove(address, address + length, removed);
  }

  private boolean isToBeWired(Attributes attributes) {
    return wired || (map.settings().wireFuture() && attributes.protection() != Protection.NONE);
  }

  private MapOutcome findThere(Placement placement, long length, long mapped) {
    long start = placement.address();
    long end = start + length;
    if (start < map.minimum() || start > map.maximum() - length) {
      return MapOutcome.NO_SPACE;
    }
    if (start % placement.alignment() != 0) {
      return MapOutcome.NO_SPACE;
    }
    address = start;
    if (map.entries().isFree(start, end)) {
      return map.mayGrowBy(mapped) ? MapOutcome.DONE : MapOutcome.LIMIT;
    }
    if (placement.rule() == Placement.Rule.EXCLUSIVE) {
      return MapOutcome.OCCUPIED;
    }
    return map.mayGrowBy(mapped - mappedBytes(start, end)) ? MapOutcome.DONE : MapOutcome.LIMIT;
  }

  private long mappedBytes(long start, long end) {
    long bytes = 0;
    for (MapEntry entry = map.entries().firstEndingAfter(start);
        entry != null && entry.start < end;
        entry = entry.next) {
      bytes += Math.min(end, entry.end) - Math.max(start, entry.start);
    }
    return bytes;
  }

  private MapOutcome findAnywhere(Placement placement, long length, long mapped) {
    if (!map.mayGrowBy(mapped)) {
      return MapOutcome.LIMIT;
    }
    long lowest = map.minimum() + map.settings().displacement();
    long hint = placement.address() == 0 ? map.pageSize().round(lowest) : placement.address();
    long alignment = Math.max(placement.alignment(), map.pageSize().bytes());
    long found = map.entries().findSpace(hint, length, alignment);
    if (found == EntryTree.NOT_FOUND && hint > map.minimum()) {
      found = map.entries().findSpace(map.minimum(), length, alignment);
    }
    address = found;
    return found == EntryTree.NOT_FOUND ? MapOutcome.NO_SPACE : MapOutcome.DONE;
  }

  private void releaseReplaced() {
    List<MapEntry> removed = replaced;
    if (removed != null) {
      replaced = null;
      map.release(removed);
    }
  }

  /** Fills a hole: by letting the entry before it grow, if that is possible, or with a new one. */
  private void enter(long at, long length, Attributes wanted) {
    Attributes attributes =
        wanted.offset() == Attributes.BY_ADDRESS
            ? wanted.withOffset(map.pageSize().vpn(at - VmMap.KERNEL_MINIMUM))
            : wanted;
    map.machine().counters().add(Counter.MAPS, 1);
    MapEntry before = map.find(at - 1);
    if (before != null
        && Clipper.fits(before, attributes)
        && map.clipper().extendBack(before, length)) {
      map.resize(before, before.start, at + length);
    } else {
      MapEntry added = map.newEntry();
      added.set(at, at + length, attributes);
      map.insert(added);
    }
    map.simplify(at, at + length);
  }
}
