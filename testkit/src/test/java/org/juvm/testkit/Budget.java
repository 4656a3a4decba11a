package org.juvm.testkit;

import java.util.concurrent.TimeUnit;

/** When to stop: after a number of rounds in tests, after a time where a person is watching. */
@FunctionalInterface
interface Budget {

  /** Whether there is a next round. For any number of threads. */
  boolean hasRound(long done);

  static Budget rounds(long rounds) {
    return done -> done < rounds;
  }

  static Budget seconds(long seconds) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    return done -> System.nanoTime() - end < 0;
  }
}
