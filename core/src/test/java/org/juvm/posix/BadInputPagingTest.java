package org.juvm.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.posix.PosixAssertions.AT;
import static org.juvm.posix.PosixAssertions.END;
import static org.juvm.posix.PosixAssertions.PAGE;
import static org.juvm.posix.PosixAssertions.page;

import org.junit.jupiter.api.Test;

/**
 * Every argument of every other call with what it must not be: the error, and that nothing changes.
 */
class BadInputPagingTest extends BadInput {
  // ---- paging ----

  @Test
  void X_madviseBadInput() {
    for (int advice = Mman.MADV_NORMAL; advice <= Mman.MADV_NOSYNC; advice++) {
      int each = advice;
      failsOutside(Errno.EINVAL, (addr, len) -> process.madvise(addr, len, each));
    }
    for (int advice :
        new int[] {
          -1, Mman.MADV_SPACEAVAIL, Mman.MADV_SETMAP, 13, Integer.MIN_VALUE, Integer.MAX_VALUE
        }) {
      fails(Errno.EINVAL, () -> process.madvise(AT, PAGE, advice));
      fails(Errno.EINVAL, () -> process.madvise(AT, 0, advice));
    }
    for (int advice : new int[] {Mman.MADV_DONTNEED, Mman.MADV_FREE}) {
      fails(Errno.EFAULT, () -> process.madvise(page(HOLE), PAGE, advice));
      fails(Errno.EFAULT, () -> process.madvise(AT, 5 * PAGE, advice));
      succeeds(() -> process.madvise(AT, 0, advice));
    }
    fails(Errno.EBUSY, () -> process.madvise(page(WIRED), 2 * PAGE, Mman.MADV_FREE));
    succeeds(() -> process.madvise(page(HOLE), PAGE, Mman.MADV_RANDOM));
    succeeds(() -> process.madvise(AT, 4 * PAGE, Mman.MADV_WILLNEED));
    succeeds(() -> process.madvise(AT, 4 * PAGE, Mman.MADV_DONTNEED));
  }

  @Test
  void X_msyncBadInput() {
    for (int flags : new int[] {0, 8, 5, 7, -1, 0x10 | Mman.MS_SYNC, Integer.MIN_VALUE}) {
      fails(Errno.EINVAL, () -> process.msync(AT, PAGE, flags));
    }
    failsOutside(Errno.EINVAL, (addr, len) -> process.msync(addr, len, Mman.MS_SYNC));
    fails(Errno.EFAULT, () -> process.msync(page(HOLE), PAGE, Mman.MS_SYNC));
    fails(Errno.EFAULT, () -> process.msync(AT, 5 * PAGE, Mman.MS_ASYNC));
    fails(Errno.EINVAL, () -> process.msync(page(HOLE), 0, Mman.MS_SYNC));
    fails(Errno.EINVAL, () -> process.msync(0, 0, Mman.MS_SYNC));
    fails(Errno.EBUSY, () -> process.msync(page(WIRED), PAGE, Mman.MS_INVALIDATE));
    fails(Errno.EBUSY, () -> process.msync(page(WIRED) + 1, 0, Mman.MS_INVALIDATE));
    for (int flags = Mman.MS_ASYNC; flags <= Mman.MS_SYNC; flags++) {
      int each = flags;
      succeeds(() -> process.msync(AT + 1, PAGE, each));
      succeeds(() -> process.msync(page(READ_ONLY_SHARE), 0, each));
    }
  }

  @Test
  void X_mincoreBadInput() {
    byte[] vec = new byte[8];
    for (long addr : new long[] {1, AT + 1, -1, MAX}) {
      fails(Errno.EINVAL, () -> process.mincore(addr, PAGE, vec));
    }
    for (long len : new long[] {0, -1, 1 - PAGE}) {
      fails(Errno.EINVAL, () -> process.mincore(AT, len, vec));
    }
    fails(Errno.EINVAL, () -> process.mincore(AT, -PAGE, vec));
    fails(Errno.EINVAL, () -> process.mincore(-PAGE, 2 * PAGE, vec));
    for (long addr : new long[] {0, PAGE, END, END - PAGE, MIN, page(HOLE), page(3)}) {
      fails(Errno.ENOMEM, () -> process.mincore(addr, 2 * PAGE, vec));
    }
    fails(Errno.ENOMEM, () -> process.mincore(-PAGE, PAGE, vec));
    fails(Errno.EFAULT, () -> process.mincore(AT, PAGE, null));
    fails(Errno.EFAULT, () -> process.mincore(AT, 4 * PAGE, new byte[3]));
    for (long len : new long[] {9 * PAGE, END, MIN, MAX}) {
      fails(Errno.EFAULT, () -> process.mincore(AT, len, vec));
    }
    assertThat(vec).containsOnly(0);
  }

  @Test
  void X_mlockBadInput() {
    failsOutside(Errno.ENOMEM, process::mlock);
    failsOutside(Errno.ENOMEM, process::munlock);
    fails(Errno.ENOMEM, () -> process.mlock(page(HOLE), PAGE));
    fails(Errno.ENOMEM, () -> process.mlock(AT, 5 * PAGE));
    fails(Errno.ENOMEM, () -> process.munlock(page(WIRED), 3 * PAGE));
    fails(Errno.EINVAL, () -> process.mlock(page(NO_ACCESS), PAGE));
    succeeds(() -> process.mlock(AT, 0));
    succeeds(() -> process.munlock(AT, 0));
    succeeds(() -> process.munlock(AT, PAGE));
    succeeds(() -> process.mlock(page(WIRED) + 1, PAGE));
    for (int flags : new int[] {0, 4, 7, -1, Integer.MIN_VALUE}) {
      fails(Errno.EINVAL, () -> process.mlockall(flags));
    }
  }

  // ---- the rest ----

  @Test
  void X_brkBadInput() {
    for (long addr : new long[] {0, -1, BASE - 1, MIN, MAX, END + 1, AT, -PAGE}) {
      fails(Errno.ENOMEM, () -> process.brk(addr));
    }
    for (long increment : new long[] {-3 * PAGE - 1, -BASE - PAGE, MIN, MAX, END}) {
      fails(Errno.ENOMEM, () -> process.sbrk(increment));
    }
    succeeds(() -> process.brk(BASE + 3 * PAGE));
    for (long addr : new long[] {AT, BASE + PAGE}) {
      fails(Errno.EBUSY, () -> process.setBreakBase(addr));
    }
    for (long addr : new long[] {0, 1, AT + 1, -1, END + PAGE, MIN, MAX, -PAGE}) {
      fails(Errno.EINVAL, () -> process.setBreakBase(addr));
    }
  }

  @Test
  void X_sharedMemoryBadInput() {
    for (String name : new String[] {"", "/", "a\0b"}) {
      fails(Errno.EINVAL, () -> process.shmOpen(name, Mman.O_CREAT));
      fails(Errno.EINVAL, () -> process.shmUnlink(name));
    }
    fails(Errno.ENAMETOOLONG, () -> process.shmOpen("n".repeat(1024), Mman.O_CREAT));
    fails(Errno.ENAMETOOLONG, () -> process.shmUnlink("n".repeat(1024)));
    fails(Errno.ENOENT, () -> process.shmOpen("/n", Mman.O_RDWR));
    fails(Errno.ENOENT, () -> process.shmOpen("m", Mman.O_RDONLY | Mman.O_EXCL));
    fails(Errno.ENOENT, () -> process.shmUnlink("/n"));
    fails(Errno.EEXIST, () -> process.shmOpen("/m", Mman.O_CREAT | Mman.O_EXCL | Mman.O_TRUNC));
    for (int oflag : new int[] {1, 3, 4, 0x100, -1, Integer.MIN_VALUE | Mman.O_CREAT}) {
      fails(Errno.EINVAL, () -> process.shmOpen("/n", oflag));
    }
    for (int fd : new int[] {-1, 2, 99, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
      fails(Errno.EBADF, () -> process.ftruncate(fd, 0));
      fails(Errno.EBADF, () -> process.fstatSize(fd));
      fails(Errno.EBADF, () -> process.close(fd));
    }
    for (long length : new long[] {-1, MIN}) {
      fails(Errno.EINVAL, () -> process.ftruncate(0, length));
    }
    fails(Errno.EINVAL, () -> process.ftruncate(1, 0));
    for (long length : new long[] {(1L << 46) + 1, MAX}) {
      fails(Errno.EFBIG, () -> process.ftruncate(0, length));
    }
  }

  @Test
  void X_rlimitBadInput() {
    for (int resource : new int[] {-1, 0, 1, 4, 5, 7, 8, 9, 11, Integer.MAX_VALUE}) {
      fails(Errno.EINVAL, () -> process.getrlimit(resource));
      fails(Errno.EINVAL, () -> process.setrlimit(resource, 0));
    }
    for (long bytes : new long[] {-1, MIN}) {
      fails(Errno.EINVAL, () -> process.setrlimit(Mman.RLIMIT_AS, bytes));
    }
  }
}
