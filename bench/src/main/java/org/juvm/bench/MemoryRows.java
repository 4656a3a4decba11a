package org.juvm.bench;

import static org.juvm.bench.Rows.value;
import static org.juvm.bench.Target.atMost;
import static org.juvm.bench.Target.zero;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.juvm.bench.shot.Shot;

/** The rows of memory that is taken beside the pages. */
final class MemoryRows {
  static final Row FOOTPRINT = Row.of("T17", "metadata for each page", MemoryRows::footprint);
  static final Row ALLOCATION =
      Row.of("T18", "Java heap allocated by an operation", MemoryRows::allocation);

  private static final String BYTES = "bytes";

  private MemoryRows() {}

  private static List<Figure> footprint(Row row, Lab lab) {
    Map<String, Double> bytes = lab.shot(Shot.Kind.FOOTPRINT);
    return List.of(
        Figure.of(
            row,
            "resident: growth of the process beside the frames",
            BYTES,
            Double.NaN,
            value(bytes, "bytes"),
            atMost(48, "<= 48")),
        Figure.of(
            row,
            "in swap: growth of the process",
            BYTES,
            Double.NaN,
            value(bytes, "swapped"),
            atMost(16, "<= 16")));
  }

  private static List<Figure> allocation(Row row, Lab lab) {
    Map<String, Double> bytes = lab.shot(Shot.Kind.ALLOCATION);
    Map<String, Double> reclaim = lab.shot(Shot.Kind.RECLAIM);
    List<Figure> figures = new ArrayList<>();
    figures.add(none(row, "hit", bytes, "hit"));
    figures.add(none(row, "refill", bytes, "refill"));
    figures.add(none(row, "zero-fill fault", bytes, "zero"));
    figures.add(none(row, "copy-on-write fault", bytes, "copy"));
    figures.add(none(row, "unmap, each page", bytes, "unmap"));
    figures.add(none(row, "page-in, by the thread that faults", reclaim, "in"));
    figures.add(none(row, "eviction, by the page daemon", reclaim, "evict"));
    figures.add(none(row, "page-out, by the threads that write", reclaim, "write"));
    return figures;
  }

  private static Figure none(Row row, String what, Map<String, Double> bytes, String name) {
    return Figure.of(row, what, BYTES, Double.NaN, value(bytes, name), zero(0.1));
  }
}
