package org.juvm.fault;

import org.juvm.anon.Amap;
import org.juvm.anon.AnonTable;
import org.juvm.base.Advice;
import org.juvm.base.Protection;
import org.juvm.map.Machine;
import org.juvm.map.MapEntry;
import org.juvm.map.VmMap;
import org.juvm.object.MemoryObject;
import org.juvm.page.FrameTable;
import org.juvm.trace.Counter;

/**
 * Maps what is resident around a page that was read, so that reading on takes no faults.
 *
 * <p>How much depends on the advice: some pages to both sides as a rule, more if the mapping is
 * read in sequence, in which case the pages behind are the first that may leave memory; none if it
 * is accessed at random. Only pages that are in memory and not busy are mapped, in both layers, for
 * reading only where a store would have to copy them. Nothing is made, and nothing that is mapped
 * is changed.
 *
 * <p>None where a guest's page tables say what is next to what: to map a page is to mark it as
 * accessed there.
 *
 * <p>Only for faults that read. A store faults in any case on each page that it must copy, and to
 * replace a mapping made ahead costs more than to make one.
 *
 * <p>Source: the window of {@code uvm_fault_check}, {@code uvm_fault_upper_lookup} and {@code
 * uvm_fault_lower_lookup}; {@code uvmadvice} of {@code uvm_fault.c}.
 */
final class Neighbours {
  private static final int NORMAL_BEHIND = 3;
  private static final int NORMAL_AHEAD = 4;
  private static final int SEQUENTIAL_BEHIND = 8;
  private static final int SEQUENTIAL_AHEAD = 7;

  private final Machine machine;
  private final FrameTable frames;
  private final AnonTable anons;

  Neighbours(Machine machine) {
    this.machine = machine;
    frames = machine.frames();
    anons = machine.anons();
  }

  /**
   * Maps the neighbours of a page. Locked: map (read), the entry's amap if it has one, and its
   * object if the page is the object's.
   */
  void enter(VmMap map, Fault fault, MapEntry entry, long page) {
    if (fault.tlb == null || entry.advice() == Advice.RANDOM || entry.hasPageTable()) {
      return;
    }
    boolean sequential = entry.advice() == Advice.SEQUENTIAL;
    long pages = machine.pageSize().vpn(entry.end() - entry.start());
    long first = Math.max(0, page - (sequential ? SEQUENTIAL_BEHIND : NORMAL_BEHIND));
    long last = Math.min(pages - 1, page + (sequential ? SEQUENTIAL_AHEAD : NORMAL_AHEAD));
    MemoryObject object = entry.object();
    boolean withObject = object != null && object.isLocked();
    int entered = 0;
    for (long i = first; i <= last; i++) {
      long address = entry.start() + machine.pageSize().address(i);
      if (i != page && map.pmap().isEmpty(address)) {
        entered += enter(map, fault, entry, i, address, withObject) ? 1 : 0;
      }
    }
    if (entered != 0) {
      fault.counters.add(Counter.NEIGHBOURS, entered);
    }
    if (sequential) {
      leaveBehind(entry, Math.max(0, first - (SEQUENTIAL_BEHIND + SEQUENTIAL_AHEAD)), first);
    }
  }

  private boolean enter(
      VmMap map, Fault fault, MapEntry entry, long page, long address, boolean withObject) {
    int frame = FrameTable.NONE;
    int rights = entry.protection().bits();
    Amap amap = entry.amap();
    int anon = amap == null ? 0 : amap.find(entry.slot() + page);
    if (amap != null && anon != 0) {
      if (anons.isResident(anon)) {
        frame = anons.frame(anon);
        if (frames.loans(frame) > 0 || !amap.isExclusive(entry.slot() + page, anon, anons)) {
          rights &= ~Protection.WRITE_BIT;
        }
      }
    } else if (withObject) {
      MemoryObject object = entry.object();
      if (object != null && object.contains(entry.offset() + page)) {
        frame = object.find(entry.offset() + page);
        if (entry.copyOnWrite() || (frame != FrameTable.NONE && frames.loans(frame) > 0)) {
          rights &= ~Protection.WRITE_BIT;
        }
      }
    }
    return frame != FrameTable.NONE
        && !frames.isBusy(frame)
        && fault.tlb != null
        && map.pmap().enterAhead(fault.tlb, address, frame, rights);
  }

  /** What was read in sequence and lies behind the window is not needed any more. */
  private void leaveBehind(MapEntry entry, long start, long end) {
    Amap amap = entry.amap();
    if (amap != null) {
      amap.forEach(
          entry.slot() + start,
          entry.slot() + end,
          (slot, anon) -> {
            if (anons.isResident(anon)) {
              machine.allocator().policy().deactivate(anons.frame(anon));
            }
          });
    }
    MemoryObject object = entry.object();
    if (object != null && object.isLocked()) {
      for (long page = start; page < end; page++) {
        int frame = object.find(entry.offset() + page);
        if (frame != FrameTable.NONE) {
          machine.allocator().policy().deactivate(frame);
        }
      }
    }
  }
}
