package org.juvm.posix;

import static org.juvm.posix.PosixAssertions.ANON;
import static org.juvm.posix.PosixAssertions.AT;
import static org.juvm.posix.PosixAssertions.END;
import static org.juvm.posix.PosixAssertions.FIXED;
import static org.juvm.posix.PosixAssertions.PAGE;
import static org.juvm.posix.PosixAssertions.RW;
import static org.juvm.posix.PosixAssertions.page;

import org.junit.jupiter.api.Test;

/**
 * Every argument of every call that maps with what it must not be: the error, and that nothing
 * changes.
 */
class BadInputTest extends BadInput {
  // ---- mmap ----

  @Test
  void X_mmapBadLength() {
    for (long len : new long[] {-1, 1 - PAGE, -PAGE, MIN, MAX, END, END + 1, END - AT}) {
      mmapFails(Errno.ENOMEM, 0, len, RW, ANON, -1, 0);
      mmapFails(Errno.ENOMEM, AT, len, RW, ANON, -1, 0);
      mmapFails(Errno.ENOMEM, -1, len, RW, ANON | Mman.MAP_TRYFIXED, -1, 0);
    }
    mmapFails(Errno.ENOMEM, AT, -1, RW, FIXED, -1, 0);
    mmapFails(Errno.EINVAL, 0, 0, RW, Mman.MAP_SHARED, 0, 0);
    mmapFails(Errno.EINVAL, 0, 0, RW, Mman.MAP_PRIVATE, 0, 0);
    mmapFails(Errno.ENOMEM, 0, -1, RW, Mman.MAP_SHARED, 0, 0);
    mmapFails(Errno.ENOMEM, 0, -PAGE, RW, Mman.MAP_PRIVATE, 0, 1);
    succeeds(() -> process.mmap(0, 0, RW, ANON, -1, 0));
    succeeds(() -> process.mmap(page(1), 0, RW, FIXED, -1, 0));
  }

  @Test
  void X_mmapFixedBadAddress() {
    for (long addr : new long[] {0, 1, AT + 1, -1, MAX, PAGE, 0xf000, MIN + 1}) {
      mmapFails(Errno.EINVAL, addr, PAGE, RW, FIXED, -1, 0);
    }
    for (long addr : new long[] {END, END + PAGE, MIN, -2 * PAGE}) {
      mmapFails(Errno.EFBIG, addr, PAGE, RW, FIXED, -1, 0);
    }
    for (long len : new long[] {END, MIN, END - AT + 1, MAX}) {
      mmapFails(Errno.EFBIG, AT, len, RW, FIXED, -1, 0);
    }
    mmapFails(Errno.EFBIG, END - PAGE, 2 * PAGE, RW, FIXED, -1, 0);
    mmapFails(Errno.EOVERFLOW, -PAGE, PAGE, RW, FIXED, -1, 0);
    mmapFails(Errno.EOVERFLOW, -PAGE, 2 * PAGE, RW, FIXED, -1, 0);
    mmapFails(Errno.EOVERFLOW, AT, -PAGE, RW, FIXED, -1, 0);
    mmapFails(Errno.EPERM, page(IMMUTABLE), PAGE, RW, FIXED, -1, 0);
    mmapFails(Errno.EPERM, AT, 64 * PAGE, RW, FIXED, -1, 0);
  }

  @Test
  void X_mmapBadFlags() {
    mmapFails(Errno.EINVAL, 0, PAGE, RW, ANON | Mman.MAP_SHARED, -1, 0);
    mmapFails(Errno.EINVAL, 0, PAGE, RW, -1, -1, 0);
    mmapFails(Errno.EINVAL, page(HOLE), PAGE, RW, ANON | Mman.MAP_EXCL, -1, 0);
    for (int i = -1; i < 4; i++) {
      mmapFails(Errno.EINVAL, page(i), 2 * PAGE, RW, FIXED | Mman.MAP_EXCL, -1, 0);
    }
    mmapFails(Errno.EINVAL, page(HOLE), PAGE, Mman.PROT_NONE, FIXED | Mman.MAP_WIRED, -1, 0);
    mmapFails(Errno.EINVAL, page(HOLE), PAGE, RW, FIXED | Mman.MAP_NOFAULT, -1, 0);
    int aligned = FIXED | Mman.MAP_ALIGNED(21);
    mmapFails(Errno.EINVAL, AT, PAGE, RW, aligned, -1, 0);
    for (int n : new int[] {64, 65, 128, 255}) {
      mmapFails(Errno.EINVAL, 0, PAGE, RW, ANON | Mman.MAP_ALIGNED(n), -1, 0);
      mmapFails(Errno.EINVAL, AT, PAGE, RW, FIXED | Mman.MAP_ALIGNED(n), -1, 0);
      mmapFails(Errno.EINVAL, 0, PAGE, RW, Mman.MAP_SHARED | Mman.MAP_ALIGNED(n), 0, 0);
    }
    for (int n = 47; n < 64; n++) {
      mmapFails(Errno.ENOMEM, 0, PAGE, RW, ANON | Mman.MAP_ALIGNED(n), -1, 0);
      mmapFails(Errno.EINVAL, AT, PAGE, RW, FIXED | Mman.MAP_ALIGNED(n), -1, 0);
    }
  }

  @Test
  void X_mmapGuardAndStackBadCompany() {
    int guard = FIXED | Mman.MAP_GUARD;
    long free = page(HOLE);
    mmapFails(Errno.EINVAL, free, PAGE, Mman.PROT_READ, guard, -1, 0);
    mmapFails(Errno.EINVAL, free, PAGE, Mman.PROT_NONE, guard, 0, 0);
    mmapFails(Errno.EINVAL, free, PAGE, Mman.PROT_NONE, guard, -1, PAGE);
    mmapFails(Errno.EINVAL, free, 0, Mman.PROT_NONE, guard, -1, 0);
    mmapFails(Errno.EINVAL, free, PAGE, Mman.PROT_NONE, guard | Mman.MAP_GROWSDOWN, -1, 0);
    mmapFails(Errno.EINVAL, free, PAGE, Mman.PROT_NONE, guard | Mman.MAP_WIRED, -1, 0);
    int stack = FIXED | Mman.MAP_GROWSDOWN;
    for (int prot : new int[] {0, Mman.PROT_READ, Mman.PROT_WRITE, Mman.PROT_EXEC}) {
      mmapFails(Errno.EINVAL, free, PAGE, prot, stack, -1, 0);
    }
    mmapFails(Errno.EINVAL, free, 0, RW, stack, -1, 0);
    mmapFails(Errno.EINVAL, free, PAGE, RW, stack, 0, 0);
    int shared = Mman.MAP_GROWSDOWN | Mman.MAP_ANON | Mman.MAP_SHARED;
    mmapFails(Errno.EINVAL, 0, PAGE, RW, shared, -1, 0);
  }

  @Test
  void X_mmapBadDescriptor() {
    for (int fd : new int[] {0, 1, 2, -2, 99, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
      mmapFails(Errno.EINVAL, 0, PAGE, RW, ANON, fd, 0);
    }
    for (int fd : new int[] {-1, -2, 2, 99, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
      mmapFails(Errno.EBADF, 0, PAGE, RW, Mman.MAP_SHARED, fd, 0);
      mmapFails(Errno.EBADF, 0, PAGE, RW, Mman.MAP_PRIVATE, fd, 0);
      mmapFails(Errno.EBADF, 0, PAGE, RW, 0, fd, 0);
    }
  }

  @Test
  void X_mmapBadOffset() {
    for (long offset : new long[] {-1, -PAGE, MIN, MIN + 1}) {
      mmapFails(Errno.EINVAL, 0, PAGE, RW, Mman.MAP_SHARED, 0, offset);
    }
    for (long offset : new long[] {1L << 46, (1L << 46) + 1, MAX, MAX - PAGE + 1, END}) {
      mmapFails(Errno.EOVERFLOW, 0, PAGE, RW, Mman.MAP_PRIVATE, 0, offset);
    }
    mmapFails(Errno.EOVERFLOW, 0, 2 * PAGE, RW, Mman.MAP_SHARED, 0, (1L << 46) - PAGE);
    int fixed = Mman.MAP_SHARED | Mman.MAP_FIXED;
    mmapFails(Errno.EINVAL, page(HOLE), PAGE, RW, fixed, 0, 1);
    mmapFails(Errno.EINVAL, page(HOLE) + 1, PAGE, RW, fixed, 0, 0);
    // Beyond its end is no error before it is touched; wired, it is.
    mmapFails(Errno.ENOMEM, page(HOLE), PAGE, RW, fixed | Mman.MAP_WIRED, 0, 4 * PAGE);
  }

  @Test
  void X_mmapMoreThanTheDescriptorGives() {
    for (int prot : new int[] {Mman.PROT_WRITE, RW, 7, -1}) {
      mmapFails(Errno.EACCES, 0, PAGE, prot, Mman.MAP_SHARED, 1, 0);
    }
  }

  // ---- changing mappings ----

  @Test
  void X_munmapBadInput() {
    failsOutside(Errno.EINVAL, process::munmap);
    for (long addr : new long[] {1, AT + 1, AT - 1, page(HOLE) + 1}) {
      fails(Errno.EINVAL, () -> process.munmap(addr, PAGE));
      fails(Errno.EINVAL, () -> process.munmap(addr, 0));
    }
    fails(Errno.EPERM, () -> process.munmap(page(IMMUTABLE), PAGE));
    fails(Errno.EPERM, () -> process.munmap(AT, 64 * PAGE));
    succeeds(() -> process.munmap(AT, 0));
    succeeds(() -> process.munmap(0, 0));
    succeeds(() -> process.munmap(page(HOLE), PAGE));
  }

  @Test
  void X_mprotectBadInput() {
    failsOutside(Errno.EINVAL, (addr, len) -> process.mprotect(addr, len, Mman.PROT_READ));
    fails(Errno.ENOMEM, () -> process.mprotect(page(HOLE), PAGE, RW));
    fails(Errno.ENOMEM, () -> process.mprotect(AT, 5 * PAGE, Mman.PROT_READ));
    fails(Errno.ENOMEM, () -> process.mprotect(page(3) + 1, PAGE, Mman.PROT_READ));
    fails(Errno.EACCES, () -> process.mprotect(page(READ_ONLY_SHARE), PAGE, RW));
    fails(Errno.EACCES, () -> process.mprotect(page(READ_ONLY_SHARE), PAGE, -1));
    fails(Errno.EPERM, () -> process.mprotect(page(IMMUTABLE), PAGE, Mman.PROT_READ));
    succeeds(() -> process.mprotect(AT, 0, Mman.PROT_NONE));
    succeeds(() -> process.mprotect(AT, 1, RW | 0x7ffffff8));
  }

  @Test
  void X_minheritBadInput() {
    failsOutside(Errno.EINVAL, (addr, len) -> process.minherit(addr, len, Mman.MAP_INHERIT_NONE));
    for (int inherit :
        new int[] {-1, Mman.MAP_INHERIT_DONATE_COPY, 5, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
      fails(Errno.EINVAL, () -> process.minherit(AT, PAGE, inherit));
      fails(Errno.EINVAL, () -> process.minherit(AT, 0, inherit));
    }
    fails(Errno.EPERM, () -> process.minherit(page(IMMUTABLE), PAGE, Mman.MAP_INHERIT_NONE));
    fails(Errno.EPERM, () -> process.minherit(AT, 64 * PAGE, Mman.MAP_INHERIT_NONE));
    succeeds(() -> process.minherit(AT, 0, Mman.MAP_INHERIT_NONE));
    succeeds(() -> process.minherit(page(HOLE), PAGE, Mman.MAP_INHERIT_NONE));
  }

  @Test
  void X_mimmutableBadInput() {
    failsOutside(Errno.EINVAL, process::mimmutable);
    succeeds(() -> process.mimmutable(AT, 0));
    succeeds(() -> process.mimmutable(page(HOLE), PAGE));
    succeeds(() -> process.mimmutable(page(IMMUTABLE), PAGE));
  }

  private void mremapFails(Errno errno, long old, long len, long now, long newLen, int flags) {
    fails(errno, () -> process.mremap(old, len, now, newLen, flags));
  }

  @Test
  void X_mremapBadInput() {
    failsOutside(Errno.EINVAL, (addr, len) -> process.mremap(addr, len, 0, PAGE, 0));
    for (int flags : new int[] {1, 2, 8, 0x20, 0x1000, -1, Integer.MIN_VALUE | 1}) {
      mremapFails(Errno.EINVAL, AT, PAGE, 0, PAGE, flags);
    }
    mremapFails(Errno.EINVAL, AT, 0, 0, PAGE, 0);
    mremapFails(Errno.EINVAL, AT, PAGE, 0, 0, 0);
    mremapFails(Errno.EINVAL, AT + 1, PAGE, 0, PAGE, 0);
    for (int n : new int[] {64, 128, 255}) {
      mremapFails(Errno.EINVAL, AT, PAGE, 0, PAGE, Mman.MAP_ALIGNED(n));
    }
    for (int n : new int[] {47, 48, 62, 63}) {
      mremapFails(Errno.ENOMEM, AT, PAGE, 0, PAGE, Mman.MAP_ALIGNED(n));
      mremapFails(Errno.EINVAL, AT, PAGE, AT, PAGE, Mman.MAP_FIXED | Mman.MAP_ALIGNED(n));
    }
    for (int more : new int[] {0, Mman.MAP_REMAPDUP}) {
      for (long len : new long[] {-1, -PAGE, MIN, MAX, END, END + 1}) {
        mremapFails(Errno.ENOMEM, AT, PAGE, 0, len, more);
        mremapFails(Errno.ENOMEM, AT, PAGE, page(HOLE), len, more | Mman.MAP_FIXED);
      }
      for (long now : new long[] {1, AT + 1, -1, MAX}) {
        mremapFails(Errno.EINVAL, AT, PAGE, now, PAGE, more | Mman.MAP_FIXED);
      }
      for (long now : new long[] {0, PAGE, END, END - PAGE, -PAGE, MIN, page(1), page(NO_ACCESS)}) {
        mremapFails(Errno.ENOMEM, AT, PAGE, now, 2 * PAGE, more | Mman.MAP_FIXED);
      }
      mremapFails(Errno.EFAULT, page(HOLE), PAGE, 0, 2 * PAGE, more);
      mremapFails(Errno.EFAULT, page(3), 2 * PAGE, 0, PAGE * 3, more);
      mremapFails(Errno.EPERM, page(IMMUTABLE), PAGE, 0, 2 * PAGE, more);
    }
  }
}
