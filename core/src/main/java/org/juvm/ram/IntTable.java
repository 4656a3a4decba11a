package org.juvm.ram;

/**
 * A fixed-length array of ints outside the heap, initially zeros, that takes memory only where it
 * has been written. Indexes are checked by assertions only.
 */
public final class IntTable {
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
  public IntTable(long length, boolean hugePages) {
    this.length = length;
    reservation = Reservation.of(length * Integer.BYTES, hugePages);
    base = reservation.address();
  }

  /**
   * The number of elements.
   *
   * @return elements
   */
  public long length() {
    return length;
  }

  /**
   * Plain load.
   *
   * @param index element
   * @return its value
   */
  public int get(long index) {
    return Native.getInt(address(index));
  }

  /**
   * Plain store.
   *
   * @param index element
   * @param value new value
   */
  public void set(long index, int value) {
    Native.setInt(address(index), value);
  }

  /**
   * Load with volatile semantics.
   *
   * @param index element
   * @return its value
   */
  public int getVolatile(long index) {
    return Native.getIntVolatile(address(index));
  }

  /**
   * Compare and set with volatile semantics.
   *
   * @param index element
   * @param expected the value that must be there
   * @param value new value
   * @return true if it was stored
   */
  public boolean compareAndSet(long index, int expected, int value) {
    return Native.compareAndSetInt(address(index), expected, value);
  }

  private long address(long index) {
    assert index >= 0 && index < length : index;
    return base + (index << 2);
  }
}
