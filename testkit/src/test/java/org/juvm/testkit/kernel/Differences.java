package org.juvm.testkit.kernel;

import static org.juvm.testkit.kernel.Conditions.both;
import static org.juvm.testkit.kernel.Conditions.endsShared;
import static org.juvm.testkit.kernel.Conditions.hasHole;
import static org.juvm.testkit.kernel.Conditions.hasInaccessible;
import static org.juvm.testkit.kernel.Conditions.hasKnownFlags;
import static org.juvm.testkit.kernel.Conditions.hasRoom;
import static org.juvm.testkit.kernel.Conditions.isFree;
import static org.juvm.testkit.kernel.Conditions.isGrowing;
import static org.juvm.testkit.kernel.Conditions.isHint;
import static org.juvm.testkit.kernel.Conditions.isInPlace;
import static org.juvm.testkit.kernel.Conditions.isInvalidation;
import static org.juvm.testkit.kernel.Conditions.isMappedAt;
import static org.juvm.testkit.kernel.Conditions.isMisaligned;
import static org.juvm.testkit.kernel.Conditions.isOfOneType;
import static org.juvm.testkit.kernel.Conditions.isPlain;
import static org.juvm.testkit.kernel.Conditions.isRemap;
import static org.juvm.testkit.kernel.Conditions.isTargetFree;
import static org.juvm.testkit.kernel.Conditions.isUnclear;
import static org.juvm.testkit.kernel.Conditions.isValidRemap;
import static org.juvm.testkit.kernel.Difference.answered;
import static org.juvm.testkit.kernel.Difference.asked;
import static org.juvm.testkit.kernel.Difference.refused;
import static org.juvm.testkit.kernel.Difference.skipped;
import static org.juvm.testkit.kernel.Layout.ceiling;
import static org.juvm.testkit.kernel.Layout.floor;
import static org.juvm.testkit.kernel.MemoryCalls.TOO_LONG;

import java.util.List;
import org.juvm.testkit.kernel.Step.Call;

/**
 * All that BSD, as NetBSD has it, and Linux differ in on purpose. The first that applies to a call
 * counts. What is said about Linux is checked, too, where the kernel is asked.
 */
final class Differences {
  private static final String NETBSD_ALIGNS = "aligns the start down and keeps the end";

  static final List<Difference> ALL =
      List.of(
          // ---- mmap ----
          new Difference(
              "mmap-descriptor",
              Call.MMAP,
              "anonymous with a file descriptor",
              "EINVAL",
              "ignores the descriptor",
              (step, layout) -> step.has(Bsd.MAP_ANON) && step.target() != -1,
              refused("EINVAL")),
          new Difference(
              "mmap-no-type",
              Call.MMAP,
              "neither shared nor private",
              "private",
              "EINVAL",
              (step, layout) -> !step.has(Bsd.MAP_TYPE),
              asked(step -> step.withFlags(step.flags() | Bsd.MAP_PRIVATE))),
          new Difference(
              "mmap-empty",
              Call.MMAP,
              "no bytes, anonymous",
              "nothing to do",
              "EINVAL",
              (step, layout) -> step.length() == 0 && step.has(Bsd.MAP_ANON) && isOfOneType(step),
              answered("", "EINVAL")),
          new Difference(
              "mmap-wraps",
              Call.MMAP,
              "at a fixed address, the end before the start",
              "EOVERFLOW",
              "ENOMEM",
              (step, layout) -> step.length() < 0 && isPlain(step),
              answered("EOVERFLOW", "ENOMEM")),
          new Difference(
              "mmap-too-long",
              Call.MMAP,
              "at a fixed address, beyond the address space",
              "EFBIG",
              "ENOMEM",
              (step, layout) -> step.length() == TOO_LONG && isPlain(step),
              answered("EFBIG", "ENOMEM")),
          new Difference(
              "mmap-misaligned-hint",
              Call.MMAP,
              "a hint within a page",
              "rounds it up",
              "rounds it down",
              (step, layout) -> isHint(step) && step.address() != floor(step.address()),
              asked(step -> step.withRange(ceiling(step.address()), step.length()))),
          new Difference(
              "mmap-elsewhere",
              Call.MMAP,
              "no hint, or one where something is",
              "first fit from the hint, or from where mappings go",
              "below the other mappings; compared is that it is where nothing was",
              (step, layout) -> isHint(step) && !layout.isFree(step.address(), step.length()),
              Remaps::mapElsewhere),

          // ---- munmap ----
          new Difference(
              "munmap-empty",
              Call.MUNMAP,
              "no bytes",
              "nothing to do",
              "EINVAL",
              (step, layout) -> step.length() == 0 && !isMisaligned(step, layout),
              answered("", "EINVAL")),

          // ---- mprotect ----
          new Difference(
              "mprotect-unknown",
              Call.MPROTECT,
              "a right that there is not",
              "ignores it",
              "EINVAL",
              (step, layout) -> (step.option() & Bsd.PROT_UNKNOWN) != 0,
              asked(step -> step.withOption(step.option() & ~Bsd.PROT_UNKNOWN))),
          new Difference(
              "mprotect-misaligned",
              Call.MPROTECT,
              "starts within a page",
              NETBSD_ALIGNS,
              "EINVAL",
              Conditions::isMisaligned,
              asked(Conditions::aligned)),
          new Difference(
              "mprotect-wraps",
              Call.MPROTECT,
              "the end before the start",
              "EINVAL",
              "ENOMEM",
              (step, layout) -> step.length() < 0,
              answered("EINVAL", "ENOMEM")),
          new Difference(
              "mprotect-hole",
              Call.MPROTECT,
              "a hole",
              "ENOMEM, and nothing has changed: checked before anything is done",
              "ENOMEM, and what lies before the hole has changed",
              (step, layout) -> layout.hasHole(step),
              answered("ENOMEM", "ENOMEM", Repairs::protectAgain)),

          // ---- madvise ----
          new Difference(
              "madvise-misaligned",
              Call.MADVISE,
              "starts within a page",
              NETBSD_ALIGNS,
              "EINVAL",
              both(Conditions::isMisaligned, Conditions::isKnownAdvice),
              asked(Conditions::aligned)),
          new Difference(
              "madvise-discard-hole",
              Call.MADVISE,
              "DONTNEED or FREE over a hole",
              "EFAULT, and nothing has changed",
              "ENOMEM, and what lies around the hole is discarded",
              both(Conditions::isDiscard, (step, layout) -> hasHole(step, layout)),
              refused("EFAULT")),
          new Difference(
              "madvise-hole",
              Call.MADVISE,
              "other advice over a hole",
              "holes are left out",
              "ENOMEM, after the rest is done",
              both(Conditions::isKnownAdvice, (step, layout) -> hasHole(step, layout)),
              // WILLNEED is refused by kernels without swap, in its own way.
              (bout, asked, meant) -> {
                answered("", "ENOMEM").treat(bout, asked, meant.withOption(Bsd.MADV_NORMAL));
                Repairs.open(bout, meant);
              }),
          new Difference(
              "madvise-willneed",
              Call.MADVISE,
              "WILLNEED",
              "may bring pages in",
              "reads swap, or EBADF where there is none",
              (step, layout) -> step.option() == Bsd.MADV_WILLNEED && step.length() > 0,
              (bout, asked, meant) -> {
                bout.resolve(asked, meant.withOption(Bsd.MADV_NORMAL));
                Repairs.open(bout, meant);
              }),
          new Difference(
              "madvise-dontneed",
              Call.MADVISE,
              "DONTNEED",
              "makes pages inactive, bytes stay",
              "drops the bytes of private pages at once",
              (step, layout) -> step.option() == Bsd.MADV_DONTNEED,
              asked(step -> step.withOption(Bsd.MADV_NORMAL))),
          new Difference(
              "madvise-free-locked",
              Call.MADVISE,
              "FREE of locked pages",
              "EBUSY",
              "EINVAL, after what lies before is discarded",
              (step, layout) -> isFree(step) && layout.any(step, layout::isLocked),
              refused("EBUSY")),
          new Difference(
              "madvise-free-unclear",
              Call.MADVISE,
              "FREE of shared pages, or of some that cannot be looked at",
              "what they hold is open",
              "EINVAL for shared pages, otherwise what they hold is open",
              (step, layout) -> isFree(step) && isUnclear(step, layout),
              skipped()),
          new Difference(
              "madvise-free",
              Call.MADVISE,
              "FREE",
              "may throw the bytes away at once or later",
              "lazily; asked to drop what the tested system has dropped",
              (step, layout) -> isFree(step) && step.length() > 0,
              (bout, asked, meant) -> {
                bout.tests(asked, Answer.DONE);
                bout.settle(Layout.range(meant.address(), meant.length()));
              }),

          // ---- msync ----
          new Difference(
              "msync-no-flags",
              Call.MSYNC,
              "no flags",
              "EINVAL",
              "as ASYNC",
              (step, layout) -> step.flags() == 0,
              refused("EINVAL")),
          new Difference(
              "msync-misaligned",
              Call.MSYNC,
              "starts within a page",
              NETBSD_ALIGNS,
              "EINVAL",
              both(Conditions::isMisaligned, Conditions::hasKnownFlags),
              asked(Conditions::aligned)),
          new Difference(
              "msync-wraps",
              Call.MSYNC,
              "the end before the start",
              "EINVAL",
              "ENOMEM",
              (step, layout) -> step.length() < 0 && hasKnownFlags(step, layout),
              answered("EINVAL", "ENOMEM")),
          new Difference(
              "msync-empty-hole",
              Call.MSYNC,
              "no bytes, where nothing is mapped",
              "EINVAL",
              "nothing to do",
              (step, layout) ->
                  step.length() == 0 && !isMappedAt(step, layout) && hasKnownFlags(step, layout),
              answered("EINVAL", "")),
          new Difference(
              "msync-empty-invalidate",
              Call.MSYNC,
              "INVALIDATE of no bytes",
              "that of the whole mapping",
              "nothing to do",
              (step, layout) ->
                  step.length() == 0 && step.has(Bsd.MS_INVALIDATE) && hasKnownFlags(step, layout),
              skipped()),
          new Difference(
              "msync-hole-locked",
              Call.MSYNC,
              "INVALIDATE over a hole and a locked page",
              "EFAULT or EBUSY",
              "ENOMEM or EBUSY",
              (step, layout) ->
                  step.has(Bsd.MS_INVALIDATE)
                      && layout.hasHole(step)
                      && layout.any(step, layout::isLocked),
              skipped()),
          new Difference(
              "msync-hole",
              Call.MSYNC,
              "a hole",
              "EFAULT",
              "ENOMEM",
              (step, layout) -> layout.hasHole(step) && hasKnownFlags(step, layout),
              answered("EFAULT", "ENOMEM")),
          new Difference(
              "msync-invalidate-unclear",
              Call.MSYNC,
              "INVALIDATE of shared pages, or of some that cannot be looked at",
              "what they hold is open: anonymous memory is not kept anywhere else",
              "bytes stay",
              (step, layout) -> isInvalidation(step, layout) && isUnclear(step, layout),
              skipped()),
          new Difference(
              "msync-invalidate",
              Call.MSYNC,
              "INVALIDATE",
              "may throw the bytes away",
              "bytes stay; asked to drop what the tested system has dropped",
              Conditions::isInvalidation,
              (bout, asked, meant) -> {
                answered("", "").treat(bout, asked, meant);
                bout.settle(Layout.range(meant.address(), meant.length()));
              }),

          // ---- mlock, munlock ----
          new Difference(
              "mlock-wraps",
              Call.MLOCK,
              "the end before the start",
              "ENOMEM",
              "EINVAL",
              (step, layout) -> step.length() < 0,
              answered("ENOMEM", "EINVAL")),
          new Difference(
              "munlock-wraps",
              Call.MUNLOCK,
              "the end before the start",
              "ENOMEM",
              "EINVAL",
              (step, layout) -> step.length() < 0,
              answered("ENOMEM", "EINVAL")),
          new Difference(
              "mlock-hole-inaccessible",
              Call.MLOCK,
              "a hole, and a page that cannot be accessed",
              "ENOMEM or EINVAL",
              "ENOMEM",
              (step, layout) -> layout.hasHole(step) && hasInaccessible(step, layout),
              skipped()),
          new Difference(
              "mlock-hole",
              Call.MLOCK,
              "a hole",
              "ENOMEM, and nothing has changed",
              "ENOMEM, and what lies before the hole is locked",
              (step, layout) -> layout.hasHole(step),
              answered("ENOMEM", "ENOMEM", Repairs::unlockAgain)),
          new Difference(
              "mlock-inaccessible",
              Call.MLOCK,
              "a page that cannot be accessed",
              "EINVAL, and nothing has changed",
              "ENOMEM, and all of it is locked, as far as that can be",
              Conditions::hasInaccessible,
              answered("EINVAL", "ENOMEM", Repairs::unlockAgain)),
          new Difference(
              "munlock-hole",
              Call.MUNLOCK,
              "a hole",
              "ENOMEM, and nothing has changed",
              "ENOMEM, and what lies before the hole is unlocked",
              (step, layout) -> layout.hasHole(step),
              answered("ENOMEM", "ENOMEM", Repairs::lockAgain)),

          // ---- mincore ----
          new Difference(
              "mincore-empty",
              Call.MINCORE,
              "no bytes",
              "EINVAL",
              "nothing to do",
              (step, layout) -> step.length() == 0,
              answered("EINVAL", "")),
          new Difference(
              "mincore-wraps",
              Call.MINCORE,
              "the end before the start",
              "EINVAL",
              "ENOMEM",
              (step, layout) -> step.length() < 0,
              answered("EINVAL", "ENOMEM")),

          // ---- mremap: Linux has MREMAP_MAYMOVE and MREMAP_FIXED, and another order ----
          new Difference(
              "mremap-wraps",
              Call.MREMAP,
              "no old bytes, or the end before the start",
              "EINVAL",
              "EINVAL or EFAULT; no old bytes of a shared mapping duplicate it",
              (step, layout) -> isValidRemap(step) && step.length() <= 0,
              refused("EINVAL")),
          new Difference(
              "mremap-too-long",
              Call.MREMAP,
              "a new length that nothing can have",
              "ENOMEM, as any length that is too large",
              "EINVAL",
              (step, layout) -> isValidRemap(step) && step.targetLength() < 0,
              refused("ENOMEM")),
          new Difference(
              "mremap-locked",
              Call.MREMAP,
              "locked pages",
              "new ones are not locked",
              "new ones are locked, too",
              (step, layout) -> isRemap(step) && layout.any(step, layout::isLocked),
              skipped()),
          new Difference(
              "mremap-hole",
              Call.MREMAP,
              "a hole in the old range",
              "not said; in place it is not even looked for",
              "EFAULT, in newer versions after some pages have moved, or a move with holes",
              (step, layout) -> isRemap(step) && layout.hasHole(step),
              skipped()),
          new Difference(
              "mremap-grow-shared",
              Call.MREMAP,
              "a shared mapping grows",
              "new pages are zeros",
              "SIGBUS behind the end of the object",
              (step, layout) -> isRemap(step) && isGrowing(step) && endsShared(step, layout),
              skipped()),
          new Difference(
              "mremap-in-place",
              Call.MREMAP,
              "same address, or none and the range can stay",
              "over any number of mappings",
              "fixed EINVAL, several mappings EFAULT; asked for the last page only",
              (step, layout) -> isRemap(step) && isInPlace(step) && hasRoom(step, layout),
              Remaps::stay),
          new Difference(
              "mremap-elsewhere",
              Call.MREMAP,
              "no address, and no room to grow",
              "moves to where it wants, any number of mappings",
              "moves to where it wants, one mapping",
              (step, layout) -> isRemap(step) && !step.has(Bsd.MAP_FIXED),
              Remaps::leave),
          new Difference(
              "mremap-occupied",
              Call.MREMAP,
              "something is at the target, be it the old range",
              "ENOMEM",
              "replaces it; EINVAL if it is the old range",
              (step, layout) -> isRemap(step) && (isInPlace(step) || !isTargetFree(step, layout)),
              refused("ENOMEM")),
          new Difference(
              "mremap-move",
              Call.MREMAP,
              "to a free target",
              "over any number of mappings",
              "several mappings EFAULT; asked page by page",
              (step, layout) -> isRemap(step),
              Remaps::move));

  private Differences() {}
}
