package org.juvm;

import org.juvm.map.Machine;
import org.juvm.trace.Counter;
import org.juvm.trace.Counters;

/** Reads what a system counts. Source: {@code uvm_meter.c}. */
final class Meter {
  private Meter() {}

  /** Looks at what was counted, and at the parts of a machine. */
  static Statistics read(Machine machine, Counters counted, long vmspaces) {
    return new Statistics(
        machine.pageSize().bytes(),
        machine.ram().frames(),
        machine.allocator().freeFrames(),
        machine.allocator().peakUsed(),
        vmspaces,
        counted.value(Counter.FAULTS),
        counted.value(Counter.ZERO_FILLS),
        counted.value(Counter.DIRECT),
        counted.value(Counter.COPIES),
        counted.value(Counter.OBJECT_PAGES),
        counted.value(Counter.PROMOTIONS),
        counted.value(Counter.STACK_GROWTHS),
        counted.value(Counter.UNRESOLVED),
        counted.value(Counter.NO_RAM),
        counted.value(Counter.MAJOR_FAULTS),
        counted.value(Counter.MEMORY_WAITS),
        counted.value(Counter.BUSY_WAITS),
        counted.value(Counter.READ_ERRORS),
        counted.value(Counter.NEIGHBOURS),
        counted.value(Counter.SWAP_INS),
        counted.value(Counter.SWAP_OUTS),
        counted.value(Counter.PAGE_INS),
        counted.value(Counter.PAGE_OUTS),
        counted.value(Counter.EVICTIONS),
        counted.value(Counter.SCANS),
        counted.value(Counter.SCANNED),
        machine.allocator().policy().activePages(),
        machine.allocator().policy().inactivePages(),
        machine.swap().slots(),
        machine.swap().slotsInUse(),
        machine.swap().slotsInUse() - machine.frames().withSlots(),
        machine.swap().slotsBad(),
        counted.value(Counter.AMAP_COPIES),
        counted.value(Counter.TLB_FILLS),
        counted.value(Counter.FORKS),
        counted.value(Counter.MAPS),
        counted.value(Counter.UNMAPS),
        counted.value(Counter.PROTECTS),
        counted.value(Counter.SHOOTDOWNS),
        counted.value(Counter.HEAVY_FENCES),
        machine.pmaps().tablesInUse(),
        machine.amaps().nodesInUse(),
        machine.objectNodes().inUse());
  }
}
