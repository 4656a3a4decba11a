package org.juvm.pmap;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.juvm.base.PageSize;
import org.juvm.ram.Host;
import org.juvm.trace.Counter;
import org.juvm.trace.Counters;

/**
 * A processor's cache of translations, direct mapped, with separate tags for loads and for stores.
 *
 * <p>Used by one thread, the owner, which looks translations up and fills them in. Other threads
 * only invalidate tags, through {@link Shootdown}, holding the lock of the pmap.
 *
 * <p>A load is looked up, done, and then validated: if the tag is still there after the load, the
 * translation was good when the load was done. A store cannot be taken back, so it is announced
 * first: {@link #beginStore} publishes its address, then looks at the tag; {@link #endStore}
 * withdraws the announcement. Whoever revokes a translation removes the tag first and then waits
 * until no announced store can still be using it. The argument why this is enough, on the Java
 * memory model, on the machine and in the code that the compiler makes of it, is in {@code
 * docs/access-protocol.md}.
 */
public final class Tlb {
  /** Result of a lookup that found nothing. No address of a frame is zero. */
  public static final long MISS = 0;

  /** Announces stores to many pages at once: a shootdown of any page waits for it. */
  private static final long EVERYWHERE = -2;

  private static final long NOWHERE = -1;

  /** A tag that matches no page. */
  static final long INVALID = -1;

  // Entry layout: four longs. The tags are virtual page numbers.
  private static final int ENTRY_SHIFT = 2;
  private static final int ENTRY_LONGS = 1 << ENTRY_SHIFT;
  private static final int READ_TAG = 0;
  private static final int WRITE_TAG = 1;

  /** Native address of the frame less the virtual address of the page. */
  private static final int ADDEND = 2;

  private static final int INITIAL_ENTRIES = 64;
  private static final int MAXIMUM_ENTRIES = 1024;

  private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle ANNOUNCED;

  static {
    try {
      ANNOUNCED = MethodHandles.lookup().findVarHandle(Tlb.class, "announced", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final int shift;
  private final Counters counters;

  /**
   * The entries. Elements: the owner writes all; others, holding the pmap's lock, write INVALID to
   * tags. Reference: written by the owner holding the pmap's lock.
   */
  private long[] entries = invalidEntries(INITIAL_ENTRIES);

  /** Valid translations that were replaced by others since the last growth. Owner only. */
  private int evictions;

  /** The pmap whose translations are cached. Guarded by the pmaps' locks; read by the owner. */
  private @Nullable Pmap pmap;

  /** The thread that uses this cache. Set when it is attached; guarded by the pmap's lock. */
  private @Nullable Thread owner;

  // The announcement is written at every store, so nothing else should share its cache line.
  @SuppressWarnings("unused")
  private long before0, before1, before2, before3, before4, before5, before6, before7;

  /** Address that the owner is storing to, EVERYWHERE, or NOWHERE. Written by the owner. */
  @SuppressWarnings("UnusedVariable") // read and written through ANNOUNCED
  private long announced = NOWHERE;

  @SuppressWarnings("unused")
  private long after0, after1, after2, after3, after4, after5, after6, after7;

  /**
   * An empty cache that is attached to nothing.
   *
   * @param pageSize the page size
   * @param counters the processor's counters
   */
  public Tlb(PageSize pageSize, Counters counters) {
    this.shift = pageSize.shift();
    this.counters = counters;
  }

  private static long[] invalidEntries(int number) {
    long[] entries = new long[number * ENTRY_LONGS];
    Arrays.fill(entries, INVALID);
    return entries;
  }

  private int index(long[] words, long address) {
    return ((int) (address >>> shift) << ENTRY_SHIFT) & (words.length - 1);
  }

  // ---- loads ----

  /**
   * Looks up a load. The bytes may be loaded at once, but count only if {@link #isLoadValid} says
   * so afterwards.
   *
   * @param address virtual address of the first byte
   * @param last number of bytes to the last one; an access that leaves the page is a miss
   * @return native address of the first byte, or {@link #MISS}
   */
  public long loadAddress(long address, int last) {
    long[] words = entries;
    int i = index(words, address);
    return words[i + READ_TAG] == (address + last) >>> shift ? words[i + ADDEND] + address : MISS;
  }

  /**
   * Whether the translation that {@link #loadAddress} gave held until after the load.
   *
   * @param address the same address
   * @return true if the loaded value is good; false if it must be thrown away
   */
  public boolean isLoadValid(long address) {
    VarHandle.acquireFence();
    long[] words = entries;
    int i = index(words, address);
    return words[i + READ_TAG] == address >>> shift;
  }

  // ---- stores ----

  /**
   * Announces a store and looks it up. If the result is not {@link #MISS}, the caller stores and
   * then calls {@link #endStore}, on every path.
   *
   * @param address virtual address of the first byte
   * @param last number of bytes to the last one; an access that leaves the page is a miss
   * @return native address of the first byte, or {@link #MISS}
   */
  public long beginStore(long address, int last) {
    ANNOUNCED.setOpaque(this, address);
    if (!Host.ASYMMETRIC_FENCE) {
      VarHandle.fullFence();
    }
    long[] words = entries;
    int i = index(words, address);
    if ((long) WORD.getOpaque(words, i + WRITE_TAG) == (address + last) >>> shift) {
      return words[i + ADDEND] + address;
    }
    ANNOUNCED.setRelease(this, NOWHERE);
    return MISS;
  }

  /** Withdraws the announcement of a store that is done. */
  public void endStore() {
    ANNOUNCED.setRelease(this, NOWHERE);
  }

  /**
   * Announces stores to any number of pages. Until {@link #endStore}, {@link #storeAddress} looks
   * them up. To be short: shootdowns wait for it.
   */
  public void beginStores() {
    ANNOUNCED.setOpaque(this, EVERYWHERE);
    if (!Host.ASYMMETRIC_FENCE) {
      VarHandle.fullFence();
    }
  }

  /**
   * Looks up a store between {@link #beginStores} and {@link #endStore}.
   *
   * @param address virtual address of the first byte
   * @return native address of that byte, good to the end of its page, or {@link #MISS}
   */
  public long storeAddress(long address) {
    long[] words = entries;
    int i = index(words, address);
    return (long) WORD.getOpaque(words, i + WRITE_TAG) == address >>> shift
        ? words[i + ADDEND] + address
        : MISS;
  }

  // ---- filling, by the owner ----

  /** Withdraws a walk's announcement; see {@link #announce}. */
  void withdraw() {
    ANNOUNCED.setRelease(this, NOWHERE);
  }

  /**
   * Announces that the owner walks the page tables for this address: tables that are taken out of
   * the tree meanwhile are not reused before the walk is done.
   */
  void announce(long address) {
    ANNOUNCED.setOpaque(this, address);
    if (!Host.ASYMMETRIC_FENCE) {
      VarHandle.fullFence();
    }
  }

  /**
   * Enters a translation. The old tags go first, so that no tag ever stands over a wrong addend.
   */
  void fill(long address, long nativeAddress, boolean load, boolean store) {
    long[] words = entries;
    int i = index(words, address);
    long vpn = address >>> shift;
    long oldTag = words[i + READ_TAG];
    if (oldTag != vpn && oldTag != INVALID) {
      evictions++;
    }
    WORD.setOpaque(words, i + READ_TAG, INVALID);
    WORD.setOpaque(words, i + WRITE_TAG, INVALID);
    words[i + ADDEND] = nativeAddress - address;
    if (load) {
      WORD.setRelease(words, i + READ_TAG, vpn);
    }
    if (store) {
      WORD.setRelease(words, i + WRITE_TAG, vpn);
    }
    counters.increment(Counter.TLB_FILLS);
  }

  /** Whether so many translations have been replaced that a larger cache would pay. Owner only. */
  boolean wantsGrowth() {
    int number = entries.length >> ENTRY_SHIFT;
    return evictions >= number && number < MAXIMUM_ENTRIES;
  }

  /** Doubles the cache, empty. Caller: the owner, holding the pmap's lock. */
  void grow() {
    entries = invalidEntries((entries.length >> ENTRY_SHIFT) * 2);
    evictions = 0;
  }

  // ---- invalidation, by anybody who holds the pmap's lock ----

  /** Removes tags of a range of pages: those for stores only, or both. */
  void invalidate(long startVpn, long endVpn, boolean storesOnly) {
    long[] words = entries;
    int number = words.length >> ENTRY_SHIFT;
    if (Long.compareUnsigned(endVpn - startVpn, number) < 0) {
      for (long vpn = startVpn; vpn != endVpn; vpn++) {
        invalidateEntry(
            words, ((int) vpn << ENTRY_SHIFT) & (words.length - 1), vpn, vpn + 1, storesOnly);
      }
    } else {
      for (int i = 0; i < words.length; i += ENTRY_LONGS) {
        invalidateEntry(words, i, startVpn, endVpn, storesOnly);
      }
    }
  }

  private static void invalidateEntry(
      long[] words, int i, long startVpn, long endVpn, boolean storesOnly) {
    if (isWithin((long) WORD.getOpaque(words, i + WRITE_TAG), startVpn, endVpn)) {
      WORD.setOpaque(words, i + WRITE_TAG, INVALID);
    }
    if (!storesOnly && isWithin((long) WORD.getOpaque(words, i + READ_TAG), startVpn, endVpn)) {
      WORD.setOpaque(words, i + READ_TAG, INVALID);
    }
  }

  private static boolean isWithin(long vpn, long startVpn, long endVpn) {
    return vpn != INVALID && vpn >= startVpn && vpn < endVpn;
  }

  /** Whether the owner has announced a store or a walk in a range of pages. */
  boolean isAnnounced(long startVpn, long endVpn) {
    long address = (long) ANNOUNCED.getVolatile(this);
    if (address == NOWHERE) {
      return false;
    }
    return address == EVERYWHERE || isWithin(address >>> shift, startVpn, endVpn);
  }

  // ---- attachment, holding the pmap's lock ----

  void attached(Pmap to, Thread by) {
    pmap = to;
    owner = by;
    evictions = 0;
  }

  void detached() {
    invalidate(0, Long.MAX_VALUE, false);
    pmap = null;
    owner = null;
  }

  /**
   * The pmap that this cache is attached to.
   *
   * @return the pmap, or null
   */
  public @Nullable Pmap pmap() {
    return pmap;
  }

  /**
   * The thread that uses this cache.
   *
   * @return the thread that attached it, or null
   */
  public @Nullable Thread owner() {
    return owner;
  }
}
