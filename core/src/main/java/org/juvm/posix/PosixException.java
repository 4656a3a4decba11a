package org.juvm.posix;

import java.io.Serial;

/**
 * A call of a process that failed. Unless the call says otherwise, nothing has changed.
 *
 * <p>The message has the call with its arguments: {@code munmap(0x10001, 0x1000): EINVAL: Invalid
 * argument}.
 */
public final class PosixException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  private final Errno errno;

  /** A failure of a call, written as in C. */
  PosixException(Errno errno, String call) {
    super(call + ": " + errno + ": " + errno.text());
    this.errno = errno;
  }

  /**
   * Why.
   *
   * @return the error
   */
  public Errno errno() {
    return errno;
  }
}
