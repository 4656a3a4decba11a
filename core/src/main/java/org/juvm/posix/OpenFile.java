package org.juvm.posix;

import java.io.IOException;
import org.juvm.MapRequest;
import org.juvm.MappedFile;

/** A file that was opened, with an offset. */
final class OpenFile extends OpenDescription {
  private final MappedFile file;

  /** Guards the offset, and keeps reads and writes that use it apart. */
  private final Object lock = new Object();

  /** Where the next read or write starts, in bytes. Guarded by lock. */
  private long offset;

  /** Takes the file over. */
  OpenFile(MappedFile file, boolean readable, boolean writable) {
    super(readable, writable);
    this.file = file;
  }

  @Override
  void closed() {
    file.close();
  }

  @Override
  MapRequest toMap(Call call, long start, long length) {
    return MapRequest.of(file, start, length);
  }

  @Override
  long size(Call call) {
    return file.size();
  }

  @Override
  void resize(Call call, long size) {
    call.require(size <= MappedFile.MAXIMUM_BYTES, Errno.EFBIG);
    try {
      file.resize(size);
    } catch (IOException e) {
      throw call.failed(Errno.EIO, e);
    }
  }

  @Override
  void sync(Call call) {
    try {
      file.sync();
    } catch (IOException e) {
      throw call.failed(Errno.EIO, e);
    }
  }

  @Override
  int read(Call call, byte[] target) {
    synchronized (lock) {
      try {
        int count = file.read(offset, target);
        offset += count;
        return count;
      } catch (IOException e) {
        throw call.failed(Errno.EIO, e);
      }
    }
  }

  @Override
  void write(Call call, byte[] source) {
    synchronized (lock) {
      call.require(offset <= MappedFile.MAXIMUM_BYTES - source.length, Errno.EFBIG);
      try {
        file.write(offset, source);
        offset += source.length;
      } catch (IOException e) {
        throw call.failed(Errno.EIO, e);
      }
    }
  }

  @Override
  long seek(Call call, long by, int whence) {
    synchronized (lock) {
      long from =
          switch (whence) {
            case Mman.SEEK_SET -> 0;
            case Mman.SEEK_CUR -> offset;
            case Mman.SEEK_END -> file.size();
            default -> throw call.failed(Errno.EINVAL);
          };
      call.require(by <= Long.MAX_VALUE - from, Errno.EOVERFLOW);
      call.require(from + by >= 0, Errno.EINVAL);
      offset = from + by;
      return offset;
    }
  }
}
