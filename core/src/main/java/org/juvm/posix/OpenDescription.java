package org.juvm.posix;

import java.util.concurrent.atomic.AtomicInteger;
import org.juvm.MapRequest;

/**
 * Something that was opened, with the rights that it was opened with. Descriptors of several
 * processes may refer to it; it is closed with the last reference. Thread-safe.
 */
abstract class OpenDescription {
  private final boolean readable;
  private final boolean writable;

  /** One for each descriptor and each call that uses one; once 0, it stays so. */
  private final AtomicInteger references = new AtomicInteger(1);

  /** With one reference. */
  OpenDescription(boolean readable, boolean writable) {
    this.readable = readable;
    this.writable = writable;
  }

  final boolean isReadable() {
    return readable;
  }

  final boolean isWritable() {
    return writable;
  }

  /** Whether it is a device, of which there is one: mappings of it are shared. */
  boolean isDevice() {
    return false;
  }

  /** The caller knows that there is a reference that does not go meanwhile. */
  final void acquire() {
    references.incrementAndGet();
  }

  final void release() {
    if (references.decrementAndGet() == 0) {
      closed();
    }
  }

  /** The last reference is gone. */
  abstract void closed();

  /** A mapping of a part of it, whose offset is page aligned and possible. */
  abstract MapRequest toMap(Call call, long offset, long length);

  abstract long size(Call call);

  /** Changes the size. It is open for writing, and the size is at least 0. */
  abstract void resize(Call call, long size);

  abstract void sync(Call call);

  /** Reads at the offset and moves that. It is open for reading. */
  abstract int read(Call call, byte[] target);

  /** Writes at the offset and moves that. It is open for writing. */
  abstract void write(Call call, byte[] source);

  /** Moves the offset, and returns it. */
  abstract long seek(Call call, long offset, int whence);
}
