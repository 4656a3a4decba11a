package org.juvm.object;

import java.io.IOException;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.page.ObjectPages;
import org.juvm.page.Reclaimer;
import org.juvm.ram.Native;

/**
 * Anonymous memory with a size, whose pages are made when they are first asked for and go to swap.
 *
 * <p>Source: {@code uvm_aobj.c}; each method names its function.
 */
public class AnonymousObject extends MemoryObject {
  private final boolean pageable;

  /**
   * An object without pages and with one reference. ({@code uao_create})
   *
   * @param support what it works with
   * @param size bytes
   * @param pageable whether its pages may go to swap ({@code UAO_FLAG_NOSWAP})
   */
  public AnonymousObject(ObjectSupport support, long size, boolean pageable) {
    super(support, size);
    this.pageable = pageable;
  }

  @Override
  public boolean isPageable() {
    return pageable;
  }

  @Override
  public boolean isAnonymous() {
    return true;
  }

  /** {@code uao_get}: zeros for a page that never was, a frame to read into for one in swap. */
  @Override
  void bringIn(PageRequest request, long page, int place) {
    if (place == ObjectPages.LOST) {
      request.is(PageRequest.Status.ERROR, FrameTable.NONE);
      return;
    }
    boolean zeros = place == ObjectPages.ABSENT;
    if (zeros && !pages.hasRoom()) {
      request.is(PageRequest.Status.NO_NODE, FrameTable.NONE);
      return;
    }
    int frame =
        zeros
            ? support.allocator().allocate(request.processor, true, FrameAllocator.Reserve.NONE)
            : support.allocator().allocateBusy(request.processor);
    if (frame == FrameTable.NONE) {
      request.noFrame(zeros ? FrameAllocator.Reserve.NONE : FrameAllocator.Reserve.PAGE_IN);
      return;
    }
    if (!zeros) {
      support.frames().setSlot(frame, ObjectPages.slotOf(place));
      request.firstPage = page;
      request.frames[0] = frame;
      request.count = 1;
    }
    put(page, frame);
    request.is(zeros ? PageRequest.Status.RESIDENT : PageRequest.Status.READING, frame);
  }

  @Override
  public boolean read(PageRequest request) {
    int frame = request.frames[0];
    int slot = support.frames().slot(frame);
    try {
      support.swap().read(slot, frame);
      if (request.keepSlots) {
        support.busy().endClean(request.processor, frame);
      } else {
        support.frames().setSlot(frame, 0);
        support.swap().free(slot);
        support.busy().end(request.processor, frame);
      }
      return true;
    } catch (IOException e) {
      support.swap().markBad(slot);
      lost(request, frame);
      return false;
    }
  }

  private void lost(PageRequest request, int frame) {
    boolean alive;
    lock();
    try {
      long page = pageIn(frame);
      alive = page >= 0;
      if (alive) {
        pages.put(page, ObjectPages.LOST);
      }
    } finally {
      unlock();
    }
    if (alive) {
      support.swap().free(support.frames().slot(frame));
      support.busy().endFree(request.processor, frame);
    } else {
      support.busy().end(request.processor, frame);
    }
  }

  @Override
  public void evict(int frame) {
    pages.put(pageIn(frame), ObjectPages.inSlot(support.frames().slot(frame)));
  }

  @Override
  public void write(int[] busy, int count) {
    throw new IllegalStateException("anonymous pages are written to swap");
  }

  @Override
  public void clean(long first, long end, boolean invalidate) {}

  @Override
  public void writeOut(long first, long end) {}

  /**
   * Changes the size. Pages beyond the new end are gone for every processor and free when this
   * returns, except those that are wired: they are kept out of reach until they are not. Bytes
   * beyond the old end read as zeros. Called without the lock; may have to bring in the page that
   * the smaller size cuts through. ({@code uao_shrink}, {@code uao_grow})
   *
   * @param newSize bytes, from 0 to {@link #MAXIMUM_BYTES}
   * @return false if there was no memory for that page; then nothing has changed
   */
  public boolean resize(long newSize) {
    PageRequest request = new PageRequest(0);
    while (true) {
      lock();
      try {
        long end = Math.min(size(), newSize);
        long last = pageSize().vpn(end);
        if (pageSize().offset(end) == 0 || !isElsewhere(last)) {
          if (pageSize().offset(end) == 0 || isChangeable(last)) {
            resizeLocked(newSize);
            return true;
          }
          request.is(PageRequest.Status.NO_FRAME, FrameTable.NONE);
        } else {
          get(request, last);
        }
      } finally {
        unlock();
      }
      switch (request.status()) {
        case BUSY -> support.busy().await(request.frame(), request.seen());
        case READING -> {
          boolean _ = read(request);
        }
        case NO_FRAME -> {
          Reclaimer reclaimer = support.allocator().reclaimer();
          if (!reclaimer.await(request.depth())) {
            return false;
          }
        }
        case NO_NODE, RESIDENT, BEYOND_END, ERROR -> {}
      }
    }
  }

  /** Sees to it that a page, if it is there, is not on loan. Returns false if no frame is free. */
  private boolean isChangeable(long page) {
    int frame = find(page);
    return frame == FrameTable.NONE
        || support.frames().loans(frame) == 0
        || breakLoan(0, page) != FrameTable.NONE;
  }

  /** Whether the bytes of a page are in swap only, or on their way in or out. */
  private boolean isElsewhere(long page) {
    int place = pages.find(page);
    return ObjectPages.slotOf(place) != 0
        || (ObjectPages.isFrame(place) && support.frames().isBusy(ObjectPages.frame(place)));
  }

  private void resizeLocked(long newSize) {
    long oldSize = size();
    setSize(newSize);
    long firstBeyond = pagesIn(newSize);
    if (newSize < oldSize) {
      dropBeyondEnd(firstBeyond);
    } else {
      pages.forEach(pagesIn(oldSize), firstBeyond, (page, place) -> clearCutOff(place));
    }
    zeroTail(Math.min(oldSize, newSize));
  }

  /**
   * A page that was cut off and is still there, since it was in use then, is to be zeros. No page
   * table maps it. Unless it is in use now, it may have left memory.
   */
  private boolean clearCutOff(int place) {
    if (ObjectPages.isFrame(place)) {
      int frame = ObjectPages.frame(place);
      if (support.frames().wirings(frame) > 0) {
        support.ram().zero(frame);
        support.frames().markDirty(frame);
        return false;
      }
    }
    give(0, place);
    return true;
  }

  /** Zeros what is behind an end in the page that contains it. */
  private void zeroTail(long end) {
    int offset = pageSize().offset(end);
    int frame = offset == 0 ? FrameTable.NONE : find(pageSize().vpn(end));
    if (frame != FrameTable.NONE) {
      Native.zero(support.ram().address(frame) + offset, pageSize().bytes() - offset);
      support.frames().markDirty(frame);
    }
  }
}
