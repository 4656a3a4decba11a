package org.juvm.bench.micro;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import org.juvm.Cpu;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Access;
import org.juvm.base.Protection;
import org.juvm.bench.host.HostMemory;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Ranges of memory against segments of as many bytes. */
@SuppressWarnings("NullAway.Init") // JMH calls setUp before anything else
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
public class BulkBenchmark {
  /** Size of the range. */
  @Param("268435456")
  public long bytes;

  /** Whether the frames have been used before, so that they are no longer in order. */
  @Param({"false", "true"})
  public boolean recycled;

  private Vm vm;
  private Cpu cpu;
  private long address;
  private Arena arena;
  private MemorySegment segment;
  private MemorySegment other;
  private long sum;

  /** Makes everything resident. */
  @Setup
  public void setUp() {
    vm = Vm.builder().memory(bytes + (16L << 20)).boot();
    cpu = vm.newCpu();
    Vmspace space = vm.newVmspace();
    cpu.attach(space);
    if (recycled) {
      long before = space.map(bytes, Protection.READ_WRITE);
      touch(before);
      space.unmap(before, bytes);
    }
    address = space.map(bytes, Protection.READ_WRITE);
    touch(address);
    arena = Arena.ofConfined();
    segment = HostMemory.allocate(bytes, arena);
    other = HostMemory.allocate(bytes, arena);
  }

  private void touch(long from) {
    for (long at = 0; at < bytes; at += 4096) {
      cpu.set(ValueLayout.JAVA_LONG, from + at, at);
    }
  }

  /** Gives everything back. */
  @TearDown
  public void tearDown() {
    cpu.close();
    vm.close();
    arena.close();
  }

  private static long sum(MemorySegment segment) {
    long sum = 0;
    for (long at = 0; at < segment.byteSize(); at += 8) {
      sum += segment.get(ValueLayout.JAVA_LONG, at);
    }
    return sum;
  }

  /** Copies a segment to another. */
  @Benchmark
  public void rawCopyOut() {
    MemorySegment.copy(segment, 0, other, 0, bytes);
  }

  /** Copies memory to a segment. */
  @Benchmark
  public void juvmCopyOut() {
    cpu.bulk().read(address, other, 0, bytes);
  }

  /** Copies a segment to another. */
  @Benchmark
  public void rawCopyIn() {
    MemorySegment.copy(other, 0, segment, 0, bytes);
  }

  /** Copies a segment to memory. */
  @Benchmark
  public void juvmCopyIn() {
    cpu.bulk().write(address, other, 0, bytes);
  }

  /** Fills a segment. */
  @Benchmark
  public void rawFill() {
    segment.fill((byte) 7);
  }

  /** Fills memory. */
  @Benchmark
  public void juvmFill() {
    cpu.bulk().fill(address, bytes, (byte) 7);
  }

  /** Adds up a segment. */
  @Benchmark
  public long rawScan() {
    return sum(segment);
  }

  /** Adds up memory, through windows. */
  @Benchmark
  public long juvmScan() {
    sum = 0;
    cpu.bulk().window(address, bytes, Access.READ, run -> sum += sum(run));
    return sum;
  }
}
