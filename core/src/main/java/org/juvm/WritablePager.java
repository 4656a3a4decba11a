package org.juvm;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * A pager that keeps what is stored: pages that have changed are written when memory is short, when
 * {@link PagedMemory#sync} says so, and when nothing refers to the memory any more.
 */
public interface WritablePager extends Pager {
  /**
   * Writes a page. If that fails the page stays in memory, and is written again later. It is called
   * under the same rules as {@link #read}, but by a thread of the system as a rule, which is
   * interrupted if the system is closed meanwhile. When the last reference to the memory goes, a
   * page that is just being written may be written twice, with the same bytes.
   *
   * @param page which one, from 0
   * @param from its bytes; a copy
   * @throws IOException if it cannot be written
   */
  void write(long page, MemorySegment from) throws IOException;
}
