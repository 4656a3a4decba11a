package org.juvm.bench.allocator;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** The C library, called as any function: the garbage collector can work meanwhile. */
@SuppressWarnings("restricted") // calls the C library, and says how large its memory is
public final class MallocAllocator implements Allocator {
  private static final MethodHandle MALLOC = linkMalloc();
  private static final MethodHandle FREE = linkFree();

  /** One. */
  public MallocAllocator() {}

  static MethodHandle linkMalloc(Linker.Option... options) {
    return link(
        "malloc", FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG), options);
  }

  static MethodHandle linkFree(Linker.Option... options) {
    return link("free", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS), options);
  }

  private static MethodHandle link(
      String name, FunctionDescriptor descriptor, Linker.Option... options) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor, options);
  }

  @Override
  public Object allocate(long bytes) {
    try {
      return used((MemorySegment) MALLOC.invokeExact(bytes), bytes);
    } catch (Throwable e) {
      throw new IllegalStateException("malloc", e);
    }
  }

  /** What malloc has returned, with its size. */
  static MemorySegment used(MemorySegment start, long bytes) {
    if (start.address() == 0) {
      throw new OutOfMemoryError("malloc: bytes=" + bytes);
    }
    MemorySegment segment = start.reinterpret(bytes);
    segment.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, bytes);
    return segment;
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
