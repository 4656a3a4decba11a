package org.juvm.fault;

import java.util.Arrays;

/**
 * The frames behind a range that is being lent, in the order of its pages. For one thread; the
 * frames are on loan once for each time that they are in the list.
 */
public final class LentFrames {
  /** In place of a frame: nobody has touched the page, it consists of zeros. */
  public static final int ZEROS = -2;

  /** In place of a frame that has still to be found. */
  static final int ABSENT = -3;

  private int[] frames;
  private int size;

  /**
   * An empty list.
   *
   * @param pages how many pages are going to be lent
   */
  public LentFrames(int pages) {
    frames = new int[Math.min(pages, 1024)];
  }

  void addZeros() {
    addAbsent(1);
    frames[size - 1] = ZEROS;
  }

  /** Adds pages whose frames are to be set. */
  void addAbsent(int pages) {
    if (size + pages > frames.length) {
      frames = Arrays.copyOf(frames, 2 * size + pages);
    }
    Arrays.fill(frames, size, size + pages, ABSENT);
    size += pages;
  }

  void set(int i, int frame) {
    frames[i] = frame;
  }

  /** Forgets all but the first ones. */
  void cut(int pages) {
    size = pages;
  }

  int[] array() {
    return frames;
  }

  /**
   * How many pages there are.
   *
   * @return pages
   */
  public int size() {
    return size;
  }

  /**
   * The frame of a page.
   *
   * @param i which page
   * @return frame number, or {@link #ZEROS}
   */
  public int frame(int i) {
    return frames[i];
  }

  /** Forgets all frames. They are not given back. */
  public void clear() {
    size = 0;
  }
}
