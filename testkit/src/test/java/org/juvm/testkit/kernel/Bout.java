package org.juvm.testkit.kernel;

import static org.juvm.testkit.kernel.MemoryCalls.PAGES;
import static org.juvm.testkit.kernel.MemoryCalls.PAGE_SIZE;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.juvm.testkit.kernel.Layout.Residence;
import org.juvm.testkit.kernel.Step.Call;

/**
 * Does the same to two systems, and throws as soon as they differ in a way that is not in the
 * table: in a return code, in what a load finds, in residence; and at the end in which pages can be
 * read and written, and in their bytes.
 */
final class Bout {
  final MemoryCalls tested;
  final MemoryCalls kernel;
  final Layout layout = new Layout();

  private final List<Difference> differences;
  private final Set<Difference> met;

  /**
   * A bout over two empty arenas.
   *
   * @param tested the system under test, whose calls follow BSD
   * @param kernel the one it is compared with
   * @param differences in what they may differ; the first that applies counts
   * @param met receives those that came up
   */
  Bout(MemoryCalls tested, MemoryCalls kernel, List<Difference> differences, Set<Difference> met) {
    this.tested = tested;
    this.kernel = kernel;
    this.differences = differences;
    this.met = met;
  }

  void run(List<Step> steps) {
    for (int i = 0; i < steps.size(); i++) {
      Step step = steps.get(i);
      try {
        resolve(step, step);
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("step " + i + ": " + step + " in " + layout, e);
      }
    }
    compareBytes();
  }

  /**
   * Does a step.
   *
   * @param asked what the tested system is asked
   * @param meant what the kernel has to be asked to come to the same
   */
  void resolve(Step asked, Step meant) {
    for (Difference difference : differences) {
      if (difference.call() == meant.call() && difference.applies().test(meant, layout)) {
        met.add(difference);
        difference.treatment().treat(this, asked, meant);
        return;
      }
    }
    plain(asked, meant);
  }

  /** Both have to answer the same. */
  void plain(Step asked, Step meant) {
    byte[] found = new byte[PAGES];
    byte[] expected = new byte[PAGES];
    Answer answer = asked.perform(tested, found);
    same(meant.perform(kernel, expected), answer);
    if (!answer.isDone()) {
      return;
    }
    if (meant.call() == Call.MINCORE) {
      compareResidence(meant, found, expected);
    }
    layout.apply(meant);
  }

  private void compareResidence(Step step, byte[] found, byte[] expected) {
    int first = (int) (step.address() / PAGE_SIZE);
    Layout.range(step.address(), step.length())
        .forEach(
            number -> {
              Layout.Page page = layout.page(number);
              if (page == null || page.residence() == Residence.OPEN) {
                return;
              }
              int is = found[number - first] & 1;
              if (is != (expected[number - first] & 1)) {
                throw new AssertionError(
                    "page " + number + " is" + (is == 0 ? " not" : "") + " resident");
              }
            });
  }

  static void same(Object expected, Object found) {
    if (!expected.equals(found)) {
      throw new AssertionError("expected " + expected + ", found " + found);
    }
  }

  /** What the tested system must answer. */
  void tests(Step asked, Answer expected) {
    same(expected, asked.perform(tested, new byte[PAGES]));
  }

  /** What must succeed in the kernel, so that the two are the same again. */
  void repair(Step step) {
    Answer answer = step.perform(kernel, new byte[PAGES]);
    if (!answer.isDone()) {
      throw new IllegalStateException("the kernel refused " + step + ": " + answer);
    }
  }

  // ---- bytes ----

  /**
   * The tested system was free to throw bytes of private pages away: the kernel does so where it
   * did.
   */
  void settle(IntStream pages) {
    byte[] found = new byte[PAGE_SIZE];
    byte[] expected = new byte[PAGE_SIZE];
    pages.forEach(
        number -> {
          long address = (long) number * PAGE_SIZE;
          same(Answer.DONE, tested.read(address, found));
          same(Answer.DONE, kernel.read(address, expected));
          if (!Arrays.equals(expected, found)) {
            same(-1, Arrays.mismatch(new byte[PAGE_SIZE], found));
            repair(Step.of(Call.MADVISE, address, PAGE_SIZE, Bsd.MADV_DONTNEED));
          }
          layout.setResidence(number, Residence.OPEN);
        });
  }

  private void compareBytes() {
    byte[] found = new byte[PAGE_SIZE];
    byte[] expected = new byte[PAGE_SIZE];
    for (int number = 0; number < PAGES; number++) {
      long address = (long) number * PAGE_SIZE;
      Answer answer = tested.read(address, found);
      String page = "page " + number + " in " + layout + " ";
      same(page + kernel.read(address, expected), page + answer);
      if (answer.isDone()) {
        int different = Arrays.mismatch(expected, found);
        if (different >= 0) {
          same(page + expected[different], page + found[different]);
        }
      }
      // No machine lets a page be written that it does not let be read.
      Answer stored =
          answer.isDone() ? kernel.store(address, expected[0]) : Answer.failed("EFAULT");
      same(page + stored, page + tested.store(address, expected[0]));
    }
  }

  /** Bytes that the tested system has elsewhere are those that the kernel has in the arena. */
  void compareMoved(long address, long length, long target) {
    byte[] found = new byte[PAGE_SIZE];
    byte[] expected = new byte[PAGE_SIZE];
    for (long offset = 0; offset < length; offset += PAGE_SIZE) {
      Answer answer = kernel.read(address + offset, expected);
      same(answer, tested.read(target + offset, found));
      if (answer.isDone()) {
        same(-1, Arrays.mismatch(expected, found));
      }
    }
  }
}
