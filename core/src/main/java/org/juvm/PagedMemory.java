package org.juvm;

import java.io.IOException;
import org.juvm.object.MemoryObject;
import org.juvm.object.PagerObject;

/**
 * Memory whose pages a client's {@link Pager} provides: they come into memory when they are
 * accessed, by any number of mappings, and leave it when it is short. Thread-safe.
 *
 * <p>It lives until it is closed and nothing maps it. Then pages that have changed are written; to
 * learn whether that fails, {@link #sync} before.
 *
 * <p>Obtained by {@link Vm#newPagedMemory}.
 */
public final class PagedMemory extends Handle {
  private final PagerObject pages;
  private final boolean readOnly;

  /** Takes over a reference to the object. */
  PagedMemory(Handles handles, PagerObject pages, boolean readOnly) {
    super(handles, pages);
    this.pages = pages;
    this.readOnly = readOnly;
  }

  @Override
  boolean isReadOnly() {
    return readOnly;
  }

  /**
   * The size.
   *
   * @return bytes, whole pages
   */
  public long size() {
    pages.lock();
    try {
      return pages.size();
    } finally {
      pages.unlock();
    }
  }

  /**
   * How much memory it takes.
   *
   * @return pages
   */
  public long residentPages() {
    pages.lock();
    try {
      return pages.residentPages();
    } finally {
      pages.unlock();
    }
  }

  /**
   * Has all pages written that have changed. Pages that are changed meanwhile may be written or
   * not.
   *
   * @throws IOException if the pager has failed for one; others have been tried
   * @throws IllegalStateException if this is closed
   */
  public void sync() throws IOException {
    MemoryObject kept = reference();
    try {
      pages.sync(0, Long.MAX_VALUE);
    } finally {
      kept.dereference();
    }
  }
}
