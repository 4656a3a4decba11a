package org.juvm.anon;

import java.util.Arrays;

/**
 * Anons that lost their last reference under an amap's lock, to be freed when it is released. For
 * one thread; reusable.
 */
public final class DeadAnons {
  private int[] anons = new int[16];
  private int size;

  /** An empty list. */
  public DeadAnons() {}

  void add(int anon) {
    if (size == anons.length) {
      anons = Arrays.copyOf(anons, size * 2);
    }
    anons[size++] = anon;
  }

  int get(int index) {
    return anons[index];
  }

  int size() {
    return size;
  }

  boolean isEmpty() {
    return size == 0;
  }

  void clear() {
    size = 0;
  }
}
