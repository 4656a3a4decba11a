package org.juvm.testkit;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.juvm.store.Store;
import org.juvm.store.StoreFullException;

/**
 * Sees to it that a place of a swap device that has failed is not used again. A place has failed
 * when a page could not be read from it, or could not be written to it alone twice in a row; not if
 * the device was only full.
 */
final class SlotWatch implements Store {
  private final Store store;
  private final int pageSize;
  private final Set<Long> failed = ConcurrentHashMap.newKeySet();
  private final Set<Long> suspects = ConcurrentHashMap.newKeySet();
  private final Queue<String> violations = new ConcurrentLinkedQueue<>();

  SlotWatch(Store store, int pageSize) {
    this.store = store;
    this.pageSize = pageSize;
  }

  /** What was used in spite of a failure. */
  Queue<String> violations() {
    return violations;
  }

  /** How many places have failed. */
  int failed() {
    return failed.size();
  }

  private void used(String how, long position, long length) {
    for (long at = position; at < position + length; at += pageSize) {
      if (failed.contains(at)) {
        violations.add(how + " at " + at + ", which has failed");
      }
    }
  }

  /** Looks at a transfer. */
  private interface Transfer {
    long run() throws IOException;
  }

  private long read(long position, long length, Transfer transfer) throws IOException {
    used("read", position, length);
    long done = 0;
    try {
      done = transfer.run();
      return done;
    } finally {
      if (done < length && length == pageSize) {
        failed.add(position);
      }
    }
  }

  private void write(long position, long length, Transfer transfer) throws IOException {
    used("write", position, length);
    try {
      long _ = transfer.run();
      suspects.remove(position);
    } catch (StoreFullException e) {
      // The place is as good as before.
      throw e;
    } catch (IOException e) {
      if (length == pageSize && !suspects.add(position)) {
        failed.add(position);
      }
      throw e;
    }
  }

  @Override
  public long size() throws IOException {
    return store.size();
  }

  @Override
  public long read(long position, MemorySegment memory, long offset, long length)
      throws IOException {
    return read(position, length, () -> store.read(position, memory, offset, length));
  }

  @Override
  public long read(long position, MemorySegment memory, long[] offsets, int count, int pieceBytes)
      throws IOException {
    return read(
        position,
        (long) count * pieceBytes,
        () -> store.read(position, memory, offsets, count, pieceBytes));
  }

  @Override
  public void write(long position, MemorySegment memory, long offset, long length)
      throws IOException {
    write(
        position,
        length,
        () -> {
          store.write(position, memory, offset, length);
          return length;
        });
  }

  @Override
  public void write(long position, MemorySegment memory, long[] offsets, int count, int pieceBytes)
      throws IOException {
    write(
        position,
        (long) count * pieceBytes,
        () -> {
          store.write(position, memory, offsets, count, pieceBytes);
          return (long) count * pieceBytes;
        });
  }

  @Override
  public void resize(long size) throws IOException {
    store.resize(size);
  }

  @Override
  public void sync() throws IOException {
    store.sync();
  }

  @Override
  public void close() throws IOException {
    store.close();
  }
}
