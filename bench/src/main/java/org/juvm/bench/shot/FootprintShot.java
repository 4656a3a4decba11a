package org.juvm.bench.shot;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.juvm.Cpu;
import org.juvm.Vm;
import org.juvm.Vmspace;

/**
 * What the process takes from the host for each resident page beside the page itself: the growth of
 * its resident set while a mapping is touched, without the frames. The frames are told apart by the
 * large pages that are asked for them and for nothing else.
 */
final class FootprintShot implements Shot {
  @Override
  public Map<String, Double> measure(Scale scale) {
    int pages = (int) (scale.pick(32L << 20, 256L << 20, 1L << 30) / Region.PAGE);
    // Compiles and loads what there is to compile and load.
    touch(Math.min(pages, 1 << 16));
    return Map.of("bytes", touch(pages));
  }

  private static double touch(int pages) {
    try (Vm vm = Vm.builder().memory((pages + 4096L) * Region.PAGE).boot();
        Cpu cpu = vm.newCpu()) {
      Vmspace space = vm.newVmspace();
      cpu.attach(space);
      Region region = Region.map(space, cpu, pages);
      long before = resident();
      region.write();
      return (double) (resident() - before) / pages;
    }
  }

  /** Bytes of the process in memory, but for ranges with large pages. */
  private static long resident() {
    List<String> lines;
    try {
      lines = Files.readAllLines(Path.of("/proc/self/smaps"));
    } catch (IOException e) {
      throw new UncheckedIOException("needs Linux", e);
    }
    long sum = 0;
    long range = 0;
    for (String line : lines) {
      if (line.startsWith("Rss:")) {
        range = Long.parseLong(line.replaceAll("\\D", "")) << 10;
      } else if (line.startsWith("VmFlags:") && !line.contains(" hg")) {
        sum += range;
      }
    }
    return sum;
  }
}
