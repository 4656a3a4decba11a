package org.juvm.kernel;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The magazines of one processor, or of what stands for one: a thread that finds its stripe taken
 * uses another. Held for a few instructions, or while a batch of objects is moved; who holds it
 * waits for nothing but the lock of a size class.
 */
final class Stripe {
  private static final int LOOKS_BEFORE_YIELD = 64;
  private static final VarHandle TAKEN;

  static {
    try {
      TAKEN = MethodHandles.lookup().findVarHandle(Stripe.class, "taken", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private volatile int taken;

  // The counts since the start, of this stripe. Guarded by it.

  private long allocations;
  private long frees;
  private long bytesAllocated;
  private long bytesFreed;

  @SuppressWarnings("unused") // keeps the next object out of this one's cache lines
  private long pad0, pad1, pad2, pad3, pad4, pad5, pad6, pad7;
  @SuppressWarnings("unused")
  private long pad8, pad9, pad10, pad11, pad12, pad13, pad14, pad15;

  /** By size class. */
  final Magazine[] magazines = new Magazine[SizeClasses.COUNT];

  /**
   * Empty magazines.
   *
   * @param batchBytes how much they move at once
   */
  Stripe(long batchBytes) {
    for (int i = 0; i < magazines.length; i++) {
      magazines[i] = new Magazine(SizeClasses.size(i), batchBytes);
    }
  }

  boolean tryTake() {
    return taken == 0 && TAKEN.compareAndSet(this, 0, 1);
  }

  void take() {
    for (int looks = 0; !tryTake(); looks++) {
      pause(looks);
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

  void release() {
    TAKEN.setRelease(this, 0);
  }

  void countAllocation(long bytes) {
    allocations++;
    bytesAllocated += bytes;
  }

  void countFree(long bytes) {
    frees++;
    bytesFreed += bytes;
  }

  long allocations() {
    return allocations;
  }

  long frees() {
    return frees;
  }

  /** Bytes that clients have got here, less those that they have given back here. */
  long bytesInUse() {
    return bytesAllocated - bytesFreed;
  }
}
