package org.juvm.pageout;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.juvm.page.References;

/** Referenced bits that a test sets itself. */
final class Bits implements References {
  private final AtomicIntegerArray bits;

  /** Whether every page is used again at once, all the time. */
  volatile boolean stuck;

  Bits(int frames) {
    bits = new AtomicIntegerArray(frames);
  }

  void use(int frame) {
    bits.set(frame, 1);
  }

  @Override
  public boolean testAndClear(int frame) {
    return bits.getAndSet(frame, 0) != 0 || stuck;
  }

  @Override
  public boolean isReferenced(int frame) {
    return bits.get(frame) != 0 || stuck;
  }
}
