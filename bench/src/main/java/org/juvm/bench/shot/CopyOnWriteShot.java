package org.juvm.bench.shot;

import java.util.LinkedHashMap;
import java.util.Map;
import org.juvm.Cpu;
import org.juvm.Vm;
import org.juvm.Vmspace;

/**
 * Copy-on-write faults on every page after a fork, by the parent and by the child, and copying the
 * very same frames in the same order.
 */
final class CopyOnWriteShot implements Shot {
  private final Series parentFaults = new Series();
  private final Series childFaults = new Series();
  private final Series copying = new Series();
  private final Series exits = new Series();

  @Override
  public Map<String, Double> measure(Scale scale) {
    int pages = (int) (scale.pick(4L << 20, 128L << 20, 512L << 20) / Region.PAGE);
    int rounds = scale.times(2, 8, 14);
    try (Vm vm = Vm.builder().memory((2L * pages + 2048) * Region.PAGE).boot();
        Cpu cpu = vm.newCpu();
        Cpu childCpu = vm.newCpu()) {
      Vmspace space = vm.newVmspace();
      cpu.attach(space);
      Region region = Region.map(space, cpu, pages);
      region.write();
      for (int i = -4; i < rounds; i++) {
        round(space, region, childCpu, i % 2 == 0, i >= 0);
      }
    }
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put("parent", parentFaults.median());
    figures.put("child", childFaults.median());
    figures.put("copying", copying.median());
    figures.put("exit", exits.median());
    return figures;
  }

  private void round(Vmspace space, Region region, Cpu childCpu, boolean byParent, boolean counts) {
    // Every page writable again, as it is when a program has worked for a while.
    region.write();
    Vmspace child = space.fork();
    childCpu.attach(child);
    double fault = byParent ? region.write() : region.write(childCpu);
    long[] sources = region.frames(byParent ? childCpu : region.cpu);
    long[] targets = region.frames(byParent ? region.cpu : childCpu);
    // Both hold the same bytes but for those just written, so copying back and forth does no harm.
    double copy = Region.copy(sources, targets);
    childCpu.detach();
    long start = System.nanoTime();
    child.close();
    double exit = (double) (System.nanoTime() - start) / region.pages;
    if (counts) {
      (byParent ? parentFaults : childFaults).add(fault);
      copying.add(copy);
      exits.add(exit);
    }
  }
}
