package org.juvm.bench;

import static org.juvm.bench.Rows.value;
import static org.juvm.bench.Target.ratioAtMost;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.juvm.bench.micro.AllocatorBenchmark;
import org.juvm.bench.micro.Micro;
import org.juvm.bench.micro.OneThreadAllocatorBenchmark;
import org.juvm.bench.micro.TwoThreadsAllocatorBenchmark;
import org.juvm.bench.shot.Scale;

/** The rows of kernel memory, against other allocators: the quickest of them is the baseline. */
final class AllocatorRows {
  static final Row ONE_THREAD =
      Row.of("A1", "kernel memory, allocate and free, one thread", AllocatorRows::oneThread);
  static final Row TWO_THREADS =
      Row.of("A2", "kernel memory, allocate and free, two threads", AllocatorRows::twoThreads);

  /** By the names that the benchmark has for them. */
  private static final Map<String, String> OTHERS = new LinkedHashMap<>();

  static {
    OTHERS.put("arena", "confined arena");
    OTHERS.put("malloc", "malloc");
    OTHERS.put("critical", "malloc, critical");
    OTHERS.put("pooled", "Netty, pooled");
    OTHERS.put("adaptive", "Netty, adaptive");
  }

  private AllocatorRows() {}

  private static List<Figure> oneThread(Row row, Lab lab) {
    return figures(
        row,
        lab,
        OneThreadAllocatorBenchmark.class,
        Map.of("Pair", "one piece", "Batch", "64 pieces, another order"));
  }

  private static List<Figure> twoThreads(Row row, Lab lab) {
    return figures(
        row,
        lab,
        TwoThreadsAllocatorBenchmark.class,
        Map.of(
            "Pair", "one piece",
            "Batch", "64 pieces, another order",
            "HandOver", "the other thread frees it"));
  }

  private static List<Figure> figures(
      Row row,
      Lab lab,
      Class<? extends AllocatorBenchmark> benchmarks,
      Map<String, String> patterns) {
    List<Figure> figures = new ArrayList<>();
    List<Integer> sizes = lab.scale() == Scale.TINY ? List.of(64) : List.of(64, 1024, 16_384);
    for (int bytes : sizes) {
      Map<String, Double> measured =
          lab.jmh(benchmarks, ".*", Map.of("bytes", Integer.toString(bytes)));
      for (String pattern : List.of("Pair", "Batch", "HandOver")) {
        if (patterns.containsKey(pattern)) {
          String what = "%d bytes, %s".formatted(bytes, patterns.get(pattern));
          figures.add(time(row, what, measured, pattern));
          figures.add(heap(row, what, measured, pattern));
        }
      }
    }
    return figures;
  }

  private static Figure time(Row row, String what, Map<String, Double> measured, String pattern) {
    Map<String, Double> others = new LinkedHashMap<>();
    OTHERS.forEach(
        (name, title) -> {
          Double ns = measured.get(name + pattern);
          if (ns != null) {
            others.put(title, ns);
          }
        });
    String all =
        others.entrySet().stream()
            .map(each -> String.format(Locale.ROOT, "%s %.1f", each.getKey(), each.getValue()))
            .collect(Collectors.joining("; "));
    return Figure.of(
            row,
            what,
            "ns",
            Collections.min(others.values()),
            value(measured, "juvm" + pattern),
            ratioAtMost(1))
        .note(all);
  }

  private static Figure heap(Row row, String what, Map<String, Double> measured, String pattern) {
    return Figure.of(
        row,
        what + ", heap of it, against an arena",
        "bytes",
        measured.getOrDefault("arena" + pattern + Micro.HEAP, Double.NaN),
        value(measured, "juvm" + pattern + Micro.HEAP),
        Target.NONE);
  }
}
