package org.juvm.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;

/** Threads that start together. The first failure of any of them is the failure of the test. */
final class Crew {

  /** What a thread does. */
  @FunctionalInterface
  interface Work {
    void run() throws Exception;
  }

  private final CountDownLatch start = new CountDownLatch(1);
  private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
  private final List<Thread> threads = new ArrayList<>();

  /** Adds a thread. */
  void add(String name, Work work) {
    add(Thread.ofPlatform().name(name).daemon(), work);
  }

  /** Adds a virtual thread. */
  void addVirtual(String name, Work work) {
    add(Thread.ofVirtual().name(name), work);
  }

  private void add(Thread.Builder builder, Work work) {
    threads.add(
        builder.start(
            () -> {
              try {
                start.await();
                work.run();
              } catch (Throwable e) {
                failures.add(e);
              }
            }));
  }

  /** Whether a thread has failed, so that the others may stop, too. */
  boolean hasFailed() {
    return !failures.isEmpty();
  }

  /** Lets them go. */
  void start() {
    start.countDown();
  }

  /** Lets them go and waits for all of them. */
  void run() {
    start();
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        throw new AssertionError("interrupted", e);
      }
    }
    if (!failures.isEmpty()) {
      AssertionError error = new AssertionError("threads failed: " + failures);
      failures.forEach(error::addSuppressed);
      throw error;
    }
  }
}
