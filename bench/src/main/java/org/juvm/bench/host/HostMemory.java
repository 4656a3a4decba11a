package org.juvm.bench.host;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** The host kernel's memory calls, to be measured and to lay out what is compared with. */
@SuppressWarnings("restricted") // calls the kernel, and works on frames by their address
public final class HostMemory {
  private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private static final int PROT_READ = 1;
  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
  private static final int MADV_HUGEPAGE = 14;
  private static final int MADV_NOHUGEPAGE = 15;

  private static final MethodHandle MMAP =
      link(
          "mmap",
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG));
  private static final MethodHandle MUNMAP =
      link(
          "munmap",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
  private static final MethodHandle MPROTECT =
      link(
          "mprotect",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT));
  private static final MethodHandle MADVISE =
      link(
          "madvise",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT));

  private static final int PR_SET_THP_DISABLE = 41;
  private static final MethodHandle PRCTL =
      link(
          "prctl",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG),
          Linker.Option.firstVariadicArg(1));

  private HostMemory() {}

  private static MethodHandle link(
      String name, FunctionDescriptor descriptor, Linker.Option... options) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor, options);
  }

  /** Maps anonymous memory, readable and writable. */
  public static long map(long bytes) {
    try {
      long address =
          (long) MMAP.invokeExact(0L, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
      if (address == -1) {
        throw new OutOfMemoryError("mmap: bytes=" + bytes);
      }
      return address;
    } catch (Throwable e) {
      throw failed("mmap", e);
    }
  }

  /** Unmaps a range. */
  public static void unmap(long address, long bytes) {
    try {
      check("munmap", (int) MUNMAP.invokeExact(address, bytes));
    } catch (Throwable e) {
      throw failed("munmap", e);
    }
  }

  /** Makes a range read-only. */
  public static void protect(long address, long bytes) {
    try {
      check("mprotect", (int) MPROTECT.invokeExact(address, bytes, PROT_READ));
    } catch (Throwable e) {
      throw failed("mprotect", e);
    }
  }

  /** Asks for large pages, or for small ones. */
  public static void adviseHugePages(long address, long bytes, boolean huge) {
    try {
      int advice = huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE;
      // A kernel built without large pages refuses; then all pages are small anyway.
      int _ = (int) MADVISE.invokeExact(address, bytes, advice);
    } catch (Throwable e) {
      throw failed("madvise", e);
    }
  }

  /** Makes this process do without large pages, whoever asks for them, from now on. */
  public static void disableHugePages() {
    try {
      check("prctl", (int) PRCTL.invokeExact(PR_SET_THP_DISABLE, 1L, 0L, 0L, 0L));
    } catch (Throwable e) {
      throw failed("prctl", e);
    }
  }

  /** Memory of the same kind as Juvm's frames: anonymous, large pages, committed. */
  public static MemorySegment allocate(long bytes, Arena arena) {
    long address = map(bytes);
    adviseHugePages(address, bytes, true);
    MemorySegment segment =
        MemorySegment.ofAddress(address)
            .reinterpret(bytes, arena, ended -> unmap(ended.address(), bytes));
    return segment.fill((byte) 1);
  }

  /** Stores to an address. */
  public static void set(long address, long value) {
    ALL.set(ValueLayout.JAVA_LONG, address, value);
  }

  /** Fills a range with zeros. */
  public static void zero(long address, long bytes) {
    ALL.asSlice(address, bytes).fill((byte) 0);
  }

  /** Copies a range. */
  public static void copy(long source, long target, long bytes) {
    MemorySegment.copy(ALL, source, ALL, target, bytes);
  }

  private static void check(String call, int result) {
    if (result != 0) {
      throw new IllegalStateException(call + " failed");
    }
  }

  private static RuntimeException failed(String call, Throwable e) {
    return e instanceof RuntimeException known ? known : new IllegalStateException(call, e);
  }
}
