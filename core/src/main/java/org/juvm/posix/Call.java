package org.juvm.posix;

import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;
import org.juvm.MapException;

/** One call of a process with its arguments: it knows what a failure of it looks like. */
final class Call {
  private final String name;
  private final @Nullable String text;
  private final long[] arguments;

  Call(String name, long... arguments) {
    this(name, null, arguments);
  }

  /** A call whose first argument is a text. */
  Call(String name, @Nullable String text, long... arguments) {
    this.name = name;
    this.text = text;
    this.arguments = arguments;
  }

  PosixException failed(Errno errno) {
    return new PosixException(errno, toString());
  }

  PosixException failed(Errno errno, Throwable cause) {
    PosixException failed = failed(errno);
    failed.initCause(cause);
    return failed;
  }

  void require(boolean condition, Errno otherwise) {
    if (!condition) {
      throw failed(otherwise);
    }
  }

  /** What a refusal means to most calls. */
  PosixException refused(MapException refusal) {
    return refused(refusal, Errno.ENOMEM, Errno.ENOMEM);
  }

  /**
   * What a refusal means.
   *
   * @param hole if a part of the range is not mapped
   * @param limit if a limit would be exceeded
   */
  PosixException refused(MapException refusal, Errno hole, Errno limit) {
    Errno errno =
        switch (refusal.reason()) {
          case NO_SPACE, OCCUPIED, BEYOND_END, NO_MEMORY -> Errno.ENOMEM;
          case NOT_MAPPED -> hole;
          case LIMIT -> limit;
          case LOCKED -> Errno.EAGAIN;
          case MAXIMUM_PROTECTION -> Errno.EACCES;
          case NO_ACCESS, WRONG_KIND, SUBMAP -> Errno.EINVAL;
          case IMMUTABLE -> Errno.EPERM;
          case WIRED -> Errno.EBUSY;
          case IO_ERROR -> Errno.EIO;
        };
    return failed(errno, refusal);
  }

  /** The call as it would be written in C. */
  @Override
  public String toString() {
    StringJoiner joiner = new StringJoiner(", ", name + "(", ")");
    if (text != null) {
      joiner.add('"' + text + '"');
    }
    for (long argument : arguments) {
      joiner.add("0x" + Long.toHexString(argument));
    }
    return joiner.toString();
  }
}
