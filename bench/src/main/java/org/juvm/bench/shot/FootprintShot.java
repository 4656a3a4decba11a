package org.juvm.bench.shot;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.juvm.Cpu;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Protection;
import org.juvm.bench.host.HostMemory;

/**
 * What the process takes from the host for each resident page beside the page itself: the growth of
 * its resident set from before the system is booted until all its memory is in use, less the pages.
 * And for each page in swap: the growth while memory stays full and further pages go there. In a
 * process without large host pages, because those that are used in part would count in full.
 */
final class FootprintShot implements Shot {
  /** Frames that are not touched: what the system keeps for itself. */
  private static final int SLACK = 64;

  private static final int SMALL_PAGE = 1024;

  @Override
  public Map<String, Double> measure(Scale scale) {
    HostMemory.disableHugePages();
    int pages = (int) (scale.pick(32L << 20, 256L << 20, 1L << 30) / Region.PAGE);
    // Compiles and loads what there is to compile and load.
    touch(Math.min(pages, 1 << 16));
    double resident = touch(pages);
    int swapped = scale.times(1 << 13, 1 << 18, 1 << 20);
    // Twice, until the process does not grow by itself any more.
    swapOut(Math.min(swapped, 1 << 17));
    swapOut(Math.min(swapped, 1 << 17));
    return Map.of("bytes", resident, "swapped", swapOut(swapped));
  }

  /**
   * Memory for a sixteenth of the pages; the first quarter of them fills it and all that is small.
   * What a page takes does not depend on its size, so they are the smallest that there are.
   */
  private static double swapOut(int pages) {
    try (Vm vm =
            Vm.builder()
                .pageSize(SMALL_PAGE)
                .memory((long) pages / 16 * SMALL_PAGE)
                .swap((long) pages * SMALL_PAGE)
                .boot();
        Cpu cpu = vm.newCpu()) {
      Vmspace space = vm.newVmspace();
      cpu.attach(space);
      long bytes = (long) pages * SMALL_PAGE;
      long address = space.map(bytes, Protection.READ_WRITE);
      write(cpu, address, address + bytes / 4);
      touchHeap();
      long before = resident();
      write(cpu, address + bytes / 4, address + bytes);
      return (resident() - before) / (0.75 * pages);
    }
  }

  /**
   * Uses the part of the heap that new objects are made in: the few that threads make count not.
   */
  private static void touchHeap() {
    long[] chunk = new long[1 << 13];
    for (long before = collections(); collections() == before; ) {
      chunk = chunk.clone();
    }
  }

  private static long collections() {
    long count = 0;
    for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
      count += collector.getCollectionCount();
    }
    return count;
  }

  private static void write(Cpu cpu, long start, long end) {
    for (long at = start; at < end; at += SMALL_PAGE) {
      cpu.set(ValueLayout.JAVA_LONG, at, at);
    }
  }

  private static double touch(int pages) {
    long before = resident();
    try (Vm vm = Vm.builder().memory((pages + (long) SLACK) * Region.PAGE).boot();
        Cpu cpu = vm.newCpu()) {
      Vmspace space = vm.newVmspace();
      cpu.attach(space);
      Region.map(space, cpu, pages).write();
      return (double) (resident() - before) / pages - Region.PAGE;
    }
  }

  /** Bytes of the process that are in memory. */
  private static long resident() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/smaps_rollup"))) {
        if (line.startsWith("Rss:")) {
          return Long.parseLong(line.replaceAll("\\D", "")) << 10;
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("needs Linux", e);
    }
    throw new IllegalStateException("/proc/self/smaps_rollup has no resident set");
  }
}
