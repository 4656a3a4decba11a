package org.juvm.bench.allocator;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.juvm.KernelMemory;
import org.juvm.Vm;

/** Juvm's kernel memory. */
public final class KernelMemoryAllocator implements Allocator, AutoCloseable {
  private final Vm vm;
  private final KernelMemory memory;

  /**
   * One with a system of its own.
   *
   * @param limit bytes that it can have
   */
  public KernelMemoryAllocator(long limit) {
    vm = Vm.builder().memory(2 * limit).boot();
    memory = vm.kernel().memory(limit);
  }

  @Override
  public Object allocate(long bytes) {
    MemorySegment segment = memory.allocate(bytes);
    segment.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, bytes);
    return segment;
  }

  @Override
  public void free(Object segment) {
    memory.free((MemorySegment) segment);
  }

  @Override
  public void close() {
    vm.close();
  }
}
