package org.juvm.testkit.kernel;

/** The numbers of NetBSD, in which the calls of this package are expressed. */
final class Bsd {
  static final int PROT_NONE = 0;
  static final int PROT_READ = 1;
  static final int PROT_WRITE = 2;
  static final int PROT_EXEC = 4;

  /** No right at all; NetBSD leaves it out, Linux refuses it. */
  static final int PROT_UNKNOWN = 0x80;

  static final int MAP_SHARED = 1;
  static final int MAP_PRIVATE = 2;
  static final int MAP_FIXED = 0x10;
  static final int MAP_TRYFIXED = 0x400;
  static final int MAP_ANON = 0x1000;
  static final int MAP_STACK = 0x2000;

  /** What says whether a mapping is shared. */
  static final int MAP_TYPE = MAP_SHARED | MAP_PRIVATE;

  /** A flag that {@code mremap} does not have, in either system. */
  static final int MREMAP_UNKNOWN = 0x100;

  static final int MADV_NORMAL = 0;
  static final int MADV_RANDOM = 1;
  static final int MADV_SEQUENTIAL = 2;
  static final int MADV_WILLNEED = 3;
  static final int MADV_DONTNEED = 4;
  static final int MADV_FREE = 6;
  static final int MADV_UNKNOWN = 77;

  static final int MS_ASYNC = 1;
  static final int MS_INVALIDATE = 2;
  static final int MS_SYNC = 4;

  private Bsd() {}
}
