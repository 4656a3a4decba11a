package org.juvm.kernel;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.juvm.ram.Host;
import org.juvm.sync.LockOrder;
import org.juvm.sync.LockRank;

/**
 * A lock for a few instructions that can be given to a thread: its owner then takes it without a
 * locked instruction, and others do not take it at all before they have taken it away.
 *
 * <p>Without an owner, who sets {@code taken} by compare-and-set has the lock. With one, the owner
 * has it who says so in its {@link Owner#inside} and then finds that it still is the owner; all
 * others, when they have set {@code taken}, see that there is an owner, and leave. The owner is
 * changed only by who has {@code taken}:
 *
 * <ul>
 *   <li>A thread that has the lock makes itself the owner before it releases {@code taken}. Whoever
 *       sets that next sees it.
 *   <li>A thread that takes it away writes that there is no owner, has all threads of the process
 *       execute a fence, and waits until the owner is not inside. Either the owner's mark was
 *       before that fence: then it is seen, and waited for, and with it all that the owner has
 *       done. Or its look at who is the owner comes after: then it sees that it is not.
 * </ul>
 *
 * <p>Each time that a thread becomes the owner there is another mark. For a thread may have seen
 * that it is the owner, and set and clear its mark only when the lock has been taken from it and
 * given to another: that one's mark must stay.
 *
 * <p>This is the protocol of {@code docs/access-protocol.md} for stores. Where there is no
 * asymmetric fence no thread becomes an owner.
 */
class StripeLock {
  /** A thread that takes the lock so often in a row, and no other does, becomes its owner. */
  private static final int USES_BEFORE_OWNING = 64;

  /** So often others find the lock owned before they take it away: the owner may be gone. */
  private static final int MISSES_BEFORE_REVOKING = 4096;

  private static final int LOOKS_BEFORE_YIELD = 64;
  private static final VarHandle TAKEN;
  private static final VarHandle INSIDE;
  private static final VarHandle OWNER;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      TAKEN = lookup.findVarHandle(StripeLock.class, "taken", int.class);
      INSIDE = lookup.findVarHandle(Owner.class, "inside", int.class);
      OWNER = lookup.findVarHandle(StripeLock.class, "owner", Owner.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** A thread that was given the lock, until that is taken away from it. */
  private static final class Owner {
    final long thread;

    /** Whether it has the lock. Written by that thread only. */
    volatile int inside;

    @SuppressWarnings("unused") // keeps the next object out of this one's cache lines
    private long pad0, pad1, pad2, pad3, pad4, pad5, pad6, pad7;
    @SuppressWarnings("unused")
    private long pad8, pad9, pad10, pad11, pad12, pad13, pad14, pad15;

    Owner(long thread) {
      this.thread = thread;
    }
  }

  /** No thread has this number. */
  private static final Owner NOBODY = new Owner(0);

  /** Who takes the lock without a locked instruction. */
  private volatile Owner owner = NOBODY;

  /** Whether somebody has the lock by compare-and-set. */
  private volatile int taken;

  /** Whether who has the lock has it as the owner. Guarded by the lock. */
  private boolean byOwner;

  /** Who was made the owner last. Guarded by the lock. */
  private Owner given = NOBODY;

  /** Who had the lock last by compare-and-set, and how often in a row. Guarded by the lock. */
  private long last;

  private int uses;

  /** How often others found it owned. Not exact. */
  private int misses;

  /** Takes the lock if a thread, the current one, is its owner. Returns false if not. */
  final boolean enter(long thread) {
    Owner mine = owner;
    if (mine.thread != thread) {
      return false;
    }
    INSIDE.setOpaque(mine, 1);
    VarHandle.acquireFence();
    if ((Owner) OWNER.getAcquire(this) == mine) {
      byOwner = true;
      assert isInOrder();
      return true;
    }
    INSIDE.setRelease(mine, 0);
    return false;
  }

  /** Takes the lock if nobody has it or owns it. */
  final boolean tryTake() {
    if (taken != 0 || isOwned() || !TAKEN.compareAndSet(this, 0, 1)) {
      return false;
    }
    if (isOwned()) {
      TAKEN.setRelease(this, 0);
      return false;
    }
    byOwner = false;
    assert isInOrder();
    return true;
  }

  /**
   * As {@link #tryTake()}, for a thread that will come again, and may be the owner next time.
   *
   * @param thread the current thread's number
   * @param mayOwn false if there may be too many of its kind
   */
  final boolean tryTake(long thread, boolean mayOwn) {
    if (!tryTake()) {
      if (isOwned() && ++misses >= MISSES_BEFORE_REVOKING) {
        misses = 0;
        take();
        uses = 0;
        return true;
      }
      return false;
    }
    uses = thread == last ? uses + 1 : 0;
    last = thread;
    if (mayOwn && uses >= USES_BEFORE_OWNING && Host.ASYMMETRIC_FENCE) {
      giveTo(thread);
    }
    return true;
  }

  /**
   * Makes a thread the owner. The lock is held; if there is no memory for it, it is not any more.
   */
  private void giveTo(long thread) {
    Owner made = null;
    try {
      made = new Owner(thread);
    } finally {
      if (made == null) {
        release();
      }
    }
    uses = 0;
    misses = 0;
    given = made;
    owner = made;
  }

  /** Takes the lock, from its owner if it has one; then it has none. */
  final void take() {
    for (int looks = 0; taken != 0 || !TAKEN.compareAndSet(this, 0, 1); looks++) {
      pause(looks);
    }
    Owner had = owner;
    if (had.thread != 0) {
      owner = NOBODY;
      Host.fenceAllThreads();
      for (int looks = 0; had.inside != 0; looks++) {
        pause(looks);
      }
    }
    byOwner = false;
    assert isInOrder();
  }

  /** Gives the lock back. */
  final void release() {
    assert LockOrder.released(LockRank.STRIPE);
    if (byOwner) {
      INSIDE.setRelease(given, 0);
    } else {
      TAKEN.setRelease(this, 0);
    }
  }

  private static boolean isInOrder() {
    return LockOrder.acquiring(LockRank.STRIPE) && LockOrder.acquired(LockRank.STRIPE);
  }

  private boolean isOwned() {
    return owner.thread != 0;
  }

  /** Between two looks. Who holds a stripe may need this processor, or carrier, to go on. */
  @SuppressWarnings("ThreadPriorityCheck")
  static void pause(int looks) {
    if (looks < LOOKS_BEFORE_YIELD) {
      Thread.onSpinWait();
    } else {
      Thread.yield();
    }
  }
}
