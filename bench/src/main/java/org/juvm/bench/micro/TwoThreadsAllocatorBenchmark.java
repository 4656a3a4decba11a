package org.juvm.bench.micro;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.juvm.bench.allocator.Allocator;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;

/**
 * Two threads, each for itself; and two that put what they allocate into places where either finds
 * it and frees it, so that about half of the memory is freed by the thread that has not allocated
 * it. An arena cannot be closed by another thread.
 */
@Threads(2)
@Measurement(iterations = 100, time = 1, timeUnit = TimeUnit.MILLISECONDS)
public class TwoThreadsAllocatorBenchmark extends AllocatorBenchmark {
  private static final int PLACES = 64;

  /** References between two places, so that they are in cache lines of their own. */
  private static final int STRIDE = 16;

  private final AtomicReferenceArray<@Nullable Object> places =
      new AtomicReferenceArray<>(PLACES * STRIDE);

  /** Where a thread is. */
  @State(Scope.Thread)
  public static class Place {
    private static final AtomicInteger MEMBERS = new AtomicInteger();

    private int at = MEMBERS.getAndIncrement() * PLACES / 2;

    private @Nullable Allocator used;

    /** At the start, another for each thread. */
    public Place() {}

    /** Gives back what is left. */
    @TearDown
    public void tearDown(TwoThreadsAllocatorBenchmark benchmark) {
      for (int i = 0; i < PLACES && used != null; i++) {
        Object left = benchmark.places.getAndSet(i * STRIDE, null);
        if (left != null) {
          used.free(left);
        }
      }
    }

    int next() {
      at = (at + 1) % PLACES;
      return at * STRIDE;
    }
  }

  private void handOver(Allocator allocator, Place place) {
    place.used = allocator;
    Object other = places.getAndSet(place.next(), allocator.allocate(bytes));
    if (other != null) {
      allocator.free(other);
    }
  }

  /** Kernel memory. */
  @Benchmark
  public void juvmHandOver(Place place) {
    handOver(juvm, place);
  }

  /** The C library. */
  @Benchmark
  public void mallocHandOver(Place place) {
    handOver(malloc, place);
  }

  /** The C library without a change of state. */
  @Benchmark
  public void criticalHandOver(Place place) {
    handOver(critical, place);
  }

  /** Netty's older allocator. */
  @Benchmark
  public void pooledHandOver(Place place) {
    handOver(pooled, place);
  }

  /** Netty's newer allocator. */
  @Benchmark
  public void adaptiveHandOver(Place place) {
    handOver(adaptive, place);
  }
}
