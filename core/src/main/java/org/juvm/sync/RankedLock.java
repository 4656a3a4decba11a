package org.juvm.sync;

import java.util.concurrent.locks.AbstractQueuedSynchronizer;

/**
 * A mutual exclusion lock with a place in the lock order. Not reentrant.
 *
 * <p>What it guards is short, so a thread that finds it taken looks again for about as long as that
 * takes before it goes to sleep. Locks that faults take are written by all processors; each has its
 * cache lines to itself, and taking one stores no reference, since that would mark a card of the
 * heap that locks of other threads share.
 */
public final class RankedLock {
  /** A few hundred nanoseconds. */
  private static final int LOOKS_BEFORE_SLEEP = 32;

  private final LockRank rank;
  private final Sync sync;

  /** State 1: taken. */
  private static class Sync extends AbstractQueuedSynchronizer {
    private static final long serialVersionUID = 1;

    /** Thread that holds the lock, by number; 0: none. Written only by that thread. */
    private long owner;

    @Override
    protected boolean tryAcquire(int ignored) {
      if (getState() == 0 && compareAndSetState(0, 1)) {
        owner = Thread.currentThread().threadId();
        return true;
      }
      return false;
    }

    @Override
    protected boolean tryRelease(int ignored) {
      if (!isHeldExclusively()) {
        throw new IllegalMonitorStateException("not locked by this thread");
      }
      owner = 0;
      setState(0);
      return true;
    }

    @Override
    protected boolean isHeldExclusively() {
      return owner == Thread.currentThread().threadId();
    }

    private void take() {
      for (int i = 0; i < LOOKS_BEFORE_SLEEP; i++) {
        if (tryAcquire(1)) {
          return;
        }
        Thread.onSpinWait();
      }
      acquire(1);
    }
  }

  private static final class PaddedSync extends Sync {
    private static final long serialVersionUID = 1;

    // 128 bytes with what comes before: the length of two lines, or of one where they are long.
    @SuppressWarnings("unused")
    private long pad0, pad1, pad2, pad3, pad4, pad5, pad6, pad7, pad8, pad9, pad10;
  }

  /**
   * A free lock.
   *
   * @param rank its place in the order
   */
  public RankedLock(LockRank rank) {
    this.rank = rank;
    // Faults seldom take the lock of a pmap; and each address space has one, which must be cheap.
    sync = rank == LockRank.PMAP ? new Sync() : new PaddedSync();
  }

  /** Takes the lock, waiting for it if need be. */
  public void lock() {
    assert LockOrder.acquiring(rank);
    if (!sync.tryAcquire(1)) {
      sync.take();
    }
    assert LockOrder.acquired(rank);
  }

  /** Gives the lock back. The current thread must hold it. */
  public void unlock() {
    assert LockOrder.released(rank);
    sync.release(1);
  }

  /**
   * Whether the current thread holds the lock.
   *
   * @return true if it does
   */
  public boolean isHeld() {
    return sync.isHeldExclusively();
  }
}
