package org.juvm.pmap;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.juvm.base.PageSize;
import org.juvm.base.VmPanic;
import org.juvm.ram.BlockPool;
import org.juvm.ram.Ram;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;
import org.juvm.trace.Counters;

/**
 * All pmaps of one system, with what they share: the pool of page tables and the reverse map.
 * Thread-safe.
 */
public final class Pmaps {
  static final int TABLE_BYTES = 4096;
  private static final int MINIMUM_TABLES = 1 << 16;

  private final Ram ram;
  private final Counters counters;
  private final BlockPool tables;
  private final ReverseMap reverse;

  private final RankedLock lock = new RankedLock(LockRank.PMAP_REGISTRY);

  /** By number; element 0 is unused. Guarded by lock. */
  private @Nullable Pmap[] byNumber = new @Nullable Pmap[64];

  /** Numbers of pmaps that are gone. Guarded by lock. */
  private int[] freeNumbers = new int[64];

  /** Guarded by lock. */
  private int freeNumberCount;

  /** The smallest number that was never used. Guarded by lock. */
  private int nextNumber = 1;

  /**
   * No pmaps yet.
   *
   * @param ram the frames that they map
   * @param counters for events outside any processor
   */
  public Pmaps(Ram ram, Counters counters) {
    this.ram = ram;
    this.counters = counters;
    tables = new BlockPool(TABLE_BYTES, Math.max(MINIMUM_TABLES, ram.frames() / 2), ram.isLarge());
    reverse = new ReverseMap(ram.frames(), ram.isLarge());
  }

  /**
   * Makes an empty pmap.
   *
   * @return the pmap; {@link Pmap#destroy} gives it back
   */
  public Pmap create() {
    lock.lock();
    try {
      int number = freeNumberCount > 0 ? freeNumbers[--freeNumberCount] : nextNumber++;
      if (number >= ReverseMap.PMAP_LIMIT) {
        throw new VmPanic("too many address spaces: " + number);
      }
      if (number >= byNumber.length) {
        byNumber = Arrays.copyOf(byNumber, number * 2);
      }
      Pmap pmap = new Pmap(this, number);
      byNumber[number] = pmap;
      return pmap;
    } finally {
      lock.unlock();
    }
  }

  void destroyed(int number) {
    lock.lock();
    try {
      byNumber[number] = null;
      if (freeNumberCount == freeNumbers.length) {
        freeNumbers = Arrays.copyOf(freeNumbers, freeNumberCount * 2);
      }
      freeNumbers[freeNumberCount++] = number;
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Pmap get(int number) {
    lock.lock();
    try {
      return byNumber[number];
    } finally {
      lock.unlock();
    }
  }

  /**
   * Removes every mapping of a frame, in all pmaps. The caller holds the lock of the frame's owner,
   * so that no new mapping is made meanwhile; afterwards no processor uses the frame.
   *
   * <p>Source: {@code pmap_page_protect(pg, VM_PROT_NONE)}.
   *
   * @param frame frame number
   */
  public void removeFrame(int frame) {
    for (long found = reverse.any(frame); found != 0; found = reverse.any(frame)) {
      Pmap pmap = get(ReverseMap.pmap(found));
      // Between the two look-ups the mapping may have gone, and even its pmap: then look again.
      if (pmap != null) {
        pmap.removeIfMapped(ReverseMap.vpn(found), frame);
      }
    }
  }

  /**
   * The number of page table entries that map a frame. For audits.
   *
   * @param frame frame number
   * @return mappings
   */
  public int mappings(int frame) {
    return reverse.count(frame);
  }

  /**
   * The number of page tables in use, all levels.
   *
   * @return tables of 4096 bytes
   */
  public int tablesInUse() {
    return tables.inUse();
  }

  BlockPool tables() {
    return tables;
  }

  ReverseMap reverse() {
    return reverse;
  }

  Ram ram() {
    return ram;
  }

  PageSize pageSize() {
    return ram.pageSize();
  }

  Counters counters() {
    return counters;
  }
}
