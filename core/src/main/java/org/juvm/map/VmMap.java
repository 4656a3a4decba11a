package org.juvm.map;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.juvm.anon.Amap;
import org.juvm.anon.DeadAnons;
import org.juvm.base.PageSize;
import org.juvm.base.VmPanic;
import org.juvm.pmap.Pmap;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedReadWriteLock;

/**
 * One address space: a lock, the entries, and the page tables that cache what the entries say.
 *
 * <p>The lock guards all entries: it is held for reading by faults and views, for writing by
 * operations. What only looks at or splits and joins entries is here; operations are classes of
 * their own in this package.
 */
public final class VmMap {
  /** Addresses below are never mapped, so that small wrong addresses fault. Bytes. */
  public static final long MINIMUM = 1L << 16;

  /** The address after the last that can be mapped. */
  public static final long MAXIMUM = 1L << 47;

  private final Machine machine;
  private final Pmap pmap;
  private final RankedReadWriteLock lock = new RankedReadWriteLock(LockRank.MAP);
  private final EntryTree entries = new EntryTree(MINIMUM, MAXIMUM);

  /** Bytes mapped. Guarded by lock. */
  private long size;

  /** Set at exit; then there are no entries and never will be. Guarded by lock. */
  private boolean exited;

  /**
   * An empty address space.
   *
   * @param machine where it lives
   */
  public VmMap(Machine machine) {
    this.machine = machine;
    pmap = machine.pmaps().create();
  }

  /**
   * The machine that this map lives in.
   *
   * @return the machine
   */
  public Machine machine() {
    return machine;
  }

  /**
   * The page tables.
   *
   * @return the pmap
   */
  public Pmap pmap() {
    return pmap;
  }

  PageSize pageSize() {
    return machine.pageSize();
  }

  // ---- lock ----

  /**
   * Takes the lock for reading.
   *
   * @param reader any number that differs between concurrent readers
   */
  public void lockRead(int reader) {
    lock.lockRead(reader);
  }

  /**
   * Releases the lock for reading.
   *
   * @param reader the number given to {@link #lockRead}
   */
  public void unlockRead(int reader) {
    lock.unlockRead(reader);
  }

  /** Takes the lock for writing. */
  public void lockWrite() {
    lock.lockWrite();
  }

  /** Releases the lock for writing. */
  public void unlockWrite() {
    lock.unlockWrite();
  }

  // ---- looking; the lock is held in any way ----

  /**
   * The entry that contains an address.
   *
   * @param address any address
   * @return the entry, or null
   */
  public @Nullable MapEntry find(long address) {
    return entries.find(address);
  }

  /**
   * The entry with the lowest addresses.
   *
   * @return the entry, or null
   */
  public @Nullable MapEntry first() {
    return entries.first();
  }

  /**
   * The entry after another one, in the order of addresses.
   *
   * @param entry an entry of this map
   * @return the next one, or null
   */
  public @Nullable MapEntry next(MapEntry entry) {
    return entry.next;
  }

  /**
   * Number of entries.
   *
   * @return entries
   */
  public int entryCount() {
    return entries.size();
  }

  /**
   * How much is mapped.
   *
   * @return bytes
   */
  public long size() {
    return size;
  }

  /**
   * Whether this address space has ended.
   *
   * @return true if so
   */
  public boolean isExited() {
    return exited;
  }

  EntryTree entries() {
    return entries;
  }

  /** The first entry of a range that is mapped without holes, or null if there is a hole. */
  @Nullable MapEntry firstOfMapped(long start, long end) {
    MapEntry first = entries.find(start);
    for (MapEntry entry = first; entry != null; entry = entry.next) {
      if (entry.end >= end) {
        return first;
      }
      if (entry.next == null || entry.next.start != entry.end) {
        return null;
      }
    }
    return null;
  }

  // ---- changing; the lock is held for writing ----

  void insert(MapEntry entry) {
    assert lock.isWriteHeld();
    entries.insert(entry);
    size += entry.end - entry.start;
  }

  void remove(MapEntry entry) {
    assert lock.isWriteHeld();
    entries.remove(entry);
    size -= entry.end - entry.start;
  }

  /** Lets an entry grow at its end, into the hole after it. */
  void extend(MapEntry entry, long end) {
    assert lock.isWriteHeld();
    size += end - entry.end;
    entries.resize(entry, entry.start, end);
  }

  void setExited() {
    assert lock.isWriteHeld();
    exited = true;
  }

  /**
   * Splits the entry that contains an address, so that one starts there. Nothing to do in a hole.
   */
  void clip(long address) {
    assert lock.isWriteHeld();
    MapEntry entry = entries.find(address);
    if (entry == null || entry.start == address) {
      return;
    }
    MapEntry right = entry.part(address, entry.end);
    Amap amap = entry.amap;
    if (amap != null) {
      right.amap = amap;
      right.slot = entry.slot + pageSize().vpn(address - entry.start);
      amap.lock();
      amap.splitReference();
      amap.unlock();
    }
    entries.resize(entry, entry.start, address);
    entries.insert(right);
  }

  /** Joins the entries around each boundary from start to end, wherever nothing sets them apart. */
  void simplify(long start, long end) {
    assert lock.isWriteHeld();
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
    Amap amap = entry.amap;
    Amap nextAmap = next.amap;
    if (amap == null) {
      if (nextAmap != null) {
        return false;
      }
    } else if (nextAmap == amap) {
      if (entry.needsCopy != next.needsCopy
          || entry.slot + pageSize().vpn(entry.end - entry.start) != next.slot) {
        return false;
      }
      amap.lock();
      amap.joinReferences();
      amap.unlock();
    } else if (nextAmap != null || !extendAmap(entry, next.end - next.start)) {
      return false;
    }
    long end = next.end;
    entries.remove(next);
    entries.resize(entry, entry.start, end);
    return true;
  }

  /** Adds slots behind those of an entry, if its amap belongs to it alone. */
  boolean extendAmap(MapEntry entry, long bytes) {
    Amap amap = entry.amap;
    if (amap == null) {
      return true;
    }
    if (entry.needsCopy) {
      return false;
    }
    amap.lock();
    try {
      long endSlot = entry.slot + pageSize().vpn(entry.end - entry.start);
      return amap.extend(endSlot, pageSize().vpn(bytes));
    } finally {
      amap.unlock();
    }
  }

  /**
   * Gives the entry at an address an amap of its own, if it has none or must not use the one that
   * it has. Called without locks; the caller looks the address up again.
   *
   * <p>Source: {@code uvmfault_amapcopy}, {@code amap_copy}. Large entries are not cut into chunks
   * as there: the tree of an amap costs nothing where it is empty.
   *
   * @param address an address
   * @param dead empty; used for anons that lose their last reference
   * @param processor any number that differs between concurrent callers
   * @return false if there was no memory for the amap
   */
  public boolean resolveNeedsCopy(long address, DeadAnons dead, int processor) {
    if (!machine.amaps().hasRoom(2)) {
      return false;
    }
    lockWrite();
    try {
      MapEntry entry = entries.find(address);
      if (entry != null) {
        resolveNeedsCopy(entry, dead);
      }
    } finally {
      unlockWrite();
    }
    machine.anons().free(dead, processor);
    return true;
  }

  /** As above, with the map locked for writing; the caller frees the dead. */
  void resolveNeedsCopy(MapEntry entry, DeadAnons dead) {
    assert lock.isWriteHeld();
    if (!entry.needsCopy) {
      return;
    }
    long pages = pageSize().vpn(entry.end - entry.start);
    Amap amap = entry.amap;
    if (amap == null) {
      entry.amap = Amap.create(machine.amaps(), pages);
    } else {
      amap.lock();
      try {
        if (amap.references() > 1) {
          entry.amap = amap.copy(entry.slot, pages);
          amap.dereference(entry.slot, pages, dead);
        }
      } finally {
        amap.unlock();
      }
    }
    entry.needsCopy = false;
  }

  /** Drops the memory of entries that are in no map any more. Called without locks. */
  void release(List<MapEntry> removed) {
    DeadAnons dead = new DeadAnons();
    for (MapEntry entry : removed) {
      Amap amap = entry.amap;
      if (amap != null) {
        amap.lock();
        try {
          amap.dereference(entry.slot, pageSize().vpn(entry.end - entry.start), dead);
        } finally {
          amap.unlock();
        }
        machine.anons().free(dead, 0);
      }
    }
  }

  /** Recomputes what can be; throws {@link VmPanic} where it is wrong. Any lock held. */
  public void check() {
    entries.check();
    long bytes = 0;
    for (MapEntry entry = entries.first(); entry != null; entry = entry.next) {
      bytes += entry.end - entry.start;
      if (!pageSize().isAligned(entry.start) || !pageSize().isAligned(entry.end)) {
        throw new VmPanic("map entry is not page aligned: " + Long.toHexString(entry.start));
      }
      Amap amap = entry.amap;
      if (amap == null
          ? !entry.needsCopy
          : entry.slot + pageSize().vpn(entry.end - entry.start) > amap.slots()) {
        throw new VmPanic(
            "map entry without the slots that it needs: " + Long.toHexString(entry.start));
      }
      if (!entry.maximum.includes(entry.protection)) {
        throw new VmPanic("map entry allows too much: " + Long.toHexString(entry.start));
      }
    }
    if (bytes != size) {
      throw new VmPanic("map size is " + size + " instead of " + bytes);
    }
  }
}
