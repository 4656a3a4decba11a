package org.juvm.object;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.juvm.page.BusyFrames;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.page.ObjectPages;
import org.juvm.page.Reclaimer;
import org.juvm.ram.Native;
import org.juvm.store.Store;
import org.juvm.sync.LockOrder;
import org.juvm.trace.Counter;
import org.juvm.trace.Counters;

/**
 * A file, some of whose pages are in memory. There is one for a file, however often it is opened or
 * mapped, so that all see the same bytes. Thread-safe.
 *
 * <p>A page comes in when it is wanted, and with it those behind it, as far as that is likely to be
 * of use and memory is not short. It leaves memory when that is; if it was changed it is written to
 * the file first, but never beyond its end. If that fails it stays in memory, changed, and the next
 * {@link #clean} reports the error. Behind the end of the file its last page has zeros when it
 * comes in; what is stored there goes no further.
 *
 * <p>With the last reference, changed pages are written and the file is closed.
 *
 * <p>Source: {@code uvm_vnode.c}, {@code genfs_io.c}.
 */
public final class FileObject extends MemoryObject {
  /** Knows which files there are. */
  public interface Keeper {
    /**
     * Takes over the last reference to a file that has pages that cannot be written. Called without
     * locks.
     *
     * @param file the file
     * @return false to let the pages be lost
     */
    boolean keep(FileObject file);

    /**
     * A file has ended. Called without locks.
     *
     * @param file the file, which can only be compared any more
     */
    void ended(FileObject file);
  }

  /** How often a page is read where others change the size of the store. */
  private static final int MAXIMUM_ATTEMPTS = 8;

  private final Store store;
  private final Keeper keeper;
  private final Counters counters;
  private final FileWrites writes;

  /** Guarded by the lock. */
  private final ReadAhead readAhead;

  /** What cannot be written is lost. Guarded by the lock. */
  private boolean abandoned;

  /**
   * A file without pages in memory, with one reference.
   *
   * @param support what it works with
   * @param store where the bytes are; closed when the object ends
   * @param writable whether the store takes writes
   * @param size bytes in the store
   * @param keeper is told when nobody refers to the file any more
   * @param counters for pages that are written, and those that are read by {@link #use}
   */
  public FileObject(
      ObjectSupport support,
      Store store,
      boolean writable,
      long size,
      Keeper keeper,
      Counters counters) {
    super(support, size);
    this.store = store;
    this.keeper = keeper;
    this.counters = counters;
    writes = new FileWrites(this, counters);
    readAhead = new ReadAhead(pageSize().bytes());
    if (writable) {
      writes.setWriter(store);
    }
  }

  @Override
  public boolean isAnonymous() {
    return false;
  }

  /**
   * Takes another store of the same file over, which was opened for writing, if it has none. Calls
   * of one object must not overlap.
   *
   * @param other the store
   * @return false if this has one; then the other one is not needed
   */
  public boolean adopt(Store other) {
    if (writes.writer() != null) {
      return false;
    }
    writes.setWriter(other);
    return true;
  }

  /**
   * Whether a store is one of those that this works with.
   *
   * @param other the store
   * @return true if it is
   */
  public boolean uses(Store other) {
    return store.equals(other) || other.equals(writes.writer());
  }

  // ---- in ----

  /** {@code genfs_getpages}: puts busy frames for the page and those to be read with it. */
  @Override
  void bringIn(PageRequest request, long page, int place) {
    if (!pages.hasRoom()) {
      request.is(PageRequest.Status.NO_NODE, FrameTable.NONE);
      return;
    }
    int frame = support.allocator().allocateBusy(request.processor);
    if (frame == FrameTable.NONE) {
      request.noFrame(FrameAllocator.Reserve.PAGE_IN);
      return;
    }
    put(page, frame);
    request.firstPage = page;
    request.frames[0] = frame;
    request.count = 1;
    int most = (int) Math.min(request.ahead, pagesIn(size()) - page - 1);
    int ahead = request.learned ? readAhead.pages(page, most) : most;
    if (ahead > 0) {
      bringInAhead(request, page, Math.min(ahead, support.allocator().spare()));
    }
    readAhead.reading(page, request.count);
    request.is(PageRequest.Status.READING, frame);
  }

  private void bringInAhead(PageRequest request, long page, int ahead) {
    for (int i = 1; i <= ahead && pages.find(page + i) == ObjectPages.ABSENT; i++) {
      int frame = support.allocator().allocateBusy(request.processor);
      if (frame == FrameTable.NONE) {
        return;
      }
      put(page + i, frame);
      request.frames[request.count++] = frame;
    }
  }

  @Override
  public boolean read(PageRequest request) {
    assert LockOrder.noneHeld();
    int count = request.count;
    request.failure = null;
    long end;
    try {
      end = readPages(request, count);
    } catch (IOException e) {
      for (int i = 1; i < count; i++) {
        giveUp(request.processor, request.frames[i]);
      }
      try {
        if (count == 1) {
          throw e;
        }
        count = 1;
        end = readPages(request, 1);
      } catch (IOException again) {
        request.failure = again;
        giveUp(request.processor, request.frames[0]);
        return false;
      }
    }
    if (endReading(request, count, end)) {
      try {
        refresh();
      } catch (IOException e) {
        // The page has come in all the same, and what is behind the end is zeros.
        request.failure = e;
      }
    }
    return true;
  }

  /** Reads the first pages of a request. Returns where the file was seen to end, if it was. */
  private long readPages(PageRequest request, int count) throws IOException {
    try {
      long position = pageSize().address(request.firstPage);
      long done = support.io().read(store, position, request.frames, count);
      if (done == pageSize().address(count)) {
        return Long.MAX_VALUE;
      }
      long end = Long.MAX_VALUE;
      for (int i = (int) pageSize().vpn(done); i < count; i++) {
        long at = position + pageSize().address(i);
        end = Math.min(end, readLastPage(at, request.frames[i], position + done - at));
      }
      return end;
    } catch (RuntimeException e) {
      // A client's store may throw anything; the pages must not stay busy for that.
      throw new IOException("the store has failed", e);
    }
  }

  /**
   * Reads a page where the store ends, or has ended a moment ago.
   *
   * @param done how many bytes of it have been read
   * @return where the store was seen to end
   */
  private long readLastPage(long position, int frame, long done) throws IOException {
    long read = done;
    for (int i = 0; i < MAXIMUM_ATTEMPTS; i++) {
      long end = store.size();
      if (Math.min(end - position, pageSize().bytes()) <= Math.max(0, read)) {
        return end;
      }
      read = support.io().read(store, position, frame);
    }
    throw new IOException("fewer bytes read than there are: position=" + position);
  }

  /** The pages are there. Returns true if the file is smaller than was known. */
  private boolean endReading(PageRequest request, int count, long end) {
    lock();
    try {
      long limit = Math.min(size(), end);
      for (int i = 0; i < count; i++) {
        int frame = request.frames[i];
        long valid =
            Math.clamp(limit - pageSize().address(request.firstPage + i), 0, pageSize().bytes());
        if (valid < pageSize().bytes()) {
          Native.zero(support.ram().address(frame) + valid, pageSize().bytes() - valid);
        }
        if (i == 0) {
          support.busy().endClean(request.processor, frame);
        } else {
          // Nobody has used it yet.
          boolean _ = support.frames().clearReferenced(frame);
          support.frames().markClean(frame);
          support.busy().end(request.processor, frame);
        }
      }
      return end < size();
    } finally {
      unlock();
    }
  }

  // ---- out ----

  @Override
  public void evict(int frame) {
    long page = pageIn(frame);
    pages.forEach(page, page + 1, (index, place) -> true);
  }

  @Override
  public void write(int[] busy, int count) throws IOException {
    writes.write(busy, count);
  }

  @Override
  public void clean(long first, long end, boolean invalidate) throws IOException {
    IOException failed = new FileCleaner(this, invalidate).run(first, end);
    IOException earlier = writes.sync();
    failed = failed == null ? earlier : failed;
    if (failed != null) {
      throw new IOException(failed.getMessage(), failed);
    }
  }

  @Override
  public void writeOut(long first, long end) {
    // The next call of clean reports it.
    IOException _ = new FileCleaner(this, false).run(first, end);
  }

  // ---- size ----

  /**
   * Changes the size of the file. Pages beyond a smaller size are gone for every processor when
   * this returns, except those that are wired, which are kept out of reach until they are not.
   * Bytes beyond a smaller old size are zeros. Called without locks.
   *
   * @param newSize bytes, from 0 to {@link #MAXIMUM_BYTES}
   * @throws IOException if the store cannot have this size; then it has the old one
   * @throws java.nio.channels.NonWritableChannelException if it was never opened for writing
   */
  public void resize(long newSize) throws IOException {
    writes.resize(newSize);
  }

  /**
   * Makes the file larger if it is smaller than a size. Called without locks.
   *
   * @param least bytes, at most {@link #MAXIMUM_BYTES}
   * @throws IOException if the store cannot have this size
   * @throws java.nio.channels.NonWritableChannelException if it was never opened for writing
   */
  public void extend(long least) throws IOException {
    writes.extend(least);
  }

  /**
   * Looks whether somebody else has changed the size of the file. Called without locks.
   *
   * @throws IOException if the store does not tell, or the page that contains the old end cannot be
   *     written
   */
  public void refresh() throws IOException {
    writes.refresh(store);
  }

  // ---- use by raw address ----

  /**
   * Brings a page in and wires it. Called without locks.
   *
   * @param request of the calling thread; says how much may be read ahead
   * @param page index
   * @param store whether it is going to be stored to; then a loan of it is broken
   * @return its frame, to be given back by {@link #endUse}; NONE if the page is beyond the end
   * @throws IOException if it cannot be read
   * @throws OutOfMemoryError if there is no memory for it
   */
  public int use(PageRequest request, long page, boolean store) throws IOException {
    while (true) {
      lock();
      try {
        get(request, page);
        if (request.status() == PageRequest.Status.RESIDENT) {
          int frame = request.frame();
          if (store && support.frames().loans(frame) > 0) {
            frame = breakLoan(request.processor, page);
          }
          if (frame != FrameTable.NONE) {
            support.frames().wire(frame);
            support.frames().markReferenced(frame);
            return frame;
          }
          request.noFrame(FrameAllocator.Reserve.NONE);
        }
      } finally {
        unlock();
      }
      switch (request.status()) {
        case BUSY -> support.busy().await(request.frame(), request.seen());
        case READING -> {
          counters.add(Counter.PAGE_INS, request.count);
          if (!read(request)) {
            throw new IOException("page cannot be read: page=" + page, request.failure);
          }
        }
        case BEYOND_END -> {
          return FrameTable.NONE;
        }
        case RESIDENT, NO_FRAME, NO_NODE, ERROR -> {
          Reclaimer reclaimer = support.allocator().reclaimer();
          if (request.status() != PageRequest.Status.NO_FRAME
              || !reclaimer.await(request.depth())) {
            throw new OutOfMemoryError("no memory for a page of a file: page=" + page);
          }
        }
      }
    }
  }

  /**
   * Ends the use of a page. Called without locks.
   *
   * @param processor any number that differs between concurrent callers
   * @param page index
   * @param changed whether it was stored to
   */
  public void endUse(int processor, long page, boolean changed) {
    lock();
    try {
      if (changed) {
        support.frames().markDirty(find(page));
      }
      unwire(processor, page);
    } finally {
      unlock();
    }
  }

  /** Waits until no page is on its way in or out. For audits: nothing may start new transfers. */
  public void awaitTransfers() {
    while (true) {
      int[] frame = {FrameTable.NONE};
      long seen = BusyFrames.NOT_BUSY;
      lock();
      try {
        pages.forEach(0, Long.MAX_VALUE, (page, place) -> noteBusy(frame, place));
        if (frame[0] == FrameTable.NONE) {
          return;
        }
        seen = support.busy().want(frame[0]);
      } finally {
        unlock();
      }
      if (seen != BusyFrames.NOT_BUSY) {
        support.busy().await(frame[0], seen);
      }
    }
  }

  private boolean noteBusy(int[] frame, int place) {
    if (support.frames().isBusy(ObjectPages.frame(place))) {
      frame[0] = ObjectPages.frame(place);
    }
    return false;
  }

  // ---- the end ----

  @Override
  boolean mayEnd() {
    if (abandoned) {
      return true;
    }
    boolean[] clean = {true};
    pages.forEach(
        0,
        pagesIn(size()),
        (page, place) -> {
          int frame = ObjectPages.frame(place);
          clean[0] &= !support.frames().isDirty(frame) && !support.frames().isBusy(frame);
          return false;
        });
    return clean[0];
  }

  @Override
  boolean prepareEnd() {
    IOException failed = new FileCleaner(this, false).run(0, Long.MAX_VALUE);
    if (failed == null) {
      return true;
    }
    if (keeper.keep(this)) {
      return false;
    }
    lock();
    abandoned = true;
    unlock();
    return true;
  }

  @Override
  void ended() {
    keeper.ended(this);
    close(store);
    Store writer = writes.writer();
    if (writer != null && !writer.equals(store)) {
      close(writer);
    }
  }

  private static void close(@Nullable Store store) {
    try {
      if (store != null) {
        store.close();
      }
    } catch (IOException e) {
      // Everything was written before, and nobody refers to the file who could be told.
      assert e != null;
    }
  }
}
