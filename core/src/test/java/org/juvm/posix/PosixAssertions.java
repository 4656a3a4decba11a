package org.juvm.posix;

import static org.assertj.core.api.Assertions.assertThat;

import org.juvm.MemoryFault;

/** What the tests of this package have in common. */
final class PosixAssertions {
  static final int PAGE = 4096;
  static final long AT = 1 << 20;
  static final long END = 1L << 47;
  static final int RW = Mman.PROT_READ | Mman.PROT_WRITE;
  static final int ANON = Mman.MAP_ANON | Mman.MAP_PRIVATE;
  static final int FIXED = ANON | Mman.MAP_FIXED;

  private PosixAssertions() {}

  /** The address of the n-th page from AT. */
  static long page(int n) {
    return AT + (long) n * PAGE;
  }

  static void map(PosixProcess process, int firstPage, int pages, int prot) {
    long address = page(firstPage);
    long length = (long) pages * PAGE;
    assertThat(process.mmap(address, length, prot, FIXED, -1, 0)).isEqualTo(address);
  }

  static void assertFault(MemoryFault.Reason reason, Runnable access) {
    try {
      access.run();
    } catch (MemoryFault e) {
      assertThat(e.reason()).isEqualTo(reason);
      return;
    }
    throw new AssertionError("no fault: " + reason);
  }

  static void assertErrno(Errno errno, Runnable call) {
    try {
      call.run();
    } catch (PosixException e) {
      assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno);
      return;
    }
    throw new AssertionError("did not fail with " + errno);
  }
}
