package org.juvm.map;

import org.jspecify.annotations.Nullable;
import org.juvm.anon.Amap;
import org.juvm.anon.DeadAnons;
import org.juvm.base.Advice;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;

/**
 * Takes advice about mappings, and gives back what their program does not need. Holes are left out.
 *
 * <p>Source: {@code uvm_map_advice}, {@code vm_map_madvise}.
 */
public final class Adviser {
  private final VmMap map;

  /**
   * An operation for one thread.
   *
   * @param map the map to change
   */
  public Adviser(VmMap map) {
    this.map = map;
  }

  /**
   * Notes how a range is going to be used.
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @param advice how
   * @return DONE, SUBMAP or EXITED
   */
  public MapOutcome advise(long start, long end, Advice advice) {
    return change(start, end, advice, null, false);
  }

  /**
   * Sets a property of a range.
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @param flag NO_CORE or NO_SYNC
   * @param value whether it is to have it
   * @return DONE, SUBMAP or EXITED
   */
  public MapOutcome setFlag(long start, long end, MapFlag flag, boolean value) {
    return change(start, end, null, flag, value);
  }

  private MapOutcome change(
      long start, long end, @Nullable Advice advice, @Nullable MapFlag flag, boolean value) {
    map.lockStable(start, end);
    try {
      MapOutcome refused = refusal(start, end);
      if (refused != MapOutcome.DONE) {
        return refused;
      }
      map.clip(start, end);
      for (MapEntry entry = map.entries().firstEndingAfter(start);
          entry != null && entry.start < end;
          entry = entry.next) {
        if (advice != null) {
          entry.advice = advice;
        }
        if (flag != null) {
          entry.set(flag, value);
        }
      }
      map.simplify(start, end);
      return MapOutcome.DONE;
    } finally {
      map.unlockWrite();
    }
  }

  private MapOutcome refusal(long start, long end) {
    if (map.isExited()) {
      return MapOutcome.EXITED;
    }
    for (MapEntry entry = map.entries().firstEndingAfter(start);
        entry != null && entry.start < end;
        entry = entry.next) {
      if (entry.submap != null) {
        return MapOutcome.SUBMAP;
      }
    }
    return MapOutcome.DONE;
  }

  /**
   * Frees the anonymous pages of a range that nobody else sees; what is read there next is zeros,
   * or what the object behind it holds. Pages that others see stay as they are.
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @return DONE, WIRED, IMMUTABLE if a mapping that must not change cannot be written, NO_MEMORY,
   *     SUBMAP or EXITED
   */
  public MapOutcome free(long start, long end) {
    DeadAnons dead = new DeadAnons();
    map.lockStable(start, end);
    try {
      MapOutcome refused = refusal(start, end);
      if (refused != MapOutcome.DONE) {
        return refused;
      }
      int amaps = 0;
      for (MapEntry entry = map.entries().firstEndingAfter(start);
          entry != null && entry.start < end;
          entry = entry.next) {
        amaps += entry.amap == null ? 0 : 1;
        if (entry.wirings != 0) {
          return MapOutcome.WIRED;
        }
        if (entry.is(MapFlag.IMMUTABLE) && (entry.protection.bits() & Protection.WRITE_BIT) == 0) {
          return MapOutcome.IMMUTABLE;
        }
      }
      if (!map.machine().amaps().hasRoom(2 * Math.min(amaps, Unmapper.MAXIMUM_COPIES))) {
        return MapOutcome.NO_MEMORY;
      }
      for (MapEntry entry = map.entries().firstEndingAfter(start);
          entry != null && entry.start < end;
          entry = entry.next) {
        free(entry, Math.max(start, entry.start), Math.min(end, entry.end), dead);
      }
      return MapOutcome.DONE;
    } finally {
      map.unlockWrite();
      map.machine().anons().free(dead, 0);
    }
  }

  private void free(MapEntry entry, long start, long end, DeadAnons dead) {
    Amap amap = entry.amap;
    if (amap == null || entry.needsCopy) {
      return;
    }
    long slot = entry.slot + map.pageSize().vpn(start - entry.start);
    long pages = map.pageSize().vpn(end - start);
    amap.lock();
    try {
      if (!amap.isShared() && !amap.isWired()) {
        map.pmap().remove(start, end, start, end);
        amap.wipe(slot, pages, dead);
      }
    } finally {
      amap.unlock();
    }
  }

  /**
   * Lets the pages of a range that are in memory be the first to leave it.
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @return DONE, SUBMAP or EXITED
   */
  public MapOutcome deactivate(long start, long end) {
    map.lockRead(0);
    try {
      MapOutcome refused = refusal(start, end);
      if (refused != MapOutcome.DONE) {
        return refused;
      }
      for (MapEntry entry = map.entries().firstEndingAfter(start);
          entry != null && entry.start < end;
          entry = entry.next) {
        map.memory().deactivate(entry, Math.max(start, entry.start), Math.min(end, entry.end));
      }
      return MapOutcome.DONE;
    } finally {
      map.unlockRead(0);
    }
  }

  /**
   * Forgets all translations of a range, which are made again when they are needed: faults that
   * have looked into page tables before this have made theirs by then, or start again. ({@code
   * MADV_INVAL})
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @return DONE, SUBMAP or EXITED
   */
  public MapOutcome invalidate(long start, long end) {
    map.lockStable(start, end);
    try {
      MapOutcome refused = refusal(start, end);
      if (refused == MapOutcome.DONE) {
        map.pmap().remove(start, end, start, end);
      }
      return refused;
    } finally {
      map.unlockWrite();
    }
  }

  /**
   * Gives mappings that have page tables others, and forgets all translations. ({@code
   * MADV_SETMAP})
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @param root the new root, a {@link org.juvm.base.VirtualPte}
   * @return DONE, WRONG_KIND if a mapping in the range has none, SUBMAP or EXITED
   */
  public MapOutcome setPageTable(long start, long end, long root) {
    map.lockStable(start, end);
    try {
      MapOutcome refused = refusal(start, end);
      if (refused != MapOutcome.DONE) {
        return refused;
      }
      for (MapEntry entry = map.entries().firstEndingAfter(start);
          entry != null && entry.start < end;
          entry = entry.next) {
        if (!entry.hasPageTable()) {
          return MapOutcome.WRONG_KIND;
        }
      }
      map.clip(start, end);
      for (MapEntry entry = map.entries().firstEndingAfter(start);
          entry != null && entry.start < end;
          entry = entry.next) {
        entry.root = root;
      }
      map.pmap().remove(start, end, start, end);
      map.simplify(start, end);
      return MapOutcome.DONE;
    } finally {
      map.unlockWrite();
    }
  }
}
