package org.juvm.pageout;

import java.io.IOException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.juvm.map.Machine;
import org.juvm.page.BusyFrames;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.page.PageOwner;
import org.juvm.store.StoreFullException;
import org.juvm.swap.SwapSpace;
import org.juvm.trace.Counter;
import org.juvm.trace.Counters;

/**
 * Writes pages on threads of its own, and lets them go when that is done. Thread-safe.
 *
 * <p>There is a fixed number of clusters of either kind, which bounds what is being written at one
 * time. The daemon waits for a cluster of swap. It never waits for one of a file: a file system, or
 * a client's pager, may block for ever, and must not keep anonymous pages from going.
 *
 * <p>Source: {@code uvm_aio_aiodone}; the second, emergency, page-out thread of DragonFly.
 */
final class Writers {
  private static final int CLUSTERS = 4;
  private static final long IDLE_SECONDS = 10;

  /** In place of a processor's number: what becomes free is for all. */
  private static final int FOR_ALL = -1;

  private final FrameAllocator allocator;
  private final FrameTable frames;
  private final BusyFrames busy;
  private final SwapSpace swap;
  private final Counters counters;
  private final Runnable progress;
  private final BlockingQueue<Cluster> swapClusters = new ArrayBlockingQueue<>(CLUSTERS);
  private final BlockingQueue<Cluster> fileClusters = new ArrayBlockingQueue<>(CLUSTERS);
  private final ThreadPoolExecutor swapThreads = threads("juvm-swap");
  private final ThreadPoolExecutor fileThreads = threads("juvm-pageout");
  private final AtomicInteger inFlight = new AtomicInteger();
  private final AtomicLong freed = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();

  Writers(Machine machine, Runnable progress) {
    allocator = machine.allocator();
    frames = machine.frames();
    busy = machine.busy();
    swap = machine.swap();
    counters = machine.counters();
    this.progress = progress;
    for (int i = 0; i < CLUSTERS; i++) {
      swapClusters.add(new Cluster(this, true));
      fileClusters.add(new Cluster(this, false));
    }
  }

  private static ThreadPoolExecutor threads(String name) {
    ThreadPoolExecutor threads =
        new ThreadPoolExecutor(
            CLUSTERS,
            CLUSTERS,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(CLUSTERS),
            task -> {
              Thread thread = new Thread(task, name);
              thread.setDaemon(true);
              return thread;
            });
    threads.allowCoreThreadTimeOut(true);
    return threads;
  }

  /** Pages that are being written. */
  int inFlight() {
    return inFlight.get();
  }

  /** Pages that were let go since boot. */
  long freed() {
    return freed.get();
  }

  /** Pages that could not be written since boot. */
  long failed() {
    return failed.get();
  }

  void progress() {
    progress.run();
  }

  // ---- by the daemon ----

  /** An empty cluster for swap; waits until one is free. */
  Cluster swapCluster() {
    boolean interrupted = false;
    while (true) {
      try {
        Cluster cluster = swapClusters.take();
        if (interrupted) {
          Thread.currentThread().interrupt();
        }
        return cluster;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
  }

  /** An empty cluster for an object's pages, or null if all are being written. */
  @Nullable Cluster fileCluster() {
    return fileClusters.poll();
  }

  /** Whether there is no cluster for an object's pages. */
  boolean areFilesBlocked() {
    return fileClusters.isEmpty();
  }

  /** Takes an empty cluster back. */
  void notUsed(Cluster cluster) {
    (cluster.isSwap() ? swapClusters : fileClusters).add(cluster);
  }

  /** Has a cluster written. There is a thread for each cluster. */
  void write(Cluster cluster) {
    inFlight.addAndGet(cluster.count());
    (cluster.isSwap() ? swapThreads : fileThreads).execute(cluster);
  }

  /** Waits until no anonymous page is being written. Nobody else may take clusters meanwhile. */
  void awaitSwapWrites() {
    Cluster[] all = new Cluster[CLUSTERS];
    for (int i = 0; i < CLUSTERS; i++) {
      all[i] = swapCluster();
    }
    for (Cluster cluster : all) {
      notUsed(cluster);
    }
  }

  // ---- by whoever writes ----

  /** A cluster is empty again. */
  void written(Cluster cluster, int pages) {
    inFlight.addAndGet(-pages);
    notUsed(cluster);
    progress.run();
  }

  /** Gives a busy page a new slot in place of the one that it may have. */
  void setSlot(int frame, int slot) {
    int old = frames.slot(frame);
    if (old != 0) {
      swap.free(old);
    }
    frames.setSlot(frame, slot);
  }

  /** Writes to consecutive slots. Returns false if that failed. */
  boolean writeSlots(int first, int[] from, int count) {
    try {
      swap.write(first, from, count);
      counters.add(Counter.SWAP_OUTS, count);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Writes one page to its slot. If that fails the page stays in memory, and nobody uses the slot
   * again; unless the device is only full.
   */
  void writeAlone(int frame, PageOwner owner) {
    int slot = frames.slot(frame);
    int[] alone = {frame};
    try {
      swap.write(slot, alone, 1);
      counters.add(Counter.SWAP_OUTS, 1);
      clean(alone, 1, owner);
      return;
    } catch (StoreFullException e) {
      setSlot(frame, 0);
    } catch (IOException e) {
      swap.markBad(slot);
      setSlot(frame, 0);
    }
    notWritten(frame, owner);
  }

  /** A page could not be written to where it belongs. */
  void notWritten(int frame, PageOwner owner) {
    failed.incrementAndGet();
    keep(frame, owner);
  }

  /** A page stays in memory. */
  void keep(int frame, PageOwner owner) {
    allocator.policy().enqueue(frame, owner.identity(frame), !owner.isAnonymous());
    busy.end(FOR_ALL, frame);
  }

  /**
   * Pages of one owner have been written: their bytes are in memory and where they belong.
   *
   * @param written busy frames; the order is changed
   * @param count how many of them
   * @param owner whose they are
   */
  void clean(int[] written, int count, PageOwner owner) {
    for (int i = 0; i < count; i++) {
      frames.markClean(written[i]);
    }
    letGo(written, count, owner);
  }

  /**
   * Takes clean pages of one owner out of memory. They may have been given up meanwhile; they are
   * free now.
   *
   * @param clean busy frames; the order is changed
   * @param count how many of them, at most {@link Cluster#MAXIMUM_PAGES}
   * @param owner whose they are
   */
  void letGo(int[] clean, int count, PageOwner owner) {
    int owned = 0;
    owner.lock();
    try {
      for (int i = 0; i < count; i++) {
        int frame = clean[i];
        if (owner.owns(frame)) {
          owner.evict(frame);
          clean[i] = clean[owned];
          clean[owned++] = frame;
        }
      }
    } finally {
      owner.unlock();
    }
    counters.add(Counter.EVICTIONS, owned);
    busy.endFree(clean, owned);
    for (int i = owned; i < count; i++) {
      busy.end(FOR_ALL, clean[i]);
    }
    freed.addAndGet(count);
  }

  /** Ends the threads, when nothing is being written to swap any more. */
  void close() {
    awaitSwapWrites();
    swapThreads.shutdown();
    fileThreads.shutdownNow();
  }
}
