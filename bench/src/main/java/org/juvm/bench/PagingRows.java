package org.juvm.bench;

import static org.juvm.bench.Rows.value;
import static org.juvm.bench.Target.atMost;
import static org.juvm.bench.Target.ratioAtLeast;
import static org.juvm.bench.Target.ratioAtMost;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.juvm.base.Replacement;
import org.juvm.bench.shot.Shot;

/** The rows of memory that is larger than memory. */
final class PagingRows {
  static final Row PAGE_IN =
      Row.of("T13", "page-in, random, file cached by the host", PagingRows::pageIn);
  static final Row PAGE_OUT = Row.of("T14", "page-out, sequential stores", PagingRows::pageOut);
  static final Row OVERCOMMIT =
      Row.of("T15", "working set 4x memory, Zipf 1.0, 10 % writes", PagingRows::overcommit);
  static final Row LOAN = Row.of("T19", "lending 256 pages and taking them back", PagingRows::loan);
  static final Row POLICIES =
      Row.of("P1", "the same under each replacement policy", PagingRows::policies);

  private static final String MB = "MB/s";
  private static final double STALL = 10;

  private PagingRows() {}

  private static List<Figure> pageIn(Row row, Lab lab) {
    Map<String, Double> rates = lab.shot(Shot.Kind.PAGE_IN);
    List<Figure> figures = new ArrayList<>();
    for (String threads : List.of("1", "16")) {
      double cpu = value(rates, "plain.cpu." + threads);
      String with = threads.equals("1") ? "1 thread, " : threads + " threads, ";
      double paging = value(rates, "paging." + threads) / 1000;
      figures.add(
          Figure.of(
              row,
              with + "against plain reads into one buffer each",
              "pages/ms",
              value(rates, "plain." + threads) / 1000,
              paging,
              ratioAtLeast(0.9)));
      figures.add(
          Figure.of(
              row,
              with + "against plain reads into as much memory",
              "pages/ms",
              value(rates, "spread." + threads) / 1000,
              paging,
              Target.NONE));
      figures.add(
          Figure.of(
              row,
              with + "processor time of all threads for a page",
              "ns",
              // The host counts it in hundredths of a second: less than that is unknown.
              cpu > 0 ? cpu : Double.NaN,
              value(rates, "paging.cpu." + threads),
              Target.NONE));
    }
    return figures;
  }

  private static List<Figure> loan(Row row, Lab lab) {
    Map<String, Double> ns = lab.shot(Shot.Kind.LOAN);
    return List.of(
        Figure.of(
            row,
            "against copying them",
            "us",
            value(ns, "copy") / 1000,
            value(ns, "lend") / 1000,
            ratioAtMost(0.1)),
        Figure.of(
            row,
            "storing to all of them again, which breaks nothing",
            "us",
            Double.NaN,
            value(ns, "rewrite") / 1000,
            Target.NONE));
  }

  private static List<Figure> pageOut(Row row, Lab lab) {
    Map<String, Double> rates = lab.shot(Shot.Kind.PAGE_OUT);
    List<Figure> figures = new ArrayList<>();
    for (String file : List.of("fresh", "again")) {
      String where = file.equals("fresh") ? "fresh file" : "file written before";
      double plain = value(rates, "plain." + file) / 1e6;
      figures.add(
          Figure.of(
              row,
              where + ", with the zero filling in it",
              MB,
              plain,
              value(rates, "paging." + file) / 1e6,
              ratioAtLeast(0.9)));
      figures.add(
          Figure.of(
              row,
              where + ", net of zero filling",
              MB,
              plain,
              value(rates, "net." + file) / 1e6,
              Target.NONE));
    }
    figures.add(
        Figure.of(
            row,
            "zero filling alone, for each page",
            "ns",
            Double.NaN,
            value(rates, "zero"),
            Target.NONE));
    return figures;
  }

  private static List<Figure> overcommit(Row row, Lab lab) {
    Map<String, Double> ns = lab.shot(Shot.Kind.OVERCOMMIT);
    double before = value(ns, "before");
    double after = value(ns, "after");
    double ins = value(ns, "ins");
    double device = value(ns, "device");
    List<Figure> figures = new ArrayList<>();
    String unit = "accesses/us";
    double apart = value(ns, "apart");
    String note =
        String.format(
            Locale.ROOT,
            "the time for each access less page-ins (%.4f for each) times the median plain read"
                + " (%.0f ns)",
            ins,
            device);
    figures.add(
        Figure.of(
                row,
                "memory full, apart from the I/O, against all resident",
                unit,
                1000 / before,
                1000 / apart,
                // Where plain reads took longer than all of it, nothing can be said.
                apart > 0 ? ratioAtLeast(0.95) : Target.NONE)
            .note(apart > 0 ? note : note + ": more than there was, no result"));
    figures.add(
        Figure.of(
            row,
            "memory full, with the I/O, against all resident",
            unit,
            1000 / before,
            1000 / after,
            Target.NONE));
    figures.add(
        Figure.of(
            row,
            "what a page-in adds to an access, against a plain read",
            "ns",
            device,
            (after - before) / ins,
            Target.NONE));
    double limit = STALL * value(ns, "read.0.5") / 1000;
    Target target =
        atMost(limit, String.format(Locale.ROOT, "<= %.1f us (10 median reads)", limit));
    figures.add(stall(row, ns, "99.9th percentile", "0.999", target));
    figures.add(stall(row, ns, "99.99th percentile", "0.9999", Target.NONE));
    figures.add(stall(row, ns, "longest", "longest", target));
    return figures;
  }

  private static Figure stall(
      Row row, Map<String, Double> ns, String what, String share, Target target) {
    return Figure.of(
        row,
        "stalls, " + what + ", against single plain reads",
        "us",
        value(ns, "read." + share) / 1000,
        value(ns, "stall." + share) / 1000,
        target);
  }

  private static List<Figure> policies(Row row, Lab lab) {
    Map<String, Double> figures = lab.shot(Shot.Kind.POLICIES);
    double lru = 100 * value(figures, "lru.hits");
    List<Figure> lines = new ArrayList<>();
    for (Replacement policy : Replacement.values()) {
      String name = policy.name().toLowerCase(Locale.ROOT).replace('_', ' ');
      lines.add(
          Figure.of(
                  row,
                  name + ", hits, against exact LRU",
                  "%",
                  lru,
                  100 * value(figures, policy.name() + ".hits"),
                  Target.NONE)
              .note(
                  String.format(
                      Locale.ROOT,
                      "the optimum is %.1f %%",
                      100 * value(figures, "optimum.hits"))));
      lines.add(
          Figure.of(
              row,
              name + ", throughput",
              "accesses/us",
              Double.NaN,
              value(figures, policy.name() + ".rate") / 1e6,
              Target.NONE));
    }
    return lines;
  }
}
