package org.juvm.bench.shot;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import org.juvm.Cpu;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Protection;

/** Zero-fill faults by one thread, and by two at once in separate mappings of one address space. */
final class ScalingShot implements Shot {
  @Override
  public Map<String, Double> measure(Scale scale) {
    int pages = (int) (scale.pick(4L << 20, 128L << 20, 256L << 20) / Region.PAGE);
    int rounds = scale.times(2, 5, 11);
    Series one = new Series();
    Series two = new Series();
    try (Vm vm = Vm.builder().memory((2L * pages + 4096) * Region.PAGE).boot()) {
      Vmspace space = vm.newVmspace();
      for (int i = -3; i < rounds; i++) {
        double alone = together(vm, space, pages, 1);
        double both = together(vm, space, pages, 2);
        if (i >= 0) {
          one.add(alone);
          two.add(both);
        }
      }
    }
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put("one", one.median());
    figures.put("two", two.median());
    return figures;
  }

  /** Returns nanoseconds for each page of all threads together. */
  private static double together(Vm vm, Vmspace space, int pages, int threads) {
    CyclicBarrier barrier = new CyclicBarrier(threads + 1);
    long[] addresses = new long[threads];
    for (int i = 0; i < threads; i++) {
      // With room between them, so that they do not become one mapping.
      addresses[i] = (i + 1) * (1L << 32);
      space.map(addresses[i], (long) pages * Region.PAGE, Protection.READ_WRITE);
      long address = addresses[i];
      Thread.ofPlatform().start(() -> fault(vm, space, address, pages, barrier));
    }
    await(barrier);
    long start = System.nanoTime();
    await(barrier);
    double each = (double) (System.nanoTime() - start) / pages / threads;
    for (long address : addresses) {
      space.unmap(address, (long) pages * Region.PAGE);
    }
    return each;
  }

  private static void fault(Vm vm, Vmspace space, long address, int pages, CyclicBarrier barrier) {
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(space);
      Region region = new Region(cpu, address, pages);
      await(barrier);
      region.write();
      await(barrier);
    }
  }

  private static void await(CyclicBarrier barrier) {
    try {
      barrier.await();
    } catch (InterruptedException | BrokenBarrierException e) {
      throw new IllegalStateException(e);
    }
  }
}
