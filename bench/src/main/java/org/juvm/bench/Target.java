package org.juvm.bench;

import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * What a figure should be.
 *
 * @param text as it is printed
 * @param criteria all of which must hold
 */
record Target(String text, List<Criterion> criteria) {
  /** No expectation. */
  static final Target NONE = new Target("", List.of());

  /** How much worse than its limit a figure may be and still be near. */
  private static final double NEAR = 1.2;

  /** One comparison: the measured quantity, divided by the limit, must not exceed one. */
  interface Criterion {
    /** How far the limit is used up; NaN if the baseline is missing. */
    double use(double baseline, double juvm);
  }

  /** At most so much, in the figure's unit. */
  static Target atMost(double limit, String text) {
    return new Target(text, List.of((baseline, juvm) -> juvm / limit));
  }

  /** At most so many times the baseline. */
  static Target ratioAtMost(double limit) {
    return new Target(
        "<= %sx".formatted(number(limit)), List.of((baseline, juvm) -> juvm / baseline / limit));
  }

  /** At least so many times the baseline. */
  static Target ratioAtLeast(double limit) {
    return new Target(
        ">= %sx".formatted(number(limit)), List.of((baseline, juvm) -> limit * baseline / juvm));
  }

  /** At most so much more than the baseline, in the figure's unit. */
  static Target overBaselineAtMost(double limit, String text) {
    return new Target(text, List.of((baseline, juvm) -> Math.max(0, (juvm - baseline) / limit)));
  }

  /** Nothing at all, but for what is so little that it must come from something else. */
  static Target zero(double tolerance) {
    return new Target("0", List.of((baseline, juvm) -> juvm / tolerance));
  }

  /** The same in other words. */
  Target named(String words) {
    return new Target(words, criteria);
  }

  /** Both. */
  Target and(Target other) {
    return new Target(
        text + ", " + other.text,
        Stream.concat(criteria.stream(), other.criteria.stream()).toList());
  }

  /** Compares. */
  Verdict judge(double baseline, double juvm) {
    Verdict verdict = Verdict.NONE;
    for (Criterion criterion : criteria) {
      double use = criterion.use(baseline, juvm);
      verdict = verdict.and(verdict(use));
    }
    return verdict;
  }

  private static Verdict verdict(double use) {
    if (Double.isNaN(use)) {
      return Verdict.UNKNOWN;
    }
    return use <= 1 ? Verdict.MET : use <= NEAR ? Verdict.NEAR : Verdict.MISSED;
  }

  private static String number(double value) {
    return value == Math.rint(value)
        ? String.format(Locale.ROOT, "%.0f", value)
        : String.valueOf(value);
  }
}
