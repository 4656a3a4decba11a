package org.juvm.bench.shot;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.juvm.Cpu;
import org.juvm.Statistics;
import org.juvm.Vm;

/**
 * Bytes of the Java heap that are allocated when pages come in and go: by the thread that faults,
 * for each page that it brings in; by the daemon, for each page that it evicts; by the threads that
 * write, for each page that they write. Random accesses, every other one a store, to a mapping of
 * which one eighth is in memory.
 */
final class ReclaimShot implements Shot {
  private static final int SHARE = 8;

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private final SplittableRandom random = new SplittableRandom(42);
  private final Map<String, Series> figures = new LinkedHashMap<>();

  @Override
  public Map<String, Double> measure(Scale scale) {
    int pages = (int) (scale.pick(8L << 20, 64L << 20, 128L << 20) / Region.PAGE);
    int accesses = scale.times(2000, 50_000, 100_000);
    int rounds = scale.times(2, 12, 24);
    try (Vm vm =
            Vm.builder()
                .memory((long) pages / SHARE * Region.PAGE)
                .swap(2L * pages * Region.PAGE)
                .boot();
        Cpu cpu = vm.newCpu()) {
      Region region = OvercommitShot.written(vm, cpu, pages);
      for (int i = 0; i < rounds; i++) {
        // The compiler removes allocations when it knows the code well: the first half is for that.
        if (i == rounds / 2) {
          figures.clear();
        }
        round(vm, region, accesses);
      }
    }
    Map<String, Double> medians = new LinkedHashMap<>();
    figures.forEach((name, values) -> medians.put(name, values.median()));
    return medians;
  }

  private void round(Vm vm, Region region, int accesses) {
    List<Thread> daemon = named("juvm-pagedaemon");
    List<Thread> writers = named("juvm-swap");
    Statistics start = vm.statistics();
    long bytesOfDaemon = allocated(daemon);
    long bytesOfWriters = allocated(writers);
    long bytes = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < accesses; i++) {
      int page = random.nextInt(region.pages);
      if (i % 2 == 0) {
        region.cpu.set(ValueLayout.JAVA_LONG, region.address(page), page);
      } else if (region.cpu.get(ValueLayout.JAVA_LONG, region.address(page)) != page) {
        throw new IllegalStateException("not what was stored: page=" + page);
      }
    }
    bytes = threads.getCurrentThreadAllocatedBytes() - bytes;
    bytesOfDaemon = allocated(daemon) - bytesOfDaemon;
    bytesOfWriters = allocated(writers) - bytesOfWriters;
    Statistics end = vm.statistics();
    add("in", bytes, end.swapIns() - start.swapIns());
    add("evict", bytesOfDaemon, end.evictions() - start.evictions());
    add("write", bytesOfWriters, end.swapOuts() - start.swapOuts());
  }

  private void add(String name, long bytes, long pages) {
    figures.computeIfAbsent(name, key -> new Series()).add((double) bytes / Math.max(1, pages));
  }

  /** The live threads of a name. */
  private static List<Thread> named(String name) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals(name))
        .toList();
  }

  private long allocated(List<Thread> of) {
    long bytes = 0;
    for (Thread thread : of) {
      // A thread that has ended is at -1; it had been idle, and had allocated nothing meanwhile.
      bytes += Math.max(0, threads.getThreadAllocatedBytes(thread.threadId()));
    }
    return bytes;
  }
}
