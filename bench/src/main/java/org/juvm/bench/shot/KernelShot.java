package org.juvm.bench.shot;

import java.util.LinkedHashMap;
import java.util.Map;
import org.juvm.bench.host.HostMemory;

/** The host kernel's calls and faults that are safe in a JVM. */
final class KernelShot implements Shot {
  @Override
  public Map<String, Double> measure(Scale scale) {
    int pages = (int) (scale.pick(4L << 20, 128L << 20, 512L << 20) / Region.PAGE);
    int calls = scale.times(200, 4000, 10_000);
    int rounds = scale.times(2, 5, 9);
    Series faults = new Series();
    Series maps = new Series();
    Series splits = new Series();
    for (int i = -3; i < rounds; i++) {
      double fault = fault(pages);
      double map = mapUnmap(calls * 4);
      double split = split(calls);
      if (i >= 0) {
        faults.add(fault);
        maps.add(map);
        splits.add(split);
      }
    }
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put("fault", faults.median());
    figures.put("map", maps.median());
    figures.put("split", splits.median());
    return figures;
  }

  private static long fresh(int pages) {
    long bytes = (long) pages * Region.PAGE;
    long address = HostMemory.map(bytes);
    HostMemory.adviseHugePages(address, bytes, false);
    return address;
  }

  private static void touch(long address, int pages) {
    for (int i = 0; i < pages; i++) {
      HostMemory.set(address + (long) i * Region.PAGE, i);
    }
  }

  private static double fault(int pages) {
    long address = fresh(pages);
    long start = System.nanoTime();
    touch(address, pages);
    double each = (double) (System.nanoTime() - start) / pages;
    HostMemory.unmap(address, (long) pages * Region.PAGE);
    return each;
  }

  private static double mapUnmap(int times) {
    long start = System.nanoTime();
    for (int i = 0; i < times; i++) {
      HostMemory.unmap(HostMemory.map(Region.PAGE), Region.PAGE);
    }
    return (double) (System.nanoTime() - start) / times;
  }

  private static double split(int times) {
    int pages = 2 * times;
    long address = fresh(pages);
    touch(address, pages);
    long start = System.nanoTime();
    for (int i = 0; i < times; i++) {
      HostMemory.protect(address + (2L * i + 1) * Region.PAGE, Region.PAGE);
    }
    double each = (double) (System.nanoTime() - start) / times;
    HostMemory.unmap(address, (long) pages * Region.PAGE);
    return each;
  }
}
