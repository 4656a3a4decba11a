package org.juvm.bench.shot;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.juvm.Cpu;
import org.juvm.Vm;
import org.juvm.Vmspace;
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

  @Override
  public Map<String, Double> measure(Scale scale) {
    HostMemory.disableHugePages();
    int pages = (int) (scale.pick(32L << 20, 256L << 20, 1L << 30) / Region.PAGE);
    // Compiles and loads what there is to compile and load.
    touch(Math.min(pages, 1 << 16));
    double resident = touch(pages);
    swapOut(Math.min(pages, 1 << 14));
    return Map.of("bytes", resident, "swapped", swapOut(pages));
  }

  /** Memory for a sixteenth of the pages; the first half of them fills it and all that is small. */
  private static double swapOut(int pages) {
    try (Vm vm =
            Vm.builder()
                .memory((long) pages / 16 * Region.PAGE)
                .swap((long) pages * Region.PAGE)
                .boot();
        Cpu cpu = vm.newCpu()) {
      Vmspace space = vm.newVmspace();
      cpu.attach(space);
      int half = pages / 2;
      Region region = Region.map(space, cpu, pages);
      double _ = new Region(cpu, region.address, half).write();
      long before = resident();
      double _ = new Region(cpu, region.address(half), half).write();
      return (double) (resident() - before) / half;
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
