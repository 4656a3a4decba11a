package org.juvm.posix;

import org.juvm.MapRequest;

/** A directory that was opened, with which nothing can be done here. */
final class OpenDirectory extends OpenWithoutBytes {
  @Override
  MapRequest toMap(Call call, long offset, long length) {
    throw call.failed(Errno.ENODEV);
  }

  @Override
  int read(Call call, byte[] target) {
    throw call.failed(Errno.EISDIR);
  }
}
