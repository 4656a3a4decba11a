package org.juvm.kernel;

import java.util.Set;
import org.juvm.base.Access;
import org.juvm.base.KernelFlag;
import org.juvm.base.PageSize;
import org.juvm.base.Protection;
import org.juvm.map.Attributes;
import org.juvm.map.MapEntry;
import org.juvm.map.MapOutcome;
import org.juvm.map.Mapper;
import org.juvm.map.Placement;
import org.juvm.map.Unmapper;
import org.juvm.map.VmMap;
import org.juvm.object.KernelObject;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;

/**
 * An allocation of kernel memory. For one thread.
 *
 * <p>Wired memory is put into place page by page, with the map locked for reading and the object
 * locked, as a fault does it; but no fault is taken, since it is known that nothing is there. Then
 * the mapping is marked as wired, and can be accessed: until then an access, which nobody has
 * reason for, makes no page.
 *
 * <p>Source: {@code uvm_km_kmemalloc}, {@code uvm_km_alloc1}, {@code uvm_km_valloc}, {@code
 * uvm_km_valloc_wait} of {@code uvm_km.c}.
 */
public final class KernelAllocator {
  /** Pages that are put into place before others may have the locks. */
  private static final int PAGES_AT_ONCE = 64;

  /** How often memory is made free in the hope that it is in one piece. */
  private static final int RUN_ATTEMPTS = 3;

  private final KernelRange range;
  private final VmMap map;
  private final KernelObject object;
  private final PageSize pageSize;
  private final Set<KernelFlag> flags;

  /** Any number that differs between concurrent callers. */
  private final int processor = (int) Thread.currentThread().threadId() & Integer.MAX_VALUE;

  private long address;

  /** The first frame. */
  private int frame = FrameTable.NONE;

  /** Whether the frames that follow are taken, too. */
  private boolean isRun;

  /** Whether bookkeeping, not memory, was lacking. */
  private boolean noNodes;

  /**
   * An operation.
   *
   * @param range where addresses come from
   * @param flags how
   */
  public KernelAllocator(KernelRange range, Set<KernelFlag> flags) {
    this.range = range;
    this.flags = flags;
    map = range.map();
    object = range.object();
    pageSize = range.machine().pageSize();
  }

  /**
   * The result.
   *
   * @return first address; valid after DONE
   */
  public long address() {
    return address;
  }

  /**
   * The first frame.
   *
   * @return frame number; valid after DONE, if wired memory was asked for
   */
  public int frame() {
    return frame;
  }

  /**
   * Allocates wired memory.
   *
   * @param bytes how much, page aligned, greater than 0
   * @return DONE, NO_SPACE, NO_MEMORY, LOCKED or EXITED
   */
  public MapOutcome wired(long bytes) {
    MapOutcome outcome = addressesOnly(bytes);
    if (outcome != MapOutcome.DONE) {
      return outcome;
    }
    outcome = populate(address, address + bytes);
    if (outcome != MapOutcome.DONE && outcome != MapOutcome.EXITED) {
      MapOutcome undone = new Unmapper(map).takeBack(address, address + bytes);
      assert undone != MapOutcome.IMMUTABLE;
      range.freed().advance();
    }
    return outcome;
  }

  /**
   * Allocates memory whose pages are made, as zeros, when they are first accessed, and may go to
   * swap. ({@code uvm_km_valloc})
   *
   * @param bytes how much, page aligned, greater than 0
   * @return DONE, NO_ACCESS if memory must be wired here, NO_SPACE, LOCKED or EXITED
   */
  public MapOutcome onDemand(long bytes) {
    return range.isPageable()
        ? map(bytes, range.space().object(), Protection.READ_WRITE)
        : MapOutcome.NO_ACCESS;
  }

  /**
   * Allocates addresses without memory; an access faults. ({@code UVM_KMF_VALLOC})
   *
   * @param bytes how much, page aligned, greater than 0
   * @return DONE, NO_SPACE, LOCKED or EXITED
   */
  public MapOutcome addressesOnly(long bytes) {
    return map(bytes, object, Protection.NONE);
  }

  private MapOutcome map(long bytes, KernelObject behind, Protection protection) {
    Attributes attributes = Attributes.kernel(behind, protection);
    Mapper mapper = new Mapper(map, false);
    if (flags.contains(KernelFlag.TRY_LOCK)) {
      mapper.tryLock();
    }
    boolean waits = flags.contains(KernelFlag.WAIT_FOR_SPACE) && bytes <= range.mostInOnePiece();
    while (true) {
      long seen = range.freed().count();
      // For the mapping; a refusal takes it away.
      if (!behind.tryReference()) {
        return MapOutcome.EXITED;
      }
      MapOutcome outcome = mapper.map(Placement.LOWEST, bytes, attributes);
      if (outcome != MapOutcome.NO_SPACE || !waits) {
        address = mapper.address();
        return outcome;
      }
      range.freed().await(seen);
    }
  }

  /**
   * Puts memory behind addresses that have none yet, and marks it as wired without a fault.
   * Meanwhile the addresses are in transition, so that they do not go, and without rights, so that
   * no fault makes a page. ({@code vm_map_set_wired_quick})
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @return DONE, NOT_MAPPED if these are not such addresses, NO_MEMORY or EXITED
   */
  public MapOutcome populate(long start, long end) {
    map.lockStable(start, end);
    try {
      MapOutcome refused = refusal(start, end, false);
      if (refused != MapOutcome.DONE) {
        return refused;
      }
      map.clip(start, end);
      map.setInTransition(start, end, true);
    } finally {
      map.unlockWrite();
    }
    MapOutcome outcome = MapOutcome.NO_MEMORY;
    try {
      outcome = fill(start, end);
    } finally {
      map.lockWrite();
      for (MapEntry entry = map.find(start);
          entry != null && entry.start() < end;
          entry = map.next(entry)) {
        if (outcome == MapOutcome.DONE) {
          map.setWirings(entry, 1, false);
          map.setProtection(entry, Protection.READ_WRITE);
        }
      }
      map.setInTransition(start, end, false);
      map.simplify(start, end);
      map.unlockWrite();
    }
    return outcome;
  }

  /**
   * Takes the memory behind addresses away, and keeps the addresses.
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @return DONE, NOT_MAPPED if there is none, or EXITED
   */
  public MapOutcome depopulate(long start, long end) {
    map.lockStable(start, end);
    try {
      MapOutcome refused = refusal(start, end, true);
      if (refused == MapOutcome.DONE) {
        map.clip(start, end);
        new Unmapper(map).empty(start, end);
        map.simplify(start, end);
      }
      return refused;
    } finally {
      map.unlockWrite();
    }
  }

  /** Whether all of a range is wired memory, or addresses without memory. The map is locked. */
  private MapOutcome refusal(long start, long end, boolean wired) {
    if (map.isExited()) {
      return MapOutcome.EXITED;
    }
    for (MapEntry entry = map.firstOfMapped(start, end); entry != null; entry = map.next(entry)) {
      if (!object.equals(entry.object()) || entry.wirings() != (wired ? 1 : 0)) {
        return MapOutcome.NOT_MAPPED;
      }
      if (entry.end() >= end) {
        return MapOutcome.DONE;
      }
    }
    return MapOutcome.NOT_MAPPED;
  }

  private long page(long at) {
    return pageSize.vpn(at - VmMap.KERNEL_MINIMUM);
  }

  // ---- pages ----

  /** Puts wired pages into a range that has none, or none. */
  private MapOutcome fill(long start, long end) {
    long next = start;
    // What can never be had does not take all memory first.
    if (!range.machine().allocator().mayHave(pageSize.vpn(end - start))) {
      return MapOutcome.NO_MEMORY;
    }
    if (flags.contains(KernelFlag.CONTIGUOUS)) {
      frame = takeRun((int) pageSize.vpn(end - start));
      isRun = frame != FrameTable.NONE;
      if (!isRun) {
        return MapOutcome.NO_MEMORY;
      }
    }
    while (next < end) {
      long last = Math.min(end, next + pageSize.address(PAGES_AT_ONCE));
      next = fillSome(start, next, last);
      if (noNodes || (next < last && !waitForMemory())) {
        empty(start, next, end);
        return MapOutcome.NO_MEMORY;
      }
    }
    return MapOutcome.DONE;
  }

  private boolean waitForMemory() {
    return !flags.contains(KernelFlag.NO_WAIT)
        && range.machine().allocator().reclaimer().await(FrameAllocator.Reserve.NONE);
  }

  /**
   * Takes frames that follow one another. If there are none, as many are made free as are wanted,
   * by taking and giving them back, which may leave a run or not.
   */
  private int takeRun(int count) {
    FrameAllocator allocator = range.machine().allocator();
    int first = allocator.allocateRun(count, FrameAllocator.Reserve.NONE);
    for (int i = 0; i < RUN_ATTEMPTS && first == FrameTable.NONE && makeFree(count); i++) {
      first = allocator.allocateRun(count, FrameAllocator.Reserve.NONE);
    }
    return first;
  }

  private boolean makeFree(int count) {
    FrameAllocator allocator = range.machine().allocator();
    if (flags.contains(KernelFlag.NO_WAIT) || !allocator.mayHave(count)) {
      return false;
    }
    int[] taken = new int[count];
    int got = 0;
    boolean more = true;
    while (got < count && more) {
      taken[got] = allocator.allocate(processor, false, FrameAllocator.Reserve.NONE);
      if (taken[got] == FrameTable.NONE) {
        more = waitForMemory();
      } else {
        got++;
      }
    }
    allocator.free(processor, taken, got);
    return got == count;
  }

  /** Returns the address after the last page that was put into place. */
  private long fillSome(long start, long from, long to) {
    boolean zeroed = flags.contains(KernelFlag.ZERO);
    map.lockRead(processor);
    object.lock();
    try {
      for (long at = from; at < to; at += pageSize.bytes()) {
        noNodes = !object.hasRoom();
        if (noNodes) {
          return at;
        }
        int put;
        if (isRun) {
          put = frame + (int) pageSize.vpn(at - start);
          object.addWired(page(at), put);
        } else {
          put = object.addWired(processor, page(at), zeroed, FrameAllocator.Reserve.NONE);
        }
        if (put == FrameTable.NONE) {
          return at;
        }
        frame = at == start ? put : frame;
        int rights = Protection.READ_WRITE.bits();
        if (!map.pmap().enter(null, at, put, rights, Access.WRITE, true)) {
          noNodes = true;
          return at + pageSize.bytes();
        }
      }
      return to;
    } finally {
      object.unlock();
      map.unlockRead(processor);
    }
  }

  /** Takes pages back that were put into place, and what is left of a run. */
  private void empty(long start, long filled, long end) {
    map.lockWrite();
    map.pmap().remove(start, end, start, end);
    map.unlockWrite();
    object.lock();
    for (long at = start; at < filled; at += pageSize.bytes()) {
      object.unwire(processor, page(at));
      object.drop(processor, page(at));
    }
    object.unlock();
    for (long at = filled; isRun && at < end; at += pageSize.bytes()) {
      range.machine().allocator().free(processor, frame + (int) pageSize.vpn(at - start));
    }
  }
}
