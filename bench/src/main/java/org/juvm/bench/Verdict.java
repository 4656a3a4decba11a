package org.juvm.bench;

import java.util.Locale;

/** How a figure stands to its target. */
enum Verdict {
  /** The target is reached. */
  MET,
  /** It is missed by at most a fifth. */
  NEAR,
  /** It is missed by more. */
  MISSED,
  /** There is no target: the figure is there to understand the others. */
  NONE,
  /** There is nothing to compare with. */
  UNKNOWN;

  /** The worse of two. */
  Verdict and(Verdict other) {
    return rank() >= other.rank() ? this : other;
  }

  private int rank() {
    return switch (this) {
      case NONE -> 0;
      case MET -> 1;
      case UNKNOWN -> 2;
      case NEAR -> 3;
      case MISSED -> 4;
    };
  }

  /** As it is printed. */
  String text() {
    return switch (this) {
      case NONE -> "";
      case UNKNOWN -> "?";
      default -> name().toLowerCase(Locale.ROOT);
    };
  }
}
