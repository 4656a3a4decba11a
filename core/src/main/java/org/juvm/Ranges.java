package org.juvm;

import org.juvm.base.PageSize;
import org.juvm.map.VmMap;

/** Checks addresses and lengths that a client gives. */
final class Ranges {
  private final PageSize pageSize;

  Ranges(PageSize pageSize) {
    this.pageSize = pageSize;
  }

  void checkAligned(long address) {
    if (!pageSize.isAligned(address)) {
      throw new IllegalArgumentException(
          "address is not page aligned: address=0x" + Long.toHexString(address));
    }
  }

  /** The length in whole pages, as bytes. */
  long checkedLength(long length) {
    if (length <= 0 || length > VmMap.MAXIMUM) {
      throw new IllegalArgumentException("length out of range: length=" + length);
    }
    return pageSize.round(length);
  }

  /** The address after a range that must be inside the address space. */
  long checkedEnd(long address, long length) {
    checkAligned(address);
    long bytes = checkedLength(length);
    if (address < 0 || address > VmMap.MAXIMUM - bytes) {
      throw new IllegalArgumentException(
          "range is outside the address space: address=0x"
              + Long.toHexString(address)
              + ", length="
              + length);
    }
    return address + bytes;
  }

  long checkedAlignment(long alignment) {
    if (alignment != 1 && (alignment <= 0 || !pageSize.isAligned(alignment))) {
      throw new IllegalArgumentException(
          "alignment is no multiple of the page size: alignment=" + alignment);
    }
    return alignment;
  }
}
