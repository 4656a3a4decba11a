package org.juvm.map;

import java.util.Arrays;
import org.juvm.base.Inheritance;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;
import org.juvm.pmap.Pmap;
import org.juvm.trace.Counter;

/**
 * Changes what may be done with mappings and what children get of them. The whole range is checked
 * before anything changes.
 *
 * <p>Source: {@code uvm_map_protect}, {@code uvm_map_inherit}, {@code uvm_map_immutable}.
 */
public final class Protector {
  private static final long[] NOTHING = {};

  private final VmMap map;

  /** Pairs of start and end of what the last call has made accessible and must be wired. */
  private long[] toWire = NOTHING;

  /**
   * An operation for one thread.
   *
   * @param map the map to change
   */
  public Protector(VmMap map) {
    this.map = map;
  }

  /**
   * What the last {@link #protect} has made accessible, if everything that is to come is wired.
   *
   * @return pairs of first address and the address after the last
   */
  public long[] toWire() {
    return toWire;
  }

  /**
   * Sets the protection of a range. Rights that are taken away are gone for every processor when
   * this returns.
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @param protection the new protection
   * @return DONE, NOT_MAPPED, MAXIMUM_PROTECTION, IMMUTABLE, SUBMAP, LIMIT or EXITED
   */
  public MapOutcome protect(long start, long end, Protection protection) {
    map.lockStable(start, end);
    try {
      if (map.isExited()) {
        return MapOutcome.EXITED;
      }
      MapEntry first = map.firstOfMapped(start, end);
      if (first == null) {
        return MapOutcome.NOT_MAPPED;
      }
      int lost = 0;
      long opened = 0;
      for (MapEntry entry = first; entry != null && entry.start < end; entry = entry.next) {
        MapOutcome refused = refusal(entry);
        if (refused != MapOutcome.DONE) {
          return refused;
        }
        if (!entry.maximum.includes(protection)) {
          return MapOutcome.MAXIMUM_PROTECTION;
        }
        lost |= entry.protection.bits() & ~protection.bits();
        if (mustBeWired(entry, protection)) {
          opened += Math.min(end, entry.end) - Math.max(start, entry.start);
        }
      }
      if (!map.mayWireMore(opened)) {
        return MapOutcome.LIMIT;
      }
      MapEntry entry = clipped(first, start);
      for (; entry != null && entry.start < end; entry = entry.next) {
        map.clipper().clip(entry, end);
        if (mustBeWired(entry, protection)) {
          toWire = Arrays.copyOf(toWire, toWire.length + 2);
          toWire[toWire.length - 2] = entry.start;
          toWire[toWire.length - 1] = entry.end;
        }
        entry.protection = protection;
      }
      revoke(start, end, lost);
      map.simplify(start, end);
      map.machine().counters().add(Counter.PROTECTS, 1);
      return MapOutcome.DONE;
    } finally {
      map.unlockWrite();
    }
  }

  /** Whether an entry is accessible only by a new protection, and all that is to come is wired. */
  private boolean mustBeWired(MapEntry entry, Protection protection) {
    return map.settings().wireFuture()
        && entry.protection == Protection.NONE
        && protection != Protection.NONE
        && !entry.is(MapFlag.USER_WIRED);
  }

  private static MapOutcome refusal(MapEntry entry) {
    if (entry.submap != null) {
      return MapOutcome.SUBMAP;
    }
    return entry.is(MapFlag.IMMUTABLE) ? MapOutcome.IMMUTABLE : MapOutcome.DONE;
  }

  /** Splits an entry if it starts before an address; returns the one that starts there or after. */
  private MapEntry clipped(MapEntry first, long start) {
    map.reserveEntries();
    map.clipper().clip(first, start);
    MapEntry next = first.next;
    return first.start < start && next != null ? next : first;
  }

  private void revoke(long start, long end, int lost) {
    Pmap pmap = map.pmap();
    if ((lost & Protection.READ_BIT) != 0) {
      pmap.remove(start, end, start, end);
    } else if ((lost & Protection.WRITE_BIT) != 0) {
      pmap.writeProtect(start, end);
    }
  }

  /**
   * Lowers the maximum protection of a range, and the protection with it. Holes are left out.
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @param maximum the most that may be done from now on
   * @return DONE, MAXIMUM_PROTECTION if it is more than before, IMMUTABLE, SUBMAP or EXITED
   */
  public MapOutcome protectMaximum(long start, long end, Protection maximum) {
    int[] lost = new int[1];
    MapOutcome outcome =
        change(
            start,
            end,
            entry ->
                entry.maximum.includes(maximum) ? refusal(entry) : MapOutcome.MAXIMUM_PROTECTION,
            entry -> {
              entry.maximum = maximum;
              Protection now = entry.protection.and(maximum);
              lost[0] |= entry.protection.bits() & ~now.bits();
              entry.protection = now;
            },
            () -> revoke(start, end, lost[0]));
    return outcome;
  }

  /**
   * Sets what a child gets of a range. Holes are left out.
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @param inheritance the new inheritance
   * @return DONE, IMMUTABLE, SUBMAP or EXITED
   */
  public MapOutcome inherit(long start, long end, Inheritance inheritance) {
    return change(
        start, end, Protector::refusal, entry -> entry.inheritance = inheritance, () -> {});
  }

  /**
   * Makes the place and the rights of mappings final. Holes are left out.
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @return DONE, IMMUTABLE if a mapping that cannot be written is zeroed at fork, SUBMAP or EXITED
   */
  public MapOutcome makeImmutable(long start, long end) {
    return change(
        start,
        end,
        entry -> {
          if (entry.submap != null) {
            return MapOutcome.SUBMAP;
          }
          boolean zeroed =
              entry.inheritance == Inheritance.ZERO
                  && (entry.protection.bits() & Protection.WRITE_BIT) == 0;
          return zeroed ? MapOutcome.IMMUTABLE : MapOutcome.DONE;
        },
        entry -> entry.set(MapFlag.IMMUTABLE, true),
        () -> {});
  }

  /** Whether an entry allows a change, asked for all before any changes. */
  @FunctionalInterface
  interface Check {
    MapOutcome of(MapEntry entry);
  }

  /** A change of one entry. */
  @FunctionalInterface
  interface Change {
    void to(MapEntry entry);
  }

  private MapOutcome change(long start, long end, Check check, Change change, Runnable revoke) {
    map.lockStable(start, end);
    try {
      if (map.isExited()) {
        return MapOutcome.EXITED;
      }
      MapEntry first = map.entries().firstEndingAfter(start);
      for (MapEntry entry = first; entry != null && entry.start < end; entry = entry.next) {
        MapOutcome refused = check.of(entry);
        if (refused != MapOutcome.DONE) {
          return refused;
        }
      }
      if (first == null || first.start >= end) {
        return MapOutcome.DONE;
      }
      MapEntry entry = clipped(first, start);
      for (; entry != null && entry.start < end; entry = entry.next) {
        map.clipper().clip(entry, end);
        change.to(entry);
      }
      revoke.run();
      map.simplify(start, end);
      return MapOutcome.DONE;
    } finally {
      map.unlockWrite();
    }
  }
}
