package org.juvm.bench.shot;

import java.util.Arrays;

/** Measured values. */
public final class Series {
  private double[] values = new double[16];
  private int size;

  /** Empty. */
  public Series() {}

  /** Adds a value. */
  public void add(double value) {
    if (size == values.length) {
      values = Arrays.copyOf(values, size * 2);
    }
    values[size++] = value;
  }

  /** Adds the time since a moment, in nanoseconds. */
  public void addSince(long start) {
    add((double) (System.nanoTime() - start));
  }

  /** The middle value; the mean of the two in the middle if there are two. */
  public double median() {
    double[] sorted = sorted();
    int middle = size / 2;
    return size % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /** The smallest value that at least this share of the values does not exceed. */
  public double percentile(double share) {
    int rank = (int) Math.ceil(share * size);
    return sorted()[Math.max(0, rank - 1)];
  }

  private double[] sorted() {
    if (size == 0) {
      throw new IllegalStateException("nothing was measured");
    }
    double[] sorted = Arrays.copyOf(values, size);
    Arrays.sort(sorted);
    return sorted;
  }
}
