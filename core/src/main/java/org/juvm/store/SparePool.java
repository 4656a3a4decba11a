package org.juvm.store;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Things that are costly to make and are used by one thread at a time for a short while. A few are
 * kept; who finds none makes one, and where there is no room for it afterwards it is dropped.
 *
 * <p>Thread-safe, without locks. It is no {@link ThreadLocal}, because there may be a million
 * virtual threads.
 *
 * @param <T> the things
 */
final class SparePool<T> {
  private static final int CELLS = 32;

  /** References between two cells, so that threads do not write to one cache line. */
  private static final int SPREAD = 32;

  /** A cell that is not null holds a thing that nobody uses. */
  private final AtomicReferenceArray<@Nullable T> cells =
      new AtomicReferenceArray<>(CELLS * SPREAD);

  private final Supplier<T> maker;

  SparePool(Supplier<T> maker) {
    this.maker = maker;
  }

  /** One that nobody else uses until it is given back. */
  T take() {
    T spare = takeSpare();
    return spare != null ? spare : maker.get();
  }

  /** One that is kept here, or null if there is none. */
  @Nullable T takeSpare() {
    int first = cellOfThread();
    for (int i = 0; i < CELLS; i++) {
      int cell = (first + i) % CELLS * SPREAD;
      if (cells.getPlain(cell) != null) {
        T spare = cells.getAndSet(cell, null);
        if (spare != null) {
          return spare;
        }
      }
    }
    return null;
  }

  void give(T thing) {
    int first = cellOfThread();
    for (int i = 0; i < CELLS; i++) {
      int cell = (first + i) % CELLS * SPREAD;
      if (cells.getPlain(cell) == null && cells.compareAndSet(cell, null, thing)) {
        return;
      }
    }
  }

  private static int cellOfThread() {
    return (int) (Thread.currentThread().threadId() % CELLS);
  }
}
