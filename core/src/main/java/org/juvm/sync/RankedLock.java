package org.juvm.sync;

import java.util.concurrent.locks.ReentrantLock;

/** A mutual exclusion lock with a place in the lock order. Not reentrant. */
public final class RankedLock {
  private final LockRank rank;
  private final ReentrantLock lock = new ReentrantLock();

  /**
   * A free lock.
   *
   * @param rank its place in the order
   */
  public RankedLock(LockRank rank) {
    this.rank = rank;
  }

  /** Takes the lock, waiting for it if need be. */
  public void lock() {
    assert LockOrder.acquiring(rank);
    lock.lock();
    assert LockOrder.acquired(rank);
  }

  /** Gives the lock back. The current thread must hold it. */
  public void unlock() {
    assert LockOrder.released(rank);
    lock.unlock();
  }

  /**
   * Whether the current thread holds the lock.
   *
   * @return true if it does
   */
  public boolean isHeld() {
    return lock.isHeldByCurrentThread();
  }
}
