package org.juvm.page;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * The owners of pages by number, so that a frame's descriptor can name its owner. Zero is nobody.
 *
 * <p>A number is used again after its owner has gone. Who comes from a frame must look again when
 * it has the owner's lock and the frame is busy; see {@link BusyFrames#claim}.
 */
public final class PageOwners {
  private final RankedLock lock = new RankedLock(LockRank.POOL);

  /**
   * By number. Replaced when it grows; elements are written with the lock held and read by anybody.
   */
  private volatile @Nullable PageOwner[] byNumber = new @Nullable PageOwner[256];

  /** Numbers that were used and are free. Guarded by lock. */
  private int[] free = new int[256];

  /** Guarded by lock. */
  private int freeCount;

  /** The smallest number that was never used. Guarded by lock. */
  private int next = 1;

  /** No owners. */
  public PageOwners() {}

  /**
   * Gives an owner a number. Any lock of rank before POOL may be held.
   *
   * @param owner the owner
   * @return its number, greater than 0
   */
  public int register(PageOwner owner) {
    lock.lock();
    try {
      int number = freeCount > 0 ? free[--freeCount] : next++;
      @Nullable PageOwner[] owners = byNumber;
      if (number >= owners.length) {
        owners = Arrays.copyOf(owners, owners.length * 2);
      }
      owners[number] = owner;
      byNumber = owners;
      return number;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes a number back. No live page names it.
   *
   * @param number the number
   */
  public void unregister(int number) {
    lock.lock();
    try {
      byNumber[number] = null;
      if (freeCount == free.length) {
        free = Arrays.copyOf(free, freeCount * 2);
      }
      free[freeCount++] = number;
    } finally {
      lock.unlock();
    }
  }

  /**
   * The owner with a number.
   *
   * @param number any number
   * @return the owner, or null if there is none now
   */
  public @Nullable PageOwner get(int number) {
    @Nullable PageOwner[] owners = byNumber;
    return number > 0 && number < owners.length ? owners[number] : null;
  }

  /**
   * The number of owners.
   *
   * @return owners
   */
  public int size() {
    lock.lock();
    try {
      return next - 1 - freeCount;
    } finally {
      lock.unlock();
    }
  }
}
