package org.juvm.map;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.juvm.object.MemoryObject;

/**
 * Writes what was changed in a range to where it belongs. For one call: first {@link #collect}, and
 * if that says DONE, exactly one of the others.
 *
 * <p>Writing takes long and has to wait for pages that are on their way, whose faults may need the
 * map. So the map is locked only to see what lies behind the range; what does is referred to, and
 * worked on without the map, which may change meanwhile.
 *
 * <p>Source: {@code uvm_map_clean}.
 */
public final class Cleaner {
  private final VmMap map;
  private final List<Part> parts = new ArrayList<>();

  /** Pages of an object, with a reference to it. */
  private record Part(MemoryObject object, long first, long end) {}

  /**
   * An operation for one thread.
   *
   * @param map the map that the range is in
   */
  public Cleaner(VmMap map) {
    this.map = map;
  }

  /**
   * Looks what is to be written: the objects behind the range, if all of it is mapped, and nothing
   * that is wired would be dropped. Anonymous memory has no other place.
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @param invalidate whether what is in memory is to be dropped afterwards
   * @return DONE, NOT_MAPPED, WIRED, SUBMAP or EXITED; unless DONE, there is nothing to do
   */
  public MapOutcome collect(long start, long end, boolean invalidate) {
    map.lockRead(0);
    try {
      if (map.isExited()) {
        return MapOutcome.EXITED;
      }
      MapOutcome refused = refusal(start, end, invalidate);
      if (refused != MapOutcome.DONE) {
        return refused;
      }
      for (MapEntry entry = map.find(start);
          entry != null && entry.start < end;
          entry = entry.next) {
        MemoryObject object = entry.object;
        if (object != null && !object.isAnonymous()) {
          object.reference();
          parts.add(part(object, entry, Math.max(start, entry.start), Math.min(end, entry.end)));
        }
      }
      return MapOutcome.DONE;
    } finally {
      map.unlockRead(0);
    }
  }

  private MapOutcome refusal(long start, long end, boolean invalidate) {
    for (MapEntry entry = map.firstEndingAfter(start);
        entry != null && entry.start < end;
        entry = entry.next) {
      if (entry.submap != null) {
        return MapOutcome.SUBMAP;
      }
    }
    MapEntry first = map.firstOfMapped(start, end);
    if (first == null) {
      return MapOutcome.NOT_MAPPED;
    }
    for (MapEntry entry = first; entry != null && entry.start < end; entry = entry.next) {
      if (invalidate && entry.wirings != 0) {
        return MapOutcome.WIRED;
      }
    }
    return MapOutcome.DONE;
  }

  /** With page tables any page may be behind the range: all are taken. */
  private Part part(MemoryObject object, MapEntry entry, long start, long end) {
    if (entry.hasPageTable()) {
      return new Part(object, 0, map.pageSize().vpn(MemoryObject.MAXIMUM_BYTES));
    }
    long first = entry.offset - map.pageSize().vpn(entry.start);
    return new Part(object, first + map.pageSize().vpn(start), first + map.pageSize().vpn(end));
  }

  /**
   * Writes what was collected and makes that durable. Called without locks.
   *
   * @param invalidate as was said to {@link #collect}
   * @throws IOException the first error; all that can be written is
   */
  public void clean(boolean invalidate) throws IOException {
    IOException failed = null;
    for (Part part : parts) {
      try {
        part.object.clean(part.first, part.end, invalidate);
      } catch (IOException e) {
        failed = failed == null ? e : failed;
      } finally {
        part.object.dereference();
      }
    }
    if (failed != null) {
      throw failed;
    }
  }

  /**
   * Whether nothing was collected.
   *
   * @return true if there is nothing to do
   */
  public boolean isEmpty() {
    return parts.isEmpty();
  }

  /** Writes what was collected, and leaves it to others to report errors. Called without locks. */
  public void writeOut() {
    for (Part part : parts) {
      try {
        part.object.writeOut(part.first, part.end);
      } finally {
        part.object.dereference();
      }
    }
  }
}
