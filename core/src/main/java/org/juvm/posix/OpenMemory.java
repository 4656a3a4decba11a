package org.juvm.posix;

import java.util.concurrent.atomic.AtomicInteger;
import org.juvm.SharedMemory;

/**
 * Shared memory that was opened, with the rights that it was opened with. Descriptors of several
 * processes may refer to it; it is closed with the last reference. Thread-safe.
 */
final class OpenMemory {
  private final SharedMemory memory;
  private final boolean writable;

  /** One for each descriptor and each call that uses one; once 0, it stays so. */
  private final AtomicInteger references = new AtomicInteger(1);

  /** With one reference. */
  OpenMemory(SharedMemory memory, boolean writable) {
    this.memory = memory;
    this.writable = writable;
  }

  SharedMemory memory() {
    return memory;
  }

  boolean isWritable() {
    return writable;
  }

  /** The caller knows that there is a reference that does not go meanwhile. */
  void acquire() {
    references.incrementAndGet();
  }

  void release() {
    if (references.decrementAndGet() == 0) {
      memory.close();
    }
  }
}
