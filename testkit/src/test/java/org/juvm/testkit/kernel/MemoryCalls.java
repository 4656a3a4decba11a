package org.juvm.testkit.kernel;

/**
 * A system with an arena of {@link #PAGES} pages, empty at first, and the calls that work on it.
 *
 * <p>Addresses are relative to the arena, flags are those of {@link Bsd}. A range either lies in
 * the arena, or wraps around, or is one that an earlier call without {@code MAP_FIXED} has placed
 * elsewhere: nothing else may be touched, since the process has to live on.
 */
interface MemoryCalls {
  int PAGES = 64;
  int PAGE_SIZE = 4096;
  long SIZE = (long) PAGES * PAGE_SIZE;

  /** As an address for {@link #mmap}: none, the system chooses. */
  long NO_HINT = Long.MIN_VALUE;

  /** A length that no address space has room for. */
  long TOO_LONG = 1L << 60;

  Answer mmap(long address, long length, int protection, int flags, int descriptor);

  Answer munmap(long address, long length);

  Answer mprotect(long address, long length, int protection);

  Answer madvise(long address, long length, int advice);

  Answer msync(long address, long length, int flags);

  Answer mlock(long address, long length);

  Answer munlock(long address, long length);

  /** Bit 0 of each byte says whether a page is resident; one byte for each page of the arena. */
  Answer mincore(long address, long length, byte[] resident);

  /** In the form of NetBSD: the target counts with {@code MAP_FIXED} only. */
  Answer mremap(long address, long length, long target, long targetLength, int flags);

  /** Loads a byte, or fails with {@code EFAULT}. */
  Answer load(long address);

  /** Stores a byte, or fails with {@code EFAULT}. */
  Answer store(long address, byte value);

  /** Loads a whole page. */
  Answer read(long page, byte[] bytes);

  /** Ends a sequence: everything that it has mapped goes. */
  void empty();
}
