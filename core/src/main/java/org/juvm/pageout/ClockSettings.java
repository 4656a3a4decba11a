package org.juvm.pageout;

/**
 * The settings of the two-queue clock. Percentages of types are of all pages that are active,
 * inactive or free.
 *
 * <p>Source: the variables {@code vm.anonmin}, {@code vm.filemin}, {@code vm.anonmax}, {@code
 * vm.filemax} and {@code vm.inactivepct} of NetBSD. There are no executables here, whose pages are
 * a third type there.
 *
 * @param anonymousMinimum while anonymous pages are not more, they stay if they can
 * @param anonymousMaximum while they are more, they do not stay because of their type
 * @param fileMinimum the same of pages of files
 * @param fileMaximum the same of pages of files
 * @param inactive share of active and inactive pages that should be inactive
 */
public record ClockSettings(
    int anonymousMinimum, int anonymousMaximum, int fileMinimum, int fileMaximum, int inactive) {
  /** The largest sum of the minima: something must be free to go. */
  private static final int MAXIMUM_OF_MINIMA = 95;

  /** NetBSD's. */
  public static final ClockSettings DEFAULT = new ClockSettings(10, 80, 10, 50, 33);

  /**
   * Checks the settings.
   *
   * @throws IllegalArgumentException if one is no percentage, or the sum of the minima is more than
   *     95
   */
  public ClockSettings {
    check("anonymous minimum", anonymousMinimum);
    check("anonymous maximum", anonymousMaximum);
    check("file minimum", fileMinimum);
    check("file maximum", fileMaximum);
    check("inactive", inactive);
    if (anonymousMinimum + fileMinimum > MAXIMUM_OF_MINIMA) {
      throw new IllegalArgumentException(
          "minima: "
              + anonymousMinimum
              + " % and "
              + fileMinimum
              + " % are more than "
              + MAXIMUM_OF_MINIMA
              + " %");
    }
  }

  private static void check(String name, int percent) {
    if (percent < 0 || percent > 100) {
      throw new IllegalArgumentException(name + ": not a percentage: " + percent);
    }
  }

  /** Pages of which type stay because of it. */
  enum Staying {
    /** None: what counts is whether a page was used. */
    NEITHER,
    /** Anonymous ones. */
    ANONYMOUS,
    /** Those of files. */
    FILE
  }

  /**
   * Decides which type of pages stays. There is no answer by which both would stay: nothing would
   * be left to take.
   *
   * @param anonymous pages that are anonymous
   * @param file pages that belong to files
   * @param free free frames
   * @param swapFull whether anonymous pages cannot be taken anyway
   */
  Staying staying(long anonymous, long file, long free, boolean swapFull) {
    long all = anonymous + file + free;
    boolean anonymousOver = isOver(anonymous, anonymousMaximum, all);
    boolean fileOver = isOver(file, fileMaximum, all);
    boolean anonymousStays =
        !isOver(anonymous, anonymousMinimum, all) || (fileOver && !anonymousOver);
    boolean fileStays = !isOver(file, fileMinimum, all) || (anonymousOver && !fileOver);
    if (fileStays && (anonymousStays || swapFull)) {
      return Staying.NEITHER;
    }
    if (anonymousStays) {
      return Staying.ANONYMOUS;
    }
    return fileStays ? Staying.FILE : Staying.NEITHER;
  }

  private static boolean isOver(long pages, int percent, long all) {
    return pages > all * percent / 100;
  }
}
