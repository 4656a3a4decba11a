package org.juvm.anon;

import java.util.Arrays;
import org.juvm.base.VmPanic;

/**
 * How many references each slot of an amap has, where not all slots have the same number: runs of
 * slots with equal counts. Neighbouring runs differ. Guarded by the amap's lock.
 *
 * <p>Source: the per-page references ({@code ppref}) of {@code uvm_amap.c}.
 */
final class PartialReferences {
  /** Receives a run of slots that nobody refers to any more. */
  @FunctionalInterface
  interface Unreferenced {
    void run(long start, long end);
  }

  /** First slot of each run; the run ends where the next one starts. */
  private long[] starts = new long[4];

  private int[] counts = new int[4];
  private int runs;

  /** The slot after the last. */
  private final long end;

  /** All slots have the same count. */
  PartialReferences(long slots, int count) {
    end = slots;
    runs = 1;
    counts[0] = count;
  }

  /** Adds delta to the counts of a range, and names the runs that are zero afterwards. */
  void adjust(long start, long stop, int delta, Unreferenced unreferenced) {
    int first = split(start);
    int last = split(stop);
    for (int i = first; i < last; i++) {
      counts[i] += delta;
      if (counts[i] < 0) {
        throw new VmPanic("amap slots have fewer than no references: start=" + starts[i]);
      }
      if (counts[i] == 0) {
        unreferenced.run(starts[i], i + 1 < runs ? starts[i + 1] : end);
      }
    }
    for (int i = Math.min(last, runs - 1); i >= first && i > 0; i--) {
      merge(i);
    }
  }

  /** The count of a slot. */
  int count(long slot) {
    return counts[runAt(slot)];
  }

  /** The largest count in a range. */
  int maximum(long start, long stop) {
    int most = 0;
    for (int i = runAt(start); i < runs && starts[i] < stop; i++) {
      most = Math.max(most, counts[i]);
    }
    return most;
  }

  private int runAt(long slot) {
    int found = Arrays.binarySearch(starts, 0, runs, slot);
    return found >= 0 ? found : -found - 2;
  }

  /** Makes a run start at a slot; returns its index, which is the number of runs for the end. */
  private int split(long slot) {
    if (slot == end) {
      return runs;
    }
    int run = runAt(slot);
    if (starts[run] == slot) {
      return run;
    }
    add(run + 1, slot, counts[run]);
    return run + 1;
  }

  private void add(int at, long start, int count) {
    if (runs == starts.length) {
      starts = Arrays.copyOf(starts, runs * 2);
      counts = Arrays.copyOf(counts, runs * 2);
    }
    System.arraycopy(starts, at, starts, at + 1, runs - at);
    System.arraycopy(counts, at, counts, at + 1, runs - at);
    starts[at] = start;
    counts[at] = count;
    runs++;
  }

  /** Joins a run to the one before it if they have the same count. */
  private void merge(int run) {
    if (run > 0 && counts[run] == counts[run - 1]) {
      System.arraycopy(starts, run + 1, starts, run, runs - run - 1);
      System.arraycopy(counts, run + 1, counts, run, runs - run - 1);
      runs--;
    }
  }
}
