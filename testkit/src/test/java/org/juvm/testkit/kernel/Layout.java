package org.juvm.testkit.kernel;

import static org.juvm.testkit.kernel.MemoryCalls.PAGES;
import static org.juvm.testkit.kernel.MemoryCalls.PAGE_SIZE;

import java.util.Arrays;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What the calls that succeeded have made of an arena: enough to tell which differences between the
 * systems apply. Ranges are those of whole pages that a byte range touches.
 */
final class Layout {
  /** Whether mincore has to find a page. */
  enum Residence {
    ABSENT,
    RESIDENT,
    /** Up to the system. */
    OPEN
  }

  /** A mapped page. */
  record Page(int protection, boolean shared, boolean locked, Residence residence) {
    boolean isReadable() {
      return protection != Bsd.PROT_NONE;
    }

    Page with(int newProtection) {
      return new Page(newProtection, shared, locked, residence);
    }

    Page with(boolean newLocked) {
      return new Page(protection, shared, newLocked, newLocked ? Residence.RESIDENT : residence);
    }

    Page with(Residence newResidence) {
      return new Page(protection, shared, locked, newResidence);
    }
  }

  private final @Nullable Page[] pages = new @Nullable Page[PAGES];

  static long floor(long address) {
    return address & -PAGE_SIZE;
  }

  static long ceiling(long address) {
    return floor(address + PAGE_SIZE - 1);
  }

  /** The pages of a range in the arena. */
  static IntStream range(long address, long length) {
    return IntStream.range(
        (int) (floor(address) / PAGE_SIZE), (int) (ceiling(address + length) / PAGE_SIZE));
  }

  static boolean isInside(long address, long length) {
    return address >= 0 && length >= 0 && length <= MemoryCalls.SIZE - address;
  }

  @Nullable Page page(int number) {
    return pages[number];
  }

  boolean isMapped(int number) {
    return pages[number] != null;
  }

  /** Whether a mapped page fulfils something; false for a hole. */
  private boolean is(int number, Predicate<Page> what) {
    Page page = pages[number];
    return page != null && what.test(page);
  }

  boolean isLocked(int number) {
    return is(number, Page::locked);
  }

  boolean isShared(int number) {
    return is(number, Page::shared);
  }

  boolean isReadable(int number) {
    return is(number, Page::isReadable);
  }

  boolean any(Step step, IntPredicate what) {
    return range(step.address(), step.length()).anyMatch(what);
  }

  boolean hasHole(Step step) {
    return any(step, number -> !isMapped(number));
  }

  /** Whether nothing is mapped in a range and all of it is in the arena. */
  boolean isFree(long address, long length) {
    return isInside(address, length) && range(address, length).noneMatch(this::isMapped);
  }

  /** Pages from the start of a range up to the first hole. */
  IntStream leading(Step step) {
    return range(step.address(), step.length()).takeWhile(this::isMapped);
  }

  // ---- changes ----

  void set(int number, @Nullable Page page) {
    pages[number] = page;
  }

  void setResidence(int number, Residence residence) {
    Page page = pages[number];
    if (page != null) {
      pages[number] = page.with(residence);
    }
  }

  /** Moves pages, in place of what is there. */
  void move(int from, int to, int count) {
    @Nullable Page[] moved = Arrays.copyOfRange(pages, from, from + count);
    Arrays.fill(pages, from, from + count, null);
    System.arraycopy(moved, 0, pages, to, count);
  }

  /** A call succeeded that did what its arguments say, within the arena. */
  void apply(Step step) {
    if (step.call() == Step.Call.MMAP) {
      Page page = new Page(step.option() & 7, step.has(Bsd.MAP_SHARED), false, Residence.ABSENT);
      range(step.address(), step.length()).forEach(number -> pages[number] = page);
      return;
    }
    if (step.call() == Step.Call.MREMAP) {
      throw new IllegalStateException("moves are not done as a whole: " + step);
    }
    range(step.address(), step.length())
        .forEach(
            number -> {
              Page page = pages[number];
              if (page != null) {
                pages[number] = after(step, page);
              }
            });
  }

  private static @Nullable Page after(Step step, Page page) {
    return switch (step.call()) {
      case MUNMAP -> null;
      case MPROTECT -> page.with(step.option() & 7);
      case MLOCK -> page.with(true);
      case MUNLOCK -> page.with(false);
      case LOAD, STORE -> page.with(Residence.RESIDENT);
      default -> page;
    };
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(PAGES);
    for (Page page : pages) {
      text.append(page == null ? '.' : (char) ((page.shared() ? 's' : '0') + page.protection()));
    }
    return text.toString();
  }
}
