package org.juvm.bench.shot;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import org.juvm.Cpu;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Protection;

/**
 * Zero-fill faults by one thread, by two at once in separate mappings of one address space, and by
 * two in systems that have nothing in common: what the machine allows.
 */
final class ScalingShot implements Shot {
  @Override
  public Map<String, Double> measure(Scale scale) {
    int pages = (int) (scale.pick(4L << 20, 128L << 20, 256L << 20) / Region.PAGE);
    int rounds = scale.times(2, 5, 11);
    Series one = new Series();
    Series two = new Series();
    Series apart = new Series();
    long memory = (2L * pages + 4096) * Region.PAGE;
    try (Vm vm = Vm.builder().memory(memory).boot();
        Vm other = Vm.builder().memory(memory).boot()) {
      Vmspace space = vm.newVmspace();
      Vmspace elsewhere = other.newVmspace();
      for (int i = -3; i < rounds; i++) {
        double alone = together(pages, space);
        double both = together(pages, space, space);
        double separately = together(pages, space, elsewhere);
        if (i >= 0) {
          one.add(alone);
          two.add(both);
          apart.add(separately);
        }
      }
    }
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put("one", one.median());
    figures.put("two", two.median());
    figures.put("apart", apart.median());
    return figures;
  }

  /** A thread for each space; returns nanoseconds for each page of all threads together. */
  private static double together(int pages, Vmspace... spaces) {
    int threads = spaces.length;
    AtomicInteger ready = new AtomicInteger();
    CyclicBarrier done = new CyclicBarrier(threads + 1);
    long[] times = new long[2 * threads];
    for (int i = 0; i < threads; i++) {
      Vmspace space = spaces[i];
      // With room between them, so that they do not become one mapping.
      long address = (i + 1) * (1L << 32);
      space.map(address, (long) pages * Region.PAGE, Protection.READ_WRITE);
      int thread = i;
      Thread.ofPlatform()
          .start(
              () -> {
                try (Cpu cpu = space.vm().newCpu()) {
                  cpu.attach(space);
                  Region region = new Region(cpu, address, pages);
                  ready.incrementAndGet();
                  while (ready.get() < threads) {
                    Thread.onSpinWait();
                  }
                  times[2 * thread] = System.nanoTime();
                  region.write();
                  times[2 * thread + 1] = System.nanoTime();
                }
                await(done);
              });
    }
    await(done);
    long start = times[0];
    long end = times[1];
    for (int i = 0; i < threads; i++) {
      start = Math.min(start, times[2 * i]);
      end = Math.max(end, times[2 * i + 1]);
      spaces[i].unmap((i + 1) * (1L << 32), (long) pages * Region.PAGE);
    }
    return (double) (end - start) / pages / threads;
  }

  private static void await(CyclicBarrier barrier) {
    try {
      barrier.await();
    } catch (InterruptedException | BrokenBarrierException e) {
      throw new IllegalStateException(e);
    }
  }
}
