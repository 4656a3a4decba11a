package org.juvm.bench.shot;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.juvm.Cpu;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.bench.host.HostMemory;

/**
 * Fork of one resident mapping whose pages have all been written since the last fork, the first
 * write afterwards, by parent and child in turn, and the end of the child.
 *
 * <p>Writing to a gigabyte leaves nothing else in the caches of the machine, and that is how a fork
 * finds them. So that small sizes can be compared with large ones, other memory is written before
 * forks of small ones.
 */
final class ForkShot implements Shot {
  private static final int SMALL = 256;
  private static final long OTHER_BYTES = 64L << 20;

  private final SplittableRandom random = new SplittableRandom(42);
  private final Map<String, Double> figures = new LinkedHashMap<>();

  @Override
  public Map<String, Double> measure(Scale scale) {
    long middle = scale.pick(4L << 20, 256L << 20, 1L << 30);
    long large = scale.pick(8L << 20, 1L << 30, HostSize.largeRegion());
    int middlePages = (int) (middle / Region.PAGE);
    int largePages = (int) (large / Region.PAGE);
    run("hot", SMALL, scale.times(20, 30_000, 60_000), After.ALL_WRITTEN);
    run("small", SMALL, scale.times(20, 200, 500), After.MORE_WRITTEN);
    run("middle", middlePages, scale.times(20, 100, 500), After.ALL_WRITTEN);
    run("one-write", middlePages, scale.times(20, 1000, 5000), After.ONE_WRITTEN);
    run("large", largePages, scale.times(4, 10, 20), After.ALL_WRITTEN);
    figures.put("middle.bytes", (double) middle);
    figures.put("large.bytes", (double) large);
    return figures;
  }

  /** What happens before the next fork. */
  private enum After {
    /** One page of the mapping is written. */
    ONE_WRITTEN,
    /** Every page of it. */
    ALL_WRITTEN,
    /** Every page of it, and as much other memory as the caches hold, many times. */
    MORE_WRITTEN
  }

  private void run(String name, int pages, int shots, After after) {
    Series forks = new Series();
    Series parentWrites = new Series();
    Series childWrites = new Series();
    Series exits = new Series();
    Series rewrites = new Series();
    try (Vm vm = Vm.builder().memory((pages + pages / 8 + 4096L) * Region.PAGE).boot();
        Cpu cpu = vm.newCpu();
        Cpu childCpu = vm.newCpu();
        Arena arena = Arena.ofConfined()) {
      MemorySegment other =
          after == After.MORE_WRITTEN
              ? HostMemory.allocate(OTHER_BYTES, arena)
              : MemorySegment.NULL;
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
        switch (after) {
          case ONE_WRITTEN -> cpu.set(ValueLayout.JAVA_LONG, address, i);
          case ALL_WRITTEN -> rewrites.add(region.write());
          case MORE_WRITTEN -> {
            rewrites.add(region.write());
            other.fill((byte) i);
          }
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
    if (after == After.ALL_WRITTEN) {
      figures.put(name + ".direct", rewrites.median());
    }
  }
}
