package org.juvm.testkit;

/**
 * The pages that a stack may have.
 *
 * @param low the lowest page of the reserve, guard included
 * @param top the page after the highest
 * @param guard pages that stay unmapped below it
 */
record ModelStack(long low, long top, long guard) {
  /** A stack grows by so many bytes, or by what is left. */
  static final long GROWTH = 128 << 10;
}
