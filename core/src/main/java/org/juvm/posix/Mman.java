package org.juvm.posix;

/**
 * The constants of {@code sys/mman.h}, and those of {@code sys/resource.h} and {@code fcntl.h} that
 * the calls of {@link PosixProcess} take. Values are those of NetBSD; what only another system has
 * gets its value if it is free, else one of its own.
 */
public final class Mman {

  // ---- Rights of a mapping ----

  /** No access. */
  public static final int PROT_NONE = 0;

  /** Loads. */
  public static final int PROT_READ = 1;

  /** Stores; implies loads. */
  public static final int PROT_WRITE = 2;

  /** Instruction fetches; implies loads. */
  public static final int PROT_EXEC = 4;

  // ---- Flags of mmap ----

  /** Stores are seen by all that map the same memory. */
  public static final int MAP_SHARED = 1;

  /** Stores are seen by this process only. The default. */
  public static final int MAP_PRIVATE = 2;

  /** For mremap: the old range stays, both are the same memory. */
  public static final int MAP_REMAPDUP = 4;

  /** At the address, replacing what is there. */
  public static final int MAP_FIXED = 0x10;

  /** Accepted; nothing is ever reserved. */
  public static final int MAP_NORESERVE = 0x40;

  /** Accepted without effect, as in NetBSD: exec keeps no mapping. */
  public static final int MAP_INHERIT = 0x80;

  /** Accepted without effect. */
  public static final int MAP_HASSEMAPHORE = 0x200;

  /** At the address if it is free, else as without. */
  public static final int MAP_TRYFIXED = 0x400;

  /** All pages are made at once and stay resident. */
  public static final int MAP_WIRED = 0x800;

  /** Memory that consists of zeros at first; the descriptor must be -1. */
  public static final int MAP_ANON = 0x1000;

  /** The same as MAP_ANON. */
  public static final int MAP_ANONYMOUS = 0x1000;

  /** To be used as a stack: says nothing here, since all memory is made when it is touched. */
  public static final int MAP_STACK = 0x2000;

  /** A stack that is mapped as it grows downwards. Linux has it. */
  public static final int MAP_GROWSDOWN = 0x100;

  /** With MAP_FIXED: nothing is replaced. FreeBSD has it. */
  public static final int MAP_EXCL = 0x4000;

  /** Left out of core dumps. DragonFly has it, with another number. */
  public static final int MAP_NOCORE = 0x8000;

  /** The same as MAP_NOCORE, by its name in OpenBSD. */
  public static final int MAP_CONCEAL = 0x8000;

  /** Nothing can be accessed there, now or later. FreeBSD has it, with another number. */
  public static final int MAP_GUARD = 0x10000;

  /** Written back only when it must be. DragonFly has it, with another number. */
  public static final int MAP_NOSYNC = 0x20000;

  /** What lies behind it gives zeros instead of a fault. OpenBSD has it, with another number. */
  public static final int MAP_NOFAULT = 0x40000;

  /**
   * The mapping is of virtual memory, whose page tables are in what is mapped. DragonFly has it;
   * its number is that of MAP_STACK here.
   */
  public static final int MAP_VPAGETABLE = 0x80000;

  // ---- Advice ----

  /** No advice. */
  public static final int MADV_NORMAL = 0;

  /** Each page is as likely as any other. */
  public static final int MADV_RANDOM = 1;

  /** From low to high addresses. */
  public static final int MADV_SEQUENTIAL = 2;

  /** Soon to be used. */
  public static final int MADV_WILLNEED = 3;

  /** Not to be used soon; nothing is lost. */
  public static final int MADV_DONTNEED = 4;

  /** Not implemented in any system: EINVAL. */
  public static final int MADV_SPACEAVAIL = 5;

  /** The contents are not needed any more. */
  public static final int MADV_FREE = 6;

  /** Takes MADV_NOSYNC back. DragonFly has it. */
  public static final int MADV_AUTOSYNC = 7;

  /** Left out of core dumps. DragonFly has it. */
  public static final int MADV_NOCORE = 8;

  /** Takes MADV_NOCORE back. DragonFly has it. */
  public static final int MADV_CORE = 9;

  /** All translations are forgotten. DragonFly has it. */
  public static final int MADV_INVAL = 10;

  /** For mcontrol: other page tables for a mapping with MAP_VPAGETABLE. DragonFly has it. */
  public static final int MADV_SETMAP = 11;

  /** Written back only when it must be. DragonFly has it, with another number. */
  public static final int MADV_NOSYNC = 12;

  // ---- Flags of msync ----

  /** Writes back later. */
  public static final int MS_ASYNC = 1;

  /** What is in memory is dropped afterwards. */
  public static final int MS_INVALIDATE = 2;

  /** Writes back before the call returns. */
  public static final int MS_SYNC = 4;

  // ---- Flags of mlockall ----

  /** What is mapped. */
  public static final int MCL_CURRENT = 1;

  /** What will be mapped. */
  public static final int MCL_FUTURE = 2;

  // ---- Inheritance ----

  /** Parent and child see the same memory. */
  public static final int MAP_INHERIT_SHARE = 0;

  /** The child gets a copy. The default. */
  public static final int MAP_INHERIT_COPY = 1;

  /** The child has a hole there. */
  public static final int MAP_INHERIT_NONE = 2;

  /** Not implemented in any system: EINVAL. */
  public static final int MAP_INHERIT_DONATE_COPY = 3;

  /** The child has zeros there. */
  public static final int MAP_INHERIT_ZERO = 4;

  // ---- Limits ----

  /** Bytes of the heap that brk makes. */
  public static final int RLIMIT_DATA = 2;

  /** Bytes of each stack that grows. */
  public static final int RLIMIT_STACK = 3;

  /** Bytes that are wired. */
  public static final int RLIMIT_MEMLOCK = 6;

  /** Bytes of all mappings. */
  public static final int RLIMIT_AS = 10;

  // ---- Modes of open and shm_open ----

  /** For reading. */
  public static final int O_RDONLY = 0;

  /** For writing; not for shared memory. */
  public static final int O_WRONLY = 1;

  /** For reading and writing. */
  public static final int O_RDWR = 2;

  /** Makes it if there is none of the name. */
  public static final int O_CREAT = 0x200;

  /** Makes it empty if it is opened for writing. */
  public static final int O_TRUNC = 0x400;

  /** With O_CREAT: there must be none of the name. */
  public static final int O_EXCL = 0x800;

  // ---- Places that lseek counts from ----

  /** The start of the file. */
  public static final int SEEK_SET = 0;

  /** The offset as it is. */
  public static final int SEEK_CUR = 1;

  /** The end of the file. */
  public static final int SEEK_END = 2;

  /** No limit. */
  public static final long RLIM_INFINITY = Long.MAX_VALUE;

  /** Where the binary logarithm of an alignment stands in the flags. */
  static final int ALIGNMENT_SHIFT = 24;

  private Mman() {}

  /**
   * The flag that asks mmap and mremap for an aligned address.
   *
   * @param n binary logarithm of the alignment in bytes, from 0 to 255; less than a page says
   *     nothing, more than 63 is an error of the call that it is given to
   * @return bits 24 to 31 of the flags
   * @throws IllegalArgumentException if it does not fit into them
   */
  @SuppressWarnings("MemberName") // As in C.
  public static int MAP_ALIGNED(int n) {
    if (n < 0 || n > 255) {
      throw new IllegalArgumentException("alignment out of range: n=" + n);
    }
    return n << ALIGNMENT_SHIFT;
  }
}
