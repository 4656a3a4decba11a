package org.juvm.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * Makes a failing sequence short.
 *
 * <p>Source: A. Zeller and R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input",
 * 2002: leave out ever smaller parts as long as what is left still fails.
 */
public final class Shrinker {
  private Shrinker() {}

  /**
   * Leaves out what the failure does not need.
   *
   * @param failing a sequence that fails
   * @param fails whether a sequence fails; must not depend on what was tried before
   * @param attempts how many sequences are tried at most
   * @param <C> what the sequence is of
   * @return a shorter sequence that fails, or the same
   */
  public static <C> List<C> shrink(List<C> failing, Predicate<List<C>> fails, int attempts) {
    List<C> best = failing;
    int tried = 0;
    for (int part = Math.max(1, best.size() / 2); tried < attempts; ) {
      boolean shorter = false;
      for (int start = 0; start < best.size() && tried < attempts; tried++) {
        List<C> candidate = new ArrayList<>(best.subList(0, start));
        candidate.addAll(best.subList(Math.min(best.size(), start + part), best.size()));
        if (fails.test(candidate)) {
          best = candidate;
          shorter = true;
        } else {
          start += part;
        }
      }
      if (part == 1 && !shorter) {
        break;
      }
      part = Math.max(1, Math.min(part, best.size()) / 2);
    }
    return List.copyOf(best);
  }
}
