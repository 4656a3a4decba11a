package org.juvm.map;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.juvm.anon.DeadAnons;
import org.juvm.base.Inheritance;
import org.juvm.base.Limit;
import org.juvm.base.MapFlag;
import org.juvm.base.PageSize;
import org.juvm.base.Protection;
import org.juvm.base.VmPanic;
import org.juvm.object.MemoryObject;
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

  /** The first kernel address: no address space of a program has it. */
  public static final long KERNEL_MINIMUM = MAXIMUM;

  /** The address after the last of the kernel. */
  public static final long KERNEL_MAXIMUM = KERNEL_MINIMUM + MemoryObject.MAXIMUM_BYTES;

  private final Machine machine;
  private final Pmap pmap;
  private final long minimum;
  private final long maximum;
  private final RankedReadWriteLock lock = new RankedReadWriteLock(LockRank.MAP);
  private final EntryTree entries;
  private final Clipper clipper;
  private final EntryMemory memory;
  private final MapSettings settings = new MapSettings();

  /** Guarded by lock. */
  private final Transitions transitions;

  /** Guarded by lock. */
  private final SpareEntries spares = new SpareEntries();

  /** Bytes mapped. Guarded by lock. */
  private long size;

  /** Bytes wired by the program. Guarded by lock. */
  private long locked;

  /** Set at exit; then there are no entries and never will be. Guarded by lock. */
  private boolean exited;

  /**
   * An empty address space.
   *
   * @param machine where it lives
   */
  public VmMap(Machine machine) {
    this(machine, machine.pmaps().create(), MINIMUM, MAXIMUM);
  }

  /**
   * The address space of the kernel.
   *
   * @param machine where it lives
   * @param reserved bytes from the first address on, page aligned, that nobody can access, free or
   *     use for anything else
   * @return a map of all kernel addresses
   */
  public static VmMap ofKernel(Machine machine, long reserved) {
    VmMap map = new VmMap(machine, machine.pmaps().create(), KERNEL_MINIMUM, KERNEL_MAXIMUM);
    MapEntry boot = new MapEntry();
    boot.start = KERNEL_MINIMUM;
    boot.end = KERNEL_MINIMUM + reserved;
    boot.inheritance = Inheritance.NONE;
    boot.set(MapFlag.IMMUTABLE, true);
    map.lockWrite();
    map.insert(boot);
    map.unlockWrite();
    return map;
  }

  /**
   * An empty map for a part of the addresses of a page table.
   *
   * @param machine where it lives
   * @param pmap the page table
   * @param minimum the lowest address, page aligned
   * @param maximum the address after the highest, page aligned
   */
  VmMap(Machine machine, Pmap pmap, long minimum, long maximum) {
    this.machine = machine;
    this.pmap = pmap;
    this.minimum = minimum;
    this.maximum = maximum;
    entries = new EntryTree(minimum, maximum);
    transitions = new Transitions(entries);
    clipper = new Clipper(this, entries);
    memory = new EntryMemory(machine);
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

  /**
   * The lowest address of this map.
   *
   * @return address
   */
  public long minimum() {
    return minimum;
  }

  /**
   * The address after the highest of this map.
   *
   * @return address
   */
  public long maximum() {
    return maximum;
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

  /**
   * Takes the lock for writing if nobody holds it.
   *
   * @return false if somebody does
   */
  boolean tryLockWrite() {
    return lock.tryLockWrite();
  }

  /**
   * Takes the lock for writing when no operation works on any entry of a range without the lock.
   * Called without locks; waits for such operations. ({@code vm_map_transition_wait})
   *
   * @param start first address
   * @param end the address after the last
   */
  public void lockStable(long start, long end) {
    lockWrite();
    while (transitions.isAnyIn(start, end)) {
      long seen = transitions.ended().count();
      unlockWrite();
      transitions.ended().await(seen);
      lockWrite();
    }
  }

  /**
   * Marks all entries that start in a range as in transition, or ends that. The lock is held for
   * writing.
   *
   * @param start first address, where an entry starts
   * @param end the address after the last, where an entry ends
   * @param value whether the transition begins
   */
  public void setInTransition(long start, long end, boolean value) {
    assert lock.isWriteHeld();
    transitions.set(start, end, value);
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
   * The first entry that contains an address or lies above it.
   *
   * @param address any address
   * @return the entry, or null
   */
  public @Nullable MapEntry firstEndingAfter(long address) {
    return entries.firstEndingAfter(address);
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

  /**
   * The first entry of a range that is mapped without holes.
   *
   * @param start first address
   * @param end the address after the last
   * @return the entry, or null if there is a hole
   */
  public @Nullable MapEntry firstOfMapped(long start, long end) {
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
    count(entry, entry.end - entry.start);
  }

  void remove(MapEntry entry) {
    assert lock.isWriteHeld();
    entries.remove(entry);
    count(entry, entry.start - entry.end);
  }

  private void count(MapEntry entry, long bytes) {
    size += bytes;
    locked += entry.is(MapFlag.USER_WIRED) ? bytes : 0;
  }

  /** Moves the ends of an entry, into the holes around it. */
  void resize(MapEntry entry, long start, long end) {
    assert lock.isWriteHeld();
    count(entry, end - start - (entry.end - entry.start));
    entries.resize(entry, start, end);
  }

  /**
   * Says how often an entry is wired. The lock is held for writing.
   *
   * @param entry the entry
   * @param wirings how often
   * @param byUser whether one of them is by its program
   */
  public void setWirings(MapEntry entry, int wirings, boolean byUser) {
    assert lock.isWriteHeld() && wirings >= 0;
    long bytes = entry.end - entry.start;
    count(entry, -bytes);
    entry.wirings = wirings;
    entry.set(MapFlag.USER_WIRED, byUser);
    count(entry, bytes);
  }

  /**
   * Gives an entry more rights. The lock is held for writing.
   *
   * @param entry the entry
   * @param protection all rights of before, and others
   */
  public void setProtection(MapEntry entry, Protection protection) {
    assert lock.isWriteHeld() && protection.includes(entry.protection);
    entry.protection = protection;
  }

  /** Makes entries ahead, before anything is changed. */
  void reserveEntries() {
    assert lock.isWriteHeld();
    spares.fill();
  }

  MapEntry newEntry() {
    assert lock.isWriteHeld();
    return spares.take();
  }

  void setExited() {
    assert lock.isWriteHeld();
    exited = true;
  }

  /**
   * Splits the entries at both ends of a range, so that it consists of whole entries. The lock is
   * held for writing.
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   */
  public void clip(long start, long end) {
    assert lock.isWriteHeld();
    reserveEntries();
    clipper.clip(start, end);
  }

  /**
   * Joins the entries around each boundary in a range wherever nothing sets them apart. The lock is
   * held for writing.
   *
   * @param start first boundary
   * @param end last boundary
   */
  public void simplify(long start, long end) {
    assert lock.isWriteHeld();
    clipper.simplify(start, end);
  }

  Clipper clipper() {
    return clipper;
  }

  /**
   * Limits and the like. The lock is held, for writing if they are changed.
   *
   * @return the settings of this address space
   */
  public MapSettings settings() {
    return settings;
  }

  /** Whether so many bytes may be mapped on top of what there is. */
  boolean mayGrowBy(long bytes) {
    return bytes <= 0 || bytes <= settings.limit(Limit.ADDRESS_SPACE) - size;
  }

  /**
   * Whether so many bytes more may be wired by the program. The lock is held.
   *
   * @param bytes how many
   * @return true if so, and always if it is nothing
   */
  public boolean mayWireMore(long bytes) {
    return bytes <= 0 || bytes <= settings.limit(Limit.LOCKED) - locked;
  }

  /**
   * How much is wired by the program. The lock is held.
   *
   * @return bytes
   */
  public long locked() {
    return locked;
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
        memory.resolveNeedsCopy(entry, dead);
      }
    } finally {
      unlockWrite();
    }
    machine.anons().free(dead, processor);
    return true;
  }

  /**
   * What stands behind the entries of this map.
   *
   * @return the memory of entries
   */
  public EntryMemory memory() {
    return memory;
  }

  /** Drops the memory of entries that are in no map any more. Called without locks. */
  void release(List<MapEntry> removed) {
    for (MapEntry entry : removed) {
      memory.release(entry);
    }
  }

  /** Recomputes what can be; throws {@link VmPanic} where it is wrong. Any lock held. */
  public void check() {
    if (transitions.count() != 0) {
      throw new VmPanic("map entries are in transition: " + transitions.count());
    }
    MapCheck.check(this);
  }
}
