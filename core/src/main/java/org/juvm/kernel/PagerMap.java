package org.juvm.kernel;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.Semaphore;
import org.juvm.base.KernelFlag;
import org.juvm.base.PageSize;
import org.juvm.map.MapOutcome;
import org.juvm.map.Placement;
import org.juvm.store.PageIo;
import org.juvm.store.TransferBuffer;
import org.juvm.store.TransferBuffers;
import org.juvm.sync.EventCount;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * Buffers for clusters of pages that are written in another form than they have in memory, on a
 * submap of their own: wired, so that a transfer which is to make memory free needs none for
 * itself. Thread-safe.
 *
 * <p>There is a fixed number of them, at least one, for at most a thirty-second of all memory. When
 * all are in use a writer waits for one, and only for that: the threads that have them wait for
 * nothing but their transfers. The page daemon itself never takes one.
 *
 * <p>Source: {@code pager_map} and {@code uvm_pagermapin} of {@code uvm_pager.c}, with its
 * emergency range for the daemon, and the bounce pages of {@code uvm_swap.c} of OpenBSD.
 */
public final class PagerMap implements TransferBuffers {
  private static final int MAXIMUM_PAGES = 64;
  private static final int MAXIMUM_BUFFERS = 4;

  /** One in so many frames is for buffers at most, unless that is none. */
  private static final int SHARE = 32;

  private final KernelSpace space;
  private final PageSize pageSize;
  private final int pages;
  private final int maximum;
  private final RankedLock lock = new RankedLock(LockRank.POOL);
  private final EventCount given = new EventCount();

  /** Those that nobody uses. Guarded by lock. */
  private final Deque<TransferBuffer> free = new ArrayDeque<>(MAXIMUM_BUFFERS);

  /** Taken by who makes buffers, which may wait for memory. */
  private final Semaphore making = new Semaphore(1);

  /** How many there are. Guarded by making. */
  private int buffers;

  /** Without buffers. */
  PagerMap(KernelSpace space) {
    this.space = space;
    pageSize = space.machine().pageSize();
    int frames = space.machine().ram().frames();
    pages = Math.clamp(frames / (SHARE * MAXIMUM_BUFFERS), 1, MAXIMUM_PAGES);
    maximum = Math.clamp(frames / (SHARE * pages), 1, MAXIMUM_BUFFERS);
  }

  /**
   * Makes the buffers, as far as there is memory for them, if there are none yet. Called without
   * locks; may wait for memory.
   *
   * @return DONE, NO_MEMORY if there is not even one, NO_SPACE or EXITED
   */
  public MapOutcome make() {
    making.acquireUninterruptibly();
    try {
      return buffers == 0 ? makeFirst() : MapOutcome.DONE;
    } finally {
      making.release();
    }
  }

  private MapOutcome makeFirst() {
    KernelRange.Submapped made =
        space.all().submap(Placement.LOWEST, pageSize.address((long) pages * maximum), false);
    KernelRange range = made.submap();
    if (range == null) {
      return made.outcome();
    }
    for (int i = 0; i < maximum; i++) {
      // At least one buffer is worth waiting for; only who wants the same waits for this thread.
      Set<KernelFlag> flags =
          i == 0 ? EnumSet.noneOf(KernelFlag.class) : EnumSet.of(KernelFlag.NO_WAIT);
      KernelAllocator allocator = new KernelAllocator(range, flags);
      MapOutcome outcome = allocator.wired(pageSize.address(pages));
      if (outcome != MapOutcome.DONE) {
        if (i == 0) {
          range.close();
        }
        return i == 0 ? outcome : MapOutcome.DONE;
      }
      PageIo io = space.machine().io();
      give(io.buffer(range.frames(allocator.address(), pages)));
      buffers++;
    }
    return MapOutcome.DONE;
  }

  @Override
  public int pieceBytes() {
    return pageSize.bytes();
  }

  @Override
  public TransferBuffer take() {
    while (true) {
      long seen;
      lock.lock();
      try {
        TransferBuffer buffer = free.poll();
        if (buffer != null) {
          return buffer;
        }
        seen = given.count();
      } finally {
        lock.unlock();
      }
      given.await(seen);
    }
  }

  @Override
  public void give(TransferBuffer buffer) {
    lock.lock();
    try {
      free.push(buffer);
    } finally {
      lock.unlock();
    }
    given.advance();
  }
}
