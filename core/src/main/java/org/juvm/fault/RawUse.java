package org.juvm.fault;

import org.jspecify.annotations.Nullable;
import org.juvm.anon.Amap;
import org.juvm.anon.AnonTable;
import org.juvm.base.Access;
import org.juvm.map.Machine;
import org.juvm.map.MapEntry;
import org.juvm.map.VmMap;
import org.juvm.object.MemoryObject;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;

/**
 * Lets pages be used by raw address: they are wired meanwhile, so that they stay where they are.
 * What is stored like that no page table knows of, so the frames are marked as changed when they
 * are lent and when they are given back.
 */
final class RawUse {
  private final Machine machine;
  private final FrameTable frames;
  private final FrameAllocator allocator;
  private final AnonTable anons;

  RawUse(Machine machine) {
    this.machine = machine;
    frames = machine.frames();
    allocator = machine.allocator();
    anons = machine.anons();
  }

  /** Ends the use of frames that follow one another. */
  void giveBack(int processor, @Nullable Amap amap, int frame, int count, Access access) {
    if (amap != null) {
      amap.lock();
      amap.unwired(count);
      amap.unlock();
    }
    for (int i = 0; i < count; i++) {
      if (access == Access.WRITE) {
        // The pages may have been cleaned since they were lent.
        frames.markDirty(frame + i);
      }
      allocator.unwire(processor, frame + i);
    }
    machine.lent().add(-count);
  }

  /** Lends a page, without any translation; one of another frame would be out of date now. */
  FaultOutcome lendPastProtection(
      VmMap map, Fault fault, MapEntry entry, @Nullable Amap amap, long page, int frame) {
    long start = entry.start() + machine.pageSize().address(page);
    if (fault.access == Access.WRITE) {
      map.pmap().removeUnless(start, frame);
    }
    lendRun(fault, entry, amap, page, frame);
    return FaultOutcome.RESOLVED;
  }

  /**
   * Lends a page and its resident neighbours; without them if page tables say which they are.
   * Locked: map, amap or object.
   */
  void lendRun(Fault fault, MapEntry entry, @Nullable Amap amap, long page, int first) {
    long pages = machine.pageSize().vpn(entry.end() - entry.start());
    int lent = 0;
    int frame = first;
    while (true) {
      frames.wire(frame);
      if (fault.access == Access.WRITE) {
        frames.markDirty(frame);
      }
      lent++;
      long next = page + lent;
      if (lent >= fault.maximum
          || next >= pages
          || entry.hasPageTable()
          || !isResidentAt(fault, entry, amap, next, frame + 1)) {
        break;
      }
      frame++;
    }
    if (amap != null) {
      amap.wired(lent);
    }
    machine.lent().add(lent);
    fault.amap = amap;
    fault.frame = first;
    fault.wired = lent;
  }

  /** Whether a page is in a frame, in the layer that is locked, and may be used as wanted. */
  private boolean isResidentAt(
      Fault fault, MapEntry entry, @Nullable Amap amap, long page, int frame) {
    if (amap == null) {
      MemoryObject object = entry.object();
      return object != null
          && entry.amap() == null
          && object.contains(entry.offset() + page)
          && object.find(entry.offset() + page) == frame
          && !frames.isBusy(frame)
          && frames.loans(frame) == 0;
    }
    long slot = entry.slot() + page;
    int anon = amap.find(slot);
    return anon != 0
        && anons.isResident(anon)
        && anons.frame(anon) == frame
        && !frames.isBusy(frame)
        && frames.loans(frame) == 0
        && (fault.access == Access.READ || amap.isExclusive(slot, anon, anons));
  }
}
