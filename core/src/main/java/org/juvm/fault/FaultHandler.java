package org.juvm.fault;

import org.jspecify.annotations.Nullable;
import org.juvm.anon.Amap;
import org.juvm.anon.AnonTable;
import org.juvm.base.Access;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;
import org.juvm.base.VmPanic;
import org.juvm.map.Machine;
import org.juvm.map.MapEntry;
import org.juvm.map.MapOutcome;
import org.juvm.map.StackGrower;
import org.juvm.map.VmMap;
import org.juvm.object.MemoryObject;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.trace.Counter;

/**
 * Resolves page faults. One for a whole system; stateless but for what it works on, thread-safe.
 *
 * <p>Source: {@code uvm_fault.c}; each phase names its function.
 */
public final class FaultHandler {
  private final Machine machine;
  private final FrameTable frames;
  private final FrameAllocator allocator;
  private final AnonTable anons;
  private final NewPages newPages;
  private final PageIns pageIns;
  private final Neighbours neighbours;
  private final RawUse rawUse;
  private final Loans loans;
  private final NestedWalk nestedWalk;

  /**
   * The handler of a machine.
   *
   * @param machine the machine
   */
  public FaultHandler(Machine machine) {
    this.machine = machine;
    frames = machine.frames();
    allocator = machine.allocator();
    anons = machine.anons();
    newPages = new NewPages(machine);
    pageIns = new PageIns(machine);
    neighbours = new Neighbours(machine);
    rawUse = new RawUse(machine);
    loans = new Loans(machine);
    nestedWalk = new NestedWalk(machine, pageIns, loans);
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

  /**
   * Lends a page, and those behind it that can be had at once: their bytes do not change until the
   * loan is {@link #takeBack taken back}, whatever happens to the mapping. No translation is made.
   * ({@code uvm_loan})
   *
   * @param map the address space
   * @param fault a fault without processor
   * @param address an address in the first page
   * @param maximum the largest number of pages to lend, at least 1
   * @param lent receives the frames
   * @return RESOLVED, and {@link Fault#wired} pages are lent, which is none if the first one is
   *     wired, or lent too often; or the reason, and none is
   */
  public FaultOutcome loan(VmMap map, Fault fault, long address, int maximum, LentFrames lent) {
    fault.lent = lent;
    fault.wired = 0;
    FaultOutcome outcome = resolve(map, fault, address, Access.READ, Fault.Purpose.LOAN, maximum);
    fault.lent = null;
    return outcome;
  }

  /**
   * Takes loans back. Frames that their owners have given up are free now.
   *
   * @param processor any number that differs between concurrent callers
   * @param lent the frames
   */
  public void takeBack(int processor, LentFrames lent) {
    loans.takeBack(processor, lent);
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
   * @param access what they were lent for
   */
  public void giveBack(int processor, @Nullable Amap amap, int frame, int count, Access access) {
    rawUse.giveBack(processor, amap, frame, count, access);
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
    fault.readFailed = false;
    boolean _ = fault.takeFailure() == null;
    fault.major = false;
    fault.used = false;
    fault.pageIns = 0;
    fault.tables = 0;
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
      case IO_ERROR -> fault.counters.increment(Counter.READ_ERRORS);
      case NOT_MAPPED, PROTECTION, STACK_LIMIT, BEYOND_END ->
          fault.counters.increment(Counter.UNRESOLVED);
    }
    if (fault.major) {
      fault.counters.increment(Counter.MAJOR_FAULTS);
    }
    return outcome;
  }

  /**
   * Does, without locks, what an attempt could not do. Returns null if that was done: the fault
   * starts again from the beginning, since anything may have changed meanwhile.
   */
  private @Nullable FaultOutcome overcome(VmMap map, Fault fault) {
    return switch (fault.obstacle) {
      case NO_FRAME, BUSY, IN_SWAP, IN_OBJECT -> pageIns.overcome(fault);
      case NEEDS_COPY -> {
        fault.counters.increment(Counter.AMAP_COPIES);
        boolean resolved = map.resolveNeedsCopy(fault.address, fault.dead, fault.processor);
        yield resolved ? null : FaultOutcome.OUT_OF_MEMORY;
      }
      case TRANSITION -> {
        map.lockStable(fault.address, fault.address + 1);
        map.unlockWrite();
        yield null;
      }
      case STACK -> growStack(map, fault);
      case SUBMAP -> throw new VmPanic("submap without a map");
    };
  }

  private @Nullable FaultOutcome growStack(VmMap map, Fault fault) {
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
      MemoryObject object = entry.object();
      boolean looksOnly =
          fault.purpose == Fault.Purpose.LOAN
              || (fault.access == Access.READ && amap == null && object != null);
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

  /**
   * Case 1: there is an anon. Locked: map (read), amap. ({@code uvm_fault_upper})
   *
   * @return null if there is an obstacle
   */
  private @Nullable FaultOutcome upper(
      VmMap map, Fault fault, MapEntry entry, Amap amap, long page, int anon) {
    long slot = entry.slot() + page;
    int rights = entry.protection().bits();
    if (!anons.isResident(anon)) {
      return pageIns.fromSwap(fault, amap, anon);
    }
    int frame = anons.frame(anon);
    if (frames.isBusy(frame)) {
      return pageIns.busy(fault, frame);
    }
    fault.used = !fault.major;
    if (fault.purpose == Fault.Purpose.LOAN) {
      return loans.lend(map, fault, entry, page);
    }
    boolean lent = frames.loans(frame) > 0;
    boolean breaks = lent && Loans.mustBreak(fault);
    if (amap.isExclusive(slot, anon, anons)) {
      int own = breaks ? loans.breakLoan(fault, amap, anon, frame) : frame;
      if (own == FrameTable.NONE) {
        return NewPages.none(fault, own);
      }
      fault.counters.increment(Counter.DIRECT);
      int least = lent && !breaks ? rights & ~Protection.WRITE_BIT : rights;
      return enter(map, fault, entry, amap, page, own, least);
    }
    if (fault.access == Access.READ && !breaks && !mustOwn(fault, amap)) {
      fault.counters.increment(Counter.DIRECT);
      return enter(map, fault, entry, amap, page, frame, rights & ~Protection.WRITE_BIT);
    }
    int copy = newPages.make(fault, amap, slot, frame);
    if (copy < 0) {
      return NewPages.none(fault, copy);
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

  /**
   * Case 2: there is none. Locked: map (read), amap if there is one. ({@code uvm_fault_lower})
   *
   * @return null if there is an obstacle
   */
  private @Nullable FaultOutcome lower(
      VmMap map, Fault fault, MapEntry entry, @Nullable Amap amap, long page) {
    MemoryObject object = entry.object();
    if (object == null) {
      return fault.purpose == Fault.Purpose.LOAN
          ? loans.lend(map, fault, entry, page)
          : zeroFill(map, fault, entry, owned(amap), page);
    }
    object.lock();
    try {
      if (fault.readFailed) {
        return unreadable(map, fault, entry, amap, page, FaultOutcome.IO_ERROR);
      }
      long index = entry.offset() + page;
      int rights = entry.protection().bits();
      if (entry.hasPageTable()) {
        index = nestedWalk.translate(fault, entry, object, page);
        if (index == NestedWalk.STOPPED) {
          return fault.missing;
        }
        rights = fault.mayStore ? rights : rights & ~Protection.WRITE_BIT;
      } else {
        pageIns.readAhead(fault, entry, page);
      }
      if (!pageIns.fromObject(fault, object, index)) {
        FaultOutcome missing = fault.missing;
        return missing == null || missing == FaultOutcome.OUT_OF_MEMORY
            ? missing
            : unreadable(map, fault, entry, amap, page, missing);
      }
      int frame = fault.request.frame();
      fault.used = !fault.major;
      if (fault.purpose == Fault.Purpose.LOAN) {
        return loans.lend(map, fault, entry, page);
      }
      boolean copies =
          entry.copyOnWrite()
              && (fault.access == Access.WRITE || (amap != null && mustOwn(fault, amap)));
      if (!copies && frames.loans(frame) > 0) {
        if (Loans.mustBreak(fault)) {
          frame = loans.breakLoan(fault, object, index);
          if (frame == FrameTable.NONE) {
            return NewPages.none(fault, frame);
          }
        } else {
          rights &= ~Protection.WRITE_BIT;
        }
      }
      if (!entry.copyOnWrite()) {
        fault.counters.increment(Counter.OBJECT_PAGES);
        return enter(map, fault, entry, null, page, frame, rights);
      }
      if (!copies) {
        fault.counters.increment(Counter.OBJECT_PAGES);
        return enter(map, fault, entry, null, page, frame, rights & ~Protection.WRITE_BIT);
      }
      int copy = newPages.make(fault, owned(amap), entry.slot() + page, frame);
      if (copy < 0) {
        return NewPages.none(fault, copy);
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

  private @Nullable FaultOutcome zeroFill(
      VmMap map, Fault fault, MapEntry entry, Amap amap, long page) {
    int frame = newPages.make(fault, amap, entry.slot() + page, FrameTable.NONE);
    if (frame < 0) {
      return NewPages.none(fault, frame);
    }
    fault.counters.increment(Counter.ZERO_FILLS);
    return enter(map, fault, entry, amap, page, frame, entry.protection().bits());
  }

  /**
   * The object does not have the page. A private mapping that says so gets zeros instead. ({@code
   * UVM_ET_NOFAULT})
   */
  private @Nullable FaultOutcome unreadable(
      VmMap map,
      Fault fault,
      MapEntry entry,
      @Nullable Amap amap,
      long page,
      FaultOutcome outcome) {
    if ((entry.flags() & MapFlag.NO_FAULT.bit()) == 0 || !entry.copyOnWrite()) {
      return outcome;
    }
    if (fault.purpose == Fault.Purpose.LOAN) {
      return loans.lendZeros(fault);
    }
    if (amap == null) {
      fault.obstacle = Fault.Obstacle.NEEDS_COPY;
      return null;
    }
    return zeroFill(map, fault, entry, amap, page);
  }

  private static Amap owned(@Nullable Amap amap) {
    if (amap == null) {
      throw new VmPanic("map entry has no amap for its pages");
    }
    return amap;
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
      return rawUse.lendPastProtection(map, fault, entry, amap, page, frame);
    }
    if (!map.pmap().enter(fault.tlb, fault.address, frame, rights, fault.access, fault.used)) {
      return FaultOutcome.OUT_OF_MEMORY;
    }
    switch (fault.purpose) {
      case ACCESS, OVERRIDE -> {
        // Around a page that was in swap little is in memory and not mapped; to look costs 7 % of
        // it.
        if (fault.access == Access.READ && !(fault.major && amap != null)) {
          neighbours.enter(map, fault, entry, page);
        }
      }
      case LEND -> rawUse.lendRun(fault, entry, amap, page, frame);
      case LOAN -> throw new VmPanic("a loan enters no page");
      case WIRE -> {
        frames.wire(frame);
        allocator.dropSlot(frame);
      }
    }
    return FaultOutcome.RESOLVED;
  }
}
