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
 * first: {@link #announce} publishes its address, then the tag is looked at; {@link #withdraw} ends
 * it. Whoever revokes a translation removes the tag first and then waits until no announced store
 * can still be using it. The argument why this is enough, on the Java memory model, on the machine
 * and in the code that the compiler makes of it, is in {@code docs/access-protocol.md}.
 */
public final class Tlb {
  /** In place of an address, announces any number of pages: all shootdowns wait for it. */
  public static final long EVERYWHERE = -2;

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

  /** The page of the last access that did not find its translation here. Owner only. */
  private static final int MISSED_PAGE = 3;

  private static final int ENTRIES = 512;

  private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle ANNOUNCED;
  private static final VarHandle ENTERED;

  static {
    try {
      ANNOUNCED = MethodHandles.lookup().findVarHandle(Tlb.class, "announced", long.class);
      ENTERED = MethodHandles.lookup().findVarHandle(Tlb.class, "entered", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final int shift;

  /** What is left of shift when an index counts longs instead of entries. */
  private final int indexShift;

  private final Counters counters;

  /** The entries. The owner writes all; others, holding the pmap's lock, write INVALID to tags. */
  private final long[] words = new long[ENTRIES * ENTRY_LONGS];

  /** The pmap whose translations are cached. Guarded by the pmaps' locks; read by the owner. */
  private @Nullable Pmap pmap;

  /**
   * The thread that uses this cache. Written with the pmap's lock held. A thread compares it with
   * itself without the lock: it finds itself only if it has attached the cache and still uses it.
   */
  private @Nullable Thread owner;

  // The announcement is written at every store, so nothing that others use should share its line.
  @SuppressWarnings("unused")
  private long before0, before1, before2, before3, before4, before5, before6, before7;

  /** Address that the owner is storing to, EVERYWHERE, or NOWHERE. Written by the owner. */
  @SuppressWarnings("UnusedVariable") // read and written through ANNOUNCED
  private long announced = NOWHERE;

  /**
   * Pages that the owner has entered into the pmap's tables since it attached this cache. Written
   * by the owner; read by anybody who holds the pmap's lock.
   */
  private long entered;

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
    indexShift = shift - ENTRY_SHIFT;
    this.counters = counters;
    Arrays.fill(words, INVALID);
  }

  // ---- lookup, by the owner ----
  //
  // A lookup is spread over a few one-line methods. An accessor keeps the array and the shift in
  // fields of its own, because each field of a field is a load that the next one waits for.

  /**
   * The entries, for one access.
   *
   * @return the array to pass to the other lookup methods
   */
  public long[] words() {
    return words;
  }

  /**
   * What an address is shifted by in {@link #index}.
   *
   * @return bits
   */
  public int indexShift() {
    return indexShift;
  }

  /**
   * Which entry may hold the translation of an address.
   *
   * @param address virtual address
   * @param indexShift as {@link #indexShift} says
   * @return index of the entry in the array
   */
  public static int index(long address, int indexShift) {
    return (int) (address >>> indexShift) & ((ENTRIES - 1) << ENTRY_SHIFT);
  }

  /**
   * The tag of the page that contains an address. An access that leaves its page is a miss if the
   * address of its last byte is given here.
   *
   * @param address virtual address
   * @return virtual page number
   */
  public long page(long address) {
    return address >>> shift;
  }

  /**
   * Whether an entry translates loads from a page. The value that is loaded then counts only if
   * {@link #stillLoads} says so.
   *
   * @param words the entries
   * @param index index of the entry
   * @param page tag of the page
   * @return true if so
   */
  public static boolean loads(long[] words, int index, long page) {
    return words[index + READ_TAG] == page;
  }

  /**
   * Whether an entry has translated loads from a page until now, that is, until after all loads
   * that come before this call.
   *
   * @param words the entries
   * @param index index of the entry
   * @param page tag of the page
   * @return true if what was loaded is good; false if it must be thrown away
   */
  public static boolean stillLoads(long[] words, int index, long page) {
    VarHandle.acquireFence();
    return words[index + READ_TAG] == page;
  }

  /**
   * Whether an entry translates stores to a page. Only after {@link #announce}.
   *
   * @param words the entries
   * @param index index of the entry
   * @param page tag of the page
   * @return true if so, until {@link #withdraw}
   */
  public static boolean stores(long[] words, int index, long page) {
    return (long) WORD.getAcquire(words, index + WRITE_TAG) == page;
  }

  /**
   * Translates an address with an entry that is known to be right.
   *
   * @param words the entries
   * @param index index of the entry
   * @param address virtual address
   * @return native address
   */
  public static long translate(long[] words, int index, long address) {
    return words[index + ADDEND] + address;
  }

  /**
   * Announces that the owner is going to store to a page, or to walk the page table for it: until
   * {@link #withdraw} no shootdown of that page returns, and no table that the walk may be in is
   * used for anything else. Translations are looked up after this, not before.
   *
   * @param address an address in the page, or {@link #EVERYWHERE}
   */
  public void announce(long address) {
    ANNOUNCED.setOpaque(this, address);
    if (!Host.ASYMMETRIC_FENCE) {
      VarHandle.fullFence();
    }
  }

  /** Withdraws an announcement: all stores under it are done. */
  public void withdraw() {
    ANNOUNCED.setRelease(this, NOWHERE);
  }

  /**
   * Notes that an access missed. A page that is accessed once is not worth a place here: its
   * translation is used directly from the page table.
   *
   * @param address the address that missed
   * @return true if the last miss of the entry was of the same page: then it is worth filling
   */
  public boolean missedAgain(long address) {
    int miss = index(address, indexShift) + MISSED_PAGE;
    long page = address >>> shift;
    if (words[miss] == page) {
      return true;
    }
    words[miss] = page;
    return false;
  }

  // ---- filling, by the owner ----

  /**
   * Enters a translation. The old tags go first, so that no tag ever stands over a wrong addend.
   */
  void fill(long address, long nativeAddress, boolean load, boolean store) {
    int i = index(address, indexShift);
    long vpn = address >>> shift;
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

  /** Counts a page that was not mapped before. */
  void countEntered() {
    ENTERED.setOpaque(this, entered + 1);
  }

  /** The pages counted so far. Holding the pmap's lock. */
  long entered() {
    return (long) ENTERED.getOpaque(this);
  }

  // ---- invalidation, by anybody who holds the pmap's lock ----

  /** Removes tags of a range of pages: those for stores only, or both. */
  void invalidate(long startVpn, long endVpn, boolean storesOnly) {
    int number = words.length >> ENTRY_SHIFT;
    if (startVpn == 0 && endVpn == Long.MAX_VALUE) {
      invalidateAll(words, storesOnly);
    } else if (Long.compareUnsigned(endVpn - startVpn, number) < 0) {
      for (long vpn = startVpn; vpn != endVpn; vpn++) {
        int i = ((int) vpn << ENTRY_SHIFT) & (words.length - 1);
        invalidateEntry(words, i, vpn, vpn + 1, storesOnly);
      }
    } else {
      for (int i = 0; i < words.length; i += ENTRY_LONGS) {
        invalidateEntry(words, i, startVpn, endVpn, storesOnly);
      }
    }
  }

  private static void invalidateAll(long[] words, boolean storesOnly) {
    for (int i = 0; i < words.length; i += ENTRY_LONGS) {
      WORD.setOpaque(words, i + WRITE_TAG, INVALID);
      if (!storesOnly) {
        WORD.setOpaque(words, i + READ_TAG, INVALID);
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
  }

  void detached() {
    invalidate(0, Long.MAX_VALUE, false);
    ENTERED.setOpaque(this, 0);
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
