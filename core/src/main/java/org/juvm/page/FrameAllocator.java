package org.juvm.page;

import org.juvm.ram.IntTable;
import org.juvm.ram.Ram;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * Hands out frames and takes them back.
 *
 * <p>A processor's cache is a stack of at most twice {@link #batch} frames under a lock of its own;
 * it is refilled from, and emptied to, the global list by batches. When the global list has nothing
 * for a caller, the caches of all processors are emptied into it before the allocation fails, so
 * that no frame is out of reach.
 *
 * <p>Source: the roles of reserves and per-processor caches are those of the BSDs' {@code
 * uvm_pagealloc} and {@code uvm_pgflcache}.
 */
public final class FrameAllocator {
  /** How deep an allocation may go. */
  public enum Reserve {
    /** An ordinary allocation leaves the reserve alone. */
    NONE,
    /** The system's own allocation, which it needs to make progress, may take the last frame. */
    KERNEL
  }

  private static final int MAXIMUM_BATCH = 16;

  /** Bounds the time that others wait for the free list. */
  private static final int MAXIMUM_FREED_AT_ONCE = 256;

  private static final int CACHES =
      Math.min(8, Integer.highestOneBit(Math.max(1, Runtime.getRuntime().availableProcessors())));

  private final Ram ram;
  private final FrameTable table;

  /** Frames moved between a cache and the global list at once; 0: no caches. */
  private final int batch;

  /** Frames that only {@link Reserve#KERNEL} gets. */
  private final int reserve;

  private final Cache[] caches = new Cache[CACHES];

  private final RankedLock lock = new RankedLock(LockRank.FREE_LIST);

  /** Stack of free frames that were used before. Guarded by lock. */
  private final IntTable stack;

  /** Height of the stack. Guarded by lock. */
  private int stacked;

  /** Frames from this number on were never handed out. Guarded by lock. */
  private int firstVirgin;

  /** The least that the global list ever held. Guarded by lock. */
  private int leastFree;

  /** A processor's stack of free frames. */
  private static final class Cache {
    private final RankedLock lock = new RankedLock(LockRank.FRAME_CACHE);

    /** Guarded by lock. */
    private final int[] frames = new int[2 * MAXIMUM_BATCH];

    /** Guarded by lock. */
    private int size;
  }

  /**
   * An allocator with all frames free.
   *
   * @param ram the frames
   * @param table their descriptors
   */
  public FrameAllocator(Ram ram, FrameTable table) {
    this.ram = ram;
    this.table = table;
    int frames = ram.frames();
    batch = Math.min(MAXIMUM_BATCH, frames / (16 * CACHES));
    reserve = Math.min(16, frames / 64);
    stack = new IntTable(frames, ram.isLarge());
    leastFree = frames;
    for (int i = 0; i < CACHES; i++) {
      caches[i] = new Cache();
    }
  }

  /**
   * Allocates a frame.
   *
   * @param processor any number that differs between concurrent callers
   * @param zeroed true if the frame must hold zeros; else its bytes are undefined
   * @param depth whether the reserve may be used
   * @return frame number, owned by nobody yet, or {@link FrameTable#NONE} if none is left
   */
  public int allocate(int processor, boolean zeroed, Reserve depth) {
    int frame = batch == 0 ? fromGlobal(depth) : fromCache(processor, depth);
    if (frame == FrameTable.NONE) {
      emptyCaches();
      frame = fromGlobal(depth);
      if (frame == FrameTable.NONE) {
        return frame;
      }
    }
    if (!table.take(frame) && zeroed) {
      ram.zero(frame);
    }
    return frame;
  }

  private int fromCache(int processor, Reserve depth) {
    Cache cache = caches[processor & (CACHES - 1)];
    cache.lock.lock();
    try {
      if (cache.size == 0) {
        lock.lock();
        try {
          refill(cache, depth);
        } finally {
          lock.unlock();
        }
      }
      return cache.size == 0 ? FrameTable.NONE : cache.frames[--cache.size];
    } finally {
      cache.lock.unlock();
    }
  }

  /**
   * Moves a batch to an empty cache, in reverse order: the cache is a stack, and frames that follow
   * one another on the global list should come off it in that order, so that memory that is touched
   * in sequence is contiguous. Caller holds both locks.
   */
  private void refill(Cache cache, Reserve depth) {
    while (cache.size < batch) {
      int frame = popGlobal(depth);
      if (frame == FrameTable.NONE) {
        break;
      }
      cache.frames[cache.size++] = frame;
    }
    for (int low = 0, high = cache.size - 1; low < high; low++, high--) {
      int frame = cache.frames[low];
      cache.frames[low] = cache.frames[high];
      cache.frames[high] = frame;
    }
  }

  private int fromGlobal(Reserve depth) {
    lock.lock();
    try {
      return popGlobal(depth);
    } finally {
      lock.unlock();
    }
  }

  /** Caller holds the lock. A frame that was never used is marked free and zeroed on its way. */
  private int popGlobal(Reserve depth) {
    assert lock.isHeld();
    int free = stacked + ram.frames() - firstVirgin;
    if (free <= (depth == Reserve.NONE ? reserve : 0)) {
      return FrameTable.NONE;
    }
    leastFree = Math.min(leastFree, free - 1);
    if (stacked > 0) {
      return stack.get(--stacked);
    }
    table.markFreeZeroed(firstVirgin);
    return firstVirgin++;
  }

  /**
   * Takes a frame back. If it is wired it becomes free at the last unwiring.
   *
   * @param processor any number that differs between concurrent callers
   * @param frame a frame that no page table maps any more
   */
  public void free(int processor, int frame) {
    if (table.release(frame)) {
      push(processor, frame);
    }
  }

  /**
   * Takes many frames back. They are handed out again in the order of the array, so that memory
   * that was contiguous stays so.
   *
   * @param processor any number that differs between concurrent callers
   * @param frames frames that no page table maps any more
   * @param count how many of them to free
   */
  public void free(int processor, int[] frames, int count) {
    if (count <= batch) {
      for (int i = 0; i < count; i++) {
        free(processor, frames[i]);
      }
      return;
    }
    for (int end = count; end > 0; end -= MAXIMUM_FREED_AT_ONCE) {
      lock.lock();
      try {
        for (int i = end - 1; i >= Math.max(0, end - MAXIMUM_FREED_AT_ONCE); i--) {
          if (table.release(frames[i])) {
            stack.set(stacked++, frames[i]);
          }
        }
      } finally {
        lock.unlock();
      }
    }
  }

  /**
   * Takes a wiring back, and frees the frame if its owner has released it meanwhile.
   *
   * @param processor any number that differs between concurrent callers
   * @param frame a wired frame
   */
  public void unwire(int processor, int frame) {
    if (table.unwire(frame)) {
      push(processor, frame);
    }
  }

  private void push(int processor, int frame) {
    if (batch == 0) {
      pushGlobal(frame);
      return;
    }
    Cache cache = caches[processor & (CACHES - 1)];
    cache.lock.lock();
    try {
      if (cache.size == 2 * batch) {
        lock.lock();
        try {
          for (int i = 0; i < batch; i++) {
            stack.set(stacked++, cache.frames[--cache.size]);
          }
        } finally {
          lock.unlock();
        }
      }
      cache.frames[cache.size++] = frame;
    } finally {
      cache.lock.unlock();
    }
  }

  private void pushGlobal(int frame) {
    lock.lock();
    try {
      stack.set(stacked++, frame);
    } finally {
      lock.unlock();
    }
  }

  private void emptyCaches() {
    for (Cache cache : caches) {
      cache.lock.lock();
      try {
        lock.lock();
        try {
          while (cache.size > 0) {
            stack.set(stacked++, cache.frames[--cache.size]);
          }
        } finally {
          lock.unlock();
        }
      } finally {
        cache.lock.unlock();
      }
    }
  }

  /**
   * The number of free frames, caches included.
   *
   * @return frames
   */
  public int freeFrames() {
    int free = 0;
    for (Cache cache : caches) {
      cache.lock.lock();
      try {
        free += cache.size;
      } finally {
        cache.lock.unlock();
      }
    }
    lock.lock();
    try {
      return free + stacked + ram.frames() - firstVirgin;
    } finally {
      lock.unlock();
    }
  }

  /**
   * The largest number of frames that were off the global list at one time. The processors' caches
   * count as used here, at most 32 frames each.
   *
   * @return frames
   */
  public int peakUsed() {
    lock.lock();
    try {
      return ram.frames() - leastFree;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Whether a frame is free. For audits: exact only while nobody allocates.
   *
   * @param frame frame number
   * @return true if it is free
   */
  public boolean isFree(int frame) {
    lock.lock();
    try {
      return frame >= firstVirgin || table.isMarkedFree(frame);
    } finally {
      lock.unlock();
    }
  }
}
