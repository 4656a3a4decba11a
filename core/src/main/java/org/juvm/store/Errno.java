package org.juvm.store;

/** Names of the Linux errors that file functions report. */
final class Errno {
  static final int ENOENT = 2;
  static final int EINTR = 4;
  static final int EACCES = 13;
  static final int EEXIST = 17;
  static final int ENOSPC = 28;
  static final int EDQUOT = 122;

  private Errno() {}

  /** The name of an error, with its meaning where that is not in the name. */
  static String name(int errno) {
    return switch (errno) {
      case 1 -> "EPERM";
      case ENOENT -> "ENOENT (no such file)";
      case EINTR -> "EINTR";
      case 5 -> "EIO (the device failed)";
      case 6 -> "ENXIO (no such device)";
      case 9 -> "EBADF";
      case 11 -> "EAGAIN";
      case 12 -> "ENOMEM";
      case EACCES -> "EACCES (permission denied)";
      case 14 -> "EFAULT";
      case 16 -> "EBUSY";
      case EEXIST -> "EEXIST (file exists)";
      case 19 -> "ENODEV (no such device)";
      case 20 -> "ENOTDIR (not a directory)";
      case 21 -> "EISDIR (is a directory)";
      case 22 -> "EINVAL (invalid argument)";
      case 23 -> "ENFILE (too many open files in the system)";
      case 24 -> "EMFILE (too many open files in the process)";
      case 26 -> "ETXTBSY (a program that runs)";
      case 27 -> "EFBIG (file too large)";
      case ENOSPC -> "ENOSPC (no space left on the device)";
      case 29 -> "ESPIPE (not seekable)";
      case 30 -> "EROFS (read-only file system)";
      case 36 -> "ENAMETOOLONG";
      case 40 -> "ELOOP (too many symbolic links)";
      case 75 -> "EOVERFLOW";
      case 95 -> "EOPNOTSUPP";
      case 116 -> "ESTALE (stale file handle)";
      case EDQUOT -> "EDQUOT (quota exceeded)";
      default -> "errno " + errno;
    };
  }
}
