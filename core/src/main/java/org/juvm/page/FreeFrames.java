package org.juvm.page;

import java.util.BitSet;
import org.juvm.ram.IntTable;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * Which frames are free: a global list, and a small cache for each processor in front of it.
 *
 * <p>A cache is a stack of at most twice a batch of frames under a lock of its own; it is refilled
 * from, and emptied to, the list by batches. When the list has nothing for a caller, the caches of
 * all processors are emptied into it before it is said to have none, so that no frame is out of
 * reach.
 */
final class FreeFrames {
  /**
   * The frames of a batch follow one another, as a rule, so a batch should fill whole cache lines
   * of all tables that are indexed by frame: else processors write to the same lines.
   */
  private static final int MAXIMUM_BATCH = 64;

  /** Bounds the time that others wait for the list. */
  private static final int MAXIMUM_FREED_AT_ONCE = 256;

  private static final int CACHES =
      Math.min(8, Integer.highestOneBit(Math.max(1, Runtime.getRuntime().availableProcessors())));

  private final FrameTable table;

  /** Frames moved between a cache and the list at once; 0: no caches. */
  private final int batch;

  private final Cache[] caches = new Cache[CACHES];
  private final FreeList list;

  /**
   * The global list. An object of its own, so that its changes do not disturb those who read the
   * fields of the others.
   */
  private static final class FreeList {
    private final RankedLock lock = new RankedLock(LockRank.FREE_LIST);

    /** Stack of free frames that were used before. Guarded by lock. */
    private final IntTable stack;

    private final int frames;

    /** Height of the stack. Guarded by lock. */
    private long stacked;

    /** Frames from this number on were never handed out. Guarded by lock. */
    private long firstVirgin;

    /** The least that the list ever held. Guarded by lock. */
    private long leastFree;

    @SuppressWarnings("unused") // keeps the next object out of this one's cache lines
    private long pad0, pad1, pad2, pad3, pad4, pad5, pad6, pad7;
    @SuppressWarnings("unused")
    private long pad8, pad9, pad10, pad11, pad12, pad13, pad14, pad15;

    FreeList(int frames, boolean hugePages) {
      this.frames = frames;
      stack = new IntTable(frames, hugePages);
      leastFree = frames;
    }

    int free() {
      return (int) (stacked + frames - firstVirgin);
    }

    void push(int frame) {
      stack.set(stacked++, frame);
    }
  }

  /** A processor's stack of free frames. */
  private static final class Cache {
    private final RankedLock lock = new RankedLock(LockRank.FRAME_CACHE);

    /** The stack, and room that keeps the next object out of its cache lines. Guarded by lock. */
    private final int[] frames = new int[2 * MAXIMUM_BATCH + 32];

    /** Guarded by lock. */
    private long size;

    @SuppressWarnings("unused") // keeps the next object out of this one's cache lines
    private long pad0, pad1, pad2, pad3, pad4, pad5, pad6, pad7;
    @SuppressWarnings("unused")
    private long pad8, pad9, pad10, pad11, pad12, pad13, pad14, pad15;

    void push(int frame) {
      frames[(int) size++] = frame;
    }

    int pop() {
      return frames[(int) --size];
    }
  }

  /** What is told how much the list has. */
  @FunctionalInterface
  interface Level {
    /** Called with the list locked, before a frame is taken of so many. */
    void is(int free);
  }

  private final Level level;

  /** All frames are free. */
  FreeFrames(FrameTable table, boolean hugePages, Level level) {
    this.table = table;
    this.level = level;
    int frames = table.frames();
    batch = Math.min(MAXIMUM_BATCH, frames / (16 * CACHES));
    list = new FreeList(frames, hugePages);
    for (int i = 0; i < CACHES; i++) {
      caches[i] = new Cache();
    }
  }

  // ---- out ----

  /**
   * Takes a frame.
   *
   * @param processor any number that differs between concurrent callers
   * @param left how many frames must be left on the list
   * @param ordinary how many an ordinary allocation leaves, no less: caches hold nothing of these
   * @return frame number, or {@link FrameTable#NONE}
   */
  int take(int processor, int left, int ordinary) {
    int frame = batch == 0 ? fromList(left) : fromCache(processor, ordinary);
    if (frame == FrameTable.NONE) {
      emptyCaches();
      frame = fromList(left);
    }
    return frame;
  }

  private int fromCache(int processor, int left) {
    Cache cache = caches[processor & (CACHES - 1)];
    cache.lock.lock();
    try {
      if (cache.size == 0) {
        list.lock.lock();
        try {
          refill(cache, left);
        } finally {
          list.lock.unlock();
        }
      }
      return cache.size == 0 ? FrameTable.NONE : cache.pop();
    } finally {
      cache.lock.unlock();
    }
  }

  /**
   * Moves a batch to an empty cache, or what is left of one: a batch ends where the cache lines of
   * the tables end that have a byte for each frame. In reverse order: the cache is a stack, and
   * frames that follow one another on the list should come off it in that order, so that memory
   * that is touched in sequence is contiguous. Caller holds both locks.
   */
  private void refill(Cache cache, int left) {
    while (cache.size < batch) {
      int frame = pop(left);
      if (frame == FrameTable.NONE) {
        break;
      }
      cache.push(frame);
      if ((frame & (MAXIMUM_BATCH - 1)) == MAXIMUM_BATCH - 1) {
        break;
      }
    }
    for (int low = 0, high = (int) cache.size - 1; low < high; low++, high--) {
      int frame = cache.frames[low];
      cache.frames[low] = cache.frames[high];
      cache.frames[high] = frame;
    }
  }

  private int fromList(int left) {
    list.lock.lock();
    try {
      return pop(left);
    } finally {
      list.lock.unlock();
    }
  }

  /** Caller holds the lock. A frame that was never used is marked free and zeroed on its way. */
  private int pop(int left) {
    assert list.lock.isHeld();
    int free = list.free();
    level.is(free);
    if (free <= left) {
      return FrameTable.NONE;
    }
    list.leastFree = Math.min(list.leastFree, free - 1);
    if (list.stacked > 0) {
      return list.stack.get(--list.stacked);
    }
    int frame = (int) list.firstVirgin++;
    table.markFreeZeroed(frame);
    return frame;
  }

  /**
   * Takes frames that follow one another: preferably those that came last, if they do, or such as
   * were never used. To look among the others takes time proportional to their number, with the
   * list locked.
   *
   * @param count how many, at least 1
   * @param left how many frames must be left on the list
   * @return the first one; {@link FrameTable#NONE} if there is no such run
   */
  int takeRun(int count, int left) {
    emptyCaches();
    list.lock.lock();
    try {
      int free = list.free();
      level.is(free);
      if (free - count < left) {
        return FrameTable.NONE;
      }
      int first = topRun(count);
      if (first == FrameTable.NONE) {
        first = count <= list.frames - list.firstVirgin ? virginRun(count) : usedRun(count);
      }
      if (first != FrameTable.NONE) {
        list.leastFree = Math.min(list.leastFree, free - count);
      }
      return first;
    } finally {
      list.lock.unlock();
    }
  }

  /** The top of the stack, in any order. */
  private int topRun(int count) {
    if (list.stacked < count) {
      return FrameTable.NONE;
    }
    int least = Integer.MAX_VALUE;
    int most = 0;
    for (long i = list.stacked - count; i < list.stacked; i++) {
      int frame = list.stack.get(i);
      least = Math.min(least, frame);
      most = Math.max(most, frame);
    }
    if (most - least != count - 1) {
      return FrameTable.NONE;
    }
    list.stacked -= count;
    return least;
  }

  private int virginRun(int count) {
    int first = (int) list.firstVirgin;
    list.firstVirgin += count;
    for (int frame = first; frame < first + count; frame++) {
      table.markFreeZeroed(frame);
    }
    return first;
  }

  private int usedRun(int count) {
    BitSet listed = new BitSet(list.frames);
    for (long i = 0; i < list.stacked; i++) {
      listed.set(list.stack.get(i));
    }
    int first = listed.nextSetBit(0);
    while (first >= 0 && listed.nextClearBit(first) < first + count) {
      first = listed.nextSetBit(listed.nextClearBit(first));
    }
    if (first < 0) {
      return FrameTable.NONE;
    }
    long kept = 0;
    for (long i = 0; i < list.stacked; i++) {
      int frame = list.stack.get(i);
      if (frame < first || frame >= first + count) {
        list.stack.set(kept++, frame);
      }
    }
    list.stacked = kept;
    return first;
  }

  // ---- in ----

  /** Takes a frame back; with a negative processor it is for all. */
  void put(int processor, int frame) {
    if (batch == 0 || processor < 0) {
      list.lock.lock();
      try {
        list.push(frame);
      } finally {
        list.lock.unlock();
      }
      return;
    }
    Cache cache = caches[processor & (CACHES - 1)];
    cache.lock.lock();
    try {
      push(cache, frame);
    } finally {
      cache.lock.unlock();
    }
  }

  /**
   * Takes many frames back. They are handed out again in the order of the array, so that memory
   * that was contiguous stays so.
   */
  void put(int processor, int[] frames, int count) {
    if (processor >= 0 && count <= batch) {
      Cache cache = caches[processor & (CACHES - 1)];
      cache.lock.lock();
      try {
        for (int i = count - 1; i >= 0; i--) {
          push(cache, frames[i]);
        }
      } finally {
        cache.lock.unlock();
      }
      return;
    }
    for (int end = count; end > 0; end -= MAXIMUM_FREED_AT_ONCE) {
      list.lock.lock();
      try {
        for (int i = end - 1; i >= Math.max(0, end - MAXIMUM_FREED_AT_ONCE); i--) {
          list.push(frames[i]);
        }
      } finally {
        list.lock.unlock();
      }
    }
  }

  /** Caller holds the cache's lock. */
  private void push(Cache cache, int frame) {
    if (cache.size == 2L * batch) {
      list.lock.lock();
      try {
        for (int i = 0; i < batch; i++) {
          list.push(cache.pop());
        }
      } finally {
        list.lock.unlock();
      }
    }
    cache.push(frame);
  }

  private void emptyCaches() {
    for (Cache cache : caches) {
      cache.lock.lock();
      try {
        list.lock.lock();
        try {
          while (cache.size > 0) {
            list.push(cache.pop());
          }
        } finally {
          list.lock.unlock();
        }
      } finally {
        cache.lock.unlock();
      }
    }
  }

  // ---- counts ----

  /** Frames on the list. */
  int onList() {
    list.lock.lock();
    try {
      return list.free();
    } finally {
      list.lock.unlock();
    }
  }

  /** Frames on the list and in caches. */
  int all() {
    int free = 0;
    for (Cache cache : caches) {
      cache.lock.lock();
      try {
        free += (int) cache.size;
      } finally {
        cache.lock.unlock();
      }
    }
    return free + onList();
  }

  /** The least that was ever on the list. */
  int least() {
    list.lock.lock();
    try {
      return (int) list.leastFree;
    } finally {
      list.lock.unlock();
    }
  }

  /** Whether a frame is free. For audits: exact only while nobody allocates. */
  boolean contains(int frame) {
    list.lock.lock();
    try {
      return frame >= list.firstVirgin || table.isMarkedFree(frame);
    } finally {
      list.lock.unlock();
    }
  }
}
