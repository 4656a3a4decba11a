package org.juvm.kernel;

import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * The slabs of one size, and the objects that are free in them. Thread-safe.
 *
 * <p>Slabs that have a free object are in a list; those that have none are in none, and are found
 * by their objects. Slabs whose objects are all free are kept, one at least, and more as long as
 * those of all classes together are not too many bytes: so a program that needs as many objects
 * over and over does not make and unmake slabs each time.
 */
final class SizeClass {
  private final RankedLock lock = new RankedLock(LockRank.POOL);

  /** Bytes of slabs whose objects are all free, of all classes. */
  private final AtomicLong idle;

  /** From how many on such slabs go. */
  private final long mostIdle;

  /** Those with a free object. Guarded by lock. */
  private @Nullable Slab first;

  /** Slabs whose objects are all free. Guarded by lock. */
  private int empty;

  /** Guarded by lock. */
  private int slabs;

  /** Guarded by lock. */
  private long objects;

  SizeClass(AtomicLong idle, long mostIdle) {
    this.idle = idle;
    this.mostIdle = mostIdle;
  }

  /** Adds a new slab, all of whose objects are free. */
  void add(Slab slab) {
    lock.lock();
    try {
      link(slab);
      countEmpty(slab, 1);
      slabs++;
      objects += slab.objects;
    } finally {
      lock.unlock();
    }
  }

  /** Puts free objects into a magazine, as many as there are and at most so many. */
  void take(Magazine into, int count) {
    lock.lock();
    try {
      for (int i = 0; i < count && first != null; i++) {
        Slab slab = first;
        if (slab.isEmpty()) {
          countEmpty(slab, -1);
        }
        into.push(slab.take());
        if (slab.isFull()) {
          unlink(slab);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes objects out of a magazine.
   *
   * @param from has so many at least
   * @param count how many
   * @param table finds their slabs
   * @return slabs that are to go, linked by next; null if there are none
   */
  @Nullable Slab put(Magazine from, int count, SlabTable table) {
    Slab leaving = null;
    lock.lock();
    try {
      for (int i = 0; i < count; i++) {
        long name = from.pop();
        Slab slab = table.of(name);
        if (slab.isFull()) {
          link(slab);
        }
        slab.put(Slab.index(name));
        if (slab.isEmpty() && countEmpty(slab, 1) > mostIdle && empty > 1) {
          leaving = leave(slab, leaving);
        }
      }
      return leaving;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Lets go of all slabs whose objects are all free.
   *
   * @return those slabs, linked by next; null if there are none
   */
  @Nullable Slab trim() {
    Slab leaving = null;
    lock.lock();
    try {
      for (Slab slab = first; slab != null && empty > 0; ) {
        Slab next = slab.next;
        if (slab.isEmpty()) {
          leaving = leave(slab, leaving);
        }
        slab = next;
      }
      return leaving;
    } finally {
      lock.unlock();
    }
  }

  private Slab leave(Slab slab, @Nullable Slab others) {
    unlink(slab);
    countEmpty(slab, -1);
    slabs--;
    objects -= slab.objects;
    slab.next = others;
    return slab;
  }

  /** Returns the bytes of such slabs of all classes. */
  private long countEmpty(Slab slab, int more) {
    empty += more;
    return idle.addAndGet(more * slab.bytes);
  }

  private void link(Slab slab) {
    slab.next = first;
    if (first != null) {
      first.previous = slab;
    }
    first = slab;
  }

  private void unlink(Slab slab) {
    Slab before = slab.previous;
    Slab after = slab.next;
    if (before == null) {
      first = after;
    } else {
      before.next = after;
    }
    if (after != null) {
      after.previous = before;
    }
    slab.previous = null;
    slab.next = null;
  }

  int slabs() {
    lock.lock();
    try {
      return slabs;
    } finally {
      lock.unlock();
    }
  }

  long objects() {
    lock.lock();
    try {
      return objects;
    } finally {
      lock.unlock();
    }
  }

  /** Objects that are free in slabs. */
  long free() {
    lock.lock();
    try {
      long free = 0;
      for (Slab slab = first; slab != null; slab = slab.next) {
        free += slab.freeCount();
      }
      return free;
    } finally {
      lock.unlock();
    }
  }
}
