package org.juvm.page;

import org.jspecify.annotations.Nullable;
import org.juvm.base.VmPanic;
import org.juvm.ram.Ram;

/**
 * Hands out frames and takes them back.
 *
 * <p>{@link FreeFrames} knows which frames are free; here is who gets them, how many are kept back
 * for whom, and what is to be told when they become few.
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

  private final Ram ram;
  private final FrameTable table;

  /** Frames that only {@link Reserve#KERNEL} gets. */
  private final int reserve;

  /** Frames that only {@link Reserve#PAGE_IN} gets, and what goes deeper, if pages can come in. */
  private final int pageInReserve;

  /** In place of a processor's number: what becomes free is for all. */
  private static final int FOR_ALL = -1;

  /** With fewer free frames than that on the global list, memory is to be reclaimed. */
  private final int minimum;

  /** So many frames should be free for all when memory has been reclaimed. */
  private final int target;

  // Set once, before the system is used.
  private @Nullable ReplacementPolicy policy;
  private Reclaimer reclaimer = Reclaimer.NONE;
  private SwapSlots slots = slot -> {};

  private final FreeFrames free;

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
    reserve = Math.min(16, frames / 64);
    pageInReserve = Math.max(2, reserve);
    int step = Math.max(1, Math.min(256, frames / 32));
    minimum = Math.max(reserve + step, pageInReserve + 1);
    target = minimum + step;
    free = new FreeFrames(table, ram.isLarge(), this::level);
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

  /**
   * Allocates frames that follow one another. ({@code uvm_pglistalloc})
   *
   * @param count how many, at least 1
   * @param depth whether the reserve may be used
   * @return the first frame, owned by nobody yet as its successors, all holding zeros; or {@link
   *     FrameTable#NONE}: then there may be enough frames, but not in one piece
   */
  public int allocateRun(int count, Reserve depth) {
    int first = free.takeRun(count, left(depth));
    for (int frame = first; first != FrameTable.NONE && frame < first + count; frame++) {
      if (!table.take(frame, false)) {
        ram.zero(frame);
      }
    }
    return first;
  }

  private int take(int processor, Reserve depth) {
    return free.take(processor, left(depth), left(Reserve.NONE));
  }

  private void level(int frames) {
    if (frames <= minimum) {
      reclaimer.kick();
    }
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
    free.put(processor, frame);
    if (processor >= 0) {
      reclaimer.freed();
    }
  }

  /** Several frames are marked free now, and on no list. For all, not for one processor. */
  void becameFree(int[] frames, int count) {
    for (int i = 0; i < count; i++) {
      forget(frames[i]);
    }
    free.put(FOR_ALL, frames, count);
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
    int released = 0;
    for (int i = 0; i < count; i++) {
      if (table.release(frames[i])) {
        forget(frames[i]);
        frames[released++] = frames[i];
      }
    }
    free.put(processor, frames, released);
    reclaimer.freed();
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

  /**
   * How many frames are free for all, those in the caches of processors not counted.
   *
   * @return frames
   */
  public int freeForAll() {
    return free.onList();
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
    return free.all();
  }

  /**
   * The largest number of frames that were off the global list at one time. The processors' caches
   * count as used here, at most 128 frames each.
   *
   * @return frames
   */
  public int peakUsed() {
    return ram.frames() - free.least();
  }

  /**
   * Whether a frame is free. For audits: exact only while nobody allocates.
   *
   * @param frame frame number
   * @return true if it is free
   */
  public boolean isFree(int frame) {
    return free.contains(frame);
  }
}
