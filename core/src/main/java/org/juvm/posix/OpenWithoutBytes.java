package org.juvm.posix;

/** Something that was opened for reading and has no bytes of its own to be read or written. */
abstract class OpenWithoutBytes extends OpenDescription {
  OpenWithoutBytes() {
    super(true, false);
  }

  @Override
  final void closed() {}

  @Override
  final long size(Call call) {
    return 0;
  }

  @Override
  final void resize(Call call, long size) {
    throw call.failed(Errno.EINVAL);
  }

  @Override
  final void sync(Call call) {}

  @Override
  final void write(Call call, byte[] source) {
    throw call.failed(Errno.EBADF);
  }

  /** There is nothing to be read at any offset. */
  @Override
  final long seek(Call call, long offset, int whence) {
    return 0;
  }
}
