package org.juvm.map;

import org.jspecify.annotations.Nullable;
import org.juvm.base.Limit;
import org.juvm.base.Protection;
import org.juvm.trace.Counter;

/**
 * Lets a stack grow down to an address that was touched.
 *
 * <p>Source: {@code vm_map_growstack}. The stack stays one entry where its amap allows that.
 */
public final class StackGrower {
  private final VmMap map;

  /** What the last growth added. Valid after DONE; equal if there was none. */
  private long start;

  private long end;

  /**
   * An operation for one thread.
   *
   * @param map the map to change
   */
  public StackGrower(VmMap map) {
    this.map = map;
  }

  /**
   * The first address that the last growth added.
   *
   * @return address
   */
  public long start() {
    return start;
  }

  /**
   * The address after what the last growth added.
   *
   * @return address; equal to start if another thread had been faster
   */
  public long end() {
    return end;
  }

  /**
   * The stack that an unmapped address may belong to. The map is locked in any way.
   *
   * @param map a map
   * @param address an address where nothing is mapped
   * @return the entry whose reserve or guard the address is in, or null
   */
  public static @Nullable MapEntry candidate(VmMap map, long address) {
    MapEntry above = map.entries().firstEndingAfter(address);
    StackReserve stack = above == null ? null : above.stack;
    return stack != null && address >= stack.low() ? above : null;
  }

  /**
   * Grows. Called without locks.
   *
   * @param address an address in a page that must be mapped
   * @return DONE, NOT_MAPPED if there is no stack to grow, NO_SPACE if something else is too near,
   *     LIMIT or EXITED
   */
  public MapOutcome grow(long address) {
    map.lockStable(map.minimum(), map.maximum());
    try {
      start = 0;
      end = 0;
      if (map.isExited()) {
        return MapOutcome.EXITED;
      }
      if (map.find(address) != null) {
        return MapOutcome.DONE;
      }
      MapEntry above = candidate(map, address);
      StackReserve stack = above == null ? null : above.stack;
      return above == null || stack == null
          ? MapOutcome.NOT_MAPPED
          : grow(above, stack, map.pageSize().truncate(address));
    } finally {
      map.unlockWrite();
    }
  }

  private MapOutcome grow(MapEntry above, StackReserve stack, long page) {
    long hole = map.entries().holeBefore(above);
    long lowest = stack.low() + stack.guard();
    if (hole > stack.low()) {
      lowest = Math.max(lowest, hole + stack.guard());
    }
    if (page < lowest) {
      return MapOutcome.NO_SPACE;
    }
    long most = stack.top() - map.pageSize().truncate(map.settings().limit(Limit.STACK));
    long room = map.settings().limit(Limit.ADDRESS_SPACE) - map.size();
    if (map.settings().wireFuture() && above.protection != Protection.NONE) {
      room = Math.min(room, map.settings().limit(Limit.LOCKED) - map.locked());
    }
    lowest = Math.max(lowest, Math.max(most, above.start - map.pageSize().truncate(room)));
    if (page < lowest) {
      return MapOutcome.LIMIT;
    }
    long needed = above.start - page;
    long wanted = Math.ceilDiv(needed, StackReserve.GROWTH) * StackReserve.GROWTH;
    extend(above, Math.max(lowest, above.start - wanted));
    map.simplify(start, end);
    map.machine().counters().add(Counter.STACK_GROWTHS, 1);
    return MapOutcome.DONE;
  }

  private void extend(MapEntry above, long newStart) {
    start = newStart;
    end = above.start;
    long slot = above.slot;
    if (above.wirings == 0 && map.clipper().extendFront(above, end - newStart)) {
      map.resize(above, newStart, above.end);
      return;
    }
    map.reserveEntries();
    MapEntry below = map.newEntry();
    below.setUnwiredLike(above, newStart, end);
    below.needsCopy = true;
    below.slot = Math.max(0, slot - map.pageSize().vpn(end - newStart));
    map.insert(below);
  }
}
