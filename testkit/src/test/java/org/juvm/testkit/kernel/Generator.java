package org.juvm.testkit.kernel;

import static org.juvm.testkit.kernel.MemoryCalls.NO_HINT;
import static org.juvm.testkit.kernel.MemoryCalls.PAGES;
import static org.juvm.testkit.kernel.MemoryCalls.PAGE_SIZE;
import static org.juvm.testkit.kernel.MemoryCalls.TOO_LONG;

import java.util.ArrayList;
import java.util.List;
import org.juvm.testkit.Choices;
import org.juvm.testkit.kernel.Step.Call;

/**
 * Makes sequences: mostly calls that succeed, and in one of {@link #RARELY} one mistake in the
 * arguments. One at most, because which of several mistakes a system reports is its own affair.
 */
final class Generator {
  private static final int RARELY = 12;
  private static final int SHORTEST = 30;
  private static final int LONGEST = 60;
  private static final int MOST_PAGES = 9;

  private static final List<Integer> PROTECTIONS =
      List.of(
          Bsd.PROT_READ | Bsd.PROT_WRITE,
          Bsd.PROT_READ | Bsd.PROT_WRITE,
          Bsd.PROT_READ | Bsd.PROT_WRITE,
          Bsd.PROT_READ,
          Bsd.PROT_READ,
          Bsd.PROT_NONE,
          Bsd.PROT_WRITE,
          Bsd.PROT_READ | Bsd.PROT_EXEC);

  private static final List<Integer> ADVICE =
      List.of(
          Bsd.MADV_NORMAL,
          Bsd.MADV_RANDOM,
          Bsd.MADV_SEQUENTIAL,
          Bsd.MADV_WILLNEED,
          Bsd.MADV_DONTNEED,
          Bsd.MADV_DONTNEED,
          Bsd.MADV_FREE,
          Bsd.MADV_FREE);

  private static final List<Integer> SYNC =
      List.of(
          Bsd.MS_SYNC,
          Bsd.MS_ASYNC,
          Bsd.MS_SYNC | Bsd.MS_INVALIDATE,
          Bsd.MS_ASYNC | Bsd.MS_INVALIDATE,
          Bsd.MS_INVALIDATE);

  private final Choices choices;
  private final List<Call> deck = new ArrayList<>();

  /**
   * A generator.
   *
   * @param choices decides
   * @param locks whether sequences lock pages
   */
  Generator(Choices choices, boolean locks) {
    this.choices = choices;
    for (Call call : Call.values()) {
      int weight =
          switch (call) {
            case MMAP -> 14;
            case MUNMAP, MREMAP -> 5;
            case MPROTECT -> 7;
            case MADVISE, LOAD, MINCORE -> 4;
            case MSYNC -> 3;
            case MLOCK, MUNLOCK -> locks ? 2 : 0;
            case STORE -> 14;
          };
      for (int i = 0; i < weight; i++) {
        deck.add(call);
      }
    }
  }

  List<Step> sequence() {
    List<Step> steps = new ArrayList<>();
    for (int i = choices.between(SHORTEST, LONGEST); i > 0; i--) {
      steps.add(step(choices.pick(deck)));
    }
    return steps;
  }

  private Step step(Call call) {
    int page = choices.below(PAGES);
    long address = (long) page * PAGE_SIZE;
    long length = length(page);
    return switch (call) {
      case MMAP -> map(address, length);
      case MUNMAP -> mistaken(Step.munmap(address, length), true);
      case MPROTECT -> protect(address, length);
      case MADVISE -> advise(address, length);
      case MSYNC -> sync(address, length);
      case MLOCK, MUNLOCK, MINCORE -> mistaken(Step.of(call, address, length, 0), false);
      case MREMAP -> remap(address, length);
      case LOAD -> Step.of(call, address + offset(), 1, 0);
      case STORE -> Step.of(call, address + offset(), 1, choices.between(1, 255));
    };
  }

  private long offset() {
    return choices.below(PAGE_SIZE);
  }

  /** Bytes from a page on, within the arena; every other time whole pages. */
  private long length(int page) {
    int pages = Math.min(choices.between(1, MOST_PAGES), PAGES - page);
    return (long) pages * PAGE_SIZE - (choices.oneIn(2) ? 0 : choices.below(PAGE_SIZE));
  }

  private boolean isMistaken() {
    return choices.oneIn(RARELY);
  }

  /** Bytes so that the end lies before the start. */
  private long wrapping() {
    return (long) -PAGE_SIZE * choices.between(1, PAGES);
  }

  /** Makes one mistake that every range can have, now and then. */
  private Step mistaken(Step step, boolean orTooLong) {
    if (!isMistaken()) {
      return step;
    }
    return switch (choices.below(orTooLong ? 4 : 3)) {
      case 0 -> step.withRange(step.address(), 0);
      case 1 -> step.withRange(step.address(), wrapping());
      case 2 -> misaligned(step);
      default -> step.withRange(step.address(), TOO_LONG);
    };
  }

  /** The range stays within the arena, whichever way its start is aligned. */
  private Step misaligned(Step step) {
    long address = step.address() + choices.between(1, PAGE_SIZE - 1);
    long most = MemoryCalls.SIZE - Layout.ceiling(address);
    return most == 0 ? step : step.withRange(address, Math.min(step.length(), most));
  }

  private int protection() {
    return choices.pick(PROTECTIONS);
  }

  private Step map(long address, long length) {
    int type = choices.oneIn(4) ? Bsd.MAP_SHARED : Bsd.MAP_PRIVATE;
    int flags = type | Bsd.MAP_ANON | (choices.oneIn(8) ? Bsd.MAP_STACK : 0);
    if (choices.oneIn(4)) {
      int tried = choices.oneIn(2) ? Bsd.MAP_TRYFIXED : 0;
      long hint = choices.oneIn(6) ? NO_HINT : address;
      Step step = Step.mmap(hint, length, protection(), flags | tried, -1);
      return hint == NO_HINT ? step : mapMistaken(step);
    }
    return mapMistaken(Step.mmap(address, length, protection(), flags | Bsd.MAP_FIXED, -1));
  }

  private Step mapMistaken(Step step) {
    if (!isMistaken()) {
      return step;
    }
    return switch (choices.below(6)) {
      case 0 -> step.withFlags(step.flags() | Bsd.MAP_TYPE);
      case 1 -> step.withFlags(step.flags() & ~Bsd.MAP_TYPE);
      case 2 -> step.withFlags(step.flags() & ~Bsd.MAP_ANON);
      case 3 ->
          Step.mmap(step.address(), step.length(), step.option(), step.flags(), choices.below(3));
      default -> mistaken(step, true);
    };
  }

  private Step protect(long address, long length) {
    Step step = Step.mprotect(address, length, protection());
    return choices.oneIn(4 * RARELY)
        ? step.withOption(step.option() | Bsd.PROT_UNKNOWN)
        : mistaken(step, false);
  }

  private Step advise(long address, long length) {
    Step step = Step.of(Call.MADVISE, address, length, choices.pick(ADVICE));
    return choices.oneIn(2 * RARELY) ? step.withOption(Bsd.MADV_UNKNOWN) : mistaken(step, false);
  }

  private Step sync(long address, long length) {
    Step step = Step.of(Call.MSYNC, address, length, 0).withFlags(choices.pick(SYNC));
    if (choices.oneIn(RARELY)) {
      return step.withFlags(choices.pick(List.of(0, Bsd.MS_SYNC | Bsd.MS_ASYNC, 8)));
    }
    return mistaken(step, false);
  }

  private Step remap(long address, long length) {
    int page = choices.below(PAGES);
    long target = choices.oneIn(6) ? address : (long) page * PAGE_SIZE;
    long targetLength = choices.oneIn(2) ? length : length((int) (address / PAGE_SIZE));
    int flags = choices.oneIn(3) ? 0 : Bsd.MAP_FIXED;
    if ((flags & Bsd.MAP_FIXED) != 0 && !Layout.isInside(target, Layout.ceiling(targetLength))) {
      targetLength = MemoryCalls.SIZE - target;
    }
    Step step = Step.mremap(address, length, target, targetLength, flags);
    if (!isMistaken()) {
      return step;
    }
    return switch (choices.below(6)) {
      case 0 -> step.withFlags(flags | Bsd.MREMAP_UNKNOWN);
      case 1 -> misaligned(step);
      case 2 -> Step.mremap(address, length, target + 1, targetLength - 1, flags);
      case 3 -> Step.mremap(address, length, target, 0, flags);
      case 4 -> Step.mremap(address, length, target, wrapping(), flags);
      default -> step.withRange(address, choices.oneIn(2) ? 0 : wrapping());
    };
  }
}
