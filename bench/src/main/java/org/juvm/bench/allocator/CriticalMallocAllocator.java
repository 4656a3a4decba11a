package org.juvm.bench.allocator;

import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The C library, called without a change of the thread's state. Quicker, and all threads wait for
 * it when the garbage collector wants to work.
 */
public final class CriticalMallocAllocator implements Allocator {
  private static final MethodHandle MALLOC =
      MallocAllocator.linkMalloc(Linker.Option.critical(false));
  private static final MethodHandle FREE = MallocAllocator.linkFree(Linker.Option.critical(false));

  /** One. */
  public CriticalMallocAllocator() {}

  @Override
  public Object allocate(long bytes) {
    try {
      return MallocAllocator.used((MemorySegment) MALLOC.invokeExact(bytes), bytes);
    } catch (Throwable e) {
      throw new IllegalStateException("malloc", e);
    }
  }

  @Override
  public void free(Object memory) {
    try {
      FREE.invokeExact((MemorySegment) memory);
    } catch (Throwable e) {
      throw new IllegalStateException("free", e);
    }
  }
}
