package org.juvm.wasm;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import run.endive.runtime.WasmInterruptedException;

/**
 * Threads that wait at addresses of a shared memory, first come first woken. Thread-safe.
 *
 * <p>The value is compared under the lock that a notifier takes too, so a wake-up that follows a
 * change of the value cannot be lost.
 */
final class ParkingTable {
  /** Answers of {@code memory.atomic.wait}, fixed by WebAssembly. */
  static final int WOKEN = 0;

  static final int NOT_EQUAL = 1;
  static final int TIMED_OUT = 2;

  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Integer, Queue<Waiter>> waiters = new HashMap<>();

  private static final class Waiter {
    private final Condition wakeUp;
    private boolean woken;

    Waiter(Condition wakeUp) {
      this.wakeUp = wakeUp;
    }
  }

  /**
   * Waits at an address.
   *
   * @param condition read under the lock; false means that there is nothing to wait for
   * @param timeoutNanos nanoseconds to wait; negative waits forever
   * @return {@link #WOKEN}, {@link #NOT_EQUAL} or {@link #TIMED_OUT}
   * @throws WasmInterruptedException if the thread was interrupted; its mark stays set
   */
  int park(int address, BooleanSupplier condition, long timeoutNanos) {
    lock.lock();
    try {
      if (!condition.getAsBoolean()) {
        return NOT_EQUAL;
      }
      var waiter = new Waiter(lock.newCondition());
      var queue = waiters.computeIfAbsent(address, key -> new ArrayDeque<>());
      queue.add(waiter);
      try {
        return await(waiter, timeoutNanos);
      } finally {
        queue.remove(waiter);
        if (queue.isEmpty()) {
          waiters.remove(address, queue);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private static int await(Waiter waiter, long timeoutNanos) {
    long left = timeoutNanos;
    try {
      while (!waiter.woken) {
        if (timeoutNanos < 0) {
          waiter.wakeUp.await();
        } else if (left <= 0) {
          return TIMED_OUT;
        } else {
          left = waiter.wakeUp.awaitNanos(left);
        }
      }
      return WOKEN;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      if (waiter.woken) {
        return WOKEN;
      }
      throw new WasmInterruptedException("interrupted while waiting at a memory address");
    }
  }

  /**
   * Wakes those who wait longest at an address.
   *
   * @param maximum how many at most
   * @return how many were woken
   */
  int unpark(int address, long maximum) {
    lock.lock();
    try {
      var queue = waiters.get(address);
      int count = 0;
      while (queue != null && count < maximum && !queue.isEmpty()) {
        var waiter = queue.remove();
        waiter.woken = true;
        waiter.wakeUp.signal();
        count++;
      }
      return count;
    } finally {
      lock.unlock();
    }
  }
}
