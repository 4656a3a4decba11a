package org.juvm.bench.shot;

import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Accesses to pages whose popularity follows Zipf's law with exponent 1, the popular ones scattered
 * over all; one in ten is a write. Decided in advance, so that it costs no time when it counts.
 */
final class ZipfAccesses {
  private static final int ONE_WRITE_IN = 10;

  /** Pages; the complement of one is a write. */
  private final int[] accesses;

  ZipfAccesses(int pages, int count) {
    SplittableRandom random = new SplittableRandom(42);
    double[] cumulated = new double[pages];
    double sum = 0;
    for (int i = 0; i < pages; i++) {
      sum += 1.0 / (i + 1);
      cumulated[i] = sum;
    }
    int[] byRank = IntStream.range(0, pages).toArray();
    for (int i = pages - 1; i > 0; i--) {
      int other = random.nextInt(i + 1);
      int page = byRank[i];
      byRank[i] = byRank[other];
      byRank[other] = page;
    }
    accesses = new int[count];
    for (int i = 0; i < count; i++) {
      int found = Arrays.binarySearch(cumulated, random.nextDouble(sum));
      int page = byRank[Math.min(pages - 1, found < 0 ? -found - 1 : found)];
      accesses[i] = random.nextInt(ONE_WRITE_IN) == 0 ? ~page : page;
    }
  }

  int count() {
    return accesses.length;
  }

  /** The pages, in order. */
  LongStream pages() {
    return Arrays.stream(accesses).mapToLong(ZipfAccesses::page);
  }

  private static int page(int access) {
    return access < 0 ? ~access : access;
  }

  /** Does all of them. Returns nanoseconds for each. */
  double run(Region region) {
    long start = System.nanoTime();
    for (int access : accesses) {
      run(region, access);
    }
    return (double) (System.nanoTime() - start) / accesses.length;
  }

  /** The same, but notes the time of each, in nanoseconds. */
  void run(Region region, Series times) {
    long last = System.nanoTime();
    for (int access : accesses) {
      run(region, access);
      long now = System.nanoTime();
      times.add((double) (now - last));
      last = System.nanoTime();
    }
  }

  private static void run(Region region, int access) {
    int page = page(access);
    if (access < 0) {
      region.cpu.set(ValueLayout.JAVA_LONG, region.address(page), page);
    } else if (region.cpu.get(ValueLayout.JAVA_LONG, region.address(page)) != page) {
      throw new IllegalStateException("not what was stored: page=" + page);
    }
  }
}
