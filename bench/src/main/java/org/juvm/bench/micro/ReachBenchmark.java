package org.juvm.bench.micro;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import org.juvm.Cpu;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Protection;
import org.juvm.bench.host.HostMemory;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.Blackhole;

/**
 * Eight bytes at a time over more pages than the translation cache reaches: at random over all of
 * memory, and round and round over a few megabytes, where every access takes a refill while data
 * and page table stay in the caches of the machine.
 */
@SuppressWarnings("NullAway.Init") // JMH calls setUp before anything else
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(ReachBenchmark.ACCESSES)
@Fork(1)
public class ReachBenchmark {
  static final int ACCESSES = 1 << 16;

  /** Four times the largest translation cache. */
  private static final int REFILL_PAGES = 4096;

  /** Size of the mapping: a power of two. */
  @Param("1073741824")
  public long bytes;

  private Vm vm;
  private Cpu cpu;
  private long address;
  private Arena arena;
  private MemorySegment segment;
  private long seed = 88172645463325252L;

  /** Makes everything resident. */
  @Setup
  public void setUp() {
    vm = Vm.builder().memory(bytes + (64L << 20)).boot();
    cpu = vm.newCpu();
    Vmspace space = vm.newVmspace();
    cpu.attach(space);
    address = space.map(bytes, Protection.READ_WRITE);
    arena = Arena.ofConfined();
    segment = HostMemory.allocate(bytes, arena);
    for (long at = 0; at < bytes; at += 4096) {
      cpu.set(ValueLayout.JAVA_LONG, address + at, at);
    }
  }

  /** Gives everything back. */
  @TearDown
  public void tearDown() {
    cpu.close();
    vm.close();
    arena.close();
  }

  private static long next(long random) {
    long x = random;
    x ^= x << 13;
    x ^= x >>> 7;
    x ^= x << 17;
    return x;
  }

  /** Loads from the segment, anywhere. */
  @Benchmark
  public void rawReadAnywhere(Blackhole blackhole) {
    MemorySegment from = segment;
    long mask = bytes - 8;
    long random = seed;
    for (int i = 0; i < ACCESSES; i++) {
      random = next(random);
      blackhole.consume(from.get(ValueLayout.JAVA_LONG, random & mask));
    }
    seed = random;
  }

  /** Loads from the vmspace, anywhere. */
  @Benchmark
  public void juvmReadAnywhere(Blackhole blackhole) {
    Cpu by = cpu;
    long from = address;
    long mask = bytes - 8;
    long random = seed;
    for (int i = 0; i < ACCESSES; i++) {
      random = next(random);
      blackhole.consume(by.get(ValueLayout.JAVA_LONG, from + (random & mask)));
    }
    seed = random;
  }

  /** Offset of the n-th access of a round: another page each time, and not always the same line. */
  private long refillOffset(int i) {
    return ((i & (REFILL_PAGES - 1)) * 4096L + (i & 63) * 64L) & (bytes - 8);
  }

  /** Loads from the segment, a page further each time. */
  @Benchmark
  public void rawRefill(Blackhole blackhole) {
    MemorySegment from = segment;
    for (int i = 0; i < ACCESSES; i++) {
      blackhole.consume(from.get(ValueLayout.JAVA_LONG, refillOffset(i)));
    }
  }

  /** Loads from the vmspace, a page further each time. */
  @Benchmark
  public void juvmRefill(Blackhole blackhole) {
    Cpu by = cpu;
    long from = address;
    for (int i = 0; i < ACCESSES; i++) {
      blackhole.consume(by.get(ValueLayout.JAVA_LONG, from + refillOffset(i)));
    }
  }
}
