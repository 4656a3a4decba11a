package org.juvm.pageout;

import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.juvm.map.Machine;
import org.juvm.page.FrameAllocator;
import org.juvm.page.Reclaimer;
import org.juvm.sync.EventCount;

/**
 * The page daemon: a thread that keeps some memory free, and whom others wait for.
 *
 * <p>It does nothing before {@link #start}, which is called when there is a place that pages can go
 * to. Thread-safe.
 *
 * <p>Source: {@code uvm_pageout}, {@code uvm_wait} and {@code uvm_kick_pdaemon} of {@code
 * uvm_pdaemon.c}.
 */
public final class PageDaemon implements Reclaimer, AutoCloseable {
  private final FrameAllocator allocator;
  private final Scan scan;

  /** Advances when the daemon should look whether there is something to do. */
  private final EventCount demand = new EventCount();

  /** Advances when memory has become free, or a scan has found none. */
  private final EventCount settled = new EventCount();

  /** Held during a scan; whoever else has it keeps the daemon from scanning. */
  private final Semaphore scanning = new Semaphore(1);

  /** The thread, once started. Written by whoever holds {@link #scanning}. */
  private volatile @Nullable Thread thread;

  private volatile boolean stopped;

  /** Whether a kick has not been seen yet. */
  private volatile boolean kicked;

  /** Whether the last scan found nothing; then kicks are of no use until somebody waits. */
  private volatile boolean hopeless;

  /** Gives up what allocators keep. */
  private final BooleanSupplier caches;

  /** Threads that are waiting for memory. */
  private final AtomicInteger waiting = new AtomicInteger();

  /** How many scans have begun. */
  private final AtomicLong scans = new AtomicLong();

  /** The number of the last scan that has found nothing to take. Written by the daemon. */
  private volatile long failedScan;

  /**
   * A daemon that is not started.
   *
   * @param machine the system
   * @param caches gives memory back that nobody uses now, and says whether it had any; called
   *     without locks, by any thread
   */
  public PageDaemon(Machine machine, BooleanSupplier caches) {
    this.caches = caches;
    allocator = machine.allocator();
    scan = new Scan(machine, this::progress);
  }

  /** Starts the thread. Harmless if it runs already, or if the daemon is closed. */
  public void start() {
    if (thread != null) {
      return;
    }
    scanning.acquireUninterruptibly();
    try {
      if (thread == null && !stopped) {
        Thread daemon = new Thread(this::run, "juvm-pagedaemon");
        daemon.setDaemon(true);
        thread = daemon;
        daemon.start();
      }
    } finally {
      scanning.release();
    }
  }

  @Override
  public boolean isAble() {
    return thread != null && !stopped;
  }

  @Override
  public void kick() {
    if (!kicked && !hopeless && thread != null) {
      kicked = true;
      demand.advance();
    }
  }

  @Override
  public boolean await(FrameAllocator.Reserve depth) {
    // Whoever frees memory looks for waiters afterwards, so these count before they look for it.
    waiting.incrementAndGet();
    try {
      long seen = settled.count();
      long begun = scans.get();
      if (allocator.hasFree(depth)) {
        return true;
      }
      if (!isAble()) {
        return areCachesOfUse(depth);
      }
      hopeless = false;
      demand.advance();
      settled.await(seen);
      // What a scan that was under way has not found says nothing about now.
      return !stopped && (failedScan <= begun || allocator.hasFree(depth) || areCachesOfUse(depth));
    } finally {
      waiting.decrementAndGet();
    }
  }

  /** The last resort: memory that is kept ready for allocations which may never come. */
  private boolean areCachesOfUse(FrameAllocator.Reserve depth) {
    return caches.getAsBoolean() && allocator.hasFree(depth);
  }

  @Override
  public void freed() {
    if (waiting.get() > 0) {
      settled.advance();
    }
  }

  /** Memory has become free, or a transfer has ended. Any thread. */
  private void progress() {
    settled.advance();
    if (waiting.get() > 0 || allocator.shortage() > 0) {
      demand.advance();
    }
  }

  private void run() {
    try {
      while (!stopped) {
        long seen = demand.count();
        kicked = false;
        if (!isNeeded()) {
          // What became free by itself, by an unmap, is for those who wait, too.
          if (waiting.get() > 0) {
            settled.advance();
          }
          demand.await(seen);
        } else if (!scanOnce()) {
          demand.await(seen);
        }
      }
    } finally {
      // Also after a defect: whoever waits must not wait for ever.
      stopped = true;
      settled.advance();
    }
  }

  /**
   * Whether pages should be taken. That somebody waits is no reason by itself: who has been woken
   * may not have run yet, and everything would have been taken until then.
   */
  private boolean isNeeded() {
    return !hopeless && (allocator.shortage() > scan.inFlight() || isSomebodyStuck());
  }

  private boolean isSomebodyStuck() {
    return waiting.get() > 0 && !allocator.hasFree(FrameAllocator.Reserve.NONE);
  }

  /** Returns true if another scan may be needed at once. */
  private boolean scanOnce() {
    scanning.acquireUninterruptibly();
    long number = scans.incrementAndGet();
    long seen = settled.count();
    Scan.Result result;
    try {
      result = scan.run();
    } finally {
      scanning.release();
    }
    return switch (result) {
      case PROGRESS -> true;
      case TRANSFERS -> false;
      case BUSY -> {
        scan.awaitBusy();
        yield true;
      }
      case NOTHING -> {
        if (settled.count() != seen) {
          // Memory that became free meanwhile may have been taken already by others.
          yield true;
        }
        // There may be nothing to take because all of it has become free meanwhile.
        if (!allocator.hasFree(FrameAllocator.Reserve.NONE)) {
          failedScan = number;
        }
        hopeless = allocator.shortage() > 0;
        settled.advance();
        yield false;
      }
    };
  }

  /**
   * Whether pages are being written, to swap or to where they belong.
   *
   * @return true if so
   */
  public boolean isWriting() {
    return scan.inFlight() > 0;
  }

  /**
   * Does something while no page is being taken and no anonymous page is being written.
   *
   * @param action must not wait for memory
   */
  public void whileQuiet(Runnable action) {
    scanning.acquireUninterruptibly();
    try {
      scan.awaitSwapWrites();
      action.run();
    } finally {
      scanning.release();
    }
  }

  /**
   * Stops the thread; whoever waits for memory gets none. Returns when nothing is being written.
   */
  @Override
  public void close() {
    stopped = true;
    demand.advance();
    settled.advance();
    Thread daemon = thread;
    boolean interrupted = false;
    while (daemon != null && daemon.isAlive()) {
      try {
        daemon.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    // Two who wait for writes would each hold what the other waits for.
    scanning.acquireUninterruptibly();
    try {
      scan.close();
    } finally {
      scanning.release();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
