package org.juvm.anon;

import java.util.Arrays;

/**
 * Anons that lost their last reference under an amap's lock, to be freed when it is released, or
 * when there are many of them. For one thread; reusable.
 */
public final class DeadAnons {
  private static final int MANY = 4096;

  private int[] anons = new int[16];

  /** As long as anons. */
  private int[] scratch = new int[16];

  private int size;

  /** An empty list. */
  public DeadAnons() {}

  void add(int anon) {
    if (size == anons.length) {
      anons = Arrays.copyOf(anons, size * 2);
      scratch = new int[anons.length];
    }
    anons[size++] = anon;
  }

  int get(int index) {
    return anons[index];
  }

  /** Room for a number per anon. */
  int[] scratch() {
    return scratch;
  }

  int size() {
    return size;
  }

  /** Whether it is time to free these before there are more. */
  boolean areMany() {
    return size >= MANY;
  }

  boolean isEmpty() {
    return size == 0;
  }

  void clear() {
    size = 0;
  }
}
