package org.juvm.pmap;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.juvm.ram.BlockPool;
import org.juvm.ram.Native;

/**
 * The radix tree of page tables of one pmap: 512 entries to a table, as many levels as the largest
 * page number needs.
 *
 * <p>Tables and entries come without a lock, while the map is locked in any way: see {@link #make}
 * and {@link Pmap#enter}. What takes something away needs the pmap's lock, and where it concerns
 * more than single pages ({@link #strip}, {@link #writeProtect}, {@link #freeDetached}) also the
 * map's lock for writing, so that nobody is entering anything.
 *
 * <p>Read without a lock by processors, from the root down; they see each entry before or after a
 * change, and a table that was taken out of the tree keeps its contents until {@link
 * #freeDetached}, which the pmap calls only after a {@link Shootdown}.
 *
 * <p>The write-protect bit of a directory entry takes the right to write from the whole subtree
 * below it in one store. Before an entry below may become writable, the bit is pushed down: to the
 * entries of the next table first, then off this one, so that at no time a reader finds a path
 * without it to a page that it protects.
 */
final class PageTables {
  private static final int LEVEL_BITS = 9;
  private static final int ENTRIES = 1 << LEVEL_BITS;
  private static final int INDEX_MASK = ENTRIES - 1;
  private static final long ADDRESS_MASK = -(long) Pmaps.TABLE_BYTES;

  /** Receives page table entries. */
  interface Visitor {
    /**
     * Called for each entry that is not empty.
     *
     * @param vpn its virtual page number
     * @param entryAddress where the entry is
     * @param pte its contents
     */
    void visit(long vpn, long entryAddress, long pte);
  }

  private final BlockPool pool;

  /** Flag of root: the whole tree is write-protected. */
  private static final long ROOT_PROTECT = 8;

  /** From {@link #make}: {@link #unprotect} must come first. */
  static final long PROTECTED = -1;

  private static final VarHandle ROOT;

  static {
    try {
      ROOT = MethodHandles.lookup().findVarHandle(PageTables.class, "root", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /**
   * Address of the topmost table, or'd with the number of levels and ROOT_PROTECT; 0 when there is
   * none.
   */
  private volatile long root;

  /** Subtrees taken out of the tree: pairs of (address | level, first vpn). Guarded by the lock. */
  private long[] detached = new long[4];

  /** Guarded by the pmap's lock. */
  private int detachedLongs;

  PageTables(BlockPool pool) {
    this.pool = pool;
  }

  private static long entryAddress(long table, int level, long vpn) {
    return table + (((vpn >>> (level * LEVEL_BITS)) & INDEX_MASK) << 3);
  }

  /** Number of pages below one entry of a table on this level; level 0 is the lowest. */
  private static long pagesPerEntry(int level) {
    return 1L << (level * LEVEL_BITS);
  }

  private static boolean covers(long root, long vpn) {
    int levels = (int) (root & 7);
    return levels != 0 && vpn >>> (levels * LEVEL_BITS) == 0;
  }

  /**
   * Finds the page table entry of a page, without a lock.
   *
   * @return its address, or'd with {@link Pte#WRITE_PROTECT} if a directory entry above it says so;
   *     0 if there is no table for it
   */
  long find(long vpn) {
    long top = root;
    if (!covers(top, vpn)) {
      return 0;
    }
    long table = top & ADDRESS_MASK;
    long protect = (top & ROOT_PROTECT) != 0 ? Pte.WRITE_PROTECT : 0;
    for (int level = (int) (top & 7) - 1; level > 0; level--) {
      long entry = Native.getLongAcquire(entryAddress(table, level, vpn));
      if (entry == 0) {
        return 0;
      }
      protect |= entry & Pte.WRITE_PROTECT;
      table = entry & ADDRESS_MASK;
    }
    return entryAddress(table, 0, vpn) | protect;
  }

  /**
   * Finds or makes the page table entry of a page. Needs no lock: a table that is missing is put
   * into its place by compare-and-set, and one that comes second is given back unseen.
   *
   * @param writable true if there must not be a write-protect bit on the path
   * @return its address; PROTECTED if there is such a bit; or 0 if the pool of tables is empty
   */
  long make(long vpn, boolean writable) {
    long top = root;
    while (!covers(top, vpn)) {
      if (!grow(top)) {
        return 0;
      }
      top = root;
    }
    if (writable && (top & ROOT_PROTECT) != 0) {
      return PROTECTED;
    }
    long table = top & ADDRESS_MASK;
    for (int level = (int) (top & 7) - 1; level > 0; level--) {
      long at = entryAddress(table, level, vpn);
      long entry = Native.getLongAcquire(at);
      if (entry == 0) {
        entry = addTable(at);
        if (entry == 0) {
          return 0;
        }
      }
      if (writable && (entry & Pte.WRITE_PROTECT) != 0) {
        return PROTECTED;
      }
      table = entry & ADDRESS_MASK;
    }
    return entryAddress(table, 0, vpn);
  }

  private long newTable() {
    int block = pool.allocate(true);
    return block == 0 ? 0 : pool.address(block);
  }

  /**
   * Makes an empty directory entry point to a table. Returns the entry; 0 if there is no memory.
   */
  private long addTable(long at) {
    long table = newTable();
    if (table != 0) {
      if (Native.compareAndSetLong(at, 0, table)) {
        return table;
      }
      pool.free(pool.block(table));
    }
    return Native.getLongAcquire(at);
  }

  /**
   * Puts a table above the topmost one. Returns false if there is no memory and nobody else did.
   */
  private boolean grow(long old) {
    long table = newTable();
    if (table == 0) {
      return root != old;
    }
    int levels = (int) (old & 7);
    if (levels > 0) {
      long protect = (old & ROOT_PROTECT) != 0 ? Pte.WRITE_PROTECT : 0;
      Native.setLong(table, (old & ADDRESS_MASK) | protect);
    }
    if (!ROOT.compareAndSet(this, old, table | levels + 1)) {
      pool.free(pool.block(table));
    }
    return true;
  }

  /**
   * Pushes write-protection off the path to a page. Caller holds the pmap's lock; others may be
   * calling {@link #make} and filling in entries.
   */
  void unprotect(long vpn) {
    long top = root;
    while ((top & ROOT_PROTECT) != 0) {
      pushDown(top & ADDRESS_MASK, (int) (top & 7) - 1);
      // This fails if the tree has grown meanwhile; the bit is in a directory entry then.
      boolean _ = ROOT.compareAndSet(this, top, top & ~ROOT_PROTECT);
      top = root;
    }
    long table = top & ADDRESS_MASK;
    for (int level = (int) (top & 7) - 1; level > 0; level--) {
      long at = entryAddress(table, level, vpn);
      long entry = Native.getLongAcquire(at);
      if (entry == 0) {
        return;
      }
      table = entry & ADDRESS_MASK;
      if ((entry & Pte.WRITE_PROTECT) != 0) {
        pushDown(table, level - 1);
        Native.setLongRelease(at, table);
      }
    }
  }

  /**
   * Write-protects everything in one table that is protected as a whole, with the pmap's lock held.
   *
   * <p>Plain stores will do. A directory entry that is there is changed by nobody else. A page
   * table entry that allows writing, below a bit that forbids it, is changed by nobody but
   * processors, which set a referenced bit: that may be lost, and is approximate. What others put
   * into empty entries meanwhile does not allow writing.
   */
  private static void pushDown(long table, int level) {
    for (long at = table; at < table + Pmaps.TABLE_BYTES; at += Long.BYTES) {
      long entry = Native.getLong(at);
      if (level > 0) {
        if (entry != 0) {
          Native.setLong(at, entry | Pte.WRITE_PROTECT);
        }
      } else if ((entry & Pte.WRITE) != 0) {
        Native.setLong(at, entry & ~Pte.WRITE);
      }
    }
  }

  /** Takes the right to write from all pages. Returns true if any page may have had it. */
  boolean writeProtectAll() {
    long top = root;
    if (top == 0 || (top & ROOT_PROTECT) != 0) {
      return false;
    }
    root = top | ROOT_PROTECT;
    return true;
  }

  /** Takes the right to write from a range of pages. Returns true if any page may have had it. */
  boolean writeProtect(long startVpn, long endVpn) {
    long top = root;
    int levels = (int) (top & 7);
    return levels != 0 && writeProtect(top & ADDRESS_MASK, levels - 1, 0, startVpn, endVpn);
  }

  private static boolean writeProtect(
      long table, int level, long firstVpn, long startVpn, long endVpn) {
    boolean any = false;
    long pages = pagesPerEntry(level);
    long last = Math.min(ENTRIES - 1, (endVpn - 1 - firstVpn) / pages);
    for (long i = Math.max(0, (startVpn - firstVpn) / pages); i <= last; i++) {
      long at = table + (i << 3);
      long entry = Native.getLong(at);
      long vpn = firstVpn + i * pages;
      if (level == 0) {
        any |= (entry & Pte.WRITE) != 0;
        while ((entry & Pte.WRITE) != 0
            && !Native.compareAndSetLong(at, entry, entry & ~Pte.WRITE)) {
          entry = Native.getLong(at);
        }
      } else if (entry != 0 && (entry & Pte.WRITE_PROTECT) == 0) {
        if (startVpn <= vpn && vpn + pages <= endVpn) {
          Native.setLongRelease(at, entry | Pte.WRITE_PROTECT);
          any = true;
        } else {
          any |= writeProtect(entry & ADDRESS_MASK, level - 1, vpn, startVpn, endVpn);
        }
      }
    }
    return any;
  }

  /**
   * Takes all rights from a range of pages: whole tables inside the surrounding hole are taken out
   * of the tree, other entries lose their rights but stay until {@link #forEachIn} has seen them.
   *
   * @param holeStart first page of the hole that will be around the range
   * @param holeEnd the page after that hole
   * @return true if anything changed
   */
  boolean strip(long startVpn, long endVpn, long holeStart, long holeEnd) {
    long top = root;
    int levels = (int) (top & 7);
    if (levels == 0) {
      return false;
    }
    if (holeStart == 0 && Long.compareUnsigned(holeEnd, pagesPerEntry(levels)) >= 0) {
      root = 0;
      detach(top & ADDRESS_MASK, levels - 1, 0);
      return true;
    }
    return strip(top & ADDRESS_MASK, levels - 1, 0, startVpn, endVpn, holeStart, holeEnd);
  }

  private boolean strip(
      long table,
      int level,
      long firstVpn,
      long startVpn,
      long endVpn,
      long holeStart,
      long holeEnd) {
    boolean any = false;
    long pages = pagesPerEntry(level);
    long last = Math.min(ENTRIES - 1, (endVpn - 1 - firstVpn) / pages);
    for (long i = Math.max(0, (startVpn - firstVpn) / pages); i <= last; i++) {
      long at = table + (i << 3);
      long entry = Native.getLong(at);
      if (entry == 0) {
        continue;
      }
      long vpn = firstVpn + i * pages;
      if (level == 0) {
        while (Pte.isMapping(entry) && !Native.compareAndSetLong(at, entry, entry & ~Pte.RIGHTS)) {
          entry = Native.getLong(at);
        }
        any = true;
      } else if (holeStart <= vpn && Long.compareUnsigned(vpn + pages, holeEnd) <= 0) {
        Native.setLongRelease(at, 0);
        detach(entry & ADDRESS_MASK, level - 1, vpn);
        any = true;
      } else {
        any |= strip(entry & ADDRESS_MASK, level - 1, vpn, startVpn, endVpn, holeStart, holeEnd);
      }
    }
    return any;
  }

  private void detach(long table, int level, long firstVpn) {
    if (detachedLongs == detached.length) {
      detached = Arrays.copyOf(detached, detached.length * 2);
    }
    detached[detachedLongs++] = table | level;
    detached[detachedLongs++] = firstVpn;
  }

  boolean hasDetached() {
    return detachedLongs > 0;
  }

  /** Shows all entries of the subtrees that were taken out and gives their tables back. */
  void freeDetached(Visitor visitor) {
    for (int i = 0; i < detachedLongs; i += 2) {
      free(detached[i] & ADDRESS_MASK, (int) (detached[i] & 7), detached[i + 1], visitor);
    }
    detachedLongs = 0;
  }

  private void free(long table, int level, long firstVpn, Visitor visitor) {
    long pages = pagesPerEntry(level);
    for (int i = 0; i < ENTRIES; i++) {
      long at = table + ((long) i << 3);
      long entry = Native.getLong(at);
      if (entry == 0) {
        continue;
      }
      long vpn = firstVpn + i * pages;
      if (level == 0) {
        visitor.visit(vpn, at, entry);
      } else {
        free(entry & ADDRESS_MASK, level - 1, vpn, visitor);
      }
    }
    pool.free(pool.block(table));
  }

  /**
   * Shows all entries of a range of pages that are in the tree, in ascending order. Others may be
   * entering pages.
   */
  void forEachIn(long startVpn, long endVpn, Visitor visitor) {
    long top = root;
    int levels = (int) (top & 7);
    if (levels != 0) {
      forEachIn(top & ADDRESS_MASK, levels - 1, 0, startVpn, endVpn, visitor);
    }
  }

  private static void forEachIn(
      long table, int level, long firstVpn, long startVpn, long endVpn, Visitor visitor) {
    long pages = pagesPerEntry(level);
    long last = Math.min(ENTRIES - 1, (endVpn - 1 - firstVpn) / pages);
    for (long i = Math.max(0, (startVpn - firstVpn) / pages); i <= last; i++) {
      long at = table + (i << 3);
      long entry = Native.getLongAcquire(at);
      if (entry == 0) {
        continue;
      }
      long vpn = firstVpn + i * pages;
      if (level == 0) {
        visitor.visit(vpn, at, entry);
      } else {
        forEachIn(entry & ADDRESS_MASK, level - 1, vpn, startVpn, endVpn, visitor);
      }
    }
  }
}
