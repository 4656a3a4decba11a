package org.juvm.store;

import java.lang.foreign.MemorySegment;

/** Pieces of memory that are used together for a transfer. Immutable, its bytes apart. */
public final class TransferBuffer {
  private final MemorySegment memory;
  private final long[] offsets;

  /**
   * A buffer.
   *
   * @param memory what the pieces lie in
   * @param offsets of the pieces in it
   */
  public TransferBuffer(MemorySegment memory, long... offsets) {
    this.memory = memory;
    this.offsets = offsets.clone();
  }

  MemorySegment memory() {
    return memory;
  }

  /** The offsets of the pieces, for transfers. Not to be changed. */
  long[] offsets() {
    return offsets;
  }

  /**
   * How much it holds.
   *
   * @return number of pieces, at least 1
   */
  public int pieces() {
    return offsets.length;
  }
}
