package org.juvm.testkit.kernel;

import static org.juvm.testkit.kernel.MemoryCalls.PAGE_SIZE;

import org.juvm.testkit.kernel.Layout.Residence;
import org.juvm.testkit.kernel.Step.Call;

/** Undoes what the kernel has done beyond BSD; the layout says how things were. */
final class Repairs {
  private Repairs() {}

  static void open(Bout bout, Step step) {
    Layout.range(step.address(), step.length())
        .forEach(
            number -> {
              Layout.Page page = bout.layout.page(number);
              if (page != null && page.residence() == Residence.ABSENT) {
                bout.layout.setResidence(number, Residence.OPEN);
              }
            });
  }

  static void protectAgain(Bout bout, Step step) {
    bout.layout
        .leading(step)
        .forEach(
            number -> {
              Layout.Page page = bout.layout.page(number);
              if (page != null) {
                bout.repair(Step.mprotect((long) number * PAGE_SIZE, PAGE_SIZE, page.protection()));
              }
            });
  }

  static void unlockAgain(Bout bout, Step step) {
    bout.layout
        .leading(step)
        .filter(number -> !bout.layout.isLocked(number))
        .forEach(number -> lock(bout, Call.MUNLOCK, number));
    open(bout, step);
  }

  static void lockAgain(Bout bout, Step step) {
    bout.layout
        .leading(step)
        .filter(bout.layout::isLocked)
        .forEach(number -> lock(bout, Call.MLOCK, number));
  }

  /** Locking a page that cannot be accessed succeeds, except that it says otherwise. */
  private static void lock(Bout bout, Call call, int number) {
    Step step = Step.of(call, (long) number * PAGE_SIZE, PAGE_SIZE, 0);
    if (call == Call.MLOCK && !bout.layout.isReadable(number)) {
      Bout.same("ENOMEM", step.perform(bout.kernel, new byte[0]).error());
    } else {
      bout.repair(step);
    }
  }
}
