package org.juvm.ram;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The host kernel, as far as this library needs it: {@code mmap(2)} without commitment, {@code
 * madvise(2)}, {@code munmap(2)} and {@code membarrier(2)}. Where these cannot be linked, address
 * space comes from a mapped sparse file and there is no asymmetric fence.
 *
 * <p>Thread-safe; no state but the links.
 */
public final class Host {
  private static final boolean LINUX =
      System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("linux");

  // Linux, the same on x86-64 and AArch64.
  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x4022;
  private static final int MADV_DONTNEED = 4;
  private static final int MADV_HUGEPAGE = 14;
  private static final long MEMBARRIER_PRIVATE_EXPEDITED = 8;
  private static final long MEMBARRIER_REGISTER_PRIVATE_EXPEDITED = 16;

  private static final @Nullable MethodHandle MMAP =
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
  private static final @Nullable MethodHandle MUNMAP =
      link(
          "munmap",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
  private static final @Nullable MethodHandle MADVISE =
      link(
          "madvise",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT));
  private static final @Nullable MethodHandle MEMBARRIER = linkMembarrier();
  private static final long MEMBARRIER_NUMBER =
      System.getProperty("os.arch", "").equals("aarch64") ? 283 : 324;

  /**
   * Whether {@link #fenceAllThreads} is there. Decided once, when the class is loaded: false where
   * the kernel has no {@code membarrier(2)} or the system property {@code juvm.fence} is {@code
   * local}. Then every store to paged memory carries a full fence of its own.
   */
  public static final boolean ASYMMETRIC_FENCE = registerMembarrier();

  private Host() {}

  /**
   * Reserves zero-filled address space. Memory is committed page by page at the first touch.
   *
   * @param bytes how much, a multiple of the host's page size
   * @return the reservation
   */
  static Reservation reserve(long bytes) {
    if (MMAP == null || MUNMAP == null) {
      return reserveInFile(bytes);
    }
    long address;
    try {
      address =
          (long)
              MMAP.invokeExact(0L, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0L);
    } catch (Throwable e) {
      throw new AssertionError("mmap", e);
    }
    if (address == -1) {
      throw new OutOfMemoryError("the host refused to reserve address space: bytes=" + bytes);
    }
    MethodHandle munmap = MUNMAP;
    return new Reservation(address, bytes, () -> unmap(munmap, address, bytes));
  }

  /**
   * A mapped sparse file does what an uncommitted anonymous mapping does, at the cost of a file.
   */
  private static Reservation reserveInFile(long bytes) {
    try {
      Path file = Files.createTempFile("juvm", ".ram");
      try (FileChannel channel =
          FileChannel.open(
              file,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              StandardOpenOption.DELETE_ON_CLOSE)) {
        Arena arena = Arena.ofShared();
        MemorySegment mapped = channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena);
        return new Reservation(mapped.address(), bytes, arena::close);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          "could not reserve address space in a temporary file: bytes=" + bytes, e);
    }
  }

  private static void unmap(MethodHandle munmap, long address, long bytes) {
    try {
      int _ = (int) munmap.invokeExact(address, bytes);
    } catch (Throwable e) {
      throw new AssertionError("munmap", e);
    }
  }

  /** Gives the memory of a range back; its bytes read as zeros from now on. */
  static void discard(long address, long bytes) {
    if (!advise(address, bytes, MADV_DONTNEED)) {
      Native.zero(address, bytes);
    }
  }

  /** Asks for large host pages: fewer host faults and fewer misses of the hardware's TLB. */
  static void adviseHugePages(long address, long bytes) {
    boolean _ = advise(address, bytes, MADV_HUGEPAGE);
  }

  /** Returns false if the host does not know this. */
  private static boolean advise(long address, long bytes, int advice) {
    if (MADVISE == null) {
      return false;
    }
    try {
      return (int) MADVISE.invokeExact(address, bytes, advice) == 0;
    } catch (Throwable e) {
      throw new AssertionError("madvise", e);
    }
  }

  /**
   * Makes every running thread of the process execute a full memory fence before this returns
   * (private expedited {@code membarrier(2)}). Where {@link #ASYMMETRIC_FENCE} is false it is a
   * full fence of the calling thread only, and the other side must fence itself.
   */
  public static void fenceAllThreads() {
    VarHandle.fullFence();
    if (ASYMMETRIC_FENCE) {
      long result = membarrier(MEMBARRIER_PRIVATE_EXPEDITED);
      if (result != 0) {
        throw new AssertionError("membarrier failed: result=" + result);
      }
    }
  }

  private static boolean registerMembarrier() {
    return !"local".equals(System.getProperty("juvm.fence"))
        && membarrier(MEMBARRIER_REGISTER_PRIVATE_EXPEDITED) == 0;
  }

  private static long membarrier(long command) {
    if (MEMBARRIER == null) {
      return -1;
    }
    try {
      return (long) MEMBARRIER.invokeExact(MEMBARRIER_NUMBER, command, 0L, 0L);
    } catch (Throwable e) {
      throw new AssertionError("membarrier", e);
    }
  }

  private static @Nullable MethodHandle linkMembarrier() {
    String arch = System.getProperty("os.arch", "");
    if (!arch.equals("amd64") && !arch.equals("aarch64")) {
      return null;
    }
    return link(
        "syscall",
        FunctionDescriptor.of(
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG),
        Linker.Option.firstVariadicArg(1));
  }

  @SuppressWarnings("restricted") // the one place that links native functions
  private static @Nullable MethodHandle link(
      String name, FunctionDescriptor descriptor, Linker.Option... options) {
    if (!LINUX) {
      return null;
    }
    Linker linker = Linker.nativeLinker();
    return linker
        .defaultLookup()
        .find(name)
        .map(symbol -> linker.downcallHandle(symbol, descriptor, options))
        .orElse(null);
  }
}
