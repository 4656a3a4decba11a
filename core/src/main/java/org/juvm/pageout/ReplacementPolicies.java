package org.juvm.pageout;

import org.juvm.base.Replacement;
import org.juvm.page.References;
import org.juvm.page.ReplacementPolicy;

/** Makes the replacement policy that was asked for. */
public final class ReplacementPolicies {
  private ReplacementPolicies() {}

  /**
   * A policy without pages.
   *
   * @param replacement which
   * @param frames how many frames there are
   * @param references whether pages were used
   * @param settings of the two-queue clock
   * @return the policy
   */
  public static ReplacementPolicy create(
      Replacement replacement, int frames, References references, ClockSettings settings) {
    return switch (replacement) {
      case TWO_QUEUE -> new TwoQueueClock(frames, references, settings);
      case CLOCK -> new Clock(frames, references);
      case CLOCK_PRO -> new ClockPro(frames, references, ClockPro.Allocation.FIXED);
      case ADAPTIVE_CLOCK_PRO -> new ClockPro(frames, references, ClockPro.Allocation.ADAPTIVE);
    };
  }
}
