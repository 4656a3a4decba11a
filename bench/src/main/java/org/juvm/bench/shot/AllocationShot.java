package org.juvm.bench.shot;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.Map;
import org.juvm.Cpu;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Protection;

/** Bytes of the Java heap that one operation of each kind allocates. */
final class AllocationShot implements Shot {
  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private final Map<String, Series> figures = new LinkedHashMap<>();

  @Override
  public Map<String, Double> measure(Scale scale) {
    int pages = scale.times(2000, 20_000, 20_000);
    int rounds = scale.times(2, 30, 60);
    try (Vm vm = Vm.builder().memory((2L * pages + 4096) * Region.PAGE).boot();
        Cpu cpu = vm.newCpu()) {
      Vmspace space = vm.newVmspace();
      cpu.attach(space);
      for (int i = 0; i < rounds; i++) {
        // The compiler removes allocations when it knows the code well: the first half is for that.
        if (i == rounds / 2) {
          figures.clear();
        }
        round(space, cpu, pages, 10L * pages);
      }
    }
    Map<String, Double> medians = new LinkedHashMap<>();
    figures.forEach((name, values) -> medians.put(name, values.median()));
    return medians;
  }

  private void round(Vmspace space, Cpu cpu, int pages, long hits) {
    Region region = Region.map(space, cpu, pages);
    long bytes = (long) pages * Region.PAGE;
    record("hit", hits, () -> hit(region, hits));
    record("zero", pages, region::write);
    record("refill", pages, () -> read(region));
    Vmspace child = space.fork();
    record("copy", pages, region::write);
    child.close();
    record("protect", pages, () -> space.protect(region.address, bytes, Protection.READ));
    record("unmap", pages, () -> space.unmap(region.address, bytes));
  }

  private void record(String name, long operations, Runnable work) {
    long before = threads.getCurrentThreadAllocatedBytes();
    work.run();
    long after = threads.getCurrentThreadAllocatedBytes();
    figures.computeIfAbsent(name, key -> new Series()).add((double) (after - before) / operations);
  }

  private static void hit(Region region, long times) {
    for (long i = 0; i < times; i++) {
      long address = region.address + (i & 0xff) * 8;
      long value = region.cpu.get(ValueLayout.JAVA_LONG, address);
      region.cpu.set(ValueLayout.JAVA_LONG, address, value + 1);
    }
  }

  private static void read(Region region) {
    long sum = 0;
    for (int i = 0; i < region.pages; i++) {
      sum += region.cpu.get(ValueLayout.JAVA_LONG, region.address(i));
    }
    if (sum == 42) {
      throw new IllegalStateException("the pages hold other numbers than were stored");
    }
  }
}
