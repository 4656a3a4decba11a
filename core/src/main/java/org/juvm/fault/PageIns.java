package org.juvm.fault;

import org.jspecify.annotations.Nullable;
import org.juvm.anon.Amap;
import org.juvm.anon.AnonPageIn;
import org.juvm.anon.AnonTable;
import org.juvm.base.PageSize;
import org.juvm.base.VmPanic;
import org.juvm.map.Machine;
import org.juvm.map.MapEntry;
import org.juvm.object.MemoryObject;
import org.juvm.object.PageRequest;
import org.juvm.page.BusyFrames;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.page.PageOwner;
import org.juvm.swap.SwapSpace;
import org.juvm.trace.Counter;

/**
 * What a fault does when its page is not in memory, or there is no memory for it.
 *
 * <p>A page that is to come in gets a busy frame while its owner is locked, so that everybody else
 * who wants it finds that and waits. Then all locks are dropped, the page is read, and the frame is
 * not busy any more. The fault starts again from the beginning, and finds the page as if it had
 * always been there: unless the mapping has changed meanwhile, in which case it does what the new
 * one says.
 *
 * <p>Source: {@code uvmfault_anonget}; of the three ways to go on after I/O that the comment at the
 * head of {@code uvm_fault.c} weighs, this is the first one, to start again, which costs a look-up.
 */
final class PageIns {
  /** So often each page may leave again before its fault can use it, if swap is full. */
  private static final int MAXIMUM_PAGE_INS = 4;

  private final FrameAllocator allocator;
  private final BusyFrames busy;
  private final AnonTable anons;
  private final AnonPageIn anonPageIn;
  private final SwapSpace swap;
  private final PageSize pageSize;

  PageIns(Machine machine) {
    allocator = machine.allocator();
    busy = machine.busy();
    anons = machine.anons();
    anonPageIn = machine.anonPageIn();
    swap = machine.swap();
    pageSize = machine.pageSize();
  }

  /**
   * Prepares to read an anon's page. Locked: map (read), amap.
   *
   * @return null if the obstacle says how to go on
   */
  @Nullable FaultOutcome fromSwap(Fault fault, Amap amap, int anon) {
    if (anons.slot(anon) == 0) {
      return FaultOutcome.IO_ERROR;
    }
    int frame = anonPageIn.begin(fault.processor, amap, anon);
    if (frame == FrameTable.NONE) {
      fault.obstacle = Fault.Obstacle.NO_FRAME;
      fault.depth = FrameAllocator.Reserve.PAGE_IN;
      return null;
    }
    fault.busyFrame = frame;
    fault.owner = amap.owner();
    fault.obstacle = Fault.Obstacle.IN_SWAP;
    return null;
  }

  /** Prepares to wait for a page. Its owner is locked. Returns null: the obstacle says so. */
  @Nullable FaultOutcome busy(Fault fault, int frame) {
    fault.busyFrame = frame;
    fault.seen = busy.want(frame);
    fault.obstacle = Fault.Obstacle.BUSY;
    return null;
  }

  /**
   * Says how much may be read behind a page if it is to be read: no more than its mapping shows,
   * and as much as the advice suggests. Locked: map (read).
   */
  void readAhead(Fault fault, MapEntry entry, long page) {
    long behind = pageSize.vpn(entry.end() - entry.start()) - page - 1;
    int most = (int) Math.min(behind, PageRequest.MAXIMUM_PAGES - 1);
    switch (entry.advice()) {
      case NORMAL -> fault.request.readAheadAsLearned(most);
      case SEQUENTIAL -> fault.request.readAhead(most);
      case RANDOM -> fault.request.readAhead(0);
    }
  }

  /**
   * Asks an object for a page. Locked: map (read), object.
   *
   * @param index of the page
   * @return true if it is in memory, in the frame of the fault's request; if not, {@link
   *     Fault#missing} is the reason, or null, and the obstacle says how to go on
   */
  boolean fromObject(Fault fault, MemoryObject object, long index) {
    object.get(fault.request, index);
    if (fault.request.status() == PageRequest.Status.RESIDENT) {
      return true;
    }
    fault.missing = missing(fault, object);
    return false;
  }

  private static @Nullable FaultOutcome missing(Fault fault, MemoryObject object) {
    switch (fault.request.status()) {
      case RESIDENT -> throw new VmPanic("page is not missing");
      case BUSY -> {
        fault.busyFrame = fault.request.frame();
        fault.seen = fault.request.seen();
        fault.obstacle = Fault.Obstacle.BUSY;
      }
      case READING -> {
        fault.object = object;
        fault.obstacle = Fault.Obstacle.IN_OBJECT;
      }
      case NO_FRAME -> {
        fault.obstacle = Fault.Obstacle.NO_FRAME;
        fault.depth = fault.request.depth();
      }
      case NO_NODE -> {
        return FaultOutcome.OUT_OF_MEMORY;
      }
      case BEYOND_END -> {
        return FaultOutcome.BEYOND_END;
      }
      case ERROR -> {
        return FaultOutcome.IO_ERROR;
      }
    }
    return null;
  }

  /** Waits or reads, without locks. Returns null if the fault is to start again. */
  @Nullable FaultOutcome overcome(Fault fault) {
    return switch (fault.obstacle) {
      case NO_FRAME -> {
        fault.counters.increment(Counter.MEMORY_WAITS);
        yield !isInVain(fault) && allocator.reclaimer().await(fault.depth)
            ? null
            : FaultOutcome.OUT_OF_MEMORY;
      }
      case BUSY -> {
        if (fault.seen != BusyFrames.NOT_BUSY) {
          fault.counters.increment(Counter.BUSY_WAITS);
          busy.await(fault.busyFrame, fault.seen);
        }
        yield null;
      }
      case IN_SWAP -> {
        readFromSwap(fault);
        yield null;
      }
      default -> {
        readFromObject(fault);
        yield null;
      }
    };
  }

  /**
   * Whether memory for a copy of a page is only ever made by taking the page itself: swap is full,
   * so what is not in swap yet must stay. ({@code uvm_swapisfull} in {@code uvmfault_promote})
   */
  private boolean isInVain(Fault fault) {
    return fault.pageIns >= MAXIMUM_PAGE_INS * (1 + fault.tables) && swap.isFull();
  }

  private void readFromObject(Fault fault) {
    MemoryObject object = fault.object;
    fault.object = null;
    if (object == null) {
      throw new VmPanic("page-in without an object");
    }
    fault.major = true;
    fault.pageIns++;
    Counter counter = object.isAnonymous() ? Counter.SWAP_INS : Counter.PAGE_INS;
    fault.counters.add(counter, fault.request.pages());
    fault.readFailed = !object.read(fault.request);
  }

  private void readFromSwap(Fault fault) {
    PageOwner owner = fault.owner;
    fault.owner = null;
    if (owner == null) {
      throw new VmPanic("page-in without an owner");
    }
    fault.major = true;
    fault.pageIns++;
    fault.counters.increment(Counter.SWAP_INS);
    boolean _ = anonPageIn.read(fault.processor, owner, fault.busyFrame, true);
  }
}
