package org.juvm.testkit;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.juvm.store.Store;
import org.juvm.store.StoreFullException;

/**
 * A store that hands everything on to another one and fails when it is told to: once or for good,
 * everywhere or in one place, by switches or by a seed. It counts what it is asked for. A transfer
 * of several pieces is one operation. Thread-safe.
 *
 * <p>All state is guarded by this object's monitor, which is not held while the other store works
 * or a thread is held back.
 */
public final class FaultyStore implements Store {
  private final Store store;
  private final Switches[] switches = new Switches[Operation.values().length];
  private @Nullable Choices choices;
  private int failOneIn;
  private int shortReads;
  private boolean full;
  private boolean lost;
  private boolean closed;

  /** What can be asked of a store. */
  public enum Operation {
    /** Reads of both kinds. */
    READ,
    /** Writes of both kinds. */
    WRITE,
    /** Changes of the size. */
    RESIZE,
    /** Requests for durability. */
    SYNC
  }

  /** What happens to operations of one kind. */
  private static final class Switches {
    long operations;
    long failures;
    int failNext;
    final List<Range> badRanges = new ArrayList<>();
    @Nullable Hold hold;
  }

  /** Positions, in bytes, the end excluded. */
  private record Range(long start, long end) {}

  /** Keeps operations of one kind from going on until it is released. */
  public static final class Hold {
    private final Semaphore arrived = new Semaphore(0);
    private final CountDownLatch released = new CountDownLatch(1);

    private Hold() {}

    /**
     * Waits until so many operations more than at the last call have come.
     *
     * @param operations how many
     */
    public void awaitOperations(int operations) {
      arrived.acquireUninterruptibly(operations);
    }

    /** Lets all operations go on, those that are held and those that come. */
    public void release() {
      released.countDown();
    }

    private void pass() {
      arrived.release();
      boolean interrupted = false;
      while (true) {
        try {
          released.await();
          break;
        } catch (InterruptedException _) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * A store without faults, so far.
   *
   * @param store does the work; closed together with this one
   */
  public FaultyStore(Store store) {
    this.store = store;
    for (int i = 0; i < switches.length; i++) {
      switches[i] = new Switches();
    }
  }

  private Switches of(Operation operation) {
    return switches[operation.ordinal()];
  }

  /**
   * Lets the next operations of a kind fail with an I/O error.
   *
   * @param operation the kind
   * @param times how many; 0 takes an earlier call back
   */
  public synchronized void failNext(Operation operation, int times) {
    of(operation).failNext = times;
  }

  /**
   * Lets all operations of a kind fail that touch some positions.
   *
   * @param operation the kind, reads or writes
   * @param position the first of them, in bytes
   * @param length how many
   */
  public synchronized void failAt(Operation operation, long position, long length) {
    of(operation).badRanges.add(new Range(position, position + length));
  }

  /**
   * Lets operations of all kinds fail at random.
   *
   * @param by decides which; used by this store alone from now on
   * @param oneIn one in so many fails, on average
   */
  public synchronized void failAtRandom(Choices by, int oneIn) {
    choices = by;
    failOneIn = oneIn;
  }

  /**
   * Lets the next reads return less than they should, as if the store ended in their last piece.
   *
   * @param times how many
   */
  public synchronized void shortenNextReads(int times) {
    shortReads = times;
  }

  /**
   * Lets all writes fail because the device is full, or lets them succeed again.
   *
   * @param isFull whether it is full
   */
  public synchronized void setFull(boolean isFull) {
    full = isFull;
  }

  /** Takes the device away: everything fails from now on but closing. */
  public synchronized void lose() {
    lost = true;
  }

  /** Takes all faults back but those of a lost device. Holds stay until they are released. */
  public synchronized void heal() {
    for (Switches kind : switches) {
      kind.failNext = 0;
      kind.badRanges.clear();
    }
    choices = null;
    shortReads = 0;
    full = false;
  }

  /**
   * Holds operations of a kind back, before anything else happens to them.
   *
   * @param operation the kind
   * @return lets them go on
   */
  public synchronized Hold hold(Operation operation) {
    Hold hold = new Hold();
    of(operation).hold = hold;
    return hold;
  }

  /**
   * How many operations of a kind have come.
   *
   * @param operation the kind
   * @return operations, failed ones included
   */
  public synchronized long operations(Operation operation) {
    return of(operation).operations;
  }

  /**
   * How many operations of a kind were made to fail.
   *
   * @param operation the kind
   * @return operations
   */
  public synchronized long failures(Operation operation) {
    return of(operation).failures;
  }

  /**
   * Whether the store was closed.
   *
   * @return true if it was
   */
  public synchronized boolean isClosed() {
    return closed;
  }

  /** Counts an operation, holds it back and lets it fail, as the switches say. */
  private void begin(Operation operation, long position, long length) throws IOException {
    Hold hold;
    synchronized (this) {
      Switches kind = of(operation);
      kind.operations++;
      hold = kind.hold;
    }
    if (hold != null) {
      hold.pass();
    }
    synchronized (this) {
      String fault = fault(operation, position, length);
      if (fault != null) {
        of(operation).failures++;
        String message =
            "%s: injected: operation=%s, position=%d, length=%d"
                .formatted(fault, operation, position, length);
        throw fault.equals("ENOSPC") ? new StoreFullException(message) : new IOException(message);
      }
    }
  }

  /** The error that an operation ends with, or null. */
  private synchronized @Nullable String fault(Operation operation, long position, long length) {
    Switches kind = of(operation);
    if (lost) {
      return "ENXIO";
    }
    if (full && operation == Operation.WRITE) {
      return "ENOSPC";
    }
    if (kind.failNext > 0) {
      kind.failNext--;
      return "EIO";
    }
    if (choices != null && choices.below(failOneIn) == 0) {
      return "EIO";
    }
    boolean bad =
        kind.badRanges.stream()
            .anyMatch(range -> position < range.end && range.start < position + length);
    return bad ? "EIO" : null;
  }

  private synchronized boolean takeShortRead() {
    if (shortReads == 0) {
      return false;
    }
    shortReads--;
    return true;
  }

  @Override
  public long size() throws IOException {
    synchronized (this) {
      if (lost) {
        throw new IOException("ENXIO: injected: operation=size");
      }
    }
    return store.size();
  }

  @Override
  public long read(long position, MemorySegment memory, long offset, long length)
      throws IOException {
    begin(Operation.READ, position, length);
    return store.read(position, memory, offset, takeShortRead() ? length / 2 : length);
  }

  @Override
  public long read(long position, MemorySegment memory, long[] offsets, int count, int pieceBytes)
      throws IOException {
    begin(Operation.READ, position, (long) count * pieceBytes);
    return takeShortRead() && count > 0
        ? store.read(position, memory, offsets, count - 1, pieceBytes)
            + store.read(
                position + (long) (count - 1) * pieceBytes,
                memory,
                offsets[count - 1],
                pieceBytes / 2)
        : store.read(position, memory, offsets, count, pieceBytes);
  }

  @Override
  public void write(long position, MemorySegment memory, long offset, long length)
      throws IOException {
    begin(Operation.WRITE, position, length);
    store.write(position, memory, offset, length);
  }

  @Override
  public void write(long position, MemorySegment memory, long[] offsets, int count, int pieceBytes)
      throws IOException {
    begin(Operation.WRITE, position, (long) count * pieceBytes);
    store.write(position, memory, offsets, count, pieceBytes);
  }

  @Override
  public void resize(long size) throws IOException {
    begin(Operation.RESIZE, 0, size);
    store.resize(size);
  }

  @Override
  public void sync() throws IOException {
    begin(Operation.SYNC, 0, 0);
    store.sync();
  }

  @Override
  public void close() throws IOException {
    synchronized (this) {
      closed = true;
    }
    store.close();
  }
}
