package org.juvm.testkit.kernel;

import static org.juvm.testkit.kernel.MemoryCalls.PAGE_SIZE;

import org.juvm.testkit.kernel.Layout.Residence;

/**
 * Moves as BSD does them, on a kernel whose own form of mremap takes one mapping at a time, in
 * newer versions more, and replaces what is at the target.
 */
final class Remaps {
  private Remaps() {}

  /** Moves pages one by one: a page is always part of one mapping only. */
  static void movePages(MemoryCalls kernel, long from, long length, long to) {
    for (long offset = 0; offset < length; offset += PAGE_SIZE) {
      Answer answer =
          kernel.mremap(from + offset, PAGE_SIZE, to + offset, PAGE_SIZE, Bsd.MAP_FIXED);
      Bout.same(Answer.of(to + offset), answer);
    }
  }

  /** Makes the page before an address as long as to reach another, where it stands. */
  static void grow(MemoryCalls kernel, long end, long newEnd) {
    long last = end - PAGE_SIZE;
    Answer answer = kernel.mremap(last, PAGE_SIZE, 0, newEnd - last, 0);
    Bout.same(Answer.of(last), answer);
  }

  // ---- treatments ----

  /** In place: the same size, smaller, or longer with room behind. */
  static void stay(Bout bout, Step asked, Step meant) {
    long end = meant.address() + Layout.ceiling(meant.length());
    long newEnd = meant.address() + Layout.ceiling(meant.targetLength());
    bout.tests(asked, Answer.of(meant.address()));
    if (newEnd < end) {
      Step tail = Step.munmap(newEnd, end - newEnd);
      bout.repair(tail);
      bout.layout.apply(tail);
    } else if (newEnd > end) {
      grow(bout.kernel, end, newEnd);
      grown(bout, end, newEnd);
    }
  }

  private static void grown(Bout bout, long end, long newEnd) {
    Layout.Page last = bout.layout.page((int) (end / PAGE_SIZE) - 1);
    if (last == null) {
      throw new IllegalStateException("grown from a hole");
    }
    Layout.range(end, newEnd - end)
        .forEach(number -> bout.layout.set(number, last.with(Residence.ABSENT)));
  }

  /** To a free place that is given. */
  static void move(Bout bout, Step asked, Step meant) {
    long length = Layout.ceiling(meant.length());
    long newLength = Layout.ceiling(meant.targetLength());
    long moved = Math.min(length, newLength);
    bout.tests(asked, Answer.of(meant.target()));
    movePages(bout.kernel, meant.address(), moved, meant.target());
    bout.layout.move(
        (int) (meant.address() / PAGE_SIZE),
        (int) (meant.target() / PAGE_SIZE),
        (int) (moved / PAGE_SIZE));
    if (newLength > length) {
      long end = meant.target() + length;
      grow(bout.kernel, end, meant.target() + newLength);
      grown(bout, end, meant.target() + newLength);
    } else if (length > newLength) {
      Step rest = Step.munmap(meant.address() + newLength, length - newLength);
      bout.repair(rest);
      bout.layout.apply(rest);
    }
  }

  /** To a place that the system chooses; then both forget the pages. */
  static void leave(Bout bout, Step asked, Step meant) {
    long length = Layout.ceiling(meant.length());
    long newLength = Layout.ceiling(meant.targetLength());
    Answer answer = asked.perform(bout.tested, new byte[MemoryCalls.PAGES]);
    Bout.same("", answer.error());
    long target = answer.value();
    placedWell(bout, target, newLength);
    bout.compareMoved(meant.address(), length, target);
    Step old = Step.munmap(meant.address(), length);
    bout.repair(old);
    bout.layout.apply(old);
    Bout.same(Answer.DONE, bout.tested.munmap(target, newLength));
  }

  /** A new mapping where the system wants it; then both forget it. */
  static void mapElsewhere(Bout bout, Step asked, Step meant) {
    byte[] unused = new byte[MemoryCalls.PAGES];
    Answer expected = meant.perform(bout.kernel, unused);
    Answer found = asked.perform(bout.tested, unused);
    Bout.same(expected.error(), found.error());
    if (found.isDone()) {
      placedWell(bout, found.value(), meant.length());
      placedWell(bout, expected.value(), meant.length());
      Bout.same(Answer.DONE, bout.tested.munmap(found.value(), meant.length()));
      Bout.same(Answer.DONE, bout.kernel.munmap(expected.value(), meant.length()));
    }
  }

  /** Page aligned, and nothing of the arena that was mapped before. */
  private static void placedWell(Bout bout, long address, long length) {
    Bout.same(Layout.floor(address), address);
    long start = Math.max(0, address);
    long end = Math.min(MemoryCalls.SIZE, address + length);
    if (start < end && !bout.layout.isFree(start, end - start)) {
      throw new AssertionError("placed over another mapping: 0x" + Long.toHexString(address));
    }
  }
}
