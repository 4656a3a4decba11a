package org.juvm.bench.shot;

import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.juvm.Cpu;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Protection;

/**
 * Taking the right to write from every second page of a resident mapping, which splits it each
 * time: alone, and while another thread works in the same address space.
 */
final class SplitShot implements Shot {
  private static final long MEMORY = 1L << 30;

  private volatile boolean stop;

  @Override
  public Map<String, Double> measure(Scale scale) {
    int pages = scale.times(200, 8000, 40_000);
    int rounds = scale.times(2, 5, 9);
    Map<String, Double> figures = new LinkedHashMap<>();
    // More than the pages need: each of so many mappings takes bookkeeping memory, too.
    try (Vm vm = Vm.builder().memory(MEMORY).boot();
        Cpu cpu = vm.newCpu()) {
      Vmspace space = vm.newVmspace();
      cpu.attach(space);
      figures.put("alone", rounds(space, cpu, pages, rounds));
      long hot = space.map(Region.PAGE, Protection.READ_WRITE);
      CountDownLatch running = new CountDownLatch(1);
      Thread other = Thread.ofPlatform().name("other").start(() -> work(vm, space, hot, running));
      running.await();
      figures.put("beside", rounds(space, cpu, pages / 4, rounds));
      stop = true;
      other.join();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    return figures;
  }

  private void work(Vm vm, Vmspace space, long hot, CountDownLatch running) {
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(space);
      cpu.set(ValueLayout.JAVA_LONG, hot, 0);
      running.countDown();
      while (!stop) {
        long value = cpu.get(ValueLayout.JAVA_LONG, hot);
        cpu.set(ValueLayout.JAVA_LONG, hot, value + 1);
      }
    }
  }

  private static double rounds(Vmspace space, Cpu cpu, int pages, int rounds) {
    Series splits = new Series();
    for (int i = -2; i < rounds; i++) {
      Region region = Region.map(space, cpu, pages);
      region.write();
      long start = System.nanoTime();
      for (int page = 1; page < pages; page += 2) {
        space.protect(region.address(page), Region.PAGE, Protection.READ);
      }
      double split = (System.nanoTime() - start) / (pages / 2.0);
      space.unmap(region.address, (long) pages * Region.PAGE);
      if (i >= 0) {
        splits.add(split);
      }
    }
    return splits.median();
  }
}
