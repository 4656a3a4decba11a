package org.juvm.page;

/**
 * Whether pages were used lately, as a processor's page tables know it: one bit per frame, which an
 * access through any mapping sets.
 *
 * <p>May be called by any thread that holds no lock of a rank after {@code PAGE_QUEUE}.
 */
public interface References {
  /**
   * Reads the bit of a frame and clears it.
   *
   * @param frame frame number
   * @return true if the page was used since the bit was last cleared
   */
  boolean testAndClear(int frame);

  /**
   * Reads the bit of a frame.
   *
   * @param frame frame number
   * @return true if the page was used since the bit was last cleared
   */
  boolean isReferenced(int frame);
}
