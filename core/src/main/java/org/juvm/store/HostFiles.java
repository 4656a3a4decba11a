package org.juvm.store;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The host kernel's file functions, as they are: a negative result is an error whose number the
 * caller finds in {@link Scratch}. Only Linux on 64 bits. Thread-safe; no state but the links.
 */
final class HostFiles {
  // Linux, the same on x86-64 and AArch64.
  static final int O_RDONLY = 0;
  static final int O_RDWR = 2;
  static final int O_CREAT_EXCL = 0x40 | 0x80;
  private static final int O_CLOEXEC = 0x80000;
  private static final int SEEK_END = 2;

  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

  private static final @Nullable MethodHandle OPEN =
      link(
          "open",
          FunctionDescriptor.of(INT, ValueLayout.ADDRESS, INT, INT),
          Linker.Option.firstVariadicArg(2));
  private static final @Nullable MethodHandle PREAD =
      link("pread", FunctionDescriptor.of(LONG, INT, LONG, LONG, LONG));
  private static final @Nullable MethodHandle PWRITE =
      link("pwrite", FunctionDescriptor.of(LONG, INT, LONG, LONG, LONG));
  private static final @Nullable MethodHandle PREADV =
      link("preadv", FunctionDescriptor.of(LONG, INT, LONG, INT, LONG));
  private static final @Nullable MethodHandle PWRITEV =
      link("pwritev", FunctionDescriptor.of(LONG, INT, LONG, INT, LONG));
  private static final @Nullable MethodHandle LSEEK =
      link("lseek", FunctionDescriptor.of(LONG, INT, LONG, INT));
  private static final @Nullable MethodHandle FTRUNCATE =
      link("ftruncate", FunctionDescriptor.of(INT, INT, LONG));
  private static final @Nullable MethodHandle FDATASYNC =
      link("fdatasync", FunctionDescriptor.of(INT, INT));
  private static final @Nullable MethodHandle CLOSE =
      link("close", FunctionDescriptor.of(INT, INT));

  /** Whether all of them can be called. */
  static final boolean AVAILABLE =
      ValueLayout.ADDRESS.byteSize() == Long.BYTES
          && OPEN != null
          && PREAD != null
          && PWRITE != null
          && PREADV != null
          && PWRITEV != null
          && LSEEK != null
          && FTRUNCATE != null
          && FDATASYNC != null
          && CLOSE != null;

  private HostFiles() {}

  /** What a call needs outside the heap. Used by one thread at a time. */
  static final class Scratch {
    /** Pieces of one vectored call; the kernel takes up to 1024. */
    private static final int MAX_PIECES = 256;

    private static final int IOVEC_BYTES = 16;
    private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO =
        STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private static final SparePool<Scratch> POOL = new SparePool<>(Scratch::new);

    private final MemorySegment state;
    private final MemorySegment vector;

    private Scratch() {
      Arena arena = Arena.ofAuto();
      state = arena.allocate(STATE);
      vector = arena.allocate((long) MAX_PIECES * IOVEC_BYTES, Long.BYTES);
    }

    static Scratch take() {
      return POOL.take();
    }

    void give() {
      POOL.give(this);
    }

    /** The error of the last call that failed. */
    int errno() {
      return (int) ERRNO.get(state, 0L);
    }

    /**
     * Lists pieces of memory, neighbours as one.
     *
     * @param base absolute address to which the offsets are added
     * @param skip bytes of the first piece that are left out
     * @return how many elements the list has
     */
    int list(long base, long[] offsets, int first, int count, int pieceBytes, int skip) {
      long start = base + offsets[first] + skip;
      long end = base + offsets[first] + pieceBytes;
      int listed = 0;
      for (int i = first + 1; i < count; i++) {
        long piece = base + offsets[i];
        if (piece != end) {
          if (listed == MAX_PIECES - 1) {
            break;
          }
          put(listed++, start, end);
          start = piece;
        }
        end = piece + pieceBytes;
      }
      put(listed++, start, end);
      return listed;
    }

    private void put(int index, long start, long end) {
      vector.set(LONG, (long) index * IOVEC_BYTES, start);
      vector.set(LONG, (long) index * IOVEC_BYTES + Long.BYTES, end - start);
    }
  }

  static int open(Scratch scratch, MemorySegment path, int flags, int permissions) {
    try {
      return (int) linked(OPEN).invokeExact(scratch.state, path, flags | O_CLOEXEC, permissions);
    } catch (Throwable e) {
      throw new AssertionError("open", e);
    }
  }

  static long pread(Scratch scratch, int descriptor, long address, long bytes, long position) {
    try {
      return (long) linked(PREAD).invokeExact(scratch.state, descriptor, address, bytes, position);
    } catch (Throwable e) {
      throw new AssertionError("pread", e);
    }
  }

  static long pwrite(Scratch scratch, int descriptor, long address, long bytes, long position) {
    try {
      return (long) linked(PWRITE).invokeExact(scratch.state, descriptor, address, bytes, position);
    } catch (Throwable e) {
      throw new AssertionError("pwrite", e);
    }
  }

  /** Reads into the first elements of the scratch's list. */
  static long preadv(Scratch scratch, int descriptor, int elements, long position) {
    try {
      return (long)
          linked(PREADV)
              .invokeExact(scratch.state, descriptor, scratch.vector.address(), elements, position);
    } catch (Throwable e) {
      throw new AssertionError("preadv", e);
    }
  }

  /** Writes the first elements of the scratch's list. */
  static long pwritev(Scratch scratch, int descriptor, int elements, long position) {
    try {
      return (long)
          linked(PWRITEV)
              .invokeExact(scratch.state, descriptor, scratch.vector.address(), elements, position);
    } catch (Throwable e) {
      throw new AssertionError("pwritev", e);
    }
  }

  /** The size of a file or block device. */
  static long size(Scratch scratch, int descriptor) {
    try {
      return (long) linked(LSEEK).invokeExact(scratch.state, descriptor, 0L, SEEK_END);
    } catch (Throwable e) {
      throw new AssertionError("lseek", e);
    }
  }

  static int ftruncate(Scratch scratch, int descriptor, long size) {
    try {
      return (int) linked(FTRUNCATE).invokeExact(scratch.state, descriptor, size);
    } catch (Throwable e) {
      throw new AssertionError("ftruncate", e);
    }
  }

  static int fdatasync(Scratch scratch, int descriptor) {
    try {
      return (int) linked(FDATASYNC).invokeExact(scratch.state, descriptor);
    } catch (Throwable e) {
      throw new AssertionError("fdatasync", e);
    }
  }

  static int close(Scratch scratch, int descriptor) {
    try {
      return (int) linked(CLOSE).invokeExact(scratch.state, descriptor);
    } catch (Throwable e) {
      throw new AssertionError("close", e);
    }
  }

  private static MethodHandle linked(@Nullable MethodHandle function) {
    if (function == null) {
      throw new AssertionError("called although it could not be linked");
    }
    return function;
  }

  @SuppressWarnings("restricted") // the one place of this package that links native functions
  private static @Nullable MethodHandle link(
      String name, FunctionDescriptor descriptor, Linker.Option... options) {
    if (!System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("linux")) {
      return null;
    }
    Linker.Option[] all = Arrays.copyOf(options, options.length + 1);
    all[options.length] = Linker.Option.captureCallState("errno");
    Linker linker = Linker.nativeLinker();
    return linker
        .defaultLookup()
        .find(name)
        .map(symbol -> linker.downcallHandle(symbol, descriptor, all))
        .orElse(null);
  }
}
