package org.juvm.bench.shot;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import org.juvm.Cpu;
import org.juvm.Loan;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.bench.host.HostMemory;

/**
 * Lending 256 resident pages, that all have been written since the last loan, and taking them back;
 * and copying them out to native memory, which is what a loan saves. The stores that break a loan
 * and write to the pages again are timed beside it.
 */
final class LoanShot implements Shot {
  private static final int PAGES = 256;

  /** Regions used in turn, so that the pages are not in the processor's nearest caches. */
  private static final int REGIONS = 64;

  @Override
  public Map<String, Double> measure(Scale scale) {
    int rounds = scale.times(2, 40, 100);
    Series lending = new Series();
    Series copying = new Series();
    Series rewriting = new Series();
    long bytes = (long) PAGES * Region.PAGE;
    try (Vm vm = Vm.builder().memory((REGIONS + 8L) * bytes).boot();
        Cpu cpu = vm.newCpu();
        Arena arena = Arena.ofConfined()) {
      MemorySegment target = HostMemory.allocate(bytes, arena);
      Vmspace space = vm.newVmspace();
      cpu.attach(space);
      Region[] regions = new Region[REGIONS];
      for (int i = 0; i < REGIONS; i++) {
        regions[i] = Region.map(space, cpu, PAGES);
        double _ = regions[i].write();
      }
      for (int i = -rounds; i < rounds; i++) {
        for (Region region : regions) {
          long start = System.nanoTime();
          cpu.bulk().read(region.address, target, 0, bytes);
          long copied = System.nanoTime() - start;
          start = System.nanoTime();
          try (Loan loan = space.lend(region.address, bytes)) {
            if (loan.length() != bytes) {
              throw new IllegalStateException("not all was lent: " + loan.length());
            }
          }
          long lent = System.nanoTime() - start;
          double write = region.write();
          if (i >= 0) {
            copying.add((double) copied);
            lending.add((double) lent);
            rewriting.add(write * PAGES);
          }
        }
      }
    }
    return Map.of(
        "lend", lending.median(), "copy", copying.median(), "rewrite", rewriting.median());
  }
}
