package org.juvm.posix;

import org.juvm.Vmspace;

/**
 * A range of whole pages inside the address space, made from what a program has given: any two
 * unsigned 64-bit numbers.
 *
 * @param start page aligned
 * @param length bytes, a multiple of the page size, at least 0
 */
record PageRange(long start, long length) {

  boolean isEmpty() {
    return length == 0;
  }

  long end() {
    return start + length;
  }

  private static long pageSize(Vmspace vmspace) {
    return vmspace.vm().pageSize();
  }

  static boolean isAligned(long address, Vmspace vmspace) {
    return (address & (pageSize(vmspace) - 1)) == 0;
  }

  /** The lengths that do not wrap around when they are rounded up to whole pages. */
  static boolean canRound(long length, Vmspace vmspace) {
    return Long.compareUnsigned(length, -pageSize(vmspace)) <= 0;
  }

  /** Rounds up; the length can be rounded. */
  static long round(long length, Vmspace vmspace) {
    long mask = pageSize(vmspace) - 1;
    return (length + mask) & ~mask;
  }

  /**
   * All pages that have a byte of a range.
   *
   * @param wrong the error if the range wraps around or leaves the address space
   */
  static PageRange around(Call call, Vmspace vmspace, long address, long length, Errno wrong) {
    long offset = address & (pageSize(vmspace) - 1);
    call.require(Long.compareUnsigned(length, -pageSize(vmspace) - offset) <= 0, wrong);
    long start = address - offset;
    return inside(call, new PageRange(start, round(length + offset, vmspace)), wrong);
  }

  /** As {@link #around}, for calls that refuse an address inside a page, with EINVAL. */
  static PageRange from(Call call, Vmspace vmspace, long address, long length, Errno wrong) {
    call.require(isAligned(address, vmspace), Errno.EINVAL);
    return around(call, vmspace, address, length, wrong);
  }

  private static PageRange inside(Call call, PageRange range, Errno wrong) {
    call.require(
        Long.compareUnsigned(range.start, Vmspace.MINIMUM_ADDRESS) >= 0
            && Long.compareUnsigned(range.start, Vmspace.MAXIMUM_ADDRESS) <= 0
            && Long.compareUnsigned(range.length, Vmspace.MAXIMUM_ADDRESS - range.start) <= 0,
        wrong);
    return range;
  }
}
