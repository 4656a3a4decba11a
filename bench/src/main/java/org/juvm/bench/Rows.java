package org.juvm.bench;

import static org.juvm.bench.Target.atMost;
import static org.juvm.bench.Target.overBaselineAtMost;
import static org.juvm.bench.Target.ratioAtLeast;
import static org.juvm.bench.Target.ratioAtMost;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import org.juvm.bench.micro.BulkBenchmark;
import org.juvm.bench.micro.HitBenchmark;
import org.juvm.bench.micro.MapBenchmark;
import org.juvm.bench.micro.ReachBenchmark;
import org.juvm.bench.micro.SmallForkBenchmark;
import org.juvm.bench.shot.Scale;
import org.juvm.bench.shot.Shot;

/** All rows, with their targets. */
final class Rows {
  private static final String NS = "ns";
  private static final String US = "us";

  /** In the order in which they are measured and shown. */
  static final List<Row> ALL =
      List.of(
          Row.of("T1", "hit, 8-byte read, hot pages", Rows::reads),
          Row.of("T2", "hit, 8-byte write, hot pages", Rows::writes),
          Row.of("T3", "random 8-byte read over 1 GiB resident", Rows::anywhere),
          Row.of("T4", "bulk copy, fill and window scan over 256 MiB", Rows::bulk),
          Row.of("T5", "refill of the translation cache, page resident", Rows::refill),
          Row.of("T6", "zero-fill fault", Rows::zeroFill),
          Row.of("T7", "copy-on-write fault", Rows::copyOnWrite),
          Row.of("T8", "fork of one resident mapping", Rows::fork),
          Row.of("T9", "first write after such a fork", Rows::firstWrite),
          Row.of("T10", "fork, one write and exit, 8 mappings", Rows::smallFork),
          Row.of("T11", "map and unmap one page", Rows::map),
          Row.of("T12", "protect one page, splitting a mapping", Rows::split),
          PagingRows.PAGE_IN,
          PagingRows.PAGE_OUT,
          PagingRows.OVERCOMMIT,
          Row.of("T16", "two threads faulting in one address space", Rows::scaling),
          MemoryRows.FOOTPRINT,
          MemoryRows.ALLOCATION,
          ReplayRow.REPLAY,
          PagingRows.LOAN,
          PagingRows.POLICIES,
          AllocatorRows.ONE_THREAD,
          AllocatorRows.TWO_THREADS,
          Row.of("W1", "WebAssembly programs, over the engine's own memory", Rows::workloads));

  /** Those that are measured unless others are named: guest programs need minutes to warm up. */
  static final List<Row> USUAL = ALL.stream().filter(row -> !row.name().equals("W1")).toList();

  private Rows() {}

  /**
   * The rows of these names, in the order of the table; the usual ones if there are none.
   *
   * @throws IllegalArgumentException if there is no row of a name
   */
  static List<Row> named(List<String> names) {
    if (names.isEmpty()) {
      return USUAL;
    }
    TreeSet<String> wanted = new TreeSet<>();
    names.forEach(name -> wanted.add(name.toUpperCase(Locale.ROOT)));
    List<Row> rows = new ArrayList<>();
    for (Row row : ALL) {
      if (wanted.remove(row.name())) {
        rows.add(row);
      }
    }
    if (!wanted.isEmpty()) {
      throw new IllegalArgumentException("no such row: " + wanted.first());
    }
    return rows;
  }

  /** A figure that a measurement must have. */
  static double value(Map<String, Double> figures, String name) {
    Double value = figures.get(name);
    if (value == null) {
      throw new IllegalStateException("not measured: " + name + " among " + figures.keySet());
    }
    return value;
  }

  // ---- hits and refills ----

  private static List<Figure> reads(Row row, Lab lab) {
    Map<String, Double> ns = lab.jmh(HitBenchmark.class, "(raw|juvm)Read.*", Map.of());
    return List.of(
        Figure.of(
            row,
            "sequential, against a segment",
            NS,
            value(ns, "rawReadSequential"),
            value(ns, "juvmReadSequential"),
            atMost(2.5, "<= 2.5 ns").and(ratioAtMost(2.5))),
        Figure.of(
            row,
            "random, against a segment",
            NS,
            value(ns, "rawReadRandom"),
            value(ns, "juvmReadRandom"),
            atMost(2.5, "<= 2.5 ns").and(ratioAtMost(2))),
        Figure.of(
            row,
            "chained: each value is the next address",
            NS,
            value(ns, "rawReadChained"),
            value(ns, "juvmReadChained"),
            Target.NONE));
  }

  private static List<Figure> writes(Row row, Lab lab) {
    Map<String, Double> ns = lab.jmh(HitBenchmark.class, "(raw|juvm)Write.*", Map.of());
    return List.of(
        Figure.of(
                row,
                "sequential, against a segment",
                NS,
                value(ns, "rawWriteSequential"),
                value(ns, "juvmWriteSequential"),
                atMost(2.5, "<= 2.5 ns"))
            .note("that no locked instruction is used can be seen in the compiled code only"),
        Figure.of(
            row,
            "random, against a segment",
            NS,
            value(ns, "rawWriteRandom"),
            value(ns, "juvmWriteRandom"),
            atMost(2.5, "<= 2.5 ns")));
  }

  private static Map<String, String> reachSize(Lab lab) {
    long bytes = lab.scale().pick(4L << 20, 1L << 30, 1L << 30);
    return Map.of("bytes", Long.toString(bytes));
  }

  private static List<Figure> anywhere(Row row, Lab lab) {
    Map<String, Double> ns =
        lab.jmh(ReachBenchmark.class, "(raw|juvm)ReadAnywhere", reachSize(lab));
    return List.of(
        Figure.of(
            row,
            "against a segment with large pages",
            NS,
            value(ns, "rawReadAnywhere"),
            value(ns, "juvmReadAnywhere"),
            ratioAtMost(1.5)));
  }

  private static List<Figure> refill(Row row, Lab lab) {
    // Little more than what is touched, so that the data stay in the machine's caches.
    Map<String, Double> ns =
        lab.jmh(ReachBenchmark.class, "(raw|juvm)Refill", Map.of("bytes", "16777216"));
    return List.of(
        Figure.of(
            row,
            "each access, against a segment",
            NS,
            value(ns, "rawRefill"),
            value(ns, "juvmRefill"),
            atMost(20, "<= 20 ns")));
  }

  // ---- bulk ----

  private static List<Figure> bulk(Row row, Lab lab) {
    long bytes = lab.scale().pick(1L << 20, 64L << 20, 256L << 20);
    List<Figure> figures = new ArrayList<>();
    Map<String, Double> fresh = lab.jmh(BulkBenchmark.class, ".*", bulkParameters(bytes, false));
    Map<String, Double> recycled =
        lab.jmh(BulkBenchmark.class, "juvm.*", bulkParameters(bytes, true));
    for (String what : List.of("CopyOut", "CopyIn", "Fill", "Scan")) {
      double baseline = bytes / value(fresh, "raw" + what);
      figures.add(bulk(row, describe(what), baseline, bytes / value(fresh, "juvm" + what)));
      figures.add(
          bulk(
              row,
              describe(what) + ", frames used before",
              baseline,
              bytes / value(recycled, "juvm" + what)));
    }
    return figures;
  }

  private static Map<String, String> bulkParameters(long bytes, boolean recycled) {
    return Map.of("bytes", Long.toString(bytes), "recycled", Boolean.toString(recycled));
  }

  private static Figure bulk(Row row, String what, double baseline, double juvm) {
    return Figure.of(row, what, "GB/s", baseline, juvm, ratioAtLeast(0.95));
  }

  private static String describe(String what) {
    return switch (what) {
      case "CopyOut" -> "copy out";
      case "CopyIn" -> "copy in";
      case "Fill" -> "fill";
      default -> "scan through windows";
    };
  }

  // ---- faults ----

  private static List<Figure> zeroFill(Row row, Lab lab) {
    Map<String, Double> ns = lab.shot(Shot.Kind.ZERO_FILL);
    double fault = value(ns, "fault");
    return List.of(
        Figure.of(
            row,
            "against zeroing the same frames",
            NS,
            value(ns, "zeroing"),
            fault,
            overBaselineAtMost(150, "<= +150 ns")),
        Figure.of(
            row,
            "against the kernel",
            NS,
            value(lab.shot(Shot.Kind.KERNEL), "fault"),
            fault,
            ratioAtMost(0.5)),
        Figure.of(
            row, "unmap of a resident page", NS, Double.NaN, value(ns, "unmap"), Target.NONE));
  }

  private static List<Figure> copyOnWrite(Row row, Lab lab) {
    Map<String, Double> ns = lab.shot(Shot.Kind.COPY_ON_WRITE);
    double copying = value(ns, "copying");
    double parent = value(ns, "parent");
    return List.of(
        Figure.of(
            row,
            "by the parent, against copying the same frames",
            NS,
            copying,
            parent,
            overBaselineAtMost(250, "<= +250 ns")),
        Figure.of(
            row,
            "by the child, against copying the same frames",
            NS,
            copying,
            value(ns, "child"),
            overBaselineAtMost(250, "<= +250 ns")),
        Figure.of(
                row,
                "by the parent, against the kernel",
                NS,
                lab.kernel("cow"),
                parent,
                ratioAtMost(1 / 3.0).named("<= 0.33x"))
            .note(lab.kernelNote()));
  }

  // ---- forks ----

  private static String size(double bytes) {
    return bytes >= 1L << 30
        ? String.format(Locale.ROOT, "%.0f GiB", bytes / (1L << 30))
        : String.format(Locale.ROOT, "%.0f MiB", bytes / (1L << 20));
  }

  private static List<Figure> fork(Row row, Lab lab) {
    Map<String, Double> ns = lab.shot(Shot.Kind.FORK);
    double middle = value(ns, "middle.fork") / 1000;
    String large = size(value(ns, "large.bytes"));
    boolean full = lab.scale() == Scale.FULL;
    return List.of(
        Figure.of(
                row,
                size(value(ns, "middle.bytes")) + ", all written before, against the kernel",
                US,
                lab.kernel("fork") / 1000,
                middle,
                atMost(20, "<= 20 us"))
            .note(full ? lab.kernelNote() : ""),
        Figure.of(
            row,
            "the same against 1 MiB, caches as cold",
            US,
            value(ns, "small.fork") / 1000,
            middle,
            ratioAtMost(2)),
        Figure.of(
            row,
            large + " against " + size(value(ns, "middle.bytes")),
            US,
            middle,
            value(ns, "large.fork") / 1000,
            ratioAtMost(2)),
        Figure.of(
            row,
            size(value(ns, "middle.bytes")) + ", one page written before",
            US,
            Double.NaN,
            value(ns, "one-write.fork") / 1000,
            Target.NONE),
        Figure.of(
            row,
            "exit of the child",
            US,
            Double.NaN,
            value(ns, "middle.exit") / 1000,
            Target.NONE));
  }

  private static List<Figure> firstWrite(Row row, Lab lab) {
    Map<String, Double> ns = lab.shot(Shot.Kind.FORK);
    List<Figure> figures = new ArrayList<>();
    for (String who : List.of("parent", "child")) {
      figures.add(
          Figure.of(
              row,
              "by the " + who + ", 99th percentile",
              US,
              Double.NaN,
              value(ns, "middle." + who + ".p99") / 1000,
              atMost(10, "<= 10 us")));
      figures.add(
          Figure.of(
              row,
              "by the " + who + ", median",
              US,
              Double.NaN,
              value(ns, "middle." + who) / 1000,
              Target.NONE));
    }
    figures.add(
        Figure.of(
            row,
            "by the parent, 99th percentile, one page written before",
            US,
            Double.NaN,
            value(ns, "one-write.parent.p99") / 1000,
            Target.NONE));
    figures.add(
        Figure.of(
            row,
            "later write, page not shared any more",
            US,
            Double.NaN,
            value(ns, "middle.direct") / 1000,
            Target.NONE));
    return figures;
  }

  private static List<Figure> smallFork(Row row, Lab lab) {
    Map<String, Double> ns = lab.jmh(SmallForkBenchmark.class, ".*", Map.of());
    return List.of(
        Figure.of(
                row,
                "the child writes, against a process",
                US,
                lab.kernel("small") / 1000,
                value(ns, "juvmChildWrites") / 1000,
                atMost(5, "<= 5 us"))
            .note(lab.kernelNote()),
        Figure.of(
            row,
            "child and parent write",
            US,
            Double.NaN,
            value(ns, "juvmBothWrite") / 1000,
            Target.NONE),
        Figure.of(
            row,
            "nobody writes",
            US,
            Double.NaN,
            value(ns, "juvmNobodyWrites") / 1000,
            Target.NONE));
  }

  // ---- maps ----

  private static List<Figure> map(Row row, Lab lab) {
    double kernel = value(lab.shot(Shot.Kind.KERNEL), "map");
    List<Figure> figures = new ArrayList<>();
    for (int entries : new int[] {10, (int) lab.scale().pick(100, 100_000, 100_000)}) {
      Map<String, Double> ns =
          lab.jmh(MapBenchmark.class, ".*", Map.of("entries", Integer.toString(entries)));
      double limit = entries == 10 ? 400 : 800;
      figures.add(
          Figure.of(
              row,
              entries + " mappings, against the kernel",
              NS,
              kernel,
              value(ns, "juvmMapUnmap"),
              atMost(limit, "<= %.0f ns".formatted(limit))));
    }
    return figures;
  }

  private static List<Figure> split(Row row, Lab lab) {
    Map<String, Double> ns = lab.shot(Shot.Kind.SPLIT);
    double kernel = value(lab.shot(Shot.Kind.KERNEL), "split");
    return List.of(
        Figure.of(
            row,
            "no other thread, against the kernel",
            NS,
            kernel,
            value(ns, "alone"),
            atMost(500, "<= 500 ns")),
        Figure.of(
            row,
            "other thread at work, against the kernel",
            NS,
            kernel,
            value(ns, "beside"),
            atMost(25_000, "<= 25000 ns")));
  }

  private static List<Figure> scaling(Row row, Lab lab) {
    Map<String, Double> ns = lab.shot(Shot.Kind.SCALING);
    return List.of(
        Figure.of(
            row,
            "separate mappings, against one thread",
            "faults/us",
            1000 / value(ns, "one"),
            1000 / value(ns, "two"),
            ratioAtLeast(1.8)),
        Figure.of(
                row,
                "separate mappings, against two systems",
                "faults/us",
                1000 / value(ns, "apart"),
                1000 / value(ns, "two"),
                ratioAtLeast(0.95))
            .note("what has nothing in common shows what the machine allows"));
  }

  // ---- programs ----

  private static List<Figure> workloads(Row row, Lab lab) {
    Map<String, Double> heap = lab.shot(Shot.Kind.WORKLOAD_HEAP);
    Map<String, Double> vm = lab.shot(Shot.Kind.WORKLOAD_VM);
    List<Figure> figures = new ArrayList<>();
    heap.forEach(
        (name, time) ->
            figures.add(
                Figure.of(row, name, "ms", time / 1e6, value(vm, name) / 1e6, ratioAtMost(1.35))));
    return figures;
  }
}
