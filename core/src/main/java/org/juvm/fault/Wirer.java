package org.juvm.fault;

import java.util.Arrays;
import org.juvm.anon.DeadAnons;
import org.juvm.base.Access;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;
import org.juvm.base.VmPanic;
import org.juvm.map.MapEntry;
import org.juvm.map.MapOutcome;
import org.juvm.map.VmMap;
import org.juvm.trace.Counters;

/**
 * Makes mappings wired: all their pages are resident, and stay so, until they are unwired.
 *
 * <p>Faulting the pages in can take long. So the map is not locked meanwhile: the entries are in
 * transition, which keeps other operations from them, while faults go on. An entry is marked as
 * wired only when all its pages are. If one page cannot be wired, what was wired is taken back.
 *
 * <p>Source: {@code uvm_map_pageable}, {@code vm_map_unwire}, {@code vm_map_wire}, {@code
 * uvm_fault_wire}.
 */
public final class Wirer {
  private final VmMap map;
  private final FaultHandler handler;
  private final Fault fault;
  private final DeadAnons dead = new DeadAnons();

  /**
   * An operation for one thread.
   *
   * @param map the map to change
   * @param handler faults the pages in
   */
  public Wirer(VmMap map, FaultHandler handler) {
    this.map = map;
    this.handler = handler;
    fault = new Fault(0, null, new Counters());
  }

  /**
   * Wires a range. A wiring by the program counts once, however often it is made; others are
   * counted. ({@code mlock(2)})
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @param byUser whether it is the program that wants it
   * @return DONE, NOT_MAPPED, NO_ACCESS, SUBMAP, LIMIT, BEYOND_END, NO_MEMORY, WRONG_KIND if a
   *     mapping has page tables, or EXITED
   */
  public MapOutcome wire(long start, long end, boolean byUser) {
    map.lockStable(start, end);
    try {
      MapOutcome refused = refusal(start, end, byUser);
      if (refused != MapOutcome.DONE) {
        return refused;
      }
      map.clip(start, end);
      if (!map.machine().allocator().mayHave(pagesLacking(start, end))) {
        map.simplify(start, end);
        return MapOutcome.NO_MEMORY;
      }
      map.setInTransition(start, end, true);
    } finally {
      map.unlockWrite();
      map.machine().anons().free(dead, 0);
    }
    return wireStable(start, end, byUser);
  }

  private MapOutcome refusal(long start, long end, boolean byUser) {
    if (map.isExited()) {
      return MapOutcome.EXITED;
    }
    MapEntry first = map.firstOfMapped(start, end);
    if (first == null) {
      return MapOutcome.NOT_MAPPED;
    }
    long more = 0;
    for (MapEntry entry = first; entry != null && entry.start() < end; entry = map.next(entry)) {
      if (entry.submap() != null) {
        return MapOutcome.SUBMAP;
      }
      if (entry.protection() == Protection.NONE) {
        return MapOutcome.NO_ACCESS;
      }
      if (entry.hasPageTable()) {
        return MapOutcome.WRONG_KIND;
      }
      if (byUser && !isUserWired(entry)) {
        more += Math.min(end, entry.end()) - Math.max(start, entry.start());
      }
    }
    return map.mayWireMore(more) ? MapOutcome.DONE : MapOutcome.LIMIT;
  }

  /**
   * How many pages must be made at least: what is known to fail does not take all memory first. The
   * map is locked for writing, the range consists of whole entries.
   */
  private long pagesLacking(long start, long end) {
    long pages = 0;
    for (MapEntry entry = map.find(start);
        entry != null && entry.start() < end;
        entry = map.next(entry)) {
      if (entry.wirings() == 0) {
        pages += map.memory().pagesToMake(entry, dead);
      }
    }
    return pages;
  }

  private static boolean isUserWired(MapEntry entry) {
    return (entry.flags() & MapFlag.USER_WIRED.bit()) != 0;
  }

  /** All entries of the range are in transition: nobody else changes them. */
  private MapOutcome wireStable(long start, long end, boolean byUser) {
    MapOutcome outcome = MapOutcome.NO_MEMORY;
    long wiredTo = start;
    try {
      outcome = MapOutcome.DONE;
      while (wiredTo < end && outcome == MapOutcome.DONE) {
        MapEntry entry = entryAt(wiredTo);
        long next = entry.end();
        if (entry.wirings() == 0) {
          outcome = wirePages(entry);
        }
        wiredTo = outcome == MapOutcome.DONE ? next : wiredTo;
      }
    } finally {
      map.lockWrite();
      if (outcome == MapOutcome.DONE) {
        mark(start, end, byUser);
      } else {
        takeBack(start, wiredTo);
      }
      map.setInTransition(start, end, false);
      map.simplify(start, end);
      map.unlockWrite();
      fault.finish(map.machine());
    }
    return outcome;
  }

  private MapEntry entryAt(long address) {
    map.lockRead(0);
    try {
      MapEntry entry = map.find(address);
      if (entry == null) {
        throw new VmPanic("mapping in transition is gone: address=" + Long.toHexString(address));
      }
      return entry;
    } finally {
      map.unlockRead(0);
    }
  }

  /** Faults all pages of an entry in and wires each once, or none. */
  private MapOutcome wirePages(MapEntry entry) {
    Access access =
        (entry.protection().bits() & Protection.WRITE_BIT) != 0 ? Access.WRITE : Access.READ;
    int bytes = map.machine().pageSize().bytes();
    for (long address = entry.start(); address < entry.end(); address += bytes) {
      FaultOutcome outcome = handler.wire(map, fault, address, access);
      if (outcome != FaultOutcome.RESOLVED) {
        takeBackLocked(entry, address);
        return switch (outcome) {
          case BEYOND_END -> MapOutcome.BEYOND_END;
          case IO_ERROR -> MapOutcome.IO_ERROR;
          default -> MapOutcome.NO_MEMORY;
        };
      }
    }
    return MapOutcome.DONE;
  }

  /** Faults may give an entry in transition an amap, which the lock keeps apart from this. */
  private void takeBackLocked(MapEntry entry, long end) {
    map.lockRead(0);
    try {
      map.memory().unwire(entry, entry.start(), end);
    } finally {
      map.unlockRead(0);
    }
  }

  private void mark(long start, long end, boolean byUser) {
    for (MapEntry entry = map.find(start);
        entry != null && entry.start() < end;
        entry = map.next(entry)) {
      if (byUser && isUserWired(entry)) {
        continue;
      }
      map.setWirings(entry, entry.wirings() + 1, byUser || isUserWired(entry));
    }
  }

  private void takeBack(long start, long end) {
    for (MapEntry entry = map.find(start);
        entry != null && entry.start() < end;
        entry = map.next(entry)) {
      if (entry.wirings() == 0) {
        map.memory().unwire(entry, entry.start(), entry.end());
      }
    }
  }

  /**
   * Takes wirings of a range back. ({@code munlock(2)})
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @param byUser whether it is the one of the program; what the program has not wired stays as it
   *     is. Else each mapping must be wired
   * @return DONE, NOT_MAPPED, SUBMAP, WIRED if a mapping is not wired that must be, or EXITED
   */
  public MapOutcome unwire(long start, long end, boolean byUser) {
    map.lockStable(start, end);
    try {
      if (map.isExited()) {
        return MapOutcome.EXITED;
      }
      MapEntry first = map.firstOfMapped(start, end);
      if (first == null) {
        return MapOutcome.NOT_MAPPED;
      }
      for (MapEntry entry = first; entry != null && entry.start() < end; entry = map.next(entry)) {
        if (entry.submap() != null) {
          return MapOutcome.SUBMAP;
        }
        if (!byUser && entry.wirings() == (isUserWired(entry) ? 1 : 0)) {
          return MapOutcome.WIRED;
        }
      }
      map.clip(start, end);
      for (MapEntry entry = map.find(start);
          entry != null && entry.start() < end;
          entry = map.next(entry)) {
        unwire(entry, byUser);
      }
      map.simplify(start, end);
      return MapOutcome.DONE;
    } finally {
      map.unlockWrite();
    }
  }

  private void unwire(MapEntry entry, boolean byUser) {
    if (byUser && !isUserWired(entry)) {
      return;
    }
    int left = entry.wirings() - 1;
    if (left == 0) {
      map.memory().unwire(entry, entry.start(), entry.end());
    }
    map.setWirings(entry, left, !byUser && isUserWired(entry));
  }

  /**
   * Wires all that is mapped and accessible, and, if asked, all that will be. ({@code mlockall(2)})
   *
   * @param current whether to wire what is mapped now
   * @param future whether to wire what will be mapped
   * @return DONE, LIMIT, BEYOND_END, NO_MEMORY, WRONG_KIND if what is mapped has page tables, or
   *     EXITED; unless DONE, what was not wired is not
   */
  public MapOutcome wireAll(boolean current, boolean future) {
    map.lockStable(map.minimum(), map.maximum());
    long[] ranges;
    boolean futureBefore = map.settings().wireFuture();
    try {
      if (map.isExited()) {
        return MapOutcome.EXITED;
      }
      if (current && hasPageTables()) {
        return MapOutcome.WRONG_KIND;
      }
      ranges = current ? unwiredRanges() : new long[0];
      long more = 0;
      for (int i = 0; i < ranges.length; i += 2) {
        more += ranges[i + 1] - ranges[i];
      }
      if (!map.mayWireMore(more)) {
        return MapOutcome.LIMIT;
      }
      long lacking = 0;
      for (int i = 0; i < ranges.length; i += 2) {
        lacking += pagesLacking(ranges[i], ranges[i + 1]);
      }
      if (!map.machine().allocator().mayHave(lacking)) {
        return MapOutcome.NO_MEMORY;
      }
      if (future) {
        map.settings().setWireFuture(true);
      }
      for (int i = 0; i < ranges.length; i += 2) {
        map.setInTransition(ranges[i], ranges[i + 1], true);
      }
    } finally {
      map.unlockWrite();
      map.machine().anons().free(dead, 0);
    }
    MapOutcome outcome = MapOutcome.DONE;
    int done = 0;
    for (; done < ranges.length; done += 2) {
      if (outcome == MapOutcome.DONE) {
        outcome = wireStable(ranges[done], ranges[done + 1], true);
        continue;
      }
      map.lockWrite();
      map.setInTransition(ranges[done], ranges[done + 1], false);
      map.unlockWrite();
    }
    if (outcome != MapOutcome.DONE) {
      undoAll(ranges, future && !futureBefore);
    }
    return outcome;
  }

  /** Takes back what {@link #wireAll} wired before it failed. */
  private void undoAll(long[] ranges, boolean future) {
    map.lockStable(map.minimum(), map.maximum());
    if (future) {
      map.settings().setWireFuture(false);
    }
    map.unlockWrite();
    for (int i = 0; i < ranges.length; i += 2) {
      // What is unmapped by now needs nothing.
      MapOutcome undone = unwire(ranges[i], ranges[i + 1], true);
      assert undone != MapOutcome.WIRED;
    }
  }

  /** Whether anything accessible has page tables: where its pages are is the guest's affair. */
  private boolean hasPageTables() {
    for (MapEntry entry = map.first(); entry != null; entry = map.next(entry)) {
      if (entry.hasPageTable() && entry.protection() != Protection.NONE) {
        return true;
      }
    }
    return false;
  }

  /** Pairs of start and end of each entry that the program has not wired and may access. */
  private long[] unwiredRanges() {
    long[] ranges = new long[2 * map.entryCount()];
    int count = 0;
    for (MapEntry entry = map.first(); entry != null; entry = map.next(entry)) {
      if (!isUserWired(entry) && entry.submap() == null && entry.protection() != Protection.NONE) {
        ranges[count++] = entry.start();
        ranges[count++] = entry.end();
      }
    }
    return Arrays.copyOf(ranges, count);
  }

  /**
   * Takes back all wirings by the program, and what was said about the future. ({@code
   * munlockall(2)})
   *
   * @return DONE or EXITED
   */
  public MapOutcome unwireAll() {
    map.lockStable(map.minimum(), map.maximum());
    try {
      if (map.isExited()) {
        return MapOutcome.EXITED;
      }
      map.settings().setWireFuture(false);
      for (MapEntry entry = map.first(); entry != null; entry = map.next(entry)) {
        unwire(entry, true);
      }
      map.simplify(map.minimum(), map.maximum());
      return MapOutcome.DONE;
    } finally {
      map.unlockWrite();
    }
  }

  /**
   * Wires a range that has just been mapped if everything that is mapped is to be wired.
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @return DONE, also if another operation has changed the range already; LIMIT, BEYOND_END,
   *     NO_MEMORY or WRONG_KIND
   */
  public MapOutcome wireIfFuture(long start, long end) {
    map.lockRead(0);
    boolean wanted = start != end && map.settings().wireFuture();
    map.unlockRead(0);
    MapOutcome outcome = wanted ? wire(start, end, true) : MapOutcome.DONE;
    return switch (outcome) {
      case LIMIT, BEYOND_END, NO_MEMORY, IO_ERROR, WRONG_KIND -> outcome;
      default -> MapOutcome.DONE;
    };
  }
}
