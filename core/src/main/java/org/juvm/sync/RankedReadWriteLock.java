package org.juvm.sync;

import java.util.concurrent.locks.StampedLock;
import org.jspecify.annotations.Nullable;

/**
 * A readers-writer lock with a place in the lock order. A reader takes one of several stripes, a
 * writer takes all of them: readers on different processors do not disturb each other, and a writer
 * pays for each stripe. Neither side is reentrant.
 */
public final class RankedReadWriteLock {
  private static final int STRIPES =
      Math.min(8, Integer.highestOneBit(Math.max(1, Runtime.getRuntime().availableProcessors())));

  private final LockRank rank;
  private final Stripe[] stripes = new Stripe[STRIPES];

  /** The thread that holds the lock for writing. Written only by that thread. */
  private volatile @Nullable Thread writer;

  /** One lock, in cache lines of its own. */
  private static final class Stripe extends StampedLock {
    private static final long serialVersionUID = 1;

    // 128 bytes with what comes before: the length of two lines, or of one where they are long.
    @SuppressWarnings("unused")
    private long pad0, pad1, pad2, pad3, pad4, pad5, pad6, pad7, pad8, pad9;
  }

  /**
   * A free lock.
   *
   * @param rank its place in the order
   */
  public RankedReadWriteLock(LockRank rank) {
    this.rank = rank;
    for (int i = 0; i < STRIPES; i++) {
      stripes[i] = new Stripe();
    }
  }

  /**
   * Takes the lock for reading.
   *
   * @param reader any number that differs between concurrent readers; give the same to {@link
   *     #unlockRead}
   */
  public void lockRead(int reader) {
    assert LockOrder.acquiring(rank);
    stripes[reader & (STRIPES - 1)].readLock();
    assert LockOrder.acquired(rank);
  }

  /**
   * Gives the read lock back.
   *
   * @param reader the number given to {@link #lockRead}
   */
  public void unlockRead(int reader) {
    assert LockOrder.released(rank);
    if (!stripes[reader & (STRIPES - 1)].tryUnlockRead()) {
      throw new IllegalMonitorStateException("not locked for reading: " + rank);
    }
  }

  /** Takes the lock for writing: afterwards no other thread holds it in any way. */
  public void lockWrite() {
    assert LockOrder.acquiring(rank);
    for (Stripe stripe : stripes) {
      stripe.writeLock();
    }
    writer = Thread.currentThread();
    assert LockOrder.acquired(rank);
  }

  /**
   * Takes the lock for writing if nobody holds it in any way.
   *
   * @return false if somebody does
   */
  public boolean tryLockWrite() {
    assert LockOrder.acquiring(rank);
    for (int i = 0; i < STRIPES; i++) {
      if (stripes[i].tryWriteLock() == 0) {
        while (--i >= 0) {
          boolean _ = stripes[i].tryUnlockWrite();
        }
        return false;
      }
    }
    writer = Thread.currentThread();
    assert LockOrder.acquired(rank);
    return true;
  }

  /** Gives the write lock back. The current thread must hold it. */
  public void unlockWrite() {
    assert isWriteHeld();
    assert LockOrder.released(rank);
    writer = null;
    for (int i = STRIPES - 1; i >= 0; i--) {
      if (!stripes[i].tryUnlockWrite()) {
        throw new IllegalMonitorStateException("not locked for writing: " + rank);
      }
    }
  }

  /**
   * Whether the current thread holds the lock for writing.
   *
   * @return true if it does
   */
  public boolean isWriteHeld() {
    return Thread.currentThread().equals(writer);
  }
}
