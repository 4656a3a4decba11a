package org.juvm.object;

import org.juvm.base.PageSize;
import org.juvm.base.VmPanic;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.page.ResidentPages;
import org.juvm.pmap.Pmaps;
import org.juvm.ram.BlockPool;
import org.juvm.ram.Native;
import org.juvm.ram.Ram;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * Anonymous memory with a size, whose pages are made when they are first asked for.
 *
 * <p>All state is guarded by {@link #lock}; methods that do not say otherwise are called with it
 * held.
 *
 * <p>Source: {@code uvm_aobj.c}; each method names its function.
 */
public final class AnonymousObject {
  /** The largest size, in bytes. */
  public static final long MAXIMUM_BYTES = 1L << 46;

  private final Ram ram;
  private final FrameTable frames;
  private final FrameAllocator allocator;
  private final Pmaps pmaps;
  private final RankedLock lock = new RankedLock(LockRank.OBJECT);
  private final ResidentPages resident;

  /** Size in bytes; a page that is not wholly beyond it can be accessed. */
  private long size;

  /** References by map entries and handles. 0: it is gone. */
  private int references = 1;

  /**
   * An object without pages and with one reference. ({@code uao_create})
   *
   * @param ram the frames
   * @param frames their descriptors
   * @param allocator where frames come from
   * @param pmaps all page tables, which may map pages of the object
   * @param nodes where nodes come from
   * @param size bytes
   */
  public AnonymousObject(
      Ram ram,
      FrameTable frames,
      FrameAllocator allocator,
      Pmaps pmaps,
      BlockPool nodes,
      long size) {
    this.ram = ram;
    this.frames = frames;
    this.allocator = allocator;
    this.pmaps = pmaps;
    this.size = size;
    resident = new ResidentPages(nodes);
  }

  private PageSize pageSize() {
    return ram.pageSize();
  }

  /** Takes the lock. */
  public void lock() {
    lock.lock();
  }

  /** Releases the lock. */
  public void unlock() {
    lock.unlock();
  }

  /**
   * The size.
   *
   * @return bytes
   */
  public long size() {
    assert lock.isHeld();
    return size;
  }

  /**
   * Whether a page is in the object, at least in part.
   *
   * @param page index
   * @return false if it is beyond the end
   */
  public boolean contains(long page) {
    assert lock.isHeld();
    return page < pageSize().vpn(size + pageSize().bytes() - 1);
  }

  /**
   * The number of resident pages.
   *
   * @return pages
   */
  public long residentPages() {
    assert lock.isHeld();
    return resident.count();
  }

  /**
   * The frame of a page, if it is resident.
   *
   * @param page index
   * @return frame number, or {@link FrameTable#NONE}
   */
  public int find(long page) {
    assert lock.isHeld();
    return resident.find(page);
  }

  /**
   * The frame of a page, which is made of zeros if it is not resident. ({@code uao_get})
   *
   * @param processor any number that differs between concurrent callers
   * @param page index of a page that the object contains
   * @return frame number, or {@link FrameTable#NONE} if there is no memory
   */
  public int get(int processor, long page) {
    assert lock.isHeld() && contains(page) : page;
    int frame = resident.find(page);
    if (frame != FrameTable.NONE) {
      return frame;
    }
    if (!resident.hasRoom()) {
      return FrameTable.NONE;
    }
    frame = allocator.allocate(processor, true, FrameAllocator.Reserve.NONE);
    if (frame != FrameTable.NONE) {
      resident.put(page, frame);
    }
    return frame;
  }

  /**
   * Shows the resident pages of a range.
   *
   * @param start first index
   * @param end the index after the last
   * @param visitor called for each; its result must be false
   */
  public void forEach(long start, long end, ResidentPages.Visitor visitor) {
    assert lock.isHeld();
    resident.forEach(start, end, visitor);
  }

  /**
   * Changes the size. Pages beyond the new end are gone for every processor and free when this
   * returns, except those that are wired: they are kept out of reach until they are not. Bytes
   * beyond the old end read as zeros. ({@code uao_shrink}, {@code uao_grow})
   *
   * @param newSize bytes, from 0 to {@link #MAXIMUM_BYTES}
   */
  public void resize(long newSize) {
    assert lock.isHeld();
    long oldSize = size;
    size = newSize;
    PageSize pages = pageSize();
    long firstBeyond = pages.vpn(newSize + pages.bytes() - 1);
    if (newSize < oldSize) {
      resident.forEach(firstBeyond, Long.MAX_VALUE, (page, frame) -> dropBeyondEnd(frame));
    } else {
      long first = pages.vpn(oldSize + pages.bytes() - 1);
      resident.forEach(
          first,
          firstBeyond,
          (page, frame) -> {
            ram.zero(frame);
            return false;
          });
    }
    zeroTail(Math.min(oldSize, newSize));
  }

  private boolean dropBeyondEnd(int frame) {
    pmaps.removeFrame(frame);
    if (frames.wirings(frame) > 0) {
      return false;
    }
    allocator.free(0, frame);
    return true;
  }

  /** Zeros what is behind an end in the page that contains it. */
  private void zeroTail(long end) {
    int offset = pageSize().offset(end);
    int frame = offset == 0 ? FrameTable.NONE : resident.find(pageSize().vpn(end));
    if (frame != FrameTable.NONE) {
      Native.zero(ram.address(frame) + offset, pageSize().bytes() - offset);
    }
  }

  /**
   * Takes one wiring of a page back. A page that was cut off meanwhile is freed with the last one.
   *
   * @param processor any number that differs between concurrent callers
   * @param page index
   */
  public void unwire(int processor, long page) {
    assert lock.isHeld();
    int wired = resident.find(page);
    if (wired == FrameTable.NONE) {
      throw new VmPanic("wired page is not resident: page=" + page);
    }
    allocator.unwire(processor, wired);
    if (!contains(page) && frames.wirings(wired) == 0) {
      resident.forEach(
          page,
          page + 1,
          (index, frame) -> {
            allocator.free(processor, frame);
            return true;
          });
    }
  }

  // ---- references ----

  /**
   * The number of references.
   *
   * @return references by map entries and handles
   */
  public int references() {
    assert lock.isHeld();
    return references;
  }

  /** Adds a reference. Called without the lock. ({@code uao_reference}) */
  public void reference() {
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
   * Takes a reference away. With the last one all pages are free; no page table maps any of them
   * then. Called without the lock. ({@code uao_detach})
   */
  public void dereference() {
    lock.lock();
    try {
      references--;
      if (references < 0) {
        throw new VmPanic("memory object has fewer than no references");
      }
      if (references == 0) {
        resident.forEach(
            0,
            Long.MAX_VALUE,
            (page, frame) -> {
              allocator.free(0, frame);
              return true;
            });
      }
    } finally {
      lock.unlock();
    }
  }
}
