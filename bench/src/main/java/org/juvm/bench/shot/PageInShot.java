package org.juvm.bench.shot;

import com.sun.management.OperatingSystemMXBean;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.juvm.Cpu;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Protection;

/**
 * Random reads of eight bytes in a mapping of which one sixteenth is in memory and all is in swap,
 * and plain reads of a page from a file as large, with the same numbers of threads and the same
 * random pages. The host has both files in its cache.
 *
 * <p>What counts are the pages that came in; accesses that hit are in the time and not in the
 * number. Nothing is written meanwhile: pages are clean, and leave without a transfer. A plain read
 * goes to the same buffer each time, which stays in the processor's cache, as that of a program
 * would that needs a page once; and, since memory cannot do that, also to buffers that are as much
 * memory as the system has.
 */
final class PageInShot implements Shot {
  /** The part of the mapping that fits into memory, as a divisor. */
  private static final int SHARE = 16;

  private static final int MANY = 16;

  private final OperatingSystemMXBean host =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private final Map<String, Series> figures = new LinkedHashMap<>();

  @Override
  public Map<String, Double> measure(Scale scale) {
    int pages = (int) (scale.pick(8L << 20, 128L << 20, 512L << 20) / Region.PAGE);
    int reads = scale.times(3200, 160_000, 320_000);
    int rounds = scale.times(1, 5, 9);
    try (Vm vm =
            Vm.builder()
                .memory((long) pages / SHARE * Region.PAGE)
                .swap(2L * pages * Region.PAGE)
                .boot();
        PlainFile file = new PlainFile()) {
      Vmspace space = vm.newVmspace();
      long address = space.map((long) pages * Region.PAGE, Protection.READ_WRITE);
      try (Cpu cpu = vm.newCpu()) {
        cpu.attach(space);
        new Region(cpu, address, pages).write();
      }
      double _ = file.write(pages);
      // The first rounds write the last changed pages out and warm the compiler up.
      for (int i = -3; i < rounds; i++) {
        if (i == 0) {
          figures.clear();
        }
        for (int threads : new int[] {1, MANY}) {
          pageIn(space, address, pages, threads, reads / threads, i);
          plain("plain", file, 1, threads, reads / threads, i);
          plain("spread", file, pages / SHARE / threads, threads, reads / threads, i);
        }
      }
    }
    Map<String, Double> medians = new LinkedHashMap<>();
    figures.forEach((name, values) -> medians.put(name, values.median()));
    return medians;
  }

  private static SplittableRandom random(int round, int member) {
    return new SplittableRandom(31L * round + member);
  }

  private void pageIn(Vmspace space, long address, int pages, int threads, int reads, int round) {
    long before = space.vm().statistics().swapIns();
    long used = host.getProcessCpuTime();
    long time =
        Team.run(
            threads,
            (member, start) -> {
              SplittableRandom random = random(round, member);
              try (Cpu cpu = space.vm().newCpu()) {
                cpu.attach(space);
                start.run();
                for (int i = 0; i < reads; i++) {
                  int page = random.nextInt(pages);
                  long at = address + (long) page * Region.PAGE;
                  if (cpu.get(ValueLayout.JAVA_LONG, at) != page) {
                    throw new IllegalStateException("not what was stored: page=" + page);
                  }
                }
              }
            });
    long cpuTime = host.getProcessCpuTime() - used;
    add("paging", threads, time, cpuTime, space.vm().statistics().swapIns() - before);
  }

  private void plain(String name, PlainFile file, int buffers, int threads, int reads, int round) {
    long used = host.getProcessCpuTime();
    long time =
        Team.run(
            threads,
            (member, start) -> {
              SplittableRandom random = random(round, member);
              ByteBuffer[] into = new ByteBuffer[buffers];
              ByteBuffer all = ByteBuffer.allocateDirect(buffers * Region.PAGE);
              for (int i = 0; i < buffers; i++) {
                into[i] = all.slice(i * Region.PAGE, Region.PAGE);
              }
              long sum = 0;
              start.run();
              for (int i = 0; i < reads; i++) {
                sum += file.read(random.nextInt(file.pages()), into[i % buffers]);
              }
              if (sum != 0) {
                throw new IllegalStateException("the file holds other bytes than were written");
              }
            });
    add(name, threads, time, host.getProcessCpuTime() - used, (long) reads * threads);
  }

  /** Pages for each second, and nanoseconds of all processors for each page. */
  private void add(String name, int threads, long time, long cpuTime, long pages) {
    series(name + "." + threads).add(pages * 1e9 / time);
    series(name + ".cpu." + threads).add((double) cpuTime / pages);
  }

  private Series series(String name) {
    return figures.computeIfAbsent(name, key -> new Series());
  }
}
