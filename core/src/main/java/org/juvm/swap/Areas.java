package org.juvm.swap;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The swap areas of one moment: who has which range of the drum, and who gives the next run. The
 * lists never change; thread-safe, without locks.
 */
final class Areas {
  static final Areas NONE = new Areas(List.of(), List.of());

  private final List<SwapArea> byNumber;
  private final List<SwapArea> used;
  private final Stripe[] stripes;

  /** Areas of one priority, in the order in which they were added. */
  private static final class Stripe {
    final SwapArea[] areas;

    /** Index of the area that gives the next run. Two threads at a time may use the same. */
    volatile int turn;

    Stripe(List<SwapArea> areas) {
      this.areas = areas.toArray(SwapArea[]::new);
    }

    /** Takes a run from the area whose turn it is, among those that have a long enough one. */
    long allocate(int minimum, int wanted) {
      int start = turn;
      for (int i = 0; i < areas.length; i++) {
        int index = (start + i) % areas.length;
        SwapArea area = areas[index];
        long run = area.map().allocate(minimum, wanted);
        if (run != 0) {
          turn = (index + 1) % areas.length;
          return run + ((long) area.firstSlot() << 32);
        }
      }
      return 0;
    }
  }

  /**
   * Areas as they are now.
   *
   * @param byNumber those with a range of the drum, in its order. Beside those in use there are
   *     removed ones that have bad slots: their owners may still come to free them.
   * @param used those that are in use, in the order in which they were added
   */
  Areas(List<SwapArea> byNumber, List<SwapArea> used) {
    this.byNumber = List.copyOf(byNumber);
    List<SwapArea> sorted = new ArrayList<>(used);
    sorted.sort(Comparator.comparingInt(SwapArea::priority));
    this.used = List.copyOf(sorted);
    List<Stripe> found = new ArrayList<>();
    int start = 0;
    for (int i = 1; i <= sorted.size(); i++) {
      if (i == sorted.size() || sorted.get(i).priority() != sorted.get(start).priority()) {
        found.add(new Stripe(sorted.subList(start, i)));
        start = i;
      }
    }
    stripes = found.toArray(Stripe[]::new);
  }

  /** All that have a range of the drum, in its order. */
  List<SwapArea> byNumber() {
    return byNumber;
  }

  /** Those that are in use, in the order in which they are used. */
  List<SwapArea> used() {
    return used;
  }

  /** The area that a slot is in, or null. */
  @Nullable SwapArea find(int slot) {
    for (int i = 0; i < byNumber.size(); i++) {
      SwapArea area = byNumber.get(i);
      if (area.contains(slot)) {
        return area;
      }
    }
    return null;
  }

  /** Takes a run; see {@link SwapSpace#allocate}. */
  long allocate(int wanted) {
    for (Stripe stripe : stripes) {
      // Where there is only one to choose from, its longest run is the answer at once.
      boolean alone = stripe.areas.length == 1;
      long run = stripe.allocate(alone ? 1 : wanted, wanted);
      if (run == 0 && !alone && wanted > 1) {
        run = stripe.allocate(1, wanted);
      }
      if (run != 0) {
        return run;
      }
    }
    return 0;
  }
}
