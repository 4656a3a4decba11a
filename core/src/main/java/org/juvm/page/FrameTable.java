package org.juvm.page;

import org.juvm.base.VmPanic;
import org.juvm.ram.IntTable;
import org.juvm.ram.Ram;

/**
 * The descriptors of all frames.
 *
 * <pre>
 * holder  32 bits  number of the {@link PageOwner}; 0 is nobody.         Guard: the owner's lock
 * tag     32 bits  which page of its owner the frame holds.              Guard: the owner's lock
 * slot    32 bits  swap slot that belongs to the page, or 0.             Guard: the owner's lock;
 *                  while the frame is busy, whoever made it busy
 * state   32 bits  | 31 free | 30 zeroed | 29 released | 28 busy | 27 wanted | 26 dirty
 *                  | 25 referenced | 24..14 loans | 13..0 wirings |      Guard: atomic updates
 * </pre>
 *
 * {@code zeroed}: the frame is free and known to hold zeros. {@code dirty}: nothing outside memory
 * has these bytes, as far as is known here; page tables may know more, see {@code pmap}. See the
 * package for the transitions.
 */
public final class FrameTable {
  /** No frame. */
  public static final int NONE = -1;

  private static final int FREE = 1 << 31;
  private static final int ZEROED = 1 << 30;
  static final int RELEASED = 1 << 29;
  static final int BUSY = 1 << 28;
  static final int WANTED = 1 << 27;
  static final int DIRTY = 1 << 26;
  static final int REFERENCED = 1 << 25;
  private static final int LOAN_SHIFT = 14;
  private static final int WIRINGS = (1 << LOAN_SHIFT) - 1;
  private static final int LOANS = REFERENCED - 1 - WIRINGS;
  private static final int PINS = LOANS | WIRINGS;

  private final int frames;
  private final IntTable holder;
  private final IntTable tag;
  private final IntTable slot;
  private final IntTable state;

  /**
   * Descriptors of frames that are all free and zero. Those of devices are never free, and belong
   * to nobody that the page daemon knows.
   *
   * @param ram the frames
   */
  public FrameTable(Ram ram) {
    frames = ram.frames();
    holder = new IntTable(ram.numbers(), ram.isLarge());
    tag = new IntTable(ram.numbers(), ram.isLarge());
    slot = new IntTable(ram.numbers(), ram.isLarge());
    state = new IntTable(ram.numbers(), ram.isLarge());
  }

  /**
   * The number of frames.
   *
   * @return frames
   */
  public int frames() {
    return frames;
  }

  // ---- whose ----

  /**
   * The number of a frame's owner.
   *
   * @param frame frame number
   * @return a number of {@link PageOwners}, or 0
   */
  public int holder(int frame) {
    return holder.getVolatile(frame);
  }

  /**
   * Which page of its owner a frame holds, in the owner's words.
   *
   * @param frame frame number
   * @return the tag
   */
  public int tag(int frame) {
    return tag.getVolatile(frame);
  }

  /**
   * Gives an allocated frame to an owner, whose lock is held.
   *
   * @param frame frame number
   * @param newHolder number of the owner
   * @param newTag which page it is
   */
  void setOwner(int frame, int newHolder, int newTag) {
    tag.set(frame, newTag);
    holder.set(frame, newHolder);
  }

  /**
   * The swap slot of the page in a frame.
   *
   * @param frame frame number
   * @return slot, or 0
   */
  public int slot(int frame) {
    return slot.get(frame);
  }

  /**
   * Says which swap slot belongs to the page in a frame.
   *
   * @param frame frame number
   * @param newSlot slot, or 0
   */
  public void setSlot(int frame, int newSlot) {
    slot.set(frame, newSlot);
  }

  /**
   * How many pages in memory have a swap slot. Looks at all frames; exact while nothing changes.
   *
   * @return pages
   */
  public int withSlots() {
    int count = 0;
    for (int frame = 0; frame < frames; frame++) {
      count += slot.get(frame) != 0 ? 1 : 0;
    }
    return count;
  }

  // ---- free and allocated ----

  /**
   * Marks a frame that was on a free list as allocated, and busy if wanted: then nobody else ever
   * finds it without that mark. Says whether it holds zeros.
   */
  boolean take(int frame, boolean busy) {
    int old = state.get(frame);
    assert (old & FREE) != 0 : frame;
    state.set(frame, DIRTY | (busy ? BUSY : 0));
    return (old & ZEROED) != 0;
  }

  /** Marks a frame that was never used as free, when it moves to a processor's cache. */
  void markFreeZeroed(int frame) {
    state.set(frame, FREE | ZEROED);
  }

  /**
   * The owner gives the frame up.
   *
   * @return true if it is free now; false if it is busy, wired or on loan, and will be free when
   *     that ends
   */
  boolean release(int frame) {
    while (true) {
      int old = state.getVolatile(frame);
      if ((old & (FREE | RELEASED)) != 0) {
        throw new VmPanic("frame freed twice: frame=" + frame);
      }
      boolean free = (old & (BUSY | PINS)) == 0;
      if (state.compareAndSet(frame, old, free ? FREE : old | RELEASED)) {
        return free;
      }
    }
  }

  /**
   * Whether a frame is in a processor's cache or on the free list. A frame that was never used has
   * no such mark; see {@link FrameAllocator#isFree}.
   *
   * @param frame frame number
   * @return true if it is marked free
   */
  boolean isMarkedFree(int frame) {
    return (state.getVolatile(frame) & FREE) != 0;
  }

  /**
   * Whether a frame's owner has given it up while it is wired, on loan or busy.
   *
   * @param frame frame number
   * @return true if it is free when that ends
   */
  public boolean isReleased(int frame) {
    return (state.getVolatile(frame) & RELEASED) != 0;
  }

  // ---- wired and on loan ----

  /**
   * Wires an allocated frame: it stays allocated, with its bytes, until it is unwired. The owner's
   * lock must be held, so that the frame is not being freed.
   *
   * @param frame frame number
   */
  public void wire(int frame) {
    pin(frame, 1, WIRINGS);
  }

  /**
   * Takes one wiring back.
   *
   * @param frame frame number
   * @return true if the frame was released meanwhile and is free now
   */
  boolean unwire(int frame) {
    return unpin(frame, 1, WIRINGS);
  }

  private void pin(int frame, int one, int field) {
    int old;
    do {
      old = state.getVolatile(frame);
      assert (old & (FREE | RELEASED)) == 0 : frame;
      if ((old & field) == field) {
        throw new VmPanic("frame is pinned too often: frame=" + frame);
      }
    } while (!state.compareAndSet(frame, old, old + one));
  }

  private boolean unpin(int frame, int one, int field) {
    while (true) {
      int old = state.getVolatile(frame);
      if ((old & field) == 0) {
        throw new VmPanic("frame is not pinned: frame=" + frame);
      }
      int left = old - one;
      boolean last = (left & RELEASED) != 0 && (left & (BUSY | PINS)) == 0;
      if (state.compareAndSet(frame, old, last ? FREE : left)) {
        return last;
      }
    }
  }

  /**
   * How often a frame is wired.
   *
   * @param frame frame number
   * @return wirings
   */
  public int wirings(int frame) {
    return state.getVolatile(frame) & WIRINGS;
  }

  /**
   * How often a frame is lent out.
   *
   * @param frame frame number
   * @return loans
   */
  public int loans(int frame) {
    return (state.getVolatile(frame) & LOANS) >>> LOAN_SHIFT;
  }

  /**
   * Whether a frame is wired or on loan. While it is busy it cannot become so.
   *
   * @param frame frame number
   * @return true if its page must stay in it
   */
  public boolean isPinned(int frame) {
    return (state.getVolatile(frame) & PINS) != 0;
  }

  /**
   * Whether an allocated frame may be lent now. The owner's lock is held.
   *
   * @param frame frame number
   * @return false if it is busy or wired, or lent as often as can be counted
   */
  public boolean mayLend(int frame) {
    int now = state.getVolatile(frame);
    return (now & (BUSY | WIRINGS)) == 0 && (now & LOANS) != LOANS;
  }

  /**
   * Lends an allocated frame: until it is returned it keeps its bytes, whatever its owner does. The
   * owner's lock is held; no page table lets anybody store to it any more.
   *
   * @param frame frame number
   */
  public void lend(int frame) {
    pin(frame, 1 << LOAN_SHIFT, LOANS);
  }

  /**
   * Takes one loan back.
   *
   * @param frame frame number
   * @return true if the frame was released meanwhile and is free now
   */
  boolean takeBack(int frame) {
    return unpin(frame, 1 << LOAN_SHIFT, LOANS);
  }

  // ---- busy ----

  /**
   * Whether a frame is busy. Known to stay so, or not to become so, only while the owner's lock is
   * held.
   *
   * @param frame frame number
   * @return true if its page is on its way in or out
   */
  public boolean isBusy(int frame) {
    return (state.getVolatile(frame) & BUSY) != 0;
  }

  /**
   * Whether a frame may be made busy now, as far as can be seen without a lock.
   *
   * @param frame frame number
   * @return false if it is free, given up, busy, wired or on loan
   */
  public boolean isIdle(int frame) {
    return (state.getVolatile(frame) & (FREE | RELEASED | BUSY | PINS)) == 0;
  }

  /** Makes an idle frame busy. Returns false if it is not idle. */
  boolean makeBusy(int frame) {
    while (true) {
      int old = state.getVolatile(frame);
      if ((old & (FREE | RELEASED | BUSY | PINS)) != 0) {
        return false;
      }
      if (state.compareAndSet(frame, old, old | BUSY)) {
        return true;
      }
    }
  }

  /**
   * Makes a frame busy, wired or on loan or not, whose owner's lock is held and has not given it
   * up. Returns false if it is busy.
   */
  boolean makeBusyEvenPinned(int frame) {
    while (true) {
      int old = state.getVolatile(frame);
      assert (old & (FREE | RELEASED)) == 0 : frame;
      if ((old & BUSY) != 0) {
        return false;
      }
      if (state.compareAndSet(frame, old, old | BUSY)) {
        return true;
      }
    }
  }

  /** Notes that somebody waits for a busy frame. Returns false if it is not busy any more. */
  boolean want(int frame) {
    while (true) {
      int old = state.getVolatile(frame);
      if ((old & BUSY) == 0) {
        return false;
      }
      if ((old & WANTED) != 0 || state.compareAndSet(frame, old, old | WANTED)) {
        return true;
      }
    }
  }

  /**
   * Ends being busy.
   *
   * @param clear bits to clear
   * @return the state before: WANTED if somebody waits, RELEASED if the frame has been given up; it
   *     is free then, unless it has pins
   */
  int endBusy(int frame, int clear) {
    while (true) {
      int old = state.getVolatile(frame);
      if ((old & BUSY) == 0) {
        throw new VmPanic("frame is not busy: frame=" + frame);
      }
      int left = old & ~(BUSY | WANTED | clear);
      boolean free = (left & RELEASED) != 0 && (left & PINS) == 0;
      if (state.compareAndSet(frame, old, free ? FREE : left)) {
        return old;
      }
    }
  }

  // ---- modified and referenced ----

  /**
   * Whether the bytes of a frame are nowhere else, as far as is known without page tables.
   *
   * @param frame frame number
   * @return true if so
   */
  public boolean isDirty(int frame) {
    return (state.getVolatile(frame) & DIRTY) != 0;
  }

  /**
   * Notes that the bytes of a frame have changed.
   *
   * @param frame an allocated frame
   */
  public void markDirty(int frame) {
    set(frame, DIRTY);
  }

  /**
   * Notes that the bytes of a busy frame are also where they belong.
   *
   * @param frame a frame that the caller has made busy, and that no page table maps
   */
  public void markClean(int frame) {
    clear(frame, DIRTY);
  }

  /**
   * Notes that a page was used.
   *
   * @param frame an allocated frame
   */
  public void markReferenced(int frame) {
    set(frame, REFERENCED);
  }

  /**
   * Forgets that a page was used.
   *
   * @param frame frame number
   * @return whether it was known to have been used
   */
  public boolean clearReferenced(int frame) {
    return clear(frame, REFERENCED);
  }

  /**
   * Whether a page is known to have been used, without a look at page tables.
   *
   * @param frame frame number
   * @return true if so
   */
  public boolean isReferenced(int frame) {
    return (state.getVolatile(frame) & REFERENCED) != 0;
  }

  /** Sets bits of the state. A free frame has none, and is left alone. */
  void set(int frame, int bits) {
    while (true) {
      int old = state.getVolatile(frame);
      if ((old & bits) == bits
          || (old & FREE) != 0
          || state.compareAndSet(frame, old, old | bits)) {
        return;
      }
    }
  }

  private boolean clear(int frame, int bits) {
    while (true) {
      int old = state.getVolatile(frame);
      if ((old & bits) == 0) {
        return false;
      }
      if (state.compareAndSet(frame, old, old & ~bits)) {
        return true;
      }
    }
  }
}
