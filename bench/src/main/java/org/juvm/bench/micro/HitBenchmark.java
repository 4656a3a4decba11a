package org.juvm.bench.micro;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
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
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.Blackhole;

/**
 * Eight bytes at a time within a few hot pages, sequentially and at random, through a processor and
 * through a segment of as many bytes. Without the vectorizer: it would turn the loops over the
 * segment into copies of blocks, which is what the bulk benchmarks are for.
 */
@SuppressWarnings("NullAway.Init") // JMH calls setUp before anything else
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(HitBenchmark.ACCESSES)
@Fork(value = 1, jvmArgsAppend = "-XX:-UseSuperWord")
public class HitBenchmark {
  static final int ACCESSES = 2048;
  private static final int PAGES = 4;
  private static final int BYTES = PAGES * 4096;

  private Vm vm;
  private Cpu cpu;
  private long address;
  private Arena arena;
  private MemorySegment segment;
  private int[] offsets;

  /** Fills both with the same bytes. */
  @Setup
  public void setUp() {
    vm = Vm.builder().memory(64L << 20).boot();
    cpu = vm.newCpu();
    Vmspace space = vm.newVmspace();
    cpu.attach(space);
    address = space.map(BYTES, Protection.READ_WRITE);
    arena = Arena.ofConfined();
    segment = HostMemory.allocate(BYTES, arena);
    offsets = offsets(new SplittableRandom(1));
    // Each value is the offset of the next, in one cycle through all of them.
    int[] cycle = offsets(new SplittableRandom(2));
    for (int i = 0; i < cycle.length; i++) {
      long next = cycle[(i + 1) % cycle.length];
      cpu.set(ValueLayout.JAVA_LONG, address + cycle[i], next);
      segment.set(ValueLayout.JAVA_LONG, cycle[i], next);
    }
  }

  /** All offsets of longs in random order. */
  private static int[] offsets(SplittableRandom random) {
    int[] offsets = new int[ACCESSES];
    for (int i = 0; i < ACCESSES; i++) {
      int j = random.nextInt(i + 1);
      offsets[i] = offsets[j];
      offsets[j] = i * Long.BYTES;
    }
    return offsets;
  }

  /** Gives everything back. */
  @TearDown
  public void tearDown() {
    cpu.close();
    vm.close();
    arena.close();
  }

  /** Loads from the segment, one after the other. */
  @Benchmark
  public void rawReadSequential(Blackhole blackhole) {
    MemorySegment from = segment;
    for (int i = 0; i < ACCESSES; i++) {
      blackhole.consume(from.get(ValueLayout.JAVA_LONG, i * 8L));
    }
  }

  /** Loads from the vmspace, one after the other. */
  @Benchmark
  public void juvmReadSequential(Blackhole blackhole) {
    Cpu by = cpu;
    long from = address;
    for (int i = 0; i < ACCESSES; i++) {
      blackhole.consume(by.get(ValueLayout.JAVA_LONG, from + i * 8L));
    }
  }

  /** Loads from the segment, here and there. */
  @Benchmark
  public void rawReadRandom(Blackhole blackhole) {
    MemorySegment from = segment;
    for (int offset : offsets) {
      blackhole.consume(from.get(ValueLayout.JAVA_LONG, offset));
    }
  }

  /** Loads from the vmspace, here and there. */
  @Benchmark
  public void juvmReadRandom(Blackhole blackhole) {
    Cpu by = cpu;
    long from = address;
    for (int offset : offsets) {
      blackhole.consume(by.get(ValueLayout.JAVA_LONG, from + offset));
    }
  }

  /** Loads from the segment where the last value says. */
  @Benchmark
  public long rawReadChained() {
    MemorySegment from = segment;
    long offset = 0;
    for (int i = 0; i < ACCESSES; i++) {
      offset = from.get(ValueLayout.JAVA_LONG, offset);
    }
    return offset;
  }

  /** Loads from the vmspace where the last value says. */
  @Benchmark
  public long juvmReadChained() {
    Cpu by = cpu;
    long from = address;
    long offset = 0;
    for (int i = 0; i < ACCESSES; i++) {
      offset = by.get(ValueLayout.JAVA_LONG, from + offset);
    }
    return offset;
  }

  /** Stores to the segment, one after the other. */
  @Benchmark
  public void rawWriteSequential() {
    MemorySegment to = segment;
    for (int i = 0; i < ACCESSES; i++) {
      to.set(ValueLayout.JAVA_LONG, i * 8L, i);
    }
  }

  /** Stores to the vmspace, one after the other. */
  @Benchmark
  public void juvmWriteSequential() {
    Cpu by = cpu;
    long to = address;
    for (int i = 0; i < ACCESSES; i++) {
      by.set(ValueLayout.JAVA_LONG, to + i * 8L, i);
    }
  }

  /** Stores to the segment, here and there. */
  @Benchmark
  public void rawWriteRandom() {
    MemorySegment to = segment;
    for (int offset : offsets) {
      to.set(ValueLayout.JAVA_LONG, offset, offset);
    }
  }

  /** Stores to the vmspace, here and there. */
  @Benchmark
  public void juvmWriteRandom() {
    Cpu by = cpu;
    long to = address;
    for (int offset : offsets) {
      by.set(ValueLayout.JAVA_LONG, to + offset, offset);
    }
  }
}
