package org.juvm.base;

/**
 * The size of a page and all arithmetic between bytes and pages. Immutable.
 *
 * @param shift binary logarithm of the size in bytes, 10 (1 KiB) to 16 (64 KiB)
 */
public record PageSize(int shift) {
  /** The smallest page, in bytes. */
  public static final int MINIMUM_BYTES = 1 << 10;

  /** The largest page, in bytes. */
  public static final int MAXIMUM_BYTES = 1 << 16;

  /** Checks the range of the shift. */
  public PageSize {
    if (shift < 10 || shift > 16) {
      throw new IllegalArgumentException("page size out of range: shift=" + shift);
    }
  }

  /**
   * The page size of so many bytes.
   *
   * @param bytes a power of two from 1 KiB to 64 KiB
   * @return the page size
   * @throws IllegalArgumentException if {@code bytes} is not such a power of two
   */
  public static PageSize ofBytes(int bytes) {
    if (bytes < MINIMUM_BYTES || bytes > MAXIMUM_BYTES || Integer.bitCount(bytes) != 1) {
      throw new IllegalArgumentException(
          "page size must be a power of two from 1024 to 65536 bytes: pageSize=" + bytes);
    }
    return new PageSize(Integer.numberOfTrailingZeros(bytes));
  }

  /**
   * The size in bytes.
   *
   * @return bytes in one page
   */
  public int bytes() {
    return 1 << shift;
  }

  /**
   * The page that contains an address.
   *
   * @param address byte address, unsigned
   * @return its virtual page number
   */
  public long vpn(long address) {
    return address >>> shift;
  }

  /**
   * The first address of a page.
   *
   * @param vpn virtual page number, or a number of pages
   * @return byte address, or bytes
   */
  public long address(long vpn) {
    return vpn << shift;
  }

  /**
   * The offset of an address inside its page.
   *
   * @param address byte address
   * @return bytes from the start of the page
   */
  public int offset(long address) {
    return (int) address & (bytes() - 1);
  }

  /**
   * Whether an address or a length is a whole number of pages.
   *
   * @param bytes address or length
   * @return true if there is no remainder
   */
  public boolean isAligned(long bytes) {
    return offset(bytes) == 0;
  }

  /**
   * Rounds down to a whole number of pages.
   *
   * @param bytes address or length
   * @return the largest multiple of the page size that is not greater
   */
  public long truncate(long bytes) {
    return bytes & -(long) bytes();
  }

  /**
   * Rounds up to a whole number of pages.
   *
   * @param bytes address or length; at most 2^64 less one page, else the result wraps to zero
   * @return the smallest multiple of the page size that is not less
   */
  public long round(long bytes) {
    return truncate(bytes + bytes() - 1);
  }
}
