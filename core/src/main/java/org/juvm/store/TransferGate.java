package org.juvm.store;

import java.util.concurrent.atomic.AtomicInteger;
import org.juvm.sync.EventCount;

/**
 * Keeps a descriptor of the host open while anybody uses it: the number of a closed descriptor may
 * be another file's at once. Thread-safe.
 */
final class TransferGate {
  private static final int CLOSED = Integer.MIN_VALUE;

  /** How many are inside; plus {@link #CLOSED} once the gate is closed. */
  private final AtomicInteger inside = new AtomicInteger();

  private final EventCount drained = new EventCount();

  /** Goes in, to be followed by {@link #leave}; or returns false if the gate is closed. */
  boolean enter() {
    if (inside.getAndIncrement() >= 0) {
      return true;
    }
    leave();
    return false;
  }

  void leave() {
    if (inside.decrementAndGet() == CLOSED) {
      drained.advance();
    }
  }

  /**
   * Closes the gate and waits until nobody is inside. Returns false if it was closed before; then
   * it does not wait.
   */
  boolean close() {
    int before = inside.getAndUpdate(count -> count | CLOSED);
    if (before < 0) {
      return false;
    }
    while (true) {
      long seen = drained.count();
      if (inside.get() == CLOSED) {
        return true;
      }
      drained.await(seen);
    }
  }
}
