package org.juvm;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The thread that writes a statistics page again and again until it is stopped. Thread-safe.
 *
 * <p>It holds no lock between ticks, and during one only such as are held for a few steps; nobody
 * waits for it but who stops it.
 */
final class StatisticsClock {
  private final Runnable tick;
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final Thread thread;

  /**
   * A clock that is not started.
   *
   * @param tick what it does; if that throws, it is done again with the next tick
   */
  StatisticsClock(Runnable tick) {
    this.tick = tick;
    thread = new Thread(this::run, "juvm-clock");
    thread.setDaemon(true);
  }

  /** Starts it. Once. */
  void start() {
    thread.start();
  }

  private void run() {
    while (stopped.getCount() != 0) {
      try {
        if (!stopped.await(StatisticsWriter.TICK_NANOS, TimeUnit.NANOSECONDS)) {
          tick.run();
        }
      } catch (Throwable _) {
        // Neither an interrupt nor an error of the JVM ends it: the next tick may do better.
      }
    }
  }

  /**
   * Stops it. When this returns nothing is written any more. The caller holds no locks. Stopping
   * twice does nothing.
   */
  void stop() {
    stopped.countDown();
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
