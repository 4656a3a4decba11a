package org.juvm.fault;

import org.jspecify.annotations.Nullable;
import org.juvm.anon.Amap;
import org.juvm.anon.AnonTable;
import org.juvm.base.Access;
import org.juvm.base.Protection;
import org.juvm.map.Machine;
import org.juvm.map.MapEntry;
import org.juvm.map.VmMap;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.ram.Ram;
import org.juvm.trace.Counter;

/**
 * Resolves page faults. One for a whole system; stateless but for what it works on, thread-safe.
 *
 * <p>Source: {@code uvm_fault.c}; each phase names its function.
 */
public final class FaultHandler {
  private final Machine machine;
  private final Ram ram;
  private final FrameTable frames;
  private final FrameAllocator allocator;
  private final AnonTable anons;

  /**
   * The handler of a machine.
   *
   * @param machine the machine
   */
  public FaultHandler(Machine machine) {
    this.machine = machine;
    ram = machine.ram();
    frames = machine.frames();
    allocator = machine.allocator();
    anons = machine.anons();
  }

  /**
   * Makes an access possible, or says why it is not. Called without locks. ({@code uvm_fault})
   *
   * @param map the address space
   * @param fault the processor's fault
   * @param address address of the access; the access stays inside its page
   * @param access what is to be done
   * @return RESOLVED, or the reason
   */
  public FaultOutcome resolve(VmMap map, Fault fault, long address, Access access) {
    return resolve(map, fault, address, access, 0);
  }

  /**
   * As {@link #resolve}, and wires the page and those behind it that are resident in the following
   * frames: {@link Fault#frame} and its successors can be used by raw address until {@link
   * #unwire}.
   *
   * @param map the address space
   * @param fault the processor's fault
   * @param address an address in the first page
   * @param access what is to be done with the pages
   * @param maximum the largest number of pages to wire, at least 1
   * @return RESOLVED, and {@link Fault#wired} pages are wired; or the reason, and none is
   */
  public FaultOutcome wire(VmMap map, Fault fault, long address, Access access, int maximum) {
    return resolve(map, fault, address, access, maximum);
  }

  /**
   * Takes a wiring back. ({@code uvm_fault_unwire})
   *
   * @param processor any number that differs between concurrent callers
   * @param amap the amap through which the pages were wired
   * @param frame the first frame
   * @param count number of frames
   */
  public void unwire(int processor, Amap amap, int frame, int count) {
    amap.lock();
    amap.unwired(count);
    amap.unlock();
    for (int i = 0; i < count; i++) {
      allocator.unwire(processor, frame + i);
    }
  }

  private FaultOutcome resolve(
      VmMap map, Fault fault, long address, Access access, int pagesToWire) {
    fault.address = address;
    if (fault.access != access) {
      // The store of a reference marks a card of the heap, which other processors' faults may
      // share.
      fault.access = access;
    }
    if (fault.pagesToWire != pagesToWire) {
      fault.pagesToWire = pagesToWire;
    }
    fault.counters.increment(Counter.FAULTS);
    FaultOutcome outcome = attempt(map, fault);
    while (outcome == null) {
      fault.counters.increment(Counter.AMAP_COPIES);
      boolean resolved = map.resolveNeedsCopy(address, fault.dead, fault.processor);
      outcome = resolved ? attempt(map, fault) : FaultOutcome.OUT_OF_MEMORY;
    }
    switch (outcome) {
      case RESOLVED -> {}
      case OUT_OF_MEMORY -> fault.counters.increment(Counter.NO_RAM);
      case NOT_MAPPED, PROTECTION -> fault.counters.increment(Counter.UNRESOLVED);
    }
    return outcome;
  }

  /**
   * Looks the address up and goes to the layer that has the page. ({@code uvm_fault_check})
   *
   * @return null if the entry needs an amap of its own first
   */
  private @Nullable FaultOutcome attempt(VmMap map, Fault fault) {
    map.lockRead(fault.processor);
    try {
      MapEntry entry = map.find(fault.address);
      if (entry == null) {
        return FaultOutcome.NOT_MAPPED;
      }
      if (!entry.protection().permits(fault.access)) {
        return FaultOutcome.PROTECTION;
      }
      Amap amap = entry.amap();
      if (entry.needsCopy() || amap == null) {
        return null;
      }
      amap.lock();
      try {
        long slot = entry.slot() + machine.pageSize().vpn(fault.address - entry.start());
        int anon = amap.find(slot);
        return anon != 0
            ? upper(map, fault, entry, amap, slot, anon)
            : lower(map, fault, entry, amap, slot);
      } finally {
        amap.unlock();
      }
    } finally {
      map.unlockRead(fault.processor);
    }
  }

  /** Case 1: there is an anon. Locked: map (read), amap. ({@code uvm_fault_upper}) */
  private FaultOutcome upper(
      VmMap map, Fault fault, MapEntry entry, Amap amap, long slot, int anon) {
    int frame = anons.frame(anon);
    int rights = entry.protection().bits();
    if (amap.isExclusive(slot, anon, anons)) {
      fault.counters.increment(Counter.DIRECT);
      return enter(map, fault, entry, amap, slot, frame, rights);
    }
    if (fault.access == Access.READ) {
      fault.counters.increment(Counter.DIRECT);
      return enter(map, fault, entry, amap, slot, frame, rights & ~Protection.WRITE_BIT);
    }
    int copy = newPage(fault, amap, slot, frame);
    if (copy == FrameTable.NONE) {
      return FaultOutcome.OUT_OF_MEMORY;
    }
    fault.counters.increment(Counter.COPIES);
    return enter(map, fault, entry, amap, slot, copy, rights);
  }

  /** Case 2: there is none. Locked: map (read), amap. ({@code uvm_fault_lower}) */
  private FaultOutcome lower(VmMap map, Fault fault, MapEntry entry, Amap amap, long slot) {
    int frame = newPage(fault, amap, slot, FrameTable.NONE);
    if (frame == FrameTable.NONE) {
      return FaultOutcome.OUT_OF_MEMORY;
    }
    fault.counters.increment(Counter.ZERO_FILLS);
    return enter(map, fault, entry, amap, slot, frame, entry.protection().bits());
  }

  /**
   * Puts a new anon into a slot, with a copy of a frame or with zeros. ({@code uvmfault_promote})
   *
   * @param source the frame to copy, or NONE for zeros
   * @return the new frame, or NONE if something is exhausted; then nothing has changed
   */
  private int newPage(Fault fault, Amap amap, long slot, int source) {
    boolean zeroed = source == FrameTable.NONE;
    if (!amap.hasRoom()) {
      return FrameTable.NONE;
    }
    int frame = allocator.allocate(fault.processor, zeroed, FrameAllocator.Reserve.NONE);
    if (frame == FrameTable.NONE) {
      return FrameTable.NONE;
    }
    int anon = anons.allocate(fault.magazine, frame);
    if (anon == 0) {
      allocator.free(fault.processor, frame);
      return FrameTable.NONE;
    }
    if (!zeroed) {
      ram.copy(source, frame);
      if (amap.isShared()) {
        // The other maps that share the amap must see the new page, too.
        machine.pmaps().removeFrame(source);
      }
    }
    amap.put(slot, anon);
    return frame;
  }

  /** Enters the page into the page table. Locked: map (read), amap. */
  private FaultOutcome enter(
      VmMap map, Fault fault, MapEntry entry, Amap amap, long slot, int frame, int rights) {
    if (!map.pmap().enter(fault.tlb, fault.address, frame, rights, fault.access)) {
      return FaultOutcome.OUT_OF_MEMORY;
    }
    if (fault.pagesToWire > 0) {
      wireRun(fault, entry, amap, slot, frame);
    }
    return FaultOutcome.RESOLVED;
  }

  /** Wires a page that has just been entered, and its resident neighbours. Locked: map, amap. */
  private void wireRun(Fault fault, MapEntry entry, Amap amap, long slot, int first) {
    long end = entry.slot() + machine.pageSize().vpn(entry.end() - entry.start());
    int wired = 0;
    int frame = first;
    while (true) {
      frames.wire(frame);
      wired++;
      long next = slot + wired;
      int anon = wired < fault.pagesToWire && next < end ? amap.find(next) : 0;
      if (anon == 0
          || anons.frame(anon) != frame + 1
          || (fault.access == Access.WRITE && !amap.isExclusive(next, anon, anons))) {
        break;
      }
      frame++;
    }
    amap.wired(wired);
    fault.amap = amap;
    fault.frame = first;
    fault.wired = wired;
  }
}
