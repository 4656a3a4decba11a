package org.juvm.ram;

/**
 * A fixed-length array of longs outside the heap, initially zeros, that takes memory only where it
 * has been written. Indexes are checked by assertions only.
 */
public final class LongTable {
  /** Keeps the addresses valid. */
  @SuppressWarnings("UnusedVariable") // being reachable is its use
  private final Reservation reservation;

  private final long base;
  private final long length;

  /**
   * A table of zeros.
   *
   * @param length number of elements
   * @param hugePages whether to ask the host for large pages
   */
  public LongTable(long length, boolean hugePages) {
    this.length = length;
    reservation = Reservation.of(length * Long.BYTES, hugePages);
    base = reservation.address();
  }

  /**
   * Plain load.
   *
   * @param index element
   * @return its value
   */
  public long get(long index) {
    return Native.getLong(address(index));
  }

  /**
   * Load with acquire semantics.
   *
   * @param index element
   * @return its value
   */
  public long getAcquire(long index) {
    return Native.getLongAcquire(address(index));
  }

  /**
   * Plain store.
   *
   * @param index element
   * @param value new value
   */
  public void set(long index, long value) {
    Native.setLong(address(index), value);
  }

  /**
   * Store with release semantics.
   *
   * @param index element
   * @param value new value
   */
  public void setRelease(long index, long value) {
    Native.setLongRelease(address(index), value);
  }

  /**
   * Compare and set with volatile semantics.
   *
   * @param index element
   * @param expected the value that must be there
   * @param value new value
   * @return true if it was stored
   */
  public boolean compareAndSet(long index, long expected, long value) {
    return Native.compareAndSetLong(address(index), expected, value);
  }

  private long address(long index) {
    assert index >= 0 && index < length : index;
    return base + (index << 3);
  }
}
