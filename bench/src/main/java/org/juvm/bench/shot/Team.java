package org.juvm.bench.shot;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Threads that do the same thing at the same time. */
final class Team {
  /** What each thread does. */
  interface Job {
    /**
     * Prepares, starts and works.
     *
     * @param member the thread's number, from 0
     * @param start returns when all are ready; time counts from then on
     */
    void run(int member, Runnable start);
  }

  private Team() {}

  /** Runs a job on several threads. Returns nanoseconds from the first start to the last end. */
  static long run(int threads, Job job) {
    CyclicBarrier ready = new CyclicBarrier(threads);
    List<Callable<long[]>> tasks = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      int member = i;
      tasks.add(
          () -> {
            long[] times = new long[2];
            job.run(
                member,
                () -> {
                  await(ready);
                  times[0] = System.nanoTime();
                });
            times[1] = System.nanoTime();
            return times;
          });
    }
    long start = Long.MAX_VALUE;
    long end = Long.MIN_VALUE;
    try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
      for (Future<long[]> result : pool.invokeAll(tasks)) {
        start = Math.min(start, result.get()[0]);
        end = Math.max(end, result.get()[1]);
      }
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException("a thread of the measurement failed", e);
    }
    return end - start;
  }

  private static void await(CyclicBarrier barrier) {
    try {
      barrier.await();
    } catch (InterruptedException | BrokenBarrierException e) {
      throw new IllegalStateException(e);
    }
  }
}
