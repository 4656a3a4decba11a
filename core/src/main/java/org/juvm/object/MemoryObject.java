package org.juvm.object;

import java.io.IOException;
import org.juvm.base.PageSize;
import org.juvm.base.VmPanic;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.page.ObjectPages;
import org.juvm.page.PageOwner;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * Something that can be mapped: a sequence of pages, some of them resident, and a way to bring in
 * the others and to put them back, which the subclasses are.
 *
 * <p>All state is guarded by {@link #lock}; methods that do not say otherwise are called with it
 * held.
 *
 * <p>Source: {@code uvm_object.h}; the pager operations of {@code uvm_pager.h}.
 */
public abstract class MemoryObject implements PageOwner {
  /** The largest size, in bytes. */
  public static final long MAXIMUM_BYTES = 1L << 46;

  /** A tag holds so many bits of a page's index. */
  private static final long TAGS = 1L << 32;

  private static final int IDENTITY_SHIFT = 40;

  final ObjectSupport support;
  final ObjectPages pages;
  private final RankedLock lock = new RankedLock(LockRank.OBJECT);

  /** Size in bytes; a page that is not wholly beyond it can be accessed. */
  private long size;

  /** References by map entries and handles. 0: it is gone. */
  private int references = 1;

  /** The number that frames know it by; 0 while it never had a page. */
  private int number;

  MemoryObject(ObjectSupport support, long size) {
    this.support = support;
    this.size = size;
    pages = new ObjectPages(support.nodes());
  }

  final PageSize pageSize() {
    return support.ram().pageSize();
  }

  @Override
  public final void lock() {
    lock.lock();
  }

  @Override
  public final void unlock() {
    lock.unlock();
  }

  final boolean isHeld() {
    return lock.isHeld();
  }

  /**
   * Whether the current thread has locked this.
   *
   * @return true if it has
   */
  public final boolean isLocked() {
    return lock.isHeld();
  }

  /**
   * Whether the pages are a device's: there is one of each, which is never copied, not even by a
   * private mapping, and is where it is for good.
   *
   * @return true if so
   */
  public boolean isDevice() {
    return false;
  }

  // ---- size ----

  /**
   * The size.
   *
   * @return bytes
   */
  public final long size() {
    assert isHeld();
    return size;
  }

  final void setSize(long bytes) {
    assert isHeld();
    size = bytes;
  }

  /** The index of the first page that is wholly beyond a size. */
  final long pagesIn(long bytes) {
    return pageSize().vpn(bytes + pageSize().bytes() - 1);
  }

  /**
   * Whether a page is in the object, at least in part.
   *
   * @param page index
   * @return false if it is beyond the end
   */
  public final boolean contains(long page) {
    assert isHeld();
    return page < pagesIn(size);
  }

  // ---- pages ----

  /**
   * The number of resident pages.
   *
   * @return pages
   */
  public final long residentPages() {
    assert isHeld();
    return pages.resident();
  }

  /**
   * The number of pages in swap.
   *
   * @return pages, lost ones included
   */
  public final long swappedPages() {
    assert isHeld();
    return pages.swapped();
  }

  /**
   * The frame of a page, if it is resident; it may be busy.
   *
   * @param page index
   * @return frame number, or {@link FrameTable#NONE}
   */
  public int find(long page) {
    assert isHeld();
    return ObjectPages.frame(pages.find(page));
  }

  /**
   * The swap slot of a page that is not in memory.
   *
   * @param page index
   * @return slot, or 0
   */
  public final int slot(long page) {
    assert isHeld();
    return ObjectPages.slotOf(pages.find(page));
  }

  /**
   * Shows the pages of a range that are somewhere.
   *
   * @param start first index
   * @param end the index after the last
   * @param visitor called for each with its place; its result must be false
   */
  public final void forEach(long start, long end, ObjectPages.Visitor visitor) {
    assert isHeld();
    pages.forEach(start, end, visitor);
  }

  /**
   * Looks for a page, and prepares to bring it in if it is not there. ({@code pgo_get} with {@code
   * PGO_LOCKED})
   *
   * @param request says what came of it
   * @param page index
   */
  public void get(PageRequest request, long page) {
    assert isHeld();
    request.page = page;
    if (!contains(page)) {
      request.is(PageRequest.Status.BEYOND_END, FrameTable.NONE);
      return;
    }
    int place = pages.find(page);
    if (!ObjectPages.isFrame(place)) {
      bringIn(request, page, place);
      return;
    }
    int frame = ObjectPages.frame(place);
    if (support.frames().isBusy(frame)) {
      request.seen = support.busy().want(frame);
      if (request.seen != org.juvm.page.BusyFrames.NOT_BUSY) {
        request.is(PageRequest.Status.BUSY, frame);
        return;
      }
    }
    request.is(PageRequest.Status.RESIDENT, frame);
  }

  /**
   * Makes a page that is not resident, if that needs no transfer, or puts busy frames into place.
   *
   * @param request to be answered
   * @param page index of a page that the object contains
   * @param place where it is
   */
  abstract void bringIn(PageRequest request, long page, int place);

  /**
   * Brings in what a request that is READING asks for, and ends the frames' being busy. Called
   * without locks. ({@code pgo_get} without {@code PGO_LOCKED})
   *
   * @param request a request of this object
   * @return false if the page that was wanted could not be read
   */
  public abstract boolean read(PageRequest request);

  /**
   * Writes the changed pages of a range to where they belong, and makes that durable. Anonymous
   * pages belong nowhere. Called without locks. ({@code pgo_put} with {@code PGO_CLEANIT})
   *
   * @param first index of the first page
   * @param end the index after the last
   * @param invalidate whether to drop the pages from memory, unless they are wired or on loan
   * @throws IOException if a page could not be written, now or earlier since the last call that
   *     said so; it is still changed and in memory
   */
  public abstract void clean(long first, long end, boolean invalidate) throws IOException;

  /**
   * Writes the changed pages of a range, without making that durable. An error is reported by the
   * next {@link #clean}. Called without locks.
   *
   * @param first index of the first page
   * @param end the index after the last
   */
  public abstract void writeOut(long first, long end);

  /** Puts a page into a frame that belongs to nobody. */
  final void put(long page, int frame) {
    if (number == 0) {
      number = support.owners().register(this);
    }
    pages.put(page, ObjectPages.inFrame(frame));
    long identity = (long) number << IDENTITY_SHIFT | page;
    support.allocator().assign(frame, number, (int) page, identity, !isAnonymous());
  }

  /**
   * Puts a copy of a page into the place of a page that is on loan, so that the copy can be
   * changed. The old frame is free when its last loan ends.
   *
   * @param processor any number that differs between concurrent callers
   * @param page index of a resident page that is not busy
   * @return the frame of the page now; {@link FrameTable#NONE} if no frame is free, then nothing
   *     has changed
   */
  public final int breakLoan(int processor, long page) {
    assert isHeld();
    FrameTable frames = support.frames();
    FrameAllocator allocator = support.allocator();
    int lent = find(page);
    int frame = allocator.allocate(processor, false, FrameAllocator.Reserve.NONE);
    if (frame == FrameTable.NONE) {
      return frame;
    }
    support.pmaps().removeFrame(lent);
    support.ram().copy(lent, frame);
    if (!isAnonymous() && !frames.isDirty(lent)) {
      frames.markClean(frame);
    }
    allocator.dropSlot(lent);
    allocator.policy().dequeue(lent);
    put(page, frame);
    allocator.free(processor, lent);
    return frame;
  }

  /** The index of the page in a frame, or -1 if the frame holds none of this object. */
  final long pageIn(int frame) {
    assert isHeld();
    long page = Integer.toUnsignedLong(support.frames().tag(frame));
    for (; page < pages.limit(); page += TAGS) {
      if (pages.find(page) == ObjectPages.inFrame(frame)) {
        return page;
      }
    }
    return -1;
  }

  @Override
  public final boolean owns(int frame) {
    return pageIn(frame) >= 0;
  }

  @Override
  public final long identity(int frame) {
    return (long) number << IDENTITY_SHIFT | Integer.toUnsignedLong(support.frames().tag(frame));
  }

  /**
   * Takes one wiring of a page back. A page that was cut off meanwhile is freed with the last one.
   *
   * @param processor any number that differs between concurrent callers
   * @param page index
   */
  public final void unwire(int processor, long page) {
    assert isHeld();
    int wired = find(page);
    if (wired == FrameTable.NONE) {
      throw new VmPanic("wired page is not resident: page=" + page);
    }
    support.allocator().unwire(processor, wired);
    if (!contains(page) && support.frames().wirings(wired) == 0) {
      drop(processor, page, page + 1);
    }
  }

  /**
   * Makes all pages from an index on inaccessible, and gives up those that are not wired: they stay
   * out of reach until they are not.
   */
  final void dropBeyondEnd(long first) {
    pages.forEach(first, Long.MAX_VALUE, (page, place) -> dropBeyondEnd(place));
  }

  private boolean dropBeyondEnd(int place) {
    if (ObjectPages.isFrame(place)) {
      int frame = ObjectPages.frame(place);
      support.pmaps().removeFrame(frame);
      if (support.frames().wirings(frame) > 0) {
        return false;
      }
    }
    give(0, place);
    return true;
  }

  /** Gives up all pages of a range. No page table maps any of them. */
  final void drop(int processor, long start, long end) {
    pages.forEach(
        start,
        end,
        (page, place) -> {
          give(processor, place);
          return true;
        });
  }

  /** Gives a page's frame or slot up. */
  final void give(int processor, int place) {
    if (ObjectPages.isFrame(place)) {
      support.allocator().free(processor, ObjectPages.frame(place));
    } else if (ObjectPages.slotOf(place) != 0) {
      support.swap().free(ObjectPages.slotOf(place));
    }
  }

  /** Ends the busyness of a page that is not to be in memory. Called without the lock. */
  final void giveUp(int processor, int frame) {
    boolean owned;
    lock();
    try {
      owned = owns(frame);
      if (owned) {
        evict(frame);
      }
    } finally {
      unlock();
    }
    if (owned) {
      support.busy().endFree(processor, frame);
    } else {
      support.busy().end(processor, frame);
    }
  }

  // ---- references ----

  /**
   * The number of references.
   *
   * @return references by map entries and handles
   */
  public final int references() {
    assert isHeld();
    return references;
  }

  /** Adds a reference. Called without the lock. ({@code uao_reference}) */
  public final void reference() {
    lock.lock();
    try {
      if (references == 0) {
        throw new VmPanic("memory object is gone");
      }
      references++;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Adds a reference if the object is not gone. Called without the lock.
   *
   * @return false if it is
   */
  public final boolean tryReference() {
    lock.lock();
    try {
      if (references > 0) {
        references++;
        return true;
      }
      return false;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes a reference away. With the last one all pages are free; no page table maps any of them
   * then. Those on their way in or out are free when that ends. Called without the lock; unless the
   * object is anonymous, the caller holds no other lock either, if the reference may be the last.
   * ({@code uao_detach})
   */
  public final void dereference() {
    while (true) {
      lock.lock();
      try {
        if (references <= 0) {
          throw new VmPanic("memory object has fewer than no references");
        }
        if (references > 1) {
          references--;
          return;
        }
        if (mayEnd()) {
          references = 0;
          drop(0, 0, Long.MAX_VALUE);
          if (number != 0) {
            support.owners().unregister(number);
            number = 0;
          }
          break;
        }
      } finally {
        lock.unlock();
      }
      if (!prepareEnd()) {
        return;
      }
    }
    ended();
  }

  /** Whether nothing would be lost if the object ended now, with its last reference. */
  boolean mayEnd() {
    return true;
  }

  /**
   * Does what keeps the object from ending. Called without locks, by who has the last reference,
   * unless somebody finds the object meanwhile.
   *
   * @return false if somebody else has taken that reference over
   */
  boolean prepareEnd() {
    return true;
  }

  /** The object has ended. Called without locks. */
  void ended() {}
}
