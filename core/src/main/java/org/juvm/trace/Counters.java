package org.juvm.trace;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * A block of event counters. {@link #increment} is for the one thread that owns the block, {@link
 * #add} for any thread; one block is used in one of the two ways only, except that a block whose
 * owner is gone may be read by all. Reading is always allowed and may miss the latest events.
 */
public final class Counters {
  private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);
  private static final int NUMBER = Counter.values().length;

  /** Room behind the cells that keeps other objects out of their cache lines. Longs. */
  private static final int PADDING = 16;

  private final long[] cells = new long[NUMBER + PADDING];

  /** A block of zeros. */
  public Counters() {}

  /**
   * Counts one event. Only for the owner thread.
   *
   * @param counter the event
   */
  public void increment(Counter counter) {
    int i = counter.ordinal();
    CELL.setOpaque(cells, i, cells[i] + 1);
  }

  /**
   * Counts events. For any thread, if all users of this block call this method.
   *
   * @param counter the event
   * @param events how many
   */
  public void add(Counter counter, long events) {
    CELL.getAndAdd(cells, counter.ordinal(), events);
  }

  /**
   * Adds all of another block, whose owner counts no more.
   *
   * @param other the block
   */
  public void addAll(Counters other) {
    for (Counter counter : Counter.values()) {
      add(counter, other.value(counter));
    }
  }

  /**
   * The number of events so far.
   *
   * @param counter the event
   * @return its count
   */
  public long value(Counter counter) {
    return (long) CELL.getOpaque(cells, counter.ordinal());
  }

  /** Forgets all events. Only for the owner thread. */
  public void clear() {
    Arrays.fill(cells, 0);
  }
}
