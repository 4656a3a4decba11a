package org.juvm.map;

import java.util.ArrayList;
import java.util.List;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;
import org.juvm.base.VmPanic;
import org.juvm.page.FrameAllocator;

/**
 * Maps what is mapped in a range of one map in another one, or in another place of the same one,
 * without copying it: as a snapshot, or by moving it. The work is per entry, not per page.
 *
 * <p>Two maps are never locked at the same time. A copy is a list of entries in no map, which are
 * then put into the target, or dropped. A move must not fail when it has begun, so it first sees to
 * it that it will not: the range is marked as in transition, so that nobody changes it, and its
 * place in the target is taken by an entry that is in transition, too. Whoever holds such marks
 * waits for no others, so that moves against each other do not wait for each other.
 *
 * <p>Source: {@code uvm_map_extract}, {@code UVM_EXTRACT_COPY} and {@code UVM_EXTRACT_REMOVE};
 * {@code uvm_map_reserve} and {@code uvm_map_replace}.
 */
public final class Transfer {
  private final VmMap source;
  private final VmMap target;
  private final long start;
  private final long end;
  private final SpaceFinder finder;
  private boolean refusedByTarget;

  /**
   * An operation for one thread, to be used once.
   *
   * @param source where the range is
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @param target where it is to be mapped, in the same system
   */
  public Transfer(VmMap source, long start, long end, VmMap target) {
    this.source = source;
    this.start = start;
    this.end = end;
    this.target = target;
    finder = new SpaceFinder(target);
  }

  /**
   * Where it is mapped in the target. Valid after DONE.
   *
   * @return address
   */
  public long address() {
    return finder.address();
  }

  /**
   * Whether it was the target that could not do it.
   *
   * @return true if the outcome is about the target
   */
  public boolean isRefusedByTarget() {
    return refusedByTarget;
  }

  /**
   * Maps a snapshot of the range. Private memory is copied when one side stores to it; what others
   * share becomes private; a mapping of an object shows the object until it is stored to. Wired
   * pages are copied at once. Nothing is wired or immutable in the target.
   *
   * @param placement where; nothing is replaced
   * @return DONE, NOT_MAPPED, NO_SPACE, OCCUPIED, SUBMAP, LIMIT, NO_MEMORY or EXITED
   */
  public MapOutcome copy(Placement placement) {
    List<MapEntry> copies = new ArrayList<>(2);
    Snapshot snapshot = new Snapshot(source, false);
    MapOutcome outcome = snapshot(snapshot, copies);
    if (outcome == MapOutcome.DONE) {
      outcome = insert(placement, copies);
    }
    if (outcome != MapOutcome.DONE) {
      source.release(copies);
    }
    snapshot.close();
    return outcome;
  }

  private MapOutcome snapshot(Snapshot snapshot, List<MapEntry> copies) {
    while (true) {
      source.lockStable(start, end);
      try {
        MapOutcome refused = refusal(false);
        if (refused != MapOutcome.DONE) {
          return refused;
        }
        source.clip(start, end);
        try {
          if (snapshot.reserve(start, end)) {
            return snapshot.finish(copyEntries(snapshot, copies));
          }
        } finally {
          source.simplify(start, end);
        }
      } finally {
        source.unlockWrite();
      }
      if (!source.machine().allocator().reclaimer().await(FrameAllocator.Reserve.NONE)) {
        return MapOutcome.NO_MEMORY;
      }
    }
  }

  private MapOutcome refusal(boolean moves) {
    if (source.isExited()) {
      return MapOutcome.EXITED;
    }
    MapEntry first = source.firstOfMapped(start, end);
    if (first == null) {
      return MapOutcome.NOT_MAPPED;
    }
    for (MapEntry entry = first; entry != null && entry.start < end; entry = entry.next) {
      if (entry.submap != null) {
        return MapOutcome.SUBMAP;
      }
      if (moves && entry.is(MapFlag.IMMUTABLE)) {
        return MapOutcome.IMMUTABLE;
      }
      if (moves && entry.wirings != 0) {
        return MapOutcome.WIRED;
      }
    }
    return MapOutcome.DONE;
  }

  private MapOutcome copyEntries(Snapshot snapshot, List<MapEntry> copies) {
    MapOutcome outcome = MapOutcome.DONE;
    for (MapEntry entry = source.find(start);
        entry != null && entry.start < end && outcome == MapOutcome.DONE;
        entry = entry.next) {
      MapEntry copy = new MapEntry();
      copy.setUnwiredLike(entry, entry.start, entry.end);
      outcome = snapshot.copy(entry, copy);
      if (outcome == MapOutcome.DONE) {
        copy.leaveStack();
        copy.set(MapFlag.IMMUTABLE, false);
        copies.add(copy);
      }
    }
    return outcome;
  }

  private MapOutcome insert(Placement placement, List<MapEntry> entries) {
    target.lockWrite();
    try {
      MapOutcome outcome = find(placement);
      if (outcome == MapOutcome.DONE) {
        put(entries);
      }
      return outcome;
    } finally {
      target.unlockWrite();
    }
  }

  private MapOutcome find(Placement placement) {
    MapOutcome outcome = MapOutcome.EXITED;
    if (!target.isExited()) {
      outcome =
          target.mayGrowBy(end - start) ? finder.find(placement, end - start) : MapOutcome.LIMIT;
    }
    refusedByTarget = outcome != MapOutcome.DONE;
    return outcome;
  }

  /** Inserts entries that have addresses of the source. */
  private void put(List<MapEntry> entries) {
    for (MapEntry entry : entries) {
      entry.start += address() - start;
      entry.end += address() - start;
      target.insert(entry);
    }
    target.simplify(address(), address() + end - start);
  }

  /**
   * Moves the range: when this returns it is not in the source any more, and no processor uses it
   * there. It leaves the source at one moment and appears in the target at a later one.
   *
   * @param placement where; nothing is replaced
   * @return as {@link #copy}, or IMMUTABLE, or WIRED
   */
  public MapOutcome move(Placement placement) {
    source.lockStable(start, end);
    try {
      MapOutcome refused = refusal(true);
      if (refused != MapOutcome.DONE) {
        return refused;
      }
      source.clip(start, end);
      source.setInTransition(start, end, true);
    } finally {
      source.unlockWrite();
    }
    MapOutcome outcome = takePlace(placement);
    List<MapEntry> moved = leave(outcome == MapOutcome.DONE);
    if (outcome == MapOutcome.DONE) {
      arrive(moved);
    }
    return outcome;
  }

  private MapOutcome takePlace(Placement placement) {
    target.lockWrite();
    try {
      MapOutcome outcome = find(placement);
      if (outcome == MapOutcome.DONE) {
        MapEntry placeholder = new MapEntry();
        Attributes inaccessible = Attributes.anonymous(Protection.NONE);
        placeholder.set(address(), address() + end - start, inaccessible);
        target.insert(placeholder);
        target.setInTransition(address(), address() + end - start, true);
      }
      return outcome;
    } finally {
      target.unlockWrite();
    }
  }

  /** Ends the transition of the range, and takes it out if it is to go. */
  private List<MapEntry> leave(boolean goes) {
    List<MapEntry> moved = new ArrayList<>(2);
    source.lockWrite();
    try {
      source.setInTransition(start, end, false);
      for (MapEntry entry = source.find(start); goes && entry != null && entry.start < end; ) {
        MapEntry next = entry.next;
        source.remove(entry);
        entry.leaveStack();
        moved.add(entry);
        entry = next;
      }
      if (goes) {
        source.pmap().remove(start, end, start, end);
      }
      source.simplify(start, end);
    } finally {
      source.unlockWrite();
    }
    return moved;
  }

  private void arrive(List<MapEntry> moved) {
    target.lockWrite();
    try {
      target.setInTransition(address(), address() + end - start, false);
      MapEntry placeholder = target.find(address());
      if (placeholder == null || placeholder.end != address() + end - start) {
        throw new VmPanic("what was in transition has changed: " + Long.toHexString(address()));
      }
      target.remove(placeholder);
      put(moved);
    } finally {
      target.unlockWrite();
    }
  }
}
