package org.juvm.base;

/** How the page that goes is chosen when memory is needed. */
public enum Replacement {
  /**
   * Active and inactive pages with a second chance, and a balance between anonymous memory and
   * files. The default: it costs a page fault next to nothing.
   */
  TWO_QUEUE,
  /** A single ring of pages with a second chance. */
  CLOCK,
  /**
   * CLOCK-Pro as its author simulated it: pages that come back soon stay, and one twentieth of
   * memory is for those of which that is not known. Not flushed by reading much once.
   */
  CLOCK_PRO,
  /** CLOCK-Pro whose share for pages that are not known follows what it sees, with more history. */
  ADAPTIVE_CLOCK_PRO
}
