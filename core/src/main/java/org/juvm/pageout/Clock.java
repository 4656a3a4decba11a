package org.juvm.pageout;

import org.juvm.page.References;
import org.juvm.page.ReplacementPolicy;
import org.juvm.ram.ByteTable;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * The clock: all pages in one ring, and a hand that clears the bits of those that were used and
 * stops at the first that was not. A new page enters behind the hand, where it is looked at last.
 * All pages count as inactive.
 *
 * <p>Source: F. Corbató, "A Paging Experiment with the Multics System", 1968.
 */
final class Clock implements ReplacementPolicy {
  private final References references;
  private final RankedLock lock = new RankedLock(LockRank.PAGE_QUEUE);

  /** Guard: lock. */
  private final PageRing ring;

  /** Guard: lock. */
  private final KeptPages kept;

  /** Per frame: 1 if its page is in the ring. Written with the lock; anybody reads it. */
  private final ByteTable enqueued;

  /** The page to look at next; NONE if there is none. Guard: lock. */
  private int hand = NONE;

  /** Times that pages may still be spared in this scan. Guard: lock. */
  private int chances;

  Clock(int frames, References references) {
    this.references = references;
    ring = new PageRing(frames);
    kept = new KeptPages(frames);
    enqueued = new ByteTable(frames, false);
  }

  @Override
  public void enqueue(int frame, long identity, boolean file) {
    lock.lock();
    try {
      assert !isEnqueued(frame) : frame;
      enqueued.set(frame, 1);
      kept.forget(frame);
      insertBehindHand(frame);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void dequeue(int frame) {
    lock.lock();
    try {
      if (isEnqueued(frame)) {
        enqueued.set(frame, 0);
        remove(frame);
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void activate(int frame) {
    lock.lock();
    try {
      if (isEnqueued(frame)) {
        remove(frame);
        insertBehindHand(frame);
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void deactivate(int frame) {
    lock.lock();
    try {
      if (isEnqueued(frame)) {
        references.testAndClear(frame);
        remove(frame);
        insertBehindHand(frame);
        hand = frame;
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void beginScan(int free, int freeTarget, boolean swapFull) {
    lock.lock();
    kept.beginScan();
    chances = ring.size();
    lock.unlock();
  }

  @Override
  public int selectVictim() {
    lock.lock();
    try {
      int looks = chances + ring.size();
      while (hand != NONE && looks-- > 0) {
        int frame = hand;
        if (!kept.isKept(frame) && (chances == 0 || !references.testAndClear(frame))) {
          return frame;
        }
        chances = Math.max(0, chances - 1);
        hand = ring.newer(frame);
      }
      return NONE;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void evicted(int frame) {
    dequeue(frame);
  }

  @Override
  public void kept(int frame) {
    lock.lock();
    try {
      if (isEnqueued(frame)) {
        kept.keep(frame);
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void forget(long identity) {
    // The past of pages plays no role.
  }

  @Override
  public boolean isEnqueued(int frame) {
    return enqueued.get(frame) != 0;
  }

  @Override
  public boolean isActive(int frame) {
    return false;
  }

  @Override
  public int activePages() {
    return 0;
  }

  @Override
  public int inactivePages() {
    lock.lock();
    try {
      return ring.size();
    } finally {
      lock.unlock();
    }
  }

  private void insertBehindHand(int frame) {
    if (hand == NONE) {
      ring.begin(frame);
      hand = frame;
    } else {
      ring.insertOlder(frame, hand);
    }
  }

  private void remove(int frame) {
    if (hand == frame) {
      hand = ring.size() == 1 ? NONE : ring.newer(frame);
    }
    ring.remove(frame);
  }
}
