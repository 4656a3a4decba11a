package org.juvm.kernel;

/**
 * The magazines of one thread, or of what stands for one: a thread that finds its stripe taken uses
 * another. Held for a few instructions, or while a batch of objects is moved; who holds it waits
 * for nothing but the lock of a size class.
 */
final class Stripe extends StripeLock {
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
