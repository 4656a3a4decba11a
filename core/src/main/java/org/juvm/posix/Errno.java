package org.juvm.posix;

/**
 * Why a call failed, with the numbers of NetBSD.
 *
 * <p>Source: {@code errno(2)}.
 */
public enum Errno {
  /** The range must not be changed any more. */
  EPERM(1, "Operation not permitted"),
  /** There is no file or shared memory of this name. */
  ENOENT(2, "No such file or directory"),
  /** Not an open descriptor. */
  EBADF(9, "Bad file descriptor"),
  /** A page could not be read or written. */
  EIO(5, "Input/output error"),
  /** No memory or address space within the limits, or a hole where there must be none. */
  ENOMEM(12, "Cannot allocate memory"),
  /** More rights than the descriptor or the mapping may give. */
  EACCES(13, "Permission denied"),
  /** Nothing is at the address. */
  EFAULT(14, "Bad address"),
  /** Wired memory would have to go. */
  EBUSY(16, "Resource busy"),
  /** There is a file or shared memory of this name already. */
  EEXIST(17, "File exists"),
  /** What the descriptor refers to cannot be mapped. */
  ENODEV(19, "Operation not supported by device"),
  /** A part of a path is no directory. */
  ENOTDIR(20, "Not a directory"),
  /** A directory, where a file is needed. */
  EISDIR(21, "Is a directory"),
  /** An argument that makes no sense. */
  EINVAL(22, "Invalid argument"),
  /** Larger than anything can be. */
  EFBIG(27, "File too large"),
  /** More would be wired than the limit. */
  EAGAIN(35, "Resource temporarily unavailable"),
  /** The name of shared memory is too long. */
  ENAMETOOLONG(63, "File name too long"),
  /** A sum of two arguments is no address or offset. */
  EOVERFLOW(84, "Value too large to be stored in data type");

  private final int number;
  private final String text;

  Errno(int number, String text) {
    this.number = number;
    this.text = text;
  }

  /**
   * The value of {@code errno}.
   *
   * @return a positive number
   */
  public int number() {
    return number;
  }

  /**
   * What {@code strerror(3)} says.
   *
   * @return a short text
   */
  public String text() {
    return text;
  }
}
