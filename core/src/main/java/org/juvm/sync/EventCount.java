package org.juvm.sync;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets threads wait, without any other lock, until something has happened that they saw was missing
 * while they held one. A waiter reads {@link #count} under the lock that guards what it waits for,
 * releases that lock, and calls {@link #await}; a waker changes the state under the same lock and
 * calls {@link #advance}. No wake-up is lost, since the count that the waiter read is older.
 *
 * <p>Source: D. Reed and R. Kanodia, "Synchronization with Eventcounts and Sequencers", 1979; the
 * role is that of the BSDs' {@code tsleep} with an interlock.
 */
public final class EventCount {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition advanced = lock.newCondition();

  /** Number of events so far. Written with the lock held; anybody reads it. */
  private volatile long count;

  /** No events yet. */
  public EventCount() {}

  /**
   * The number of events so far.
   *
   * @return the number to wait from
   */
  public long count() {
    return count;
  }

  /**
   * Waits until there were more events than a number. Called without any lock; an interrupt is kept
   * and does not end the wait.
   *
   * @param seen what {@link #count} returned
   */
  public void await(long seen) {
    assert LockOrder.noneHeld();
    lock.lock();
    try {
      while (count == seen) {
        advanced.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * As {@link #await(long)}, for a time at most. An interrupt ends the wait.
   *
   * @param seen what {@link #count} returned
   * @param nanos how long at most, in nanoseconds
   * @return how much of that is left; 0 or less: the time is over
   * @throws InterruptedException if the thread was interrupted
   */
  public long await(long seen, long nanos) throws InterruptedException {
    assert LockOrder.noneHeld();
    long left = nanos;
    lock.lockInterruptibly();
    try {
      while (count == seen && left > 0) {
        left = advanced.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
    return left;
  }

  /** Counts an event and wakes all that wait. Any lock may be held. */
  public void advance() {
    lock.lock();
    try {
      long next = count + 1;
      count = next;
      advanced.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
