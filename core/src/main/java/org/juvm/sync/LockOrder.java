package org.juvm.sync;

import org.juvm.base.VmPanic;

/**
 * Checks the lock order of {@link LockRank} for each thread. Called only from {@code assert}, so
 * that it costs nothing where assertions are off; every method returns true or throws {@link
 * VmPanic}.
 */
public final class LockOrder {
  /** Per thread: bit r is set while a lock of rank r is held. */
  private static final ThreadLocal<int[]> HELD = ThreadLocal.withInitial(() -> new int[1]);

  private LockOrder() {}

  /**
   * Says that the current thread is about to take a lock; throws {@link VmPanic} if it holds one
   * that does not come before it.
   *
   * @param rank of the lock
   * @return true
   */
  public static boolean acquiring(LockRank rank) {
    int held = HELD.get()[0];
    if (held >>> rank.ordinal() != 0) {
      throw new VmPanic("lock order: taking " + rank + " while holding " + names(held));
    }
    return true;
  }

  /**
   * Says that the current thread has taken a lock.
   *
   * @param rank of the lock
   * @return true
   */
  public static boolean acquired(LockRank rank) {
    HELD.get()[0] |= 1 << rank.ordinal();
    return true;
  }

  /**
   * Says that the current thread is about to give a lock back.
   *
   * @param rank of the lock
   * @return true
   */
  public static boolean released(LockRank rank) {
    HELD.get()[0] &= ~(1 << rank.ordinal());
    return true;
  }

  /**
   * Whether the current thread holds a lock of a rank. Known only where assertions are on.
   *
   * @param rank the rank
   * @return true if it does
   */
  public static boolean holds(LockRank rank) {
    return (HELD.get()[0] >>> rank.ordinal() & 1) != 0;
  }

  /**
   * Asserts that the current thread holds no lock at all, as it must before it waits for I/O or
   * memory or calls a client.
   *
   * @return true
   */
  public static boolean noneHeld() {
    int held = HELD.get()[0];
    if (held != 0) {
      throw new VmPanic("lock order: about to wait while holding " + names(held));
    }
    return true;
  }

  private static String names(int held) {
    StringBuilder names = new StringBuilder();
    for (LockRank rank : LockRank.values()) {
      if ((held >>> rank.ordinal() & 1) != 0) {
        names.append(names.isEmpty() ? "" : ", ").append(rank);
      }
    }
    return names.toString();
  }
}
