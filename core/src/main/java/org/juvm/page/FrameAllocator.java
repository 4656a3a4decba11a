package org.juvm.page;

import org.jspecify.annotations.Nullable;
import org.juvm.base.VmPanic;
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
    /**
     * A page that exists and is to come in may take what is left for that: so memory that is full
     * of changed pages, with swap full as well, can still be read. Each such page can leave again
     * without a new slot.
     */
    PAGE_IN,
    /** The system's own allocation, which it needs to make progress, may take the last frame. */
    KERNEL
  }

  /**
   * The frames of a batch follow one another, as a rule, so a batch should fill whole cache lines
   * of all tables that are indexed by frame: else processors write to the same lines.
   */
  private static final int MAXIMUM_BATCH = 64;

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

  /** Frames that only {@link Reserve#PAGE_IN} gets, and what goes deeper, if pages can come in. */
  private final int pageInReserve;

  /** With fewer free frames than that on the global list, memory is to be reclaimed. */
  private final int minimum;

  /** So many frames should be free for all when memory has been reclaimed. */
  private final int target;

  // Set once, before the system is used.
  private @Nullable ReplacementPolicy policy;
  private Reclaimer reclaimer = Reclaimer.NONE;
  private SwapSlots slots = slot -> {};

  private final Cache[] caches = new Cache[CACHES];

  private final FreeList list;

  /**
   * The global list. An object of its own, so that its changes do not disturb those who read the
   * fields of the allocator.
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
    pageInReserve = Math.max(2, reserve);
    int step = Math.max(1, Math.min(256, frames / 32));
    minimum = Math.max(reserve + step, pageInReserve + 1);
    target = minimum + step;
    list = new FreeList(frames, ram.isLarge());
    for (int i = 0; i < CACHES; i++) {
      caches[i] = new Cache();
    }
  }

  /**
   * Connects what lies above this floor. Called once, before the system is used.
   *
   * @param newPolicy knows all pages that may go
   * @param newReclaimer is told when memory runs low
   * @param newSlots takes the slots of pages that are gone
   */
  public void connect(ReplacementPolicy newPolicy, Reclaimer newReclaimer, SwapSlots newSlots) {
    policy = newPolicy;
    reclaimer = newReclaimer;
    slots = newSlots;
  }

  /**
   * Where slots go back to.
   *
   * @return takes slots
   */
  public SwapSlots slots() {
    return slots;
  }

  /**
   * Who makes memory free.
   *
   * @return the reclaimer
   */
  public Reclaimer reclaimer() {
    return reclaimer;
  }

  /**
   * Which pages may go.
   *
   * @return the policy
   */
  public ReplacementPolicy policy() {
    ReplacementPolicy connected = policy;
    if (connected == null) {
      throw new VmPanic("there is no replacement policy");
    }
    return connected;
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
    int frame = take(processor, depth);
    if (frame != FrameTable.NONE && !table.take(frame, false) && zeroed) {
      ram.zero(frame);
    }
    return frame;
  }

  /**
   * Allocates a frame for a page that is to come in: it is busy from the start.
   *
   * @param processor any number that differs between concurrent callers
   * @return frame number, owned by nobody yet, with undefined bytes; or {@link FrameTable#NONE}
   */
  public int allocateBusy(int processor) {
    int frame = take(processor, Reserve.PAGE_IN);
    if (frame != FrameTable.NONE) {
      boolean _ = table.take(frame, true);
    }
    return frame;
  }

  private int take(int processor, Reserve depth) {
    int frame = batch == 0 ? fromGlobal(depth) : fromCache(processor);
    if (frame == FrameTable.NONE) {
      emptyCaches();
      frame = fromGlobal(depth);
    }
    return frame;
  }

  /**
   * Gives a frame that belongs to nobody to an owner, whose lock is held. From now on it can be
   * taken from it, unless it is wired, on loan or busy.
   *
   * @param frame an allocated frame
   * @param holder number of the owner
   * @param tag which page of the owner it holds
   * @param identity what tells the page from all others
   * @param file whether the page belongs to a file
   */
  public void assign(int frame, int holder, int tag, long identity, boolean file) {
    table.setOwner(frame, holder, tag);
    if (policy != null) {
      policy.enqueue(frame, identity, file);
    }
  }

  /** Caches hold nothing of any reserve. */
  private int fromCache(int processor) {
    Cache cache = caches[processor & (CACHES - 1)];
    cache.lock.lock();
    try {
      if (cache.size == 0) {
        list.lock.lock();
        try {
          refill(cache);
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
   * Moves a batch to an empty cache, in reverse order: the cache is a stack, and frames that follow
   * one another on the global list should come off it in that order, so that memory that is touched
   * in sequence is contiguous. Caller holds both locks.
   */
  private void refill(Cache cache) {
    while (cache.size < batch) {
      int frame = popGlobal(Reserve.NONE);
      if (frame == FrameTable.NONE) {
        break;
      }
      cache.push(frame);
    }
    for (int low = 0, high = (int) cache.size - 1; low < high; low++, high--) {
      int frame = cache.frames[low];
      cache.frames[low] = cache.frames[high];
      cache.frames[high] = frame;
    }
  }

  private int fromGlobal(Reserve depth) {
    list.lock.lock();
    try {
      return popGlobal(depth);
    } finally {
      list.lock.unlock();
    }
  }

  /** Caller holds the lock. A frame that was never used is marked free and zeroed on its way. */
  private int popGlobal(Reserve depth) {
    assert list.lock.isHeld();
    int free = list.free();
    if (free <= minimum) {
      reclaimer.kick();
    }
    if (free <= left(depth)) {
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

  /** How many frames an allocation leaves alone. */
  private int left(Reserve depth) {
    return switch (depth) {
      case NONE -> reclaimer.isAble() ? Math.max(reserve, pageInReserve) : reserve;
      case PAGE_IN -> reserve / 2;
      case KERNEL -> 0;
    };
  }

  /**
   * Takes a frame back. If it is wired it becomes free at the last unwiring.
   *
   * @param processor any number that differs between concurrent callers
   * @param frame a frame that no page table maps any more
   */
  public void free(int processor, int frame) {
    if (table.release(frame)) {
      becameFree(processor, frame);
    }
  }

  /**
   * A frame is marked free now, and on no list. With a negative processor it is the reclaimer's own
   * doing, who tells those that wait when it has done more of it.
   */
  void becameFree(int processor, int frame) {
    forget(frame);
    push(processor, frame);
    if (processor >= 0) {
      reclaimer.freed();
    }
  }

  /** Several frames are marked free now, and on no list. For all, not for one processor. */
  void becameFree(int[] frames, int count) {
    for (int i = 0; i < count; i++) {
      forget(frames[i]);
    }
    list.lock.lock();
    try {
      for (int i = count - 1; i >= 0; i--) {
        list.push(frames[i]);
      }
    } finally {
      list.lock.unlock();
    }
  }

  private void forget(int frame) {
    table.setOwner(frame, 0, 0);
    int slot = table.slot(frame);
    if (slot != 0) {
      table.setSlot(frame, 0);
      slots.free(slot);
    }
    if (policy != null) {
      policy.dequeue(frame);
    }
  }

  /**
   * Takes many frames back. They are handed out again in the order of the array, so that memory
   * that was contiguous stays so.
   *
   * @param processor any number that differs between concurrent callers
   * @param frames frames that no page table maps any more; the order is changed
   * @param count how many of them to free
   */
  public void free(int processor, int[] frames, int count) {
    push(processor, frames, count);
    reclaimer.freed();
  }

  private void push(int processor, int[] frames, int count) {
    int free = 0;
    for (int i = 0; i < count; i++) {
      if (table.release(frames[i])) {
        forget(frames[i]);
        frames[free++] = frames[i];
      }
    }
    if (free <= batch) {
      Cache cache = caches[processor & (CACHES - 1)];
      cache.lock.lock();
      try {
        for (int i = free - 1; i >= 0; i--) {
          push(cache, frames[i]);
        }
      } finally {
        cache.lock.unlock();
      }
      return;
    }
    for (int end = free; end > 0; end -= MAXIMUM_FREED_AT_ONCE) {
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

  /**
   * Takes a wiring back, and frees the frame if its owner has released it meanwhile.
   *
   * @param processor any number that differs between concurrent callers
   * @param frame a wired frame
   */
  public void unwire(int processor, int frame) {
    if (table.unwire(frame)) {
      becameFree(processor, frame);
    }
  }

  /**
   * Takes a loan back, and frees the frame if its owner has given it up meanwhile.
   *
   * @param processor any number that differs between concurrent callers
   * @param frame a frame on loan
   */
  public void takeBack(int processor, int frame) {
    if (table.takeBack(frame)) {
      becameFree(processor, frame);
    }
  }

  /**
   * A page that is to stay in memory needs no slot. The owner's lock is held and the frame is not
   * busy.
   *
   * @param frame its frame
   */
  public void dropSlot(int frame) {
    int slot = table.slot(frame);
    if (slot != 0) {
      table.markDirty(frame);
      table.setSlot(frame, 0);
      slots.free(slot);
    }
  }

  private void push(int processor, int frame) {
    if (batch == 0 || processor < 0) {
      pushGlobal(frame);
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

  private void pushGlobal(int frame) {
    list.lock.lock();
    try {
      list.push(frame);
    } finally {
      list.lock.unlock();
    }
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

  /**
   * How many frames are free for all, those in the caches of processors not counted.
   *
   * @return frames
   */
  public int freeForAll() {
    list.lock.lock();
    try {
      return list.free();
    } finally {
      list.lock.unlock();
    }
  }

  /**
   * How many frames should be free for all when memory is reclaimed.
   *
   * @return frames
   */
  public int target() {
    return target;
  }

  /**
   * How many frames must become free until enough are.
   *
   * @return frames; 0 or less: there are enough
   */
  public int shortage() {
    return target() - freeForAll();
  }

  /**
   * How many frames can be taken before memory runs low: for pages that nobody waits for.
   *
   * @return frames, at least 0
   */
  public int spare() {
    return Math.max(0, freeForAll() - minimum);
  }

  /**
   * Whether so many frames could be had, as far as that is known without trying.
   *
   * @param count how many
   * @return true if so many are free, or others may be made free
   */
  public boolean mayHave(long count) {
    return count <= freeFrames() || (reclaimer.isAble() && count <= table.frames());
  }

  /**
   * Whether an allocation would succeed.
   *
   * @param depth how deep it may go
   * @return true if a frame is free for it
   */
  public boolean hasFree(Reserve depth) {
    return freeFrames() > left(depth);
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
        free += (int) cache.size;
      } finally {
        cache.lock.unlock();
      }
    }
    list.lock.lock();
    try {
      return free + list.free();
    } finally {
      list.lock.unlock();
    }
  }

  /**
   * The largest number of frames that were off the global list at one time. The processors' caches
   * count as used here, at most 128 frames each.
   *
   * @return frames
   */
  public int peakUsed() {
    list.lock.lock();
    try {
      return (int) (ram.frames() - list.leastFree);
    } finally {
      list.lock.unlock();
    }
  }

  /**
   * Whether a frame is free. For audits: exact only while nobody allocates.
   *
   * @param frame frame number
   * @return true if it is free
   */
  public boolean isFree(int frame) {
    list.lock.lock();
    try {
      return frame >= list.firstVirgin || table.isMarkedFree(frame);
    } finally {
      list.lock.unlock();
    }
  }
}
