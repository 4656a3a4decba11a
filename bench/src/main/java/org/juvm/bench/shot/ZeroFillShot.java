package org.juvm.bench.shot;

import java.util.LinkedHashMap;
import java.util.Map;
import org.juvm.Cpu;
import org.juvm.Vm;
import org.juvm.Vmspace;

/**
 * Zero-fill faults over frames that have been used before, and zeroing the very same frames in the
 * same order.
 */
final class ZeroFillShot implements Shot {
  @Override
  public Map<String, Double> measure(Scale scale) {
    int pages = (int) (scale.pick(4L << 20, 256L << 20, 1L << 30) / Region.PAGE);
    int rounds = scale.times(2, 5, 9);
    Series faults = new Series();
    Series zeroing = new Series();
    Series unmaps = new Series();
    try (Vm vm = Vm.builder().memory((pages + 1024L) * Region.PAGE).boot();
        Cpu cpu = vm.newCpu()) {
      Vmspace space = vm.newVmspace();
      cpu.attach(space);
      // The first two rounds commit the host's memory and warm the compiler up.
      for (int i = -2; i < rounds; i++) {
        Region region = Region.map(space, cpu, pages);
        double fault = region.write();
        double zero = Region.zero(region.frames(cpu));
        long start = System.nanoTime();
        space.unmap(region.address, (long) pages * Region.PAGE);
        double unmap = (double) (System.nanoTime() - start) / pages;
        if (i >= 0) {
          faults.add(fault);
          zeroing.add(zero);
          unmaps.add(unmap);
        }
      }
    }
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put("fault", faults.median());
    figures.put("zeroing", zeroing.median());
    figures.put("unmap", unmaps.median());
    return figures;
  }
}
