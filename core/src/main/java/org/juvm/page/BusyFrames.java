package org.juvm.page;

import org.juvm.sync.EventCount;

/**
 * Frames whose pages are on their way in or out of memory.
 *
 * <p>Transfers take long, so no lock is held meanwhile; the frame is <em>busy</em> instead. Whoever
 * made it busy is the only one to change its bytes, its slot and its dirty mark, and ends it. A
 * frame becomes busy only with the lock of its owner held. So whoever holds that lock, and finds a
 * page that is not busy, can map, copy or wire it. Whoever finds a busy one waits for it, without
 * locks, and starts again from the beginning.
 *
 * <p>A page that is given up while it is busy is <em>released</em>, and free at the end.
 *
 * <p>Source: {@code PG_BUSY}, {@code PG_WANTED} and {@code PG_RELEASED} of {@code uvm_page.h}.
 */
public final class BusyFrames {
  /** Waiters of different frames seldom meet. */
  private static final int STRIPES = 64;

  /** What {@link #want} returns for a frame that is not busy. */
  public static final long NOT_BUSY = -1;

  private final FrameTable table;
  private final FrameAllocator allocator;
  private final PageOwners owners;
  private final EventCount[] ended = new EventCount[STRIPES];

  /**
   * No frame is busy.
   *
   * @param table the descriptors
   * @param allocator takes frames that were given up meanwhile
   * @param owners who they can belong to
   */
  public BusyFrames(FrameTable table, FrameAllocator allocator, PageOwners owners) {
    this.table = table;
    this.allocator = allocator;
    this.owners = owners;
    for (int i = 0; i < STRIPES; i++) {
      ended[i] = new EventCount();
    }
  }

  /**
   * Makes a frame busy if it holds a page of an owner, whose lock is held, and nobody uses it.
   *
   * <p>The frame may have been freed and taken by another owner at any time before it is busy. So
   * everything is looked at again afterwards, when that cannot happen any more.
   *
   * @param owner the owner that the frame seemed to have
   * @param frame frame number
   * @return false if nothing has changed
   */
  public boolean claim(PageOwner owner, int frame) {
    if (!table.makeBusy(frame)) {
      return false;
    }
    if (owner.equals(owners.get(table.holder(frame))) && owner.owns(frame)) {
      return true;
    }
    end(0, frame, 0);
    return false;
  }

  /**
   * Makes the frame of a page busy so that the page can be written to where it belongs. The owner's
   * lock is held, and the frame was found through the owner.
   *
   * <p>Unlike {@link #claim} this takes frames that are wired or on loan, too: the page stays in
   * memory. Those who use such a frame by raw address may store to it meanwhile, and mark it dirty
   * afterwards. So the mark is to be taken away before the page is written, not after.
   *
   * @param frame frame number
   * @return false if it is busy already
   */
  public boolean claimToClean(int frame) {
    return table.makeBusyEvenPinned(frame);
  }

  /**
   * Notes that the caller will wait for a busy frame. The owner's lock is held.
   *
   * @param frame frame number
   * @return what to give to {@link #await} when no lock is held any more, or NOT_BUSY
   */
  public long want(int frame) {
    long seen = ended[frame & (STRIPES - 1)].count();
    return table.want(frame) ? seen : NOT_BUSY;
  }

  /**
   * Waits until a frame is not busy any more, or something else happens: the caller looks again.
   * Called without locks.
   *
   * @param frame frame number
   * @param seen what {@link #want} returned
   */
  public void await(int frame, long seen) {
    ended[frame & (STRIPES - 1)].await(seen);
  }

  /**
   * The page has come in: its bytes are also where they came from.
   *
   * @param processor any number that differs between concurrent callers
   * @param frame a frame that the caller made busy
   */
  public void endClean(int processor, int frame) {
    end(processor, frame, FrameTable.DIRTY);
  }

  /**
   * Whatever was going to be done is over; what is known of the page's bytes stays.
   *
   * @param processor any number that differs between concurrent callers
   * @param frame a frame that the caller made busy
   */
  public void end(int processor, int frame) {
    end(processor, frame, 0);
  }

  /**
   * The page is not in this frame any more: it is free. Its slot is not.
   *
   * @param processor any number that differs between concurrent callers
   * @param frame a frame that the caller made busy and that belongs to nobody now
   */
  public void endFree(int processor, int frame) {
    table.setSlot(frame, 0);
    table.set(frame, FrameTable.RELEASED);
    end(processor, frame, 0);
  }

  /**
   * As {@link #endFree(int, int)} for several pages, which become free for all processors.
   *
   * @param frames frames that the caller made busy and that belong to nobody now
   * @param count how many
   */
  public void endFree(int[] frames, int count) {
    for (int i = 0; i < count; i++) {
      int frame = frames[i];
      table.setSlot(frame, 0);
      table.set(frame, FrameTable.RELEASED);
      wake(frame, table.endBusy(frame, 0));
    }
    allocator.becameFree(frames, count);
  }

  private void end(int processor, int frame, int clear) {
    int old = table.endBusy(frame, clear);
    if ((old & FrameTable.RELEASED) != 0) {
      allocator.becameFree(processor, frame);
    }
    wake(frame, old);
  }

  private void wake(int frame, int old) {
    if ((old & FrameTable.WANTED) != 0) {
      ended[frame & (STRIPES - 1)].advance();
    }
  }
}
