package org.juvm.testkit.kernel;

import java.util.function.BiPredicate;
import java.util.function.UnaryOperator;

/**
 * Something in which BSD and Linux differ on purpose.
 *
 * @param id a name
 * @param call the call that differs
 * @param condition when, in words
 * @param bsd what BSD does, which is what is expected of the system under test
 * @param linux what Linux does
 * @param applies the condition
 * @param treatment how they are compared nevertheless
 */
record Difference(
    String id,
    Step.Call call,
    String condition,
    String bsd,
    String linux,
    BiPredicate<Step, Layout> applies,
    Treatment treatment) {

  /** Does a step, compares what can be compared, and leaves both in the same state. */
  interface Treatment {
    /**
     * Does it.
     *
     * @param bout the two systems
     * @param asked what the tested system is asked
     * @param meant what would have to be asked of the kernel if they did not differ
     */
    void treat(Bout bout, Step asked, Step meant);
  }

  /** What is left to do in the kernel, which has done more than BSD. */
  interface Repair {
    /**
     * Undoes it.
     *
     * @param bout the two systems
     * @param step what was done
     */
    void repair(Bout bout, Step step);
  }

  /** The kernel is asked something else, which may differ in other ways. */
  static Treatment asked(UnaryOperator<Step> instead) {
    return (bout, asked, meant) -> {
      Step other = instead.apply(meant);
      if (other.equals(meant)) {
        throw new IllegalStateException("nothing else is asked: " + meant);
      }
      bout.resolve(asked, other);
    };
  }

  /** The two answer differently, each as it should; no success changes anything. */
  static Treatment answered(String bsd, String linux) {
    return answered(bsd, linux, (bout, step) -> {});
  }

  /** The two answer differently, each as it should; what the kernel has changed is repaired. */
  static Treatment answered(String bsd, String linux, Repair repair) {
    return (bout, asked, meant) -> {
      byte[] resident = new byte[MemoryCalls.PAGES];
      Bout.same(linux, meant.perform(bout.kernel, resident).error());
      Bout.same(bsd, asked.perform(bout.tested, resident).error());
      repair.repair(bout, meant);
    };
  }

  /** The kernel is not asked: it would do what BSD refuses. */
  static Treatment refused(String bsd) {
    return (bout, asked, meant) -> bout.tests(asked, Answer.failed(bsd));
  }

  /** Neither is asked. */
  static Treatment skipped() {
    return (bout, asked, meant) -> {};
  }

  @Override
  public String toString() {
    return id + ": " + call + ", " + condition + ": BSD " + bsd + ", Linux " + linux;
  }
}
