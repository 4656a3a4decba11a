package org.juvm.bench.shot;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.juvm.Cpu;
import org.juvm.Statistics;
import org.juvm.Vm;
import org.juvm.Vmspace;

/**
 * A working set four times as large as memory, accessed by Zipf's law with one write in ten; and
 * the very same accesses where all of it fits.
 *
 * <p>{@code before} and {@code after} are nanoseconds for each access, before memory is full and
 * afterwards. {@code device} is what a plain read of a random page takes as a rule, the median,
 * from a file of the size of the working set in the same directory, and {@code ins} the pages that
 * came in for each access. So {@code after - ins * device} is the time apart from the I/O. Writes
 * to the device are not subtracted: other threads do them. Where they keep a processor from the
 * program, that shows.
 *
 * <p>Stalls are the times of single accesses in further rounds, beside those of as many single
 * plain reads.
 */
final class OvercommitShot implements Shot {
  /** How many times larger the working set is than memory. */
  static final int TIMES = 4;

  private static final int READS_IN_ROUND = 16;

  @Override
  public Map<String, Double> measure(Scale scale) {
    int pages = (int) (scale.pick(8L << 20, 128L << 20, 256L << 20) / Region.PAGE);
    int rounds = scale.times(1, 3, 7);
    ZipfAccesses accesses = new ZipfAccesses(pages, scale.times(20_000, 1_000_000, 2_000_000));
    Series before = new Series();
    Series after = new Series();
    Series apart = new Series();
    Series device = new Series();
    Series ins = new Series();
    Series stalls = new Series();
    Series reads = new Series();
    try (Vm ample = Vm.builder().memory((pages + 1024L) * Region.PAGE).boot();
        Vm tight =
            Vm.builder()
                .memory((long) pages / TIMES * Region.PAGE)
                .swap(2L * pages * Region.PAGE)
                .boot();
        Cpu ampleCpu = ample.newCpu();
        Cpu tightCpu = tight.newCpu();
        PlainFile file = new PlainFile()) {
      Region resident = written(ample, ampleCpu, pages);
      Region paged = written(tight, tightCpu, pages);
      double _ = file.write(pages);
      for (int i = -2; i < rounds; i++) {
        double fits = accesses.run(resident);
        Statistics start = tight.statistics();
        double pagedOut = accesses.run(paged);
        Statistics end = tight.statistics();
        double in = (double) (end.swapIns() - start.swapIns()) / accesses.count();
        double read = read(file, accesses.count() / 10);
        if (i >= 0) {
          before.add(fits);
          after.add(pagedOut);
          device.add(read);
          ins.add(in);
          apart.add(pagedOut - in * read);
        }
      }
      for (int i = 0; i < Math.max(1, rounds / 3); i++) {
        accesses.run(paged, stalls);
        read(file, accesses.count(), reads);
      }
    }
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put("before", before.median());
    figures.put("after", after.median());
    figures.put("apart", apart.median());
    figures.put("device", device.median());
    figures.put("ins", ins.median());
    for (double share : new double[] {0.5, 0.999, 0.9999}) {
      figures.put("stall." + share, stalls.percentile(share));
      figures.put("read." + share, reads.percentile(share));
    }
    figures.put("stall.longest", stalls.percentile(1));
    figures.put("read.longest", reads.percentile(1));
    return figures;
  }

  /** A mapping each of whose pages holds its number. */
  static Region written(Vm vm, Cpu cpu, int pages) {
    Vmspace space = vm.newVmspace();
    cpu.attach(space);
    Region region = Region.map(space, cpu, pages);
    double _ = region.write();
    return region;
  }

  /**
   * Plain reads of random pages; returns nanoseconds for each: the median of short rounds, so that
   * what the host's scheduler does to some of them is not taken for the device's and subtracted.
   */
  private static double read(PlainFile file, int count) {
    SplittableRandom random = new SplittableRandom(42);
    ByteBuffer into = ByteBuffer.allocateDirect(Region.PAGE);
    Series times = new Series();
    for (int i = 0; i < count; i += READS_IN_ROUND) {
      long start = System.nanoTime();
      for (int j = 0; j < READS_IN_ROUND; j++) {
        long _ = file.read(random.nextInt(file.pages()), into);
      }
      times.add((double) (System.nanoTime() - start) / READS_IN_ROUND);
    }
    return times.median();
  }

  private static void read(PlainFile file, int count, Series times) {
    SplittableRandom random = new SplittableRandom(42);
    ByteBuffer into = ByteBuffer.allocateDirect(Region.PAGE);
    long last = System.nanoTime();
    for (int i = 0; i < count; i++) {
      long _ = file.read(random.nextInt(file.pages()), into);
      long now = System.nanoTime();
      times.add((double) (now - last));
      last = System.nanoTime();
    }
  }
}
