package org.juvm.object;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.juvm.page.BusyFrames;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.page.ObjectPages;
import org.juvm.pmap.Pmaps;
import org.juvm.sync.LockOrder;

/**
 * Memory whose pages a client reads and writes.
 *
 * <p>The client gets copies, never the frames: it may block for as long as it likes, and whatever
 * it does then with what it was given does no harm to a page, nor does the end of the system change
 * what it was given. While it works the frame is busy, and only faults on that page wait.
 *
 * <p>A page that comes in is busy and clean, one that goes out busy and dirty: so the last one who
 * has a reference knows what must be written, without waiting for a client that does not come back.
 *
 * <p>Source: {@code uvm_pager.h}; the loop of {@link #sync} is that of {@code uvn_put}.
 */
public final class PagerObject extends MemoryObject {
  private static final int BATCH = 64;

  /** Pages that are looked at with the lock held. */
  private static final long STRIDE = 4096;

  private final PageSource source;

  /** Whether all has been written that was to be when the last reference went. */
  private boolean written;

  /** One at a time, so that what is written last is what was stored last. */
  private final Semaphore syncing = new Semaphore(1);

  /**
   * An object without resident pages and with one reference.
   *
   * @param support what it works with
   * @param source where pages come from
   * @param size bytes, whole pages
   */
  public PagerObject(ObjectSupport support, PageSource source, long size) {
    super(support, size);
    this.source = source;
  }

  @Override
  public boolean isAnonymous() {
    return false;
  }

  // ---- in ----

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
    support.frames().markClean(frame);
    request.firstPage = page;
    request.frames[0] = frame;
    request.count = 1;
    put(page, frame);
    request.is(PageRequest.Status.READING, frame);
  }

  @Override
  public boolean read(PageRequest request) {
    assert LockOrder.noneHeld();
    int frame = request.frames[0];
    boolean done = false;
    try {
      byte[] bytes = new byte[pageSize().bytes()];
      source.read(request.firstPage, bytes);
      done = fill(frame, bytes);
    } catch (IOException | RuntimeException e) {
      request.failure = e;
    } finally {
      if (done) {
        support.busy().endClean(request.processor, frame);
      } else {
        giveUp(request.processor, frame);
      }
    }
    return done;
  }

  /** Returns false if the system has ended. */
  private boolean fill(int frame, byte[] bytes) {
    boolean alive = support.ram().use();
    if (alive) {
      support.ram().copyIn(bytes, frame);
      support.ram().drop();
    }
    return alive;
  }

  // ---- out ----

  @Override
  public void evict(int frame) {
    long page = pageIn(frame);
    pages.forEach(page, page + 1, (at, place) -> true);
  }

  @Override
  public void write(int[] busy, int count) throws IOException {
    IOException failure = null;
    for (int i = 0; i < count; i++) {
      long page = pageOf(busy[i]);
      if (page >= 0) {
        try {
          writeBytes(page, copy(busy[i]));
          support.frames().markClean(busy[i]);
        } catch (IOException e) {
          failure = e;
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** The page in a busy frame; -1 if it was given up, and whoever did that has written it. */
  private long pageOf(int frame) {
    lock();
    try {
      return pageIn(frame);
    } finally {
      unlock();
    }
  }

  private byte[] copy(int frame) throws IOException {
    byte[] bytes = new byte[pageSize().bytes()];
    if (!support.ram().use()) {
      throw new IOException("the virtual memory system is closed");
    }
    support.ram().copyOut(frame, bytes);
    support.ram().drop();
    return bytes;
  }

  /** Whatever the client throws, pages must not stay busy for it. */
  private void writeBytes(long page, byte[] bytes) throws IOException {
    assert LockOrder.noneHeld();
    try {
      source.write(page, bytes);
    } catch (RuntimeException | Error e) {
      throw new IOException("the pager has failed", e);
    }
  }

  /**
   * Writes all pages of a range that have changed. Called without locks.
   *
   * @param start first page
   * @param end the page after the last
   * @throws IOException if a page could not be written; all others were tried
   */
  public void sync(long start, long end) throws IOException {
    if (source.isReadOnly()) {
      return;
    }
    syncing.acquireUninterruptibly();
    try {
      Sync sync = new Sync();
      sync.run(start, end);
      if (sync.failure != null) {
        throw sync.failure;
      }
    } finally {
      syncing.release();
    }
  }

  /** One pass over a range. */
  private final class Sync {
    private final int[] claimed = new int[BATCH];
    private final Pmaps.Scratch scratch = new Pmaps.Scratch();
    private int count;

    /** Where the next look begins. */
    private long next;

    /** A page that stays where it is and cannot be claimed: its frame, and its bytes. */
    private int pinned;

    private byte @Nullable [] pinnedBytes;
    private int busy;
    private long seen;
    private @Nullable IOException failure;

    void run(long start, long end) {
      next = start;
      while (true) {
        lock();
        try {
          long last = Math.min(end, pages.limit());
          if (next >= last) {
            return;
          }
          collect(Math.min(last, next + STRIDE));
        } finally {
          unlock();
        }
        writeClaimed();
        writePinned();
        if (busy != FrameTable.NONE && seen != BusyFrames.NOT_BUSY) {
          support.busy().await(busy, seen);
        }
      }
    }

    /** Claims pages until something else is to be done, and sets next behind them. */
    private void collect(long end) {
      count = 0;
      pinnedBytes = null;
      busy = FrameTable.NONE;
      long[] stop = {end};
      forEach(
          next,
          end,
          (page, place) -> {
            if (page < stop[0]) {
              stop[0] = look(page, ObjectPages.frame(place), stop[0]);
            }
            return false;
          });
      next = stop[0];
    }

    /** Returns the page to stop before. */
    private long look(long page, int frame, long end) {
      if (count == BATCH) {
        return page;
      }
      if (support.busy().claim(PagerObject.this, frame)) {
        claimed[count++] = frame;
        return end;
      }
      if (support.frames().isBusy(frame)) {
        busy = frame;
        seen = support.busy().want(frame);
        return page;
      }
      try {
        pinnedBytes = copy(frame);
        pinned = frame;
        support.frames().wire(frame);
      } catch (IOException e) {
        failure = e;
      }
      return page + 1;
    }

    private void writeClaimed() {
      support.pmaps().removeFrames(claimed, count, scratch);
      for (int i = 0; i < count; i++) {
        int frame = claimed[i];
        try {
          long page = support.frames().isDirty(frame) ? pageOf(frame) : -1;
          if (page >= 0) {
            writeBytes(page, copy(frame));
            support.frames().markClean(frame);
          }
        } catch (IOException e) {
          failure = e;
        } finally {
          support.busy().end(0, frame);
        }
      }
    }

    /** The page may be changed meanwhile, so it stays dirty, and is written once more some day. */
    private void writePinned() {
      byte[] bytes = pinnedBytes;
      if (bytes == null) {
        return;
      }
      try {
        writeBytes(next - 1, bytes);
      } catch (IOException e) {
        failure = e;
      } finally {
        support.allocator().unwire(0, pinned);
      }
    }
  }

  @Override
  public void clean(long first, long end, boolean invalidate) throws IOException {
    sync(first, end);
    if (invalidate) {
      for (long next = first; next < end; ) {
        next = drop(next, end);
      }
    }
  }

  @Override
  public void writeOut(long first, long end) {
    try {
      sync(first, end);
    } catch (IOException e) {
      // The pages are still changed: whoever asks for it to be durable is told.
      assert e != null;
    }
  }

  /** Takes clean pages out of memory that nobody uses. Returns where to go on. */
  private long drop(long first, long end) {
    int[] claimed = new int[BATCH];
    int[] count = new int[1];
    long[] stop = {end};
    lock();
    try {
      stop[0] = Math.min(end, pages.limit());
      forEach(
          first,
          stop[0],
          (page, place) -> {
            if (count[0] == BATCH) {
              stop[0] = Math.min(stop[0], page);
            } else if (support.busy().claim(this, ObjectPages.frame(place))) {
              claimed[count[0]++] = ObjectPages.frame(place);
            }
            return false;
          });
      if (stop[0] <= first || stop[0] == pages.limit()) {
        stop[0] = end;
      }
    } finally {
      unlock();
    }
    support.pmaps().removeFrames(claimed, count[0], new Pmaps.Scratch());
    for (int i = 0; i < count[0]; i++) {
      if (support.frames().isDirty(claimed[i])) {
        support.busy().end(0, claimed[i]);
      } else {
        giveUp(0, claimed[i]);
      }
    }
    return stop[0];
  }

  @Override
  boolean mayEnd() {
    return written || source.isReadOnly();
  }

  /** Whoever has the only reference gives it up, so there will be no other one. */
  @Override
  boolean prepareEnd() {
    writeAll();
    lock();
    written = true;
    unlock();
    return true;
  }

  private void writeAll() {
    long[] dirty = new long[BATCH];
    List<byte[]> bytes = new ArrayList<>();
    for (long next = 0; ; ) {
      long[] stop = {next + STRIDE};
      lock();
      try {
        if (next >= pages.limit()) {
          return;
        }
        forEach(
            next,
            next + STRIDE,
            (page, place) -> {
              int frame = ObjectPages.frame(place);
              if (support.frames().isDirty(frame)) {
                if (bytes.size() < BATCH) {
                  dirty[bytes.size()] = page;
                  bytes.add(copyIfAlive(frame));
                } else {
                  stop[0] = Math.min(stop[0], page);
                }
              }
              return false;
            });
      } finally {
        unlock();
      }
      for (int i = 0; i < bytes.size(); i++) {
        writeLast(dirty[i], bytes.get(i));
      }
      bytes.clear();
      next = stop[0];
    }
  }

  /** Nothing instead of a page if the system has ended. */
  private byte[] copyIfAlive(int frame) {
    try {
      return copy(frame);
    } catch (IOException e) {
      return new byte[0];
    }
  }

  private void writeLast(long page, byte[] bytes) {
    try {
      if (bytes.length != 0) {
        writeBytes(page, bytes);
      }
    } catch (IOException lost) {
      // The source counts it; there is nobody left whom it could be told.
    }
  }
}
