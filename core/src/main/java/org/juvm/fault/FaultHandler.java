package org.juvm.fault;

import org.jspecify.annotations.Nullable;
import org.juvm.anon.Amap;
import org.juvm.anon.AnonTable;
import org.juvm.base.Access;
import org.juvm.base.Protection;
import org.juvm.base.VmPanic;
import org.juvm.map.Machine;
import org.juvm.map.MapEntry;
import org.juvm.map.MapOutcome;
import org.juvm.map.StackGrower;
import org.juvm.map.VmMap;
import org.juvm.object.AnonymousObject;
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
    return resolve(map, fault, address, access, Fault.Purpose.ACCESS, 0);
  }

  /**
   * As {@link #resolve}, and wires the page and those behind it that are resident in the following
   * frames: {@link Fault#frame} and its successors can be used by raw address until they are {@link
   * #giveBack given back}.
   *
   * @param map the address space
   * @param fault the processor's fault
   * @param address an address in the first page
   * @param access what is to be done with the pages
   * @param maximum the largest number of pages to wire, at least 1
   * @return RESOLVED, and {@link Fault#wired} pages are wired; or the reason, and none is
   */
  public FaultOutcome lend(VmMap map, Fault fault, long address, Access access, int maximum) {
    return resolve(map, fault, address, access, Fault.Purpose.LEND, maximum);
  }

  /**
   * Lends one page past the protection of its mapping, as far as the maximum protection allows. A
   * page that must not change for others is copied first. No translation is made.
   *
   * <p>Source: {@code VM_PROT_OVERRIDE_WRITE} of {@code vm_map_lookup}; {@code uvm_io}.
   *
   * @param map the address space
   * @param fault a fault without processor
   * @param address an address in the page
   * @param access what is to be done with it
   * @return RESOLVED, and the page is wired until it is given back; or the reason
   */
  public FaultOutcome override(VmMap map, Fault fault, long address, Access access) {
    return resolve(map, fault, address, access, Fault.Purpose.OVERRIDE, 1);
  }

  /** Resolves a page for the wiring of its mapping, and wires it. */
  FaultOutcome wire(VmMap map, Fault fault, long address, Access access) {
    return resolve(map, fault, address, access, Fault.Purpose.WIRE, 1);
  }

  /**
   * Ends a loan.
   *
   * @param processor any number that differs between concurrent callers
   * @param amap the amap through which the pages were lent, or null
   * @param frame the first frame
   * @param count number of frames
   */
  public void giveBack(int processor, @Nullable Amap amap, int frame, int count) {
    if (amap != null) {
      amap.lock();
      amap.unwired(count);
      amap.unlock();
    }
    for (int i = 0; i < count; i++) {
      allocator.unwire(processor, frame + i);
    }
    machine.lent().add(-count);
  }

  private FaultOutcome resolve(
      VmMap map, Fault fault, long address, Access access, Fault.Purpose purpose, int maximum) {
    fault.address = address;
    if (fault.access != access) {
      // The store of a reference marks a card of the heap, which other processors' faults may
      // share.
      fault.access = access;
    }
    if (fault.purpose != purpose) {
      fault.purpose = purpose;
    }
    fault.maximum = maximum;
    fault.counters.increment(Counter.FAULTS);
    VmMap responsible = map;
    FaultOutcome outcome = attempt(responsible, fault);
    while (outcome == null) {
      VmMap submap = fault.submap;
      if (fault.obstacle == Fault.Obstacle.SUBMAP && submap != null) {
        fault.submap = null;
        responsible = submap;
      } else {
        outcome = overcome(responsible, fault);
      }
      if (outcome == null) {
        outcome = attempt(responsible, fault);
      }
    }
    switch (outcome) {
      case RESOLVED -> {}
      case OUT_OF_MEMORY -> fault.counters.increment(Counter.NO_RAM);
      case NOT_MAPPED, PROTECTION, STACK_LIMIT, BEYOND_END ->
          fault.counters.increment(Counter.UNRESOLVED);
    }
    return outcome;
  }

  /** Does what takes the map's lock for writing. Returns null if that was done. */
  private @Nullable FaultOutcome overcome(VmMap map, Fault fault) {
    if (fault.obstacle == Fault.Obstacle.NEEDS_COPY) {
      fault.counters.increment(Counter.AMAP_COPIES);
      boolean resolved = map.resolveNeedsCopy(fault.address, fault.dead, fault.processor);
      return resolved ? null : FaultOutcome.OUT_OF_MEMORY;
    }
    if (fault.obstacle == Fault.Obstacle.TRANSITION) {
      map.lockStable(fault.address, fault.address + 1);
      map.unlockWrite();
      return null;
    }
    StackGrower grower = new StackGrower(map);
    MapOutcome grown = grower.grow(fault.address);
    if (grown != MapOutcome.DONE) {
      return grown == MapOutcome.LIMIT || grown == MapOutcome.NO_SPACE
          ? FaultOutcome.STACK_LIMIT
          : FaultOutcome.NOT_MAPPED;
    }
    MapOutcome wired = new Wirer(map, this).wireIfFuture(grower.start(), grower.end());
    return wired == MapOutcome.DONE ? null : FaultOutcome.OUT_OF_MEMORY;
  }

  /**
   * Looks the address up and goes to the layer that has the page. ({@code uvm_fault_check})
   *
   * @return null if there is an obstacle
   */
  private @Nullable FaultOutcome attempt(VmMap map, Fault fault) {
    map.lockRead(fault.processor);
    try {
      MapEntry entry = map.find(fault.address);
      if (entry == null) {
        fault.obstacle = Fault.Obstacle.STACK;
        return StackGrower.candidate(map, fault.address) == null ? FaultOutcome.NOT_MAPPED : null;
      }
      if (!allows(entry, fault)) {
        fault.obstacle = Fault.Obstacle.SUBMAP;
        fault.submap = entry.submap();
        return fault.submap == null ? FaultOutcome.PROTECTION : null;
      }
      if (entry.inTransition() && fault.purpose == Fault.Purpose.OVERRIDE) {
        fault.obstacle = Fault.Obstacle.TRANSITION;
        return null;
      }
      Amap amap = entry.amap();
      AnonymousObject object = entry.object();
      boolean looksOnly = fault.access == Access.READ && amap == null && object != null;
      if (entry.needsCopy() && !looksOnly) {
        fault.obstacle = Fault.Obstacle.NEEDS_COPY;
        return null;
      }
      long page = machine.pageSize().vpn(fault.address - entry.start());
      if (amap == null) {
        return lower(map, fault, entry, null, page);
      }
      amap.lock();
      try {
        int anon = amap.find(entry.slot() + page);
        return anon != 0
            ? upper(map, fault, entry, amap, page, anon)
            : lower(map, fault, entry, amap, page);
      } finally {
        amap.unlock();
      }
    } finally {
      map.unlockRead(fault.processor);
    }
  }

  /** Whether the access may be done. The maximum counts for those who may override. */
  private static boolean allows(MapEntry entry, Fault fault) {
    Protection protection =
        fault.purpose == Fault.Purpose.OVERRIDE ? entry.maximum() : entry.protection();
    return protection.permits(fault.access);
  }

  /** Case 1: there is an anon. Locked: map (read), amap. ({@code uvm_fault_upper}) */
  private FaultOutcome upper(
      VmMap map, Fault fault, MapEntry entry, Amap amap, long page, int anon) {
    long slot = entry.slot() + page;
    int frame = anons.frame(anon);
    int rights = entry.protection().bits();
    if (amap.isExclusive(slot, anon, anons)) {
      fault.counters.increment(Counter.DIRECT);
      return enter(map, fault, entry, amap, page, frame, rights);
    }
    if (fault.access == Access.READ && !mustOwn(fault, amap)) {
      fault.counters.increment(Counter.DIRECT);
      return enter(map, fault, entry, amap, page, frame, rights & ~Protection.WRITE_BIT);
    }
    int copy = newPage(fault, amap, slot, frame);
    if (copy == FrameTable.NONE) {
      return FaultOutcome.OUT_OF_MEMORY;
    }
    if (entry.wirings() != 0) {
      map.memory().moveWiring(entry, page, anon, frame, copy, fault.processor);
    }
    fault.counters.increment(Counter.COPIES);
    return enter(map, fault, entry, amap, page, copy, rights);
  }

  /**
   * Whether a page that is to be wired must be copied although it is only read: others that share
   * the amap could have it copied later, who know nothing of the wiring.
   */
  private static boolean mustOwn(Fault fault, Amap amap) {
    return fault.purpose == Fault.Purpose.WIRE && amap.isShared();
  }

  /** Case 2: there is none. Locked: map (read), amap if there is one. ({@code uvm_fault_lower}) */
  private FaultOutcome lower(
      VmMap map, Fault fault, MapEntry entry, @Nullable Amap amap, long page) {
    AnonymousObject object = entry.object();
    if (object == null) {
      int frame = newPage(fault, owned(amap), entry.slot() + page, FrameTable.NONE);
      if (frame == FrameTable.NONE) {
        return FaultOutcome.OUT_OF_MEMORY;
      }
      fault.counters.increment(Counter.ZERO_FILLS);
      return enter(map, fault, entry, amap, page, frame, entry.protection().bits());
    }
    object.lock();
    try {
      long index = entry.offset() + page;
      if (!object.contains(index)) {
        return FaultOutcome.BEYOND_END;
      }
      int frame = object.get(fault.processor, index);
      if (frame == FrameTable.NONE) {
        return FaultOutcome.OUT_OF_MEMORY;
      }
      int rights = entry.protection().bits();
      if (!entry.copyOnWrite()) {
        fault.counters.increment(Counter.OBJECT_PAGES);
        return enter(map, fault, entry, null, page, frame, rights);
      }
      if (fault.access == Access.READ && (amap == null || !mustOwn(fault, amap))) {
        fault.counters.increment(Counter.OBJECT_PAGES);
        return enter(map, fault, entry, null, page, frame, rights & ~Protection.WRITE_BIT);
      }
      int copy = newPage(fault, owned(amap), entry.slot() + page, frame);
      if (copy == FrameTable.NONE) {
        return FaultOutcome.OUT_OF_MEMORY;
      }
      if (entry.wirings() != 0) {
        frames.wire(copy);
        object.unwire(fault.processor, index);
      }
      fault.counters.increment(Counter.PROMOTIONS);
      return enter(map, fault, entry, amap, page, copy, rights);
    } finally {
      object.unlock();
    }
  }

  private static Amap owned(@Nullable Amap amap) {
    if (amap == null) {
      throw new VmPanic("map entry has no amap for its pages");
    }
    return amap;
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

  /**
   * Enters the page into the page table, and wires it if that is what the fault is for. Locked: map
   * (read), amap if there is one, object if there is one.
   *
   * @param amap the amap that has the page, or null if the object has it
   */
  private FaultOutcome enter(
      VmMap map,
      Fault fault,
      MapEntry entry,
      @Nullable Amap amap,
      long page,
      int frame,
      int rights) {
    if (fault.purpose == Fault.Purpose.OVERRIDE) {
      return lendPastProtection(map, fault, entry, amap, page, frame);
    }
    if (!map.pmap().enter(fault.tlb, fault.address, frame, rights, fault.access)) {
      return FaultOutcome.OUT_OF_MEMORY;
    }
    switch (fault.purpose) {
      case ACCESS, OVERRIDE -> {}
      case LEND -> lendRun(fault, entry, amap, page, frame);
      case WIRE -> frames.wire(frame);
    }
    return FaultOutcome.RESOLVED;
  }

  /** Lends a page, without any translation; one of another frame would be out of date now. */
  private FaultOutcome lendPastProtection(
      VmMap map, Fault fault, MapEntry entry, @Nullable Amap amap, long page, int frame) {
    long start = entry.start() + machine.pageSize().address(page);
    if (fault.access == Access.WRITE) {
      map.pmap().removeUnless(start, frame);
    }
    lendRun(fault, entry, amap, page, frame);
    return FaultOutcome.RESOLVED;
  }

  /** Lends a page and its resident neighbours. Locked: map, amap or object. */
  private void lendRun(Fault fault, MapEntry entry, @Nullable Amap amap, long page, int first) {
    long pages = machine.pageSize().vpn(entry.end() - entry.start());
    int lent = 0;
    int frame = first;
    while (true) {
      frames.wire(frame);
      lent++;
      long next = page + lent;
      if (lent >= fault.maximum
          || next >= pages
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
      AnonymousObject object = entry.object();
      return object != null
          && entry.amap() == null
          && object.contains(entry.offset() + page)
          && object.find(entry.offset() + page) == frame;
    }
    long slot = entry.slot() + page;
    int anon = amap.find(slot);
    return anon != 0
        && anons.frame(anon) == frame
        && (fault.access == Access.READ || amap.isExclusive(slot, anon, anons));
  }
}
