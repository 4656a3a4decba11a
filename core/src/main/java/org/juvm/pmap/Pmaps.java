package org.juvm.pmap;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.juvm.base.PageSize;
import org.juvm.base.VmPanic;
import org.juvm.page.FrameTable;
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
  private final FrameTable frames;
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
   * @param frames their descriptors, which get to know what page tables knew
   * @param counters for events outside any processor
   */
  public Pmaps(Ram ram, FrameTable frames, Counters counters) {
    this.ram = ram;
    this.frames = frames;
    this.counters = counters;
    tables = new BlockPool(TABLE_BYTES, Math.max(MINIMUM_TABLES, ram.frames() / 2), ram.isLarge());
    reverse = new ReverseMap(ram.numbers(), ram.frames(), ram.isLarge());
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
   * Removes every mapping of several frames, as {@link #removeFrame} does, with one shootdown for
   * each pmap instead of one for each mapping. The frames are busy, so that no new mapping is made
   * meanwhile; no lock is needed.
   *
   * @param victims frame numbers
   * @param count how many of them
   * @param scratch of the calling thread
   */
  public void removeFrames(int[] victims, int count, Scratch scratch) {
    scratch.clear();
    for (int i = 0; i < count; i++) {
      reverse.collect(victims[i], scratch);
    }
    forEachPmap(scratch, FrameMappings::removeAllMapped);
  }

  /**
   * Takes the right to write from every mapping of several frames, with one shootdown for each
   * pmap. The caller holds the lock of the frames' owner, so that no new mapping is made meanwhile;
   * afterwards no processor stores to any of them.
   *
   * <p>Source: {@code pmap_page_protect(pg, VM_PROT_READ)}.
   *
   * @param list frame numbers; negative ones are left out
   * @param start the first of the list
   * @param end the one after the last
   * @param scratch of the calling thread
   */
  public void protectFrames(int[] list, int start, int end, Scratch scratch) {
    scratch.clear();
    for (int i = start; i < end; i++) {
      if (list[i] >= 0) {
        reverse.collect(list[i], scratch);
      }
    }
    forEachPmap(scratch, FrameMappings::protectAllMapped);
  }

  /** Does something to the mappings of one pmap. */
  @FunctionalInterface
  private interface PmapStep {
    void with(FrameMappings pmap, Scratch mappings, int start, int end);
  }

  private void forEachPmap(Scratch scratch, PmapStep step) {
    scratch.sort();
    for (int i = 0; i < scratch.size(); ) {
      int end = i + 1;
      int number = ReverseMap.pmap(scratch.mapping(i));
      while (end < scratch.size() && ReverseMap.pmap(scratch.mapping(end)) == number) {
        end++;
      }
      Pmap pmap = get(number);
      // One that is gone has no mappings any more.
      if (pmap != null) {
        step.with(pmap.frameMappings(), scratch, i, end);
      }
      i = end;
    }
  }

  /**
   * Forgets that a page was used, so that it is seen whether it is used again. What processors have
   * in their caches goes, too, but nobody waits for accesses under way.
   *
   * <p>Source: {@code pmap_clear_reference}.
   *
   * @param frame any frame
   * @param scratch of the calling thread
   * @return whether it was used, as far as is known
   */
  public boolean clearReferenced(int frame, Scratch scratch) {
    boolean was = frames.clearReferenced(frame);
    scratch.clear();
    reverse.collect(frame, scratch);
    for (int i = 0; i < scratch.size(); i++) {
      Pmap pmap = get(ReverseMap.pmap(scratch.mapping(i)));
      if (pmap != null) {
        was |= pmap.frameMappings().clearReferenced(ReverseMap.vpn(scratch.mapping(i)), frame);
      }
    }
    return was;
  }

  /**
   * Whether a page was used since that was last forgotten.
   *
   * @param frame any frame
   * @param scratch of the calling thread
   * @return true if so, as far as is known
   */
  public boolean isReferenced(int frame, Scratch scratch) {
    if (frames.isReferenced(frame)) {
      return true;
    }
    scratch.clear();
    reverse.collect(frame, scratch);
    for (int i = 0; i < scratch.size(); i++) {
      Pmap pmap = get(ReverseMap.pmap(scratch.mapping(i)));
      if (pmap != null
          && pmap.frameMappings().isReferenced(ReverseMap.vpn(scratch.mapping(i)), frame)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Whether a page was modified through one of the mappings that there are.
   *
   * <p>Source: {@code pmap_is_modified}.
   *
   * @param frame any frame
   * @param scratch of the calling thread
   * @return true if so; a store that is just being made may be missed
   */
  public boolean isModified(int frame, Scratch scratch) {
    scratch.clear();
    reverse.collect(frame, scratch);
    for (int i = 0; i < scratch.size(); i++) {
      Pmap pmap = get(ReverseMap.pmap(scratch.mapping(i)));
      if (pmap != null
          && pmap.frameMappings().isModified(ReverseMap.vpn(scratch.mapping(i)), frame)) {
        return true;
      }
    }
    return false;
  }

  /** Mappings that one thread works on. Reusable, so that nothing is allocated in the long run. */
  public static final class Scratch {
    private long[] mappings = new long[64];
    private int[] frames = new int[64];

    private int size;

    /** Nothing. */
    public Scratch() {}

    void clear() {
      size = 0;
    }

    void add(long mapping, int frame) {
      if (size == mappings.length) {
        mappings = Arrays.copyOf(mappings, size * 2);
        frames = Arrays.copyOf(frames, size * 2);
      }
      mappings[size] = mapping;
      frames[size++] = frame;
    }

    int size() {
      return size;
    }

    long mapping(int i) {
      return mappings[i];
    }

    int frame(int i) {
      return frames[i];
    }

    /** Sorts by pmap and page. What is sorted is short, and often sorted already. */
    void sort() {
      for (int i = 1; i < size; i++) {
        long mapping = mappings[i];
        int frame = frames[i];
        int at = i;
        for (; at > 0 && mappings[at - 1] > mapping; at--) {
          mappings[at] = mappings[at - 1];
          frames[at] = frames[at - 1];
        }
        mappings[at] = mapping;
        frames[at] = frame;
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

  FrameTable frames() {
    return frames;
  }

  PageSize pageSize() {
    return ram.pageSize();
  }

  Counters counters() {
    return counters;
  }
}
