package org.juvm;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * Provides the pages of memory that is mapped, whenever one is accessed that is not resident: by
 * decompressing it, say, fetching it or computing it. What is stored to shared mappings cannot be
 * kept, unless this is a {@link WritablePager}.
 *
 * <p>A pager is called by any thread, by several at once, and for one page as often as it has left
 * memory and is wanted again. No lock is held meanwhile: it may use this library itself, and may
 * take as long as it likes. Whoever accesses the page waits, and nobody else. It should not access
 * the memory that it provides: it would wait for itself.
 *
 * <p>What it throws becomes the cause of a {@link MemoryFault} of the access, for reason IO_ERROR;
 * the next access tries again. If the mapping is private and has {@link
 * org.juvm.base.MapFlag#NO_FAULT}, the access finds zeros instead.
 *
 * <p>Source: {@code struct uvm_pagerops} of {@code uvm_pager.h}.
 *
 * @see Vm#newPagedMemory
 */
@FunctionalInterface
public interface Pager {
  /**
   * Reads a page.
   *
   * @param page which one, from 0
   * @param into receives its bytes; zeros at first. It is a copy: what is done with it after the
   *     call concerns nobody
   * @throws IOException if the page cannot be had
   */
  void read(long page, MemorySegment into) throws IOException;
}
