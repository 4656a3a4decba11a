package org.juvm.bench.shot;

import java.util.LinkedHashMap;
import java.util.Map;
import org.juvm.Cpu;
import org.juvm.Vm;
import org.juvm.Vmspace;

/**
 * Writes to each page of a mapping in sequence, of which one sixteenth fits into memory; the same
 * where all of it does; and plain writes of 256 KiB of as many pages to a file. Both files are in
 * turn fresh, where the host must find room for every block, and written before.
 *
 * <p>Rates count the pages that were written out until the last store was done; what is in memory
 * then is not among them. The time has the zero filling of all pages in it, which is given, too.
 */
final class PageOutShot implements Shot {
  private static final int SHARE = 16;

  private final Map<String, Series> figures = new LinkedHashMap<>();

  @Override
  public Map<String, Double> measure(Scale scale) {
    int pages = (int) (scale.pick(8L << 20, 128L << 20, 512L << 20) / Region.PAGE);
    int rounds = scale.times(1, 3, 5);
    try (Vm ample = Vm.builder().memory((pages + 1024L) * Region.PAGE).boot()) {
      for (int i = -2; i < rounds; i++) {
        if (i == 0) {
          figures.clear();
        }
        series("zero").add(write(ample, "", pages));
        try (PlainFile file = new PlainFile()) {
          series("plain.fresh").add(perSecond(file.write(pages)));
          series("plain.again").add(perSecond(file.write(pages)));
        }
        try (Vm vm =
            Vm.builder()
                .memory((long) pages / SHARE * Region.PAGE)
                .swap((long) pages * Region.PAGE)
                .boot()) {
          double _ = write(vm, "fresh", pages);
          double _ = write(vm, "again", pages);
        }
      }
    }
    Map<String, Double> medians = new LinkedHashMap<>();
    figures.forEach((name, values) -> medians.put(name, values.median()));
    return medians;
  }

  /** Bytes for each second, from nanoseconds for each page. */
  private static double perSecond(double nanoseconds) {
    return Region.PAGE * 1e9 / nanoseconds;
  }

  /** Writes a mapping once. Returns nanoseconds for each page. */
  private double write(Vm vm, String name, int pages) {
    try (Cpu cpu = vm.newCpu()) {
      Vmspace space = vm.newVmspace();
      cpu.attach(space);
      Region region = Region.map(space, cpu, pages);
      long before = vm.statistics().swapOuts();
      double time = region.write();
      long written = vm.statistics().swapOuts() - before;
      if (written != 0) {
        double filling = series("zero").median();
        series("paging." + name).add(perSecond(time * pages / written));
        series("net." + name).add(perSecond((time - filling) * pages / written));
      }
      cpu.detach();
      space.close();
      return time;
    }
  }

  private Series series(String name) {
    return figures.computeIfAbsent(name, key -> new Series());
  }
}
