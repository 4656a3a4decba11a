package org.juvm.posix;

import org.juvm.base.Limit;

/** What the RLIMIT numbers mean. */
final class Resource {
  private Resource() {}

  /**
   * The limit of a resource.
   *
   * @throws PosixException EINVAL if there is none
   */
  static Limit limit(Call call, int resource) {
    return switch (resource) {
      case Mman.RLIMIT_AS -> Limit.ADDRESS_SPACE;
      case Mman.RLIMIT_DATA -> Limit.DATA;
      case Mman.RLIMIT_STACK -> Limit.STACK;
      case Mman.RLIMIT_MEMLOCK -> Limit.LOCKED;
      default -> throw call.failed(Errno.EINVAL);
    };
  }
}
