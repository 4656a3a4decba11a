package org.juvm;

import java.time.InstantSource;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.juvm.object.KernelPage;
import org.juvm.object.MemoryObject;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/** The pages that one system shows to its programs, made when they are first asked for. */
final class SystemPages {
  private final Vm vm;
  private final StatisticsWriter.BootTime booted;
  private final RankedLock lock = new RankedLock(LockRank.SYSTEM);

  /** Guarded by lock. */
  private boolean closed;

  /** Has a reference, until the system is closed. Guarded by lock. */
  private @Nullable KernelPage page;

  /** Writes the page. Guarded by lock. */
  private @Nullable StatisticsClock clock;

  /** What clients get. Written with lock, once. */
  private volatile @Nullable StatisticsPage statistics;

  /** Of a system that is booted now. */
  SystemPages(Vm vm, InstantSource time) {
    this.vm = vm;
    booted = StatisticsWriter.BootTime.now(time);
  }

  /** Called without locks: may wait for memory. */
  StatisticsPage statistics() {
    StatisticsPage there = statistics;
    return there != null ? there : make();
  }

  private StatisticsPage make() {
    KernelPage made = KernelPage.create(vm.machine().objectSupport());
    if (made == null) {
      if (vm.isClosed()) {
        throw Vm.closedException();
      }
      throw new OutOfMemoryError("no memory for the statistics page");
    }
    boolean kept = false;
    try {
      StatisticsWriter writer = new StatisticsWriter(vm, booted, made.address());
      writer.tick();
      kept = publish(made, new StatisticsClock(writer::tick));
    } finally {
      if (!kept) {
        made.dereference();
      }
    }
    StatisticsPage there = statistics;
    if (there == null) {
      throw Vm.closedException();
    }
    return there;
  }

  /** Returns false if another thread was first, or the system is closed. */
  private boolean publish(KernelPage made, StatisticsClock ticking) {
    lock.lock();
    try {
      if (closed || page != null) {
        return false;
      }
      ticking.start();
      page = made;
      clock = ticking;
      statistics = new StatisticsPage(vm, made);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** An element for each reference, for audits. */
  List<MemoryObject> references() {
    lock.lock();
    try {
      return page == null ? List.of() : List.of(page);
    } finally {
      lock.unlock();
    }
  }

  /**
   * When the system is closed, and before its memory goes: nothing is written any more when this
   * returns.
   */
  void closeAll() {
    KernelPage had;
    StatisticsClock ticking;
    lock.lock();
    try {
      closed = true;
      had = page;
      ticking = clock;
      page = null;
      clock = null;
    } finally {
      lock.unlock();
    }
    if (ticking != null) {
      ticking.stop();
    }
    if (had != null) {
      had.dereference();
    }
  }
}
