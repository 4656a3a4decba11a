package org.juvm.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.juvm.base.Replacement;
import org.juvm.sim.Replay;
import org.juvm.sim.Trace;

/**
 * Hits over traces against the results of reference simulators. A directory that the user names has
 * traces, {@code NAME.trace.gz}, and {@code expected.csv}, which for a trace and a number of frames
 * has the hits of CLOCK and, in percent as its author prints them, of CLOCK-Pro. Without one
 * nothing is measured.
 */
final class ReplayRow {
  static final Row REPLAY =
      Row.of("T20", "hits over traces, as the reference simulators have them", ReplayRow::replay);

  /** The beginning of the first line of the results, which names the columns that are used. */
  private static final List<String> COLUMNS =
      List.of("trace", "frames", "clock_hits", "clockpro_hit_percent_jiang");

  private ReplayRow() {}

  private static List<Figure> replay(Row row, Lab lab) {
    Path traces = lab.traces();
    if (traces == null) {
      lab.say("skipped: needs a directory of traces with expected.csv, see --traces");
      return List.of();
    }
    try {
      return replay(row, traces);
    } catch (IOException e) {
      throw new UncheckedIOException(traces + ": " + e.getMessage(), e);
    }
  }

  private static List<Figure> replay(Row row, Path traces) throws IOException {
    List<String> lines = Files.readAllLines(traces.resolve("expected.csv"));
    List<String> names = List.of(lines.get(0).split(",", -1));
    int[] columns = COLUMNS.stream().mapToInt(names::indexOf).toArray();
    String name = "";
    Trace trace = null;
    int clock = 0;
    int clockPro = 0;
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(",", -1);
      if (trace == null || !cells[columns[0]].equals(name)) {
        name = cells[columns[0]];
        trace = Trace.read(traces.resolve(name + ".trace.gz"));
      }
      int frames = Integer.parseInt(cells[columns[1]]);
      int hits = Replay.hits(trace, Replacement.CLOCK, frames);
      clock += Integer.parseInt(cells[columns[2]]) == hits ? 1 : 0;
      String percent = percent(trace, Replay.hits(trace, Replacement.CLOCK_PRO, frames));
      clockPro += cells[columns[3]].equals(percent) ? 1 : 0;
    }
    return List.of(
        equal(row, "CLOCK, results that are equal, hit for hit", lines.size() - 1, clock),
        equal(row, "CLOCK-Pro, results that are equal, as printed", lines.size() - 1, clockPro));
  }

  private static Figure equal(Row row, String what, int all, int equal) {
    return Figure.of(row, what, "results", all, equal, Target.ratioAtLeast(1).named("all"));
  }

  /** In the single precision and with the one decimal of CLOCK-Pro's author. */
  private static String percent(Trace trace, int hits) {
    int faults = trace.references() - hits;
    return String.format(Locale.ROOT, "%.1f", 100 - (float) faults / trace.references() * 100);
  }
}
