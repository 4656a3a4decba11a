package org.juvm.kernel;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.juvm.map.Machine;
import org.juvm.map.Unmapper;
import org.juvm.map.VmMap;
import org.juvm.object.KernelObject;
import org.juvm.object.MemoryObject;
import org.juvm.sync.EventCount;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * The kernel's address space: the addresses after those of programs, one page table, and the
 * objects behind them. Thread-safe.
 *
 * <p>The lowest addresses are reserved from the start, as those are in a real kernel where it lies
 * itself; nothing is ever there, so that an address computed from none faults.
 *
 * <p>Source: {@code uvm_km_init}.
 */
public final class KernelSpace {
  /** Bytes at the lowest kernel addresses that nobody gets. */
  public static final long BOOT_BYTES = 1L << 20;

  private final Machine machine;
  private final KernelObject object;
  private final KernelRange all;
  private final PagerMap pagerMap;
  private final RankedLock lock = new RankedLock(LockRank.SYSTEM);

  /** Those that have not ended, the whole included. Guarded by lock. */
  private final Set<KernelRange> ranges = new LinkedHashSet<>();

  /** Submaps that are being ended by {@link KernelRange#close}. Guarded by lock. */
  private int ending;

  /** Advances when one of these has ended. */
  private final EventCount ended = new EventCount();

  /** Guarded by lock. */
  private boolean closed;

  /**
   * The kernel of a system that is being booted.
   *
   * @param machine the system
   */
  public KernelSpace(Machine machine) {
    this.machine = machine;
    object = new KernelObject(machine.objectSupport());
    VmMap map = VmMap.ofKernel(machine, BOOT_BYTES);
    all = new KernelRange(this, map, true, null);
    ranges.add(all);
    pagerMap = new PagerMap(this);
  }

  Machine machine() {
    return machine;
  }

  /** What is behind memory that is made on demand. */
  KernelObject object() {
    return object;
  }

  /**
   * All kernel addresses that are not in a submap.
   *
   * @return the whole
   */
  public KernelRange all() {
    return all;
  }

  /**
   * Buffers for transfers.
   *
   * @return the same object each time
   */
  public PagerMap pagerMap() {
    return pagerMap;
  }

  /** Memory of the kernel that is made on demand may go to swap from now on. */
  public void enableSwap() {
    object.enableSwap();
  }

  /** Adds a new range. Returns false if the kernel has ended. */
  boolean register(KernelRange range) {
    lock.lock();
    try {
      if (!closed) {
        ranges.add(range);
      }
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes a range out, and all that are inside it. Unless there is none, the caller ends them and
   * then calls {@link #endDone}.
   *
   * @return these ranges; empty if this one was not there
   */
  List<KernelRange> beginEnd(KernelRange range) {
    lock.lock();
    try {
      if (!ranges.contains(range)) {
        return List.of();
      }
      List<KernelRange> inside = ranges.stream().filter(each -> each.isInside(range)).toList();
      inside.forEach(ranges::remove);
      ending++;
      return inside;
    } finally {
      lock.unlock();
    }
  }

  /** What {@link #beginEnd} has taken out has ended. */
  void endDone() {
    lock.lock();
    ending--;
    lock.unlock();
    ended.advance();
  }

  /**
   * The references that the kernel itself has to its objects, for audits.
   *
   * @return an element for each
   */
  public List<MemoryObject> references() {
    List<MemoryObject> references = new ArrayList<>();
    lock.lock();
    try {
      references.add(object);
      ranges.forEach(range -> references.add(range.object()));
      return references;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Gives memory back that pools keep for allocations to come. Called without locks. ({@code
   * pool_drain})
   *
   * @return whether there was any
   */
  public boolean trim() {
    boolean any = false;
    for (Pool pool : pools()) {
      any |= pool.trim();
    }
    return any;
  }

  private List<Pool> pools() {
    List<Pool> pools = new ArrayList<>();
    lock.lock();
    try {
      for (KernelRange range : ranges) {
        Pool pool = range.pool();
        if (pool != null) {
          pools.add(pool);
        }
      }
      return pools;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Recomputes what pools have. Exact while nobody uses them.
   *
   * @return a sentence for each difference
   */
  public List<String> audit() {
    List<String> findings = new ArrayList<>();
    pools().forEach(pool -> findings.addAll(pool.audit()));
    return findings;
  }

  /** Ends everything: waiters are told, and all memory is free. Closing twice does nothing. */
  public void close() {
    List<KernelRange> ending;
    lock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      ending = List.copyOf(ranges);
      ranges.clear();
    } finally {
      lock.unlock();
    }
    // They use the page table, which ends with the whole.
    awaitEnding();
    ending.forEach(KernelRange::ending);
    new Unmapper(all.map()).exit();
    ending.forEach(KernelRange::ended);
    object.dereference();
  }

  private void awaitEnding() {
    while (true) {
      long seen = ended.count();
      lock.lock();
      boolean none = ending == 0;
      lock.unlock();
      if (none) {
        return;
      }
      ended.await(seen);
    }
  }
}
