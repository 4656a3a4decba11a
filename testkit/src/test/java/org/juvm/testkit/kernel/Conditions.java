package org.juvm.testkit.kernel;

import static org.juvm.testkit.kernel.Layout.ceiling;
import static org.juvm.testkit.kernel.Layout.floor;
import static org.juvm.testkit.kernel.MemoryCalls.NO_HINT;
import static org.juvm.testkit.kernel.MemoryCalls.PAGE_SIZE;
import static org.juvm.testkit.kernel.MemoryCalls.TOO_LONG;

import java.util.function.BiPredicate;

/** What a difference may depend on. Some do not need the layout, but fit where it is given. */
final class Conditions {
  private Conditions() {}

  static BiPredicate<Step, Layout> both(
      BiPredicate<Step, Layout> one, BiPredicate<Step, Layout> other) {
    return one.and(other);
  }

  static boolean isOfOneType(Step step) {
    return (step.flags() & Bsd.MAP_TYPE) != Bsd.MAP_TYPE;
  }

  /** An anonymous mapping at a fixed address, without mistakes but in its length. */
  static boolean isPlain(Step step) {
    return step.has(Bsd.MAP_FIXED) && step.has(Bsd.MAP_ANON) && isOfOneType(step);
  }

  /** A mapping that can be made, at an address that may be another. */
  static boolean isHint(Step step) {
    return !step.has(Bsd.MAP_FIXED)
        && step.has(Bsd.MAP_ANON)
        && isOfOneType(step)
        && (step.address() == NO_HINT || (step.length() > 0 && step.length() != TOO_LONG));
  }

  static boolean isMisaligned(Step step, Layout layout) {
    return step.address() != floor(step.address());
  }

  static Step aligned(Step step) {
    long start = floor(step.address());
    return step.withRange(start, step.length() + step.address() - start);
  }

  static boolean isMappedAt(Step step, Layout layout) {
    return layout.isMapped((int) (step.address() / PAGE_SIZE));
  }

  /** Also for no bytes: NetBSD looks the start up for advice that discards. */
  static boolean hasHole(Step step, Layout layout) {
    return step.length() > 0 && layout.hasHole(step);
  }

  static boolean isKnownAdvice(Step step, Layout layout) {
    return step.option() != Bsd.MADV_UNKNOWN;
  }

  static boolean isDiscard(Step step, Layout layout) {
    return isFree(step) || step.option() == Bsd.MADV_DONTNEED;
  }

  static boolean isFree(Step step) {
    return step.option() == Bsd.MADV_FREE;
  }

  static boolean isUnclear(Step step, Layout layout) {
    return layout.any(step, layout::isShared)
        || layout.any(step, number -> !layout.isReadable(number));
  }

  static boolean hasKnownFlags(Step step, Layout layout) {
    int all = Bsd.MS_ASYNC | Bsd.MS_INVALIDATE | Bsd.MS_SYNC;
    int either = Bsd.MS_ASYNC | Bsd.MS_SYNC;
    return (step.flags() & ~all) == 0 && (step.flags() & either) != either;
  }

  static boolean isInvalidation(Step step, Layout layout) {
    return hasKnownFlags(step, layout)
        && step.has(Bsd.MS_INVALIDATE)
        && step.length() > 0
        && !layout.any(step, layout::isLocked);
  }

  static boolean hasInaccessible(Step step, Layout layout) {
    return layout.any(step, number -> layout.isMapped(number) && !layout.isReadable(number));
  }

  // ---- mremap ----

  static boolean isValidRemap(Step step) {
    return !step.has(Bsd.MREMAP_UNKNOWN)
        && step.address() == floor(step.address())
        && (!step.has(Bsd.MAP_FIXED) || step.target() == floor(step.target()))
        && step.targetLength() != 0;
  }

  static boolean isRemap(Step step) {
    return isValidRemap(step) && step.length() > 0 && step.targetLength() > 0;
  }

  static boolean isGrowing(Step step) {
    return ceiling(step.targetLength()) > ceiling(step.length());
  }

  static boolean endsShared(Step step, Layout layout) {
    return layout.isShared((int) ((step.address() + step.length() - 1) / PAGE_SIZE));
  }

  static boolean isInPlace(Step step) {
    return !step.has(Bsd.MAP_FIXED) || step.target() == step.address();
  }

  static boolean hasRoom(Step step, Layout layout) {
    long length = ceiling(step.length());
    return !isGrowing(step)
        || layout.isFree(step.address() + length, ceiling(step.targetLength()) - length);
  }

  static boolean isTargetFree(Step step, Layout layout) {
    return layout.isFree(step.target(), step.targetLength());
  }
}
