package org.juvm.bench.micro;

import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import org.juvm.Cpu;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Protection;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** A short-lived child of a small address space. */
@SuppressWarnings("NullAway.Init") // JMH calls setUp before anything else
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
public class SmallForkBenchmark {
  private static final int ENTRIES = 8;
  private static final long ENTRY_BYTES = 16 * 4096;

  private Vm vm;
  private Cpu cpu;
  private Cpu childCpu;
  private Vmspace space;
  private long address;

  /** Maps entries with holes between them, and writes to every page. */
  @Setup
  public void setUp() {
    vm = Vm.builder().memory(64L << 20).boot();
    cpu = vm.newCpu();
    childCpu = vm.newCpu();
    space = vm.newVmspace();
    cpu.attach(space);
    for (int i = 0; i < ENTRIES; i++) {
      address = (1L << 20) + 2L * i * ENTRY_BYTES;
      space.map(address, ENTRY_BYTES, Protection.READ_WRITE);
      for (long at = 0; at < ENTRY_BYTES; at += 4096) {
        cpu.set(ValueLayout.JAVA_LONG, address + at, at);
      }
    }
  }

  /** Gives everything back. */
  @TearDown
  public void tearDown() {
    childCpu.close();
    cpu.close();
    vm.close();
  }

  /** A child that writes to one page and ends. */
  @Benchmark
  public void juvmChildWrites() {
    Vmspace child = space.fork();
    childCpu.attach(child);
    childCpu.set(ValueLayout.JAVA_LONG, address, 1);
    childCpu.detach();
    child.close();
  }

  /** The same, and the parent writes, too, before the child ends. */
  @Benchmark
  public void juvmBothWrite() {
    Vmspace child = space.fork();
    childCpu.attach(child);
    childCpu.set(ValueLayout.JAVA_LONG, address, 1);
    cpu.set(ValueLayout.JAVA_LONG, address, 2);
    childCpu.detach();
    child.close();
  }

  /** A child that does nothing. */
  @Benchmark
  public void juvmNobodyWrites() {
    space.fork().close();
  }
}
