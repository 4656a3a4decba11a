package org.juvm;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The thread that writes a statistics page again and again until it is stopped. Thread-safe.
 *
 * <p>It holds no lock between ticks, and during one only such as are held for a few steps; nobody
 * waits for it but who stops it.
 */
final class StatisticsClock {
  private final StatisticsWriter writer;
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final Thread thread;

  /** Ticks that failed. */
  private final AtomicLong failures = new AtomicLong();

  StatisticsClock(StatisticsWriter writer) {
    this.writer = writer;
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
          writer.tick();
        }
      } catch (InterruptedException e) {
        // Nobody has a reason to interrupt it.
        Thread.onSpinWait();
      } catch (Throwable e) {
        // Not even an error of the JVM ends it: the next tick may do better.
        failures.incrementAndGet();
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
