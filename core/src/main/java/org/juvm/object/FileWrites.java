package org.juvm.object;

import java.io.IOException;
import java.nio.channels.NonWritableChannelException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.juvm.base.PageSize;
import org.juvm.page.BusyFrames;
import org.juvm.page.FrameTable;
import org.juvm.page.ObjectPages;
import org.juvm.ram.Native;
import org.juvm.store.Store;
import org.juvm.sync.EventCount;
import org.juvm.sync.LockOrder;
import org.juvm.trace.Counter;
import org.juvm.trace.Counters;

/**
 * How the pages of one file and its size get to its store.
 *
 * <p>A store grows when it is written beyond its end. So no page is written beyond the end of the
 * file, and while a file is being cut off, writes beyond the cut wait: first those under way are
 * waited for, then the store is cut off, and then the pages beyond go, and the others that wait see
 * the new size. One change of the size is made at a time.
 *
 * <p>Source: {@code uvm_vnp_setsize}, {@code uvm_vnp_setwritesize}, {@code genfs_gop_write}.
 */
final class FileWrites {
  private final FileObject file;
  private final PageSize pageSize;
  private final Counters counters;

  /** Takes writes; null while nobody has opened the file for writing. */
  private volatile @Nullable Store writer;

  /** Taken by who changes the size, before the lock of the file. */
  private final Semaphore resizing = new Semaphore(1);

  /** Writes that end beyond wait. Guarded by the file's lock. */
  private long limit = Long.MAX_VALUE;

  /** Writes under way that began in an even and in an odd epoch. Guarded by the file's lock. */
  private final int[] underWay = new int[2];

  /** Parity of the epoch; a new one begins when a cut is to wait. Guarded by the file's lock. */
  private int epoch;

  /** Advances when a limit is taken away, or the last write of an epoch has ended. */
  private final EventCount changed = new EventCount();

  /** An error that nobody was told of. Guarded by the file's lock. */
  private @Nullable IOException failure;

  /** One that nobody uses. */
  private final AtomicReference<@Nullable Batch> spare = new AtomicReference<>();

  FileWrites(FileObject file, Counters counters) {
    this.file = file;
    this.counters = counters;
    pageSize = file.pageSize();
  }

  @Nullable Store writer() {
    return writer;
  }

  void setWriter(Store store) {
    writer = store;
  }

  /** Pages in the order of the file, and where they go. For one thread at a time. */
  private static final class Batch {
    private static final int NUMBER_BITS = Integer.numberOfTrailingZeros(PageRequest.MAXIMUM_PAGES);

    /** Index of a page, and below it the number of its frame among those given. Sorted. */
    private final long[] pages = new long[PageRequest.MAXIMUM_PAGES];

    private final int[] run = new int[PageRequest.MAXIMUM_PAGES];
    private int count;
    private long size;

    /** Locked: the file. Pages that were given up, or are beyond its end, are left out. */
    void collect(FileObject file, int[] busy, int given) {
      count = 0;
      size = file.size();
      for (int i = 0; i < given; i++) {
        long page = file.pageIn(busy[i]);
        if (page >= 0 && file.contains(page)) {
          add(page << NUMBER_BITS | i);
        }
      }
    }

    /** Pages come in order, as a rule. */
    private void add(long page) {
      int at = count++;
      for (; at > 0 && pages[at - 1] > page; at--) {
        pages[at] = pages[at - 1];
      }
      pages[at] = page;
    }

    private long page(int i) {
      return pages[i] >> NUMBER_BITS;
    }

    private int frame(int i, int[] busy) {
      return busy[(int) pages[i] & (PageRequest.MAXIMUM_PAGES - 1)];
    }

    /** Where the last write will end, in bytes. */
    long end(PageSize pageSize) {
      return count == 0 ? 0 : Math.min(size, pageSize.address(page(count - 1) + 1));
    }

    void write(FileObject file, Store store, int[] busy) throws IOException {
      PageSize pageSize = file.pageSize();
      long whole = pageSize.vpn(size);
      for (int i = 0; i < count; ) {
        long first = page(i);
        long position = pageSize.address(first);
        if (first >= whole) {
          int bytes = (int) (size - position);
          file.support.io().write(store, position, frame(i, busy), bytes);
          i++;
          continue;
        }
        int pages = 0;
        while (i < count && page(i) == first + pages && page(i) < whole) {
          run[pages++] = frame(i++, busy);
        }
        file.support.io().write(store, position, run, pages);
      }
    }
  }

  /** Writes busy pages; see {@link org.juvm.page.PageOwner#write}. */
  void write(int[] busy, int given) throws IOException {
    assert LockOrder.noneHeld();
    Batch batch = spare.getAndSet(null);
    if (batch == null) {
      batch = new Batch();
    }
    int began = begin(batch, busy, given);
    try {
      Store store = writer;
      if (store == null) {
        throw new IOException("the file is open for reading only");
      }
      batch.write(file, store, busy);
      counters.add(Counter.PAGE_OUTS, batch.count);
    } catch (IOException e) {
      failed(e);
      throw e;
    } catch (RuntimeException e) {
      // A client's store may throw anything; the pages must not stay busy for that.
      IOException wrapped = new IOException("the store has failed", e);
      failed(wrapped);
      throw wrapped;
    } finally {
      end(began);
      spare.set(batch);
    }
  }

  private int begin(Batch batch, int[] busy, int given) {
    while (true) {
      long seen;
      file.lock();
      try {
        batch.collect(file, busy, given);
        if (batch.end(pageSize) <= limit) {
          underWay[epoch]++;
          return epoch;
        }
        seen = changed.count();
      } finally {
        file.unlock();
      }
      changed.await(seen);
    }
  }

  private void end(int began) {
    file.lock();
    try {
      underWay[began]--;
      if (underWay[began] == 0) {
        changed.advance();
      }
    } finally {
      file.unlock();
    }
  }

  private void failed(IOException e) {
    file.lock();
    try {
      failure = failure == null ? e : failure;
    } finally {
      file.unlock();
    }
  }

  /** Makes what was written durable. Returns the first error since the last call, or null. */
  @Nullable IOException sync() {
    IOException failed = null;
    Store store = writer;
    if (store != null) {
      try {
        store.sync();
      } catch (IOException e) {
        failed = e;
      }
    }
    file.lock();
    try {
      failed = failure == null ? failed : failure;
      failure = null;
    } finally {
      file.unlock();
    }
    return failed;
  }

  // ---- size ----

  private Store checkedWriter() {
    Store store = writer;
    if (store == null) {
      throw new NonWritableChannelException();
    }
    return store;
  }

  /** See {@link FileObject#extend}. */
  void extend(long least) throws IOException {
    Store store = checkedWriter();
    resizing.acquireUninterruptibly();
    try {
      if (knownSize() < least) {
        store.resize(least);
        grow(least);
      }
    } finally {
      resizing.release();
    }
  }

  /** See {@link FileObject#resize}. */
  void resize(long newSize) throws IOException {
    Store store = checkedWriter();
    resizing.acquireUninterruptibly();
    try {
      if (newSize < knownSize()) {
        shrink(store, newSize);
      } else {
        store.resize(newSize);
        grow(newSize);
      }
    } finally {
      resizing.release();
    }
  }

  private long knownSize() {
    file.lock();
    try {
      return file.size();
    } finally {
      file.unlock();
    }
  }

  private void shrink(Store store, long newSize) throws IOException {
    keepFromWriting(newSize);
    try {
      store.resize(newSize);
    } catch (IOException | RuntimeException e) {
      file.lock();
      allowWriting();
      file.unlock();
      throw e;
    }
    cut(newSize);
  }

  /** Nothing is written beyond a limit when this returns, and nothing will be. */
  private void keepFromWriting(long newLimit) {
    int before;
    file.lock();
    limit = newLimit;
    before = epoch;
    epoch = 1 - epoch;
    file.unlock();
    while (true) {
      file.lock();
      boolean ended = underWay[before] == 0;
      long seen = changed.count();
      file.unlock();
      if (ended) {
        return;
      }
      changed.await(seen);
    }
  }

  /** The file is locked. */
  private void allowWriting() {
    limit = Long.MAX_VALUE;
    changed.advance();
  }

  /** The store has become smaller. */
  private void cut(long newSize) {
    file.lock();
    try {
      file.setSize(newSize);
      file.dropBeyondEnd(file.pagesIn(newSize));
      allowWriting();
    } finally {
      file.unlock();
    }
    lockWhenIdle(pageSize.vpn(newSize));
    zeroTail();
    file.unlock();
  }

  /** The store has become larger, with zeros. */
  private void grow(long newSize) {
    lockWhenIdle(pageSize.vpn(knownSize()));
    try {
      zeroTail();
      long end = file.pagesIn(file.size());
      file.pages.forEach(
          end,
          file.pagesIn(newSize),
          (page, place) -> {
            file.support.ram().zero(ObjectPages.frame(place));
            return false;
          });
      file.setSize(newSize);
    } finally {
      file.unlock();
    }
  }

  /**
   * Zeros what is behind the end in the page that contains it. The file is locked. Who has the page
   * on loan keeps the bytes that it had, unless there is no memory for that.
   */
  private void zeroTail() {
    int offset = pageSize.offset(file.size());
    long page = pageSize.vpn(file.size());
    int frame = offset == 0 ? FrameTable.NONE : file.find(page);
    if (frame == FrameTable.NONE) {
      return;
    }
    int own = file.support.frames().loans(frame) > 0 ? file.breakLoan(0, page) : frame;
    frame = own == FrameTable.NONE ? frame : own;
    Native.zero(file.support.ram().address(frame) + offset, pageSize.bytes() - offset);
  }

  /** Locks the file when a page of it is on its way neither in nor out. */
  private void lockWhenIdle(long page) {
    BusyFrames busy = file.support.busy();
    while (true) {
      file.lock();
      int frame = file.find(page);
      if (frame == FrameTable.NONE || !file.support.frames().isBusy(frame)) {
        return;
      }
      long seen = busy.want(frame);
      file.unlock();
      if (seen != BusyFrames.NOT_BUSY) {
        busy.await(frame, seen);
      }
    }
  }

  /** See {@link FileObject#refresh}. */
  void refresh(Store store) throws IOException {
    resizing.acquireUninterruptibly();
    try {
      long now = Math.min(store.size(), MemoryObject.MAXIMUM_BYTES);
      long known = knownSize();
      if (now < known) {
        cut(now);
      } else if (now > known) {
        // The page that contains the old end has zeros behind it that are not in the file now.
        IOException failed =
            new FileCleaner(file, true).run(pageSize.vpn(known), pageSize.vpn(known) + 1);
        if (failed != null) {
          throw failed;
        }
        file.lock();
        file.setSize(now);
        file.unlock();
      }
    } finally {
      resizing.release();
    }
  }
}
