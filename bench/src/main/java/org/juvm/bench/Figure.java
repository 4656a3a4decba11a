package org.juvm.bench;

import java.util.List;

/**
 * One line of the result.
 *
 * @param row name of the row
 * @param what what was measured
 * @param unit unit of both values
 * @param baseline what it is compared with; NaN if there is nothing
 * @param juvm what was measured
 * @param target what it should be
 * @param note what a reader should know; may be empty
 */
record Figure(
    String row,
    String what,
    String unit,
    double baseline,
    double juvm,
    Target target,
    String note) {

  /** A figure without a note. */
  static Figure of(Row row, String what, String unit, double baseline, double juvm, Target target) {
    return new Figure(row.name(), what, unit, baseline, juvm, target, "");
  }

  /** What there is to say of a row that could not be measured. */
  static Figure failed(Row row, RuntimeException reason) {
    return new Figure(
        row.name(),
        row.title(),
        "",
        Double.NaN,
        Double.NaN,
        new Target("", List.of((baseline, juvm) -> juvm)),
        "could not be measured: " + reason.getMessage());
  }

  /** The same with a note. */
  Figure note(String text) {
    return new Figure(row, what, unit, baseline, juvm, target, text);
  }

  /** Juvm over baseline, or NaN. */
  double ratio() {
    return juvm / baseline;
  }

  /** How it stands. */
  Verdict verdict() {
    return target.judge(baseline, juvm);
  }
}
