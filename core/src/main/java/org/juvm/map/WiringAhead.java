package org.juvm.map;

import org.jspecify.annotations.Nullable;
import org.juvm.base.Limit;
import org.juvm.base.MapFlag;
import org.juvm.object.MemoryObject;

/** What can be known about the wiring of a mapping before it is made and replaces others. */
final class WiringAhead {
  private WiringAhead() {}

  /**
   * Why a mapping that is about to be made could not be wired. The map is locked.
   *
   * @param map the map
   * @param start first address of what it replaces
   * @param end the address after the last
   * @param bytes its size
   * @param object what it maps, or null
   * @param offset the first page of the object
   * @return DONE, LIMIT or BEYOND_END
   */
  static MapOutcome refusal(
      VmMap map, long start, long end, long bytes, @Nullable MemoryObject object, long offset) {
    long kept = map.locked() - lockedBytes(map, start, end);
    if (bytes > map.settings().limit(Limit.LOCKED) - kept) {
      return MapOutcome.LIMIT;
    }
    if (object == null) {
      return MapOutcome.DONE;
    }
    object.lock();
    try {
      return object.contains(offset + map.pageSize().vpn(bytes) - 1)
          ? MapOutcome.DONE
          : MapOutcome.BEYOND_END;
    } finally {
      object.unlock();
    }
  }

  private static long lockedBytes(VmMap map, long start, long end) {
    long bytes = 0;
    for (MapEntry entry = map.entries().firstEndingAfter(start);
        entry != null && entry.start < end;
        entry = entry.next) {
      if (entry.is(MapFlag.USER_WIRED)) {
        bytes += Math.min(end, entry.end) - Math.max(start, entry.start);
      }
    }
    return bytes;
  }
}
