package org.juvm.posix;

import org.juvm.MapRequest;

/** A directory that was opened, with which nothing can be done here. */
final class OpenDirectory extends OpenDescription {
  OpenDirectory() {
    super(true, false);
  }

  @Override
  void closed() {}

  @Override
  MapRequest toMap(Call call, long offset, long length) {
    throw call.failed(Errno.ENODEV);
  }

  @Override
  long size(Call call) {
    return 0;
  }

  @Override
  void resize(Call call, long size) {
    throw call.failed(Errno.EINVAL);
  }

  @Override
  void sync(Call call) {}

  @Override
  int read(Call call, byte[] target) {
    throw call.failed(Errno.EISDIR);
  }

  @Override
  void write(Call call, byte[] source) {
    throw call.failed(Errno.EBADF);
  }

  @Override
  long seek(Call call, long offset, int whence) {
    return 0;
  }
}
