package org.juvm.bench.shot;

/** How much to measure. */
public enum Scale {
  /** Just enough to see that it works. */
  TINY,
  /** Rough figures. */
  QUICK,
  /** The figures that count. */
  FULL;

  /** Picks a size. */
  public long pick(long tiny, long quick, long full) {
    return switch (this) {
      case TINY -> tiny;
      case QUICK -> quick;
      case FULL -> full;
    };
  }

  /** Picks a count. */
  public int times(int tiny, int quick, int full) {
    return (int) pick(tiny, quick, full);
  }
}
