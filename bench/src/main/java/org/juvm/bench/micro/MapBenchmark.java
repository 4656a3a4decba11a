package org.juvm.bench.micro;

import java.util.concurrent.TimeUnit;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Protection;
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

/** Mapping and unmapping one page among many other mappings. */
@SuppressWarnings("NullAway.Init") // JMH calls setUp before anything else
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
public class MapBenchmark {
  private static final long PAGE = 4096;
  private static final long START = 1L << 20;

  /** Mappings that are there. */
  @Param({"10", "100000"})
  public int entries;

  private Vm vm;
  private Vmspace space;

  /**
   * Makes mappings next to one another that cannot become one. The last does not take up what is
   * mapped behind it either, so that the page is a mapping of its own.
   */
  @Setup
  public void setUp() {
    vm = Vm.builder().memory(1L << 30).boot();
    space = vm.newVmspace();
    space.map(1L << 16, START - (1L << 16), Protection.NONE);
    for (int i = 0; i < entries; i++) {
      Protection protection = i % 2 == 0 ? Protection.READ_EXECUTE : Protection.READ;
      space.map(START + i * PAGE, PAGE, protection);
    }
  }

  /** Gives everything back. */
  @TearDown
  public void tearDown() {
    vm.close();
  }

  /** Maps a page at the first free place and unmaps it. */
  @Benchmark
  public long juvmMapUnmap() {
    long address = space.map(PAGE, Protection.READ_WRITE);
    space.unmap(address, PAGE);
    return address;
  }
}
