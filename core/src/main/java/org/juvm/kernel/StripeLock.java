package org.juvm.kernel;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.juvm.ram.Host;

/**
 * A lock for a few instructions that can be given to a thread: its owner then takes it without a
 * locked instruction, and others do not take it at all before they have taken it away.
 *
 * <p>Without an owner, who sets {@code taken} by compare-and-set has the lock. With one, the owner
 * has it who says so in {@code inside} and then finds that it still is the owner; all others, when
 * they have set {@code taken}, see that there is an owner, and leave. The owner is changed only by
 * who has {@code taken}:
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
      INSIDE = lookup.findVarHandle(StripeLock.class, "inside", int.class);
      OWNER = lookup.findVarHandle(StripeLock.class, "owner", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** The thread that takes the lock without a locked instruction, by number; 0: none. */
  private volatile long owner;

  /** Whether somebody has the lock by compare-and-set. */
  private volatile int taken;

  /** Whether the owner has it. Written by the owner, and by one that was it. */
  private volatile int inside;

  /** Whether who has the lock has it as the owner. Guarded by the lock. */
  private boolean byOwner;

  /** Who had the lock last by compare-and-set, and how often in a row. Guarded by the lock. */
  private long last;

  private int uses;

  /** How often others found it owned. Not exact. */
  private int misses;

  /** Takes the lock if a thread, the current one, is its owner. Returns false if not. */
  final boolean enter(long thread) {
    if (owner != thread) {
      return false;
    }
    INSIDE.setOpaque(this, 1);
    VarHandle.acquireFence();
    if ((long) OWNER.getAcquire(this) == thread) {
      byOwner = true;
      return true;
    }
    INSIDE.setRelease(this, 0);
    return false;
  }

  /** Takes the lock if nobody has it or owns it. */
  final boolean tryTake() {
    if (taken != 0 || owner != 0 || !TAKEN.compareAndSet(this, 0, 1)) {
      return false;
    }
    if (owner != 0) {
      TAKEN.setRelease(this, 0);
      return false;
    }
    byOwner = false;
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
      if (owner != 0 && ++misses >= MISSES_BEFORE_REVOKING) {
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
      uses = 0;
      misses = 0;
      owner = thread;
    }
    return true;
  }

  /** Takes the lock, from its owner if it has one; then it has none. */
  final void take() {
    for (int looks = 0; taken != 0 || !TAKEN.compareAndSet(this, 0, 1); looks++) {
      pause(looks);
    }
    if (owner != 0) {
      owner = 0;
      Host.fenceAllThreads();
      for (int looks = 0; inside != 0; looks++) {
        pause(looks);
      }
    }
    byOwner = false;
  }

  /** Gives the lock back. */
  final void release() {
    if (byOwner) {
      INSIDE.setRelease(this, 0);
    } else {
      TAKEN.setRelease(this, 0);
    }
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
