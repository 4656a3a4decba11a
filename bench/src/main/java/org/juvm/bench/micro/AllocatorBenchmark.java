package org.juvm.bench.micro;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.juvm.bench.allocator.Allocator;
import org.juvm.bench.allocator.ArenaAllocator;
import org.juvm.bench.allocator.CriticalMallocAllocator;
import org.juvm.bench.allocator.KernelMemoryAllocator;
import org.juvm.bench.allocator.MallocAllocator;
import org.juvm.bench.allocator.NettyAllocator;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Allocating memory, a store to it, and freeing it: one piece at a time, and many that are freed in
 * another order. Netty has its caches for threads that are not its own, and does not look for
 * leaks; both make it quicker than it is by itself. Iterations are shorter than a scheduler's turn,
 * so that most of them have the processor to themselves on a machine that does something else, too.
 */
@SuppressWarnings("NullAway.Init") // JMH calls setUp before anything else
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Measurement(iterations = 300, time = 1, timeUnit = TimeUnit.MILLISECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "-Dio.netty.allocator.useCacheForAllThreads=true",
      "-Dio.netty.allocator.useCachedMagazinesForNonEventLoopThreads=true",
      "-Dio.netty.leakDetection.level=disabled"
    })
public abstract class AllocatorBenchmark {
  static final int BATCH = 64;
  private static final long LIMIT = 64L << 20;

  /** How much is allocated. */
  @Param({"64", "1024", "16384"})
  public long bytes;

  KernelMemoryAllocator juvm;
  final ArenaAllocator arena = new ArenaAllocator();
  final MallocAllocator malloc = new MallocAllocator();
  final CriticalMallocAllocator critical = new CriticalMallocAllocator();
  final NettyAllocator pooled = NettyAllocator.pooled();
  final NettyAllocator adaptive = NettyAllocator.adaptive();

  /** What a thread has allocated, and the order in which it gives that back. */
  @State(Scope.Thread)
  public static class Batch {
    private final Object[] pieces = new Object[BATCH];
    private final int[] order = new int[BATCH];

    /** Finds an order. */
    public Batch() {
      SplittableRandom random = new SplittableRandom(1);
      for (int i = 0; i < BATCH; i++) {
        int j = random.nextInt(i + 1);
        order[i] = order[j];
        order[j] = i;
      }
    }

    void run(Allocator allocator, long bytes) {
      for (int i = 0; i < BATCH; i++) {
        pieces[i] = allocator.allocate(bytes);
      }
      for (int i : order) {
        allocator.free(pieces[i]);
      }
    }
  }

  /** Boots a system. */
  @Setup
  public void setUp() {
    juvm = new KernelMemoryAllocator(LIMIT);
  }

  /** Closes it. */
  @TearDown
  public void tearDown() {
    juvm.close();
  }

  // ---- one ----

  /** Kernel memory. */
  @Benchmark
  public void juvmPair() {
    juvm.free(juvm.allocate(bytes));
  }

  /** Arenas. */
  @Benchmark
  public void arenaPair() {
    arena.free(arena.allocate(bytes));
  }

  /** The C library. */
  @Benchmark
  public void mallocPair() {
    malloc.free(malloc.allocate(bytes));
  }

  /** The C library without a change of state. */
  @Benchmark
  public void criticalPair() {
    critical.free(critical.allocate(bytes));
  }

  /** Netty's older allocator. */
  @Benchmark
  public void pooledPair() {
    pooled.free(pooled.allocate(bytes));
  }

  /** Netty's newer allocator. */
  @Benchmark
  public void adaptivePair() {
    adaptive.free(adaptive.allocate(bytes));
  }

  // ---- many ----

  /** Kernel memory. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void juvmBatch(Batch batch) {
    batch.run(juvm, bytes);
  }

  /** Arenas. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void arenaBatch(Batch batch) {
    batch.run(arena, bytes);
  }

  /** The C library. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void mallocBatch(Batch batch) {
    batch.run(malloc, bytes);
  }

  /** The C library without a change of state. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void criticalBatch(Batch batch) {
    batch.run(critical, bytes);
  }

  /** Netty's older allocator. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void pooledBatch(Batch batch) {
    batch.run(pooled, bytes);
  }

  /** Netty's newer allocator. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void adaptiveBatch(Batch batch) {
    batch.run(adaptive, bytes);
  }
}
