package org.juvm.bench.shot;

import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.juvm.Cpu;
import org.juvm.Vm;
import org.juvm.Vmspace;

/**
 * Fork of one resident mapping whose pages have all been written since the last fork, the first
 * write afterwards, by parent and child in turn, and the end of the child.
 */
final class ForkShot implements Shot {
  private static final int SMALL = 256;

  private final SplittableRandom random = new SplittableRandom(42);
  private final Map<String, Double> figures = new LinkedHashMap<>();

  @Override
  public Map<String, Double> measure(Scale scale) {
    long middle = scale.pick(4L << 20, 256L << 20, 1L << 30);
    long large = scale.pick(8L << 20, 1L << 30, HostSize.largeRegion());
    run("warm", SMALL, scale.times(20, 30_000, 60_000), true);
    run("small", SMALL, scale.times(20, 3000, 10_000), true);
    run("middle", (int) (middle / Region.PAGE), scale.times(20, 100, 500), true);
    run("one-write", (int) (middle / Region.PAGE), scale.times(20, 1000, 5000), false);
    run("large", (int) (large / Region.PAGE), scale.times(4, 10, 20), true);
    figures.put("middle.bytes", (double) middle);
    figures.put("large.bytes", (double) large);
    return figures;
  }

  private void run(String name, int pages, int shots, boolean writeAll) {
    Series forks = new Series();
    Series parentWrites = new Series();
    Series childWrites = new Series();
    Series exits = new Series();
    Series rewrites = new Series();
    try (Vm vm = Vm.builder().memory((pages + pages / 8 + 4096L) * Region.PAGE).boot();
        Cpu cpu = vm.newCpu();
        Cpu childCpu = vm.newCpu()) {
      Vmspace space = vm.newVmspace();
      cpu.attach(space);
      Region region = Region.map(space, cpu, pages);
      region.write();
      for (int i = 0; i < shots; i++) {
        boolean byParent = i % 2 == 0;
        long address = region.address(random.nextInt(pages));
        long start = System.nanoTime();
        Vmspace child = space.fork();
        forks.addSince(start);
        childCpu.attach(child);
        start = System.nanoTime();
        (byParent ? cpu : childCpu).set(ValueLayout.JAVA_LONG, address, i);
        (byParent ? parentWrites : childWrites).addSince(start);
        childCpu.detach();
        start = System.nanoTime();
        child.close();
        exits.addSince(start);
        if (writeAll) {
          rewrites.add(region.write());
        } else {
          cpu.set(ValueLayout.JAVA_LONG, address, i);
        }
      }
    }
    figures.put(name + ".fork", forks.median());
    figures.put(name + ".fork.p99", forks.percentile(0.99));
    figures.put(name + ".parent", parentWrites.median());
    figures.put(name + ".parent.p99", parentWrites.percentile(0.99));
    figures.put(name + ".child", childWrites.median());
    figures.put(name + ".child.p99", childWrites.percentile(0.99));
    figures.put(name + ".exit", exits.median());
    if (writeAll) {
      figures.put(name + ".direct", rewrites.median());
    }
  }
}
