package org.juvm;

import java.util.List;
import org.juvm.map.Machine;
import org.juvm.trace.Counter;
import org.juvm.trace.Counters;

/** Reads what a system counts. Source: {@code uvm_meter.c}. */
final class Meter {
  private Meter() {}

  /** Sums up blocks of counters, and looks at the parts of a machine. */
  static Statistics read(Machine machine, List<Counters> blocks, long vmspaces) {
    return new Statistics(
        machine.pageSize().bytes(),
        machine.ram().frames(),
        machine.allocator().freeFrames(),
        machine.allocator().peakUsed(),
        vmspaces,
        sum(blocks, Counter.FAULTS),
        sum(blocks, Counter.ZERO_FILLS),
        sum(blocks, Counter.DIRECT),
        sum(blocks, Counter.COPIES),
        sum(blocks, Counter.OBJECT_PAGES),
        sum(blocks, Counter.PROMOTIONS),
        sum(blocks, Counter.STACK_GROWTHS),
        sum(blocks, Counter.UNRESOLVED),
        sum(blocks, Counter.NO_RAM),
        sum(blocks, Counter.MAJOR_FAULTS),
        sum(blocks, Counter.MEMORY_WAITS),
        sum(blocks, Counter.BUSY_WAITS),
        sum(blocks, Counter.READ_ERRORS),
        sum(blocks, Counter.NEIGHBOURS),
        sum(blocks, Counter.SWAP_INS),
        sum(blocks, Counter.SWAP_OUTS),
        sum(blocks, Counter.PAGE_INS),
        sum(blocks, Counter.PAGE_OUTS),
        sum(blocks, Counter.EVICTIONS),
        sum(blocks, Counter.SCANS),
        sum(blocks, Counter.SCANNED),
        machine.allocator().policy().activePages(),
        machine.allocator().policy().inactivePages(),
        machine.swap().slots(),
        machine.swap().slotsInUse(),
        machine.swap().slotsInUse() - machine.frames().withSlots(),
        machine.swap().slotsBad(),
        sum(blocks, Counter.AMAP_COPIES),
        sum(blocks, Counter.TLB_FILLS),
        sum(blocks, Counter.FORKS),
        sum(blocks, Counter.MAPS),
        sum(blocks, Counter.UNMAPS),
        sum(blocks, Counter.PROTECTS),
        sum(blocks, Counter.SHOOTDOWNS),
        sum(blocks, Counter.HEAVY_FENCES),
        machine.pmaps().tablesInUse(),
        machine.amaps().nodesInUse(),
        machine.objectNodes().inUse());
  }

  private static long sum(List<Counters> blocks, Counter counter) {
    long sum = 0;
    for (Counters block : blocks) {
      sum += block.value(counter);
    }
    return sum;
  }
}
