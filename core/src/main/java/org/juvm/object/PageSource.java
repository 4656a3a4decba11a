package org.juvm.object;

import java.io.IOException;

/**
 * Where the pages of a {@link PagerObject} come from and go to. Called without locks, by any
 * thread; calls may take any time, and for different pages overlap.
 *
 * <p>Source: {@code struct uvm_pagerops} of {@code uvm_pager.h}.
 */
public interface PageSource {
  /**
   * Whether pages never change.
   *
   * @return true if {@link #write} is not to be called
   */
  boolean isReadOnly();

  /**
   * Reads a page.
   *
   * @param page index
   * @param bytes receives it; zeros at first
   * @throws IOException if it cannot be read
   */
  void read(long page, byte[] bytes) throws IOException;

  /**
   * Writes a page.
   *
   * @param page index
   * @param bytes a copy of it, which nobody else has
   * @throws IOException if it cannot be written
   */
  void write(long page, byte[] bytes) throws IOException;
}
