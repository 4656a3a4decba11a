package org.juvm.object;

import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.page.ObjectPages;

/**
 * The memory behind kernel addresses: as large as all of them, and sparse. The page at an address
 * has the index that the address has, counted from the first kernel address. When an address is
 * unmapped its page is free at once, since nobody could ever ask for it again.
 *
 * <p>Source: {@code uvm.kernel_object} and {@code kmem_object} of {@code uvm_km.c}: {@code
 * uvm_km_pgremove}, {@code uvm_km_get}. Their special reference count, which keeps them from dying,
 * is here the reference of the system itself.
 */
public final class KernelObject extends AnonymousObject {
  /** Whether pages may go to swap. Written once. */
  private volatile boolean swapEnabled;

  /**
   * An object without pages and with one reference, none of whose pages may go to swap.
   *
   * @param support what it works with
   */
  public KernelObject(ObjectSupport support) {
    super(support, MAXIMUM_BYTES, true);
  }

  /** Lets pages that are not wired go to swap from now on. ({@code UAO_FLAG_KERNSWAP}) */
  public void enableSwap() {
    swapEnabled = true;
  }

  @Override
  public boolean isPageable() {
    return swapEnabled;
  }

  /**
   * Gives up the pages of a range that has been unmapped. What is on its way in or out is free when
   * that ends. The tree of pages is walked, which costs no more than either the pages that there
   * are or the range. Called without the lock. ({@code uvm_km_pgremove})
   *
   * @param processor any number that differs between concurrent callers
   * @param first index of the first page
   * @param end the index after the last
   */
  public void remove(int processor, long first, long end) {
    lock();
    try {
      drop(processor, first, end);
    } finally {
      unlock();
    }
  }

  /**
   * Puts a new page, wired once, where none is. The lock is held.
   *
   * @param processor any number that differs between concurrent callers
   * @param page index
   * @param zeroed whether the page must hold zeros
   * @param depth whether the reserve may be used
   * @return its frame, or {@link FrameTable#NONE} if none is free
   */
  public int addWired(int processor, long page, boolean zeroed, FrameAllocator.Reserve depth) {
    assert isHeld() && pages.find(page) == ObjectPages.ABSENT : page;
    int frame = support.allocator().allocate(processor, zeroed, depth);
    if (frame != FrameTable.NONE) {
      addWired(page, frame);
    }
    return frame;
  }

  /**
   * As {@link #addWired(int, long, boolean, FrameAllocator.Reserve)}, in a frame that the caller
   * has allocated.
   *
   * @param page index
   * @param frame a frame that belongs to nobody
   */
  public void addWired(long page, int frame) {
    assert isHeld();
    put(page, frame);
    support.frames().wire(frame);
  }

  /**
   * Gives one page up. No page table maps it. The lock is held.
   *
   * @param processor any number that differs between concurrent callers
   * @param page index
   */
  public void drop(int processor, long page) {
    drop(processor, page, page + 1);
  }

  /**
   * Whether the bookkeeping for more pages can be had. The lock is held.
   *
   * @return false if nodes are used up
   */
  public boolean hasRoom() {
    assert isHeld();
    return pages.hasRoom();
  }
}
