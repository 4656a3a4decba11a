package org.juvm.ram;

import java.nio.ByteOrder;

/**
 * A fixed-length array of small numbers outside the heap, initially zeros, that can be searched
 * eight elements at a time. Indexes are checked by assertions only.
 *
 * <p>An element has seven bits. One thread may store to an element while another one compares and
 * sets it or its neighbours: no update is lost. Loads and searches see each element as it was at
 * some moment while they ran.
 */
public final class ByteTable {
  /** The largest value of an element. The eighth bit is what searching calculates with. */
  public static final int MAXIMUM = 0x7f;

  private static final long EACH = 0x0101010101010101L;
  private static final long SEVEN_BITS = EACH * MAXIMUM;
  private static final boolean LITTLE_ENDIAN = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;

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
  public ByteTable(long length, boolean hugePages) {
    this.length = length;
    reservation = Reservation.of(length + Long.BYTES, hugePages);
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
   * Load with volatile semantics.
   *
   * @param index element
   * @return its value
   */
  public int get(long index) {
    return Native.getByteVolatile(address(index));
  }

  /**
   * Store with release semantics.
   *
   * @param index element
   * @param value new value, from 0 to {@link #MAXIMUM}
   */
  public void set(long index, int value) {
    assert value >= 0 && value <= MAXIMUM : value;
    Native.setByteRelease(address(index), (byte) value);
  }

  /**
   * Compare and set with volatile semantics.
   *
   * @param index element
   * @param expected the value that must be there
   * @param value new value, from 0 to {@link #MAXIMUM}
   * @return true if it was stored
   */
  public boolean compareAndSet(long index, int expected, int value) {
    assert value >= 0 && value <= MAXIMUM : value;
    long address = address(index);
    long word = address & -Integer.BYTES;
    int place = (int) (address - word);
    int shift = Byte.SIZE * (LITTLE_ENDIAN ? place : Integer.BYTES - 1 - place);
    while (true) {
      int old = Native.getIntVolatile(word);
      if ((old >>> shift & 0xff) != expected) {
        return false;
      }
      if (Native.compareAndSetInt(word, old, old ^ (expected ^ value) << shift)) {
        return true;
      }
    }
  }

  /**
   * Finds an element by some of its bits.
   *
   * @param from the first element to look at
   * @param end the element after the last one to look at
   * @param mask the bits to compare
   * @param wanted what those bits must be
   * @return the lowest such element, or {@code end}
   */
  public long next(long from, long end, int mask, int wanted) {
    assert from >= 0 && end <= length : from + ".." + end;
    long index = from;
    while (index < end) {
      long differences = differences(index & -Long.BYTES, mask, wanted);
      long matches = ~differences & ~SEVEN_BITS & -1L << bit(index);
      if (matches != 0) {
        return Math.min(
            end, (index & -Long.BYTES) + Long.numberOfTrailingZeros(matches) / Byte.SIZE);
      }
      index = (index & -Long.BYTES) + Long.BYTES;
    }
    return end;
  }

  /**
   * Counts elements by some of their bits.
   *
   * @param mask the bits to compare
   * @param wanted what those bits must be, not all of them zero
   * @return how many such elements there are
   */
  public long count(int mask, int wanted) {
    assert wanted != 0;
    long count = 0;
    for (long index = 0; index < length; index += Long.BYTES) {
      count += Long.bitCount(~differences(index, mask, wanted) & ~SEVEN_BITS);
    }
    return count;
  }

  /** Of eight elements: the eighth bit of each is set if it is not as wanted. */
  private long differences(long index, int mask, int wanted) {
    long word = Native.getLong(base + index);
    long elements = LITTLE_ENDIAN ? word : Long.reverseBytes(word);
    long different = (elements ^ EACH * wanted) & EACH * mask;
    return different + SEVEN_BITS;
  }

  private static long bit(long index) {
    return (index & Long.BYTES - 1) * Byte.SIZE;
  }

  private long address(long index) {
    assert index >= 0 && index < length : index;
    return base + index;
  }
}
