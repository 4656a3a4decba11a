package org.juvm.posix;

import org.juvm.MapRequest;
import org.juvm.SharedMemory;

/** Shared memory that was opened. It has no offset, and is used by mapping it only. */
final class OpenMemory extends OpenDescription {
  private final SharedMemory memory;

  /** Takes the memory over. */
  OpenMemory(SharedMemory memory, boolean writable) {
    super(true, writable);
    this.memory = memory;
  }

  @Override
  void closed() {
    memory.close();
  }

  @Override
  MapRequest toMap(Call call, long offset, long length) {
    return MapRequest.of(memory, offset, length);
  }

  @Override
  long size(Call call) {
    return memory.size();
  }

  @Override
  void resize(Call call, long size) {
    call.require(size <= SharedMemory.MAXIMUM_BYTES, Errno.EFBIG);
    memory.resize(size);
  }

  /** It is nowhere else. */
  @Override
  void sync(Call call) {}

  @Override
  int read(Call call, byte[] target) {
    throw call.failed(Errno.EINVAL);
  }

  @Override
  void write(Call call, byte[] source) {
    throw call.failed(Errno.EINVAL);
  }

  @Override
  long seek(Call call, long offset, int whence) {
    throw call.failed(Errno.EINVAL);
  }
}
