package org.juvm.pmap;

import org.juvm.base.Protection;
import org.juvm.ram.Native;

/**
 * The layout of a page table entry and of a directory entry.
 *
 * <pre>
 * page table entry   | 63..36 frame | 35..8 reverse map index | 5 P | 4 M | 3 R | 2 x | 1 w | 0 r |
 * directory entry    | 63..12 address of a table                          | 11..1 | 0 write-protect |
 * </pre>
 *
 * r, w, x are the rights with the bit values of {@link Protection#bits()}; an entry without any of
 * them maps nothing for a processor. P is always set, so that the entry of frame 0 is none that is
 * empty when it has lost its rights. R and M are the referenced and the modified bit. Zero is an
 * empty entry of either kind. Write-protect takes the right to write from everything below.
 */
final class Pte {
  static final long READ = Protection.READ_BIT;
  static final long WRITE = Protection.WRITE_BIT;
  static final long RIGHTS = 7;
  static final long REFERENCED = 1 << 3;
  static final long MODIFIED = 1 << 4;
  private static final long PRESENT = 1 << 5;

  /** Directory entries only. */
  static final long WRITE_PROTECT = 1;

  private static final int INDEX_SHIFT = 8;
  private static final int FRAME_SHIFT = 36;

  /** One more than the largest index or frame that fits. */
  static final int LIMIT = 1 << 28;

  private Pte() {}

  static long of(int frame, int reverseIndex, long flags) {
    assert frame >= 0 && frame < LIMIT && reverseIndex >= 0 && reverseIndex < LIMIT;
    return (long) frame << FRAME_SHIFT | (long) reverseIndex << INDEX_SHIFT | PRESENT | flags;
  }

  static int frame(long pte) {
    return (int) (pte >>> FRAME_SHIFT);
  }

  static int reverseIndex(long pte) {
    return (int) (pte >>> INDEX_SHIFT) & (LIMIT - 1);
  }

  static boolean isMapping(long pte) {
    return (pte & RIGHTS) != 0;
  }

  /** Whether two entries differ in nothing but the referenced and modified bits. */
  static boolean sameTranslation(long one, long other) {
    return ((one ^ other) & ~(REFERENCED | MODIFIED)) == 0;
  }

  /**
   * Adds rights and marks to the entry at an address, in which processors may be setting the bits
   * that they set.
   *
   * @param old what it was when it was last looked at
   * @return what it is now
   */
  static long add(long at, long old, long flags) {
    long entry = old;
    while ((entry | flags) != entry && !Native.compareAndSetLong(at, entry, entry | flags)) {
      entry = Native.getLongAcquire(at);
    }
    return entry | flags;
  }
}
