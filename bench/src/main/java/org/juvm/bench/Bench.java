package org.juvm.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.juvm.bench.shot.Scale;

/**
 * The benchmark: measures Juvm and, in the same run, what it is to be compared with, and says how
 * the result stands to the targets. Immutable.
 */
public final class Bench {
  private final List<Row> rows;
  private final Scale scale;
  private final boolean forks;
  private final @Nullable Path traces;

  private Bench(List<Row> rows, Scale scale, boolean forks, @Nullable Path traces) {
    this.rows = rows;
    this.scale = scale;
    this.forks = forks;
    this.traces = traces;
  }

  /**
   * A benchmark of some rows.
   *
   * @param names names of rows, in any order and case; none for all but the programs (W1)
   * @param quick true for rough figures in a quarter of the time
   * @param traces directory of traces to replay with the results of reference simulators, {@code
   *     expected.csv}; null if there is none: then T20 is skipped
   * @return the benchmark
   * @throws IllegalArgumentException if there is no row of one of these names
   */
  public static Bench of(List<String> names, boolean quick, @Nullable Path traces) {
    return new Bench(Rows.named(names), quick ? Scale.QUICK : Scale.FULL, true, traces);
  }

  /** One that sees whether everything works, in this process. */
  static Bench tiny(List<String> names, @Nullable Path traces) {
    return new Bench(Rows.named(names), Scale.TINY, false, traces);
  }

  /** The same with other rows. */
  static Bench tiny(Row... rows) {
    return new Bench(List.of(rows), Scale.TINY, false, null);
  }

  /**
   * Prints the names of all rows and what they measure.
   *
   * @param out where to
   */
  public static void list(PrintStream out) {
    for (Row row : Rows.ALL) {
      out.printf("%-4s %s%n", row.name(), row.title());
    }
  }

  /**
   * Measures and prints the result.
   *
   * @param out gets the table
   * @param progress is told what is being measured
   * @param json gets the same as JSON; null if nobody wants it
   * @return true if every row could be measured, whatever the figures are
   * @throws IOException if the JSON cannot be written
   */
  public boolean run(PrintStream out, PrintStream progress, @Nullable Path json)
      throws IOException {
    Report report = measure(progress);
    out.print(report.table());
    out.flush();
    if (json != null) {
      Files.writeString(json, report.json());
    }
    return report.isComplete();
  }

  /** The names of what it measures. */
  List<String> names() {
    return rows.stream().map(Row::name).toList();
  }

  Report measure(PrintStream progress) {
    Machine machine = Machine.here();
    machine.warning().ifPresent(progress::println);
    Lab lab = new Lab(scale, forks, traces, progress::println);
    List<Figure> figures = new ArrayList<>();
    for (Row row : rows) {
      progress.println(row.name() + ": " + row.title());
      figures.addAll(measure(row, lab, progress));
    }
    return new Report(machine, Machine.here(), scale, figures);
  }

  /** One row that fails does not keep the others from being measured. */
  private static List<Figure> measure(Row row, Lab lab, PrintStream progress) {
    try {
      return row.measure(lab);
    } catch (RuntimeException e) {
      e.printStackTrace(progress);
      return List.of(Figure.failed(row, e));
    }
  }
}
