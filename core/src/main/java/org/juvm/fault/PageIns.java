package org.juvm.fault;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.juvm.anon.Amap;
import org.juvm.anon.AnonTable;
import org.juvm.base.VmPanic;
import org.juvm.map.Machine;
import org.juvm.object.MemoryObject;
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
  /** So often a page may leave again before its fault can use it, if swap is full. */
  private static final int MAXIMUM_PAGE_INS = 4;

  private final FrameAllocator allocator;
  private final BusyFrames busy;
  private final FrameTable frames;
  private final AnonTable anons;
  private final SwapSpace swap;

  PageIns(Machine machine) {
    allocator = machine.allocator();
    busy = machine.busy();
    frames = machine.frames();
    anons = machine.anons();
    swap = machine.swap();
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
    int frame = allocator.allocateBusy(fault.processor);
    if (frame == FrameTable.NONE) {
      fault.obstacle = Fault.Obstacle.NO_FRAME;
      return null;
    }
    anons.comesIn(anon, frame, amap);
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

  /** Waits or reads, without locks. Returns null if the fault is to start again. */
  @Nullable FaultOutcome overcome(Fault fault) {
    return switch (fault.obstacle) {
      case NO_FRAME -> {
        fault.counters.increment(Counter.MEMORY_WAITS);
        yield !isInVain(fault) && allocator.reclaimer().await() ? null : FaultOutcome.OUT_OF_MEMORY;
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
    return fault.pageIns >= MAXIMUM_PAGE_INS && swap.isFull();
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
    int frame = fault.busyFrame;
    int slot = frames.slot(frame);
    try {
      swap.read(slot, frame);
      busy.endClean(fault.processor, frame);
    } catch (IOException e) {
      swap.markBad(slot);
      lost(fault, owner, frame, slot);
    }
  }

  /** A page could not be read. If its anon still lives, all that is left is to say so. */
  private void lost(Fault fault, PageOwner owner, int frame, int slot) {
    boolean alive;
    owner.lock();
    try {
      alive = anons.isLost(frame);
    } finally {
      owner.unlock();
    }
    if (alive) {
      swap.free(slot);
      busy.endFree(fault.processor, frame);
    } else {
      busy.end(fault.processor, frame);
    }
  }
}
