package org.juvm;

import org.juvm.object.AnonymousObject;
import org.juvm.object.MemoryObject;

/**
 * Memory that several mappings, in one address space or in many, can show: what one writes, all
 * see. It consists of zeros at first and takes memory page by page as it is used. Thread-safe.
 *
 * <p>It lives until it is closed, has no name any more and nothing maps it.
 *
 * <p>Source: {@code shm_open(3)}; {@code uvm_aobj.c}.
 */
public final class SharedMemory extends Mappable implements AutoCloseable {
  /** The largest size, in bytes. */
  public static final long MAXIMUM_BYTES = AnonymousObject.MAXIMUM_BYTES;

  private final SharedMemories owner;
  private final AnonymousObject object;

  /** Takes over a reference to the object. */
  SharedMemory(SharedMemories owner, AnonymousObject object) {
    this.owner = owner;
    this.object = object;
  }

  AnonymousObject object() {
    return object;
  }

  @Override
  Vm vm() {
    return owner.vm();
  }

  @Override
  MemoryObject reference() {
    return owner.reference(this);
  }

  /**
   * The size.
   *
   * @return bytes
   * @throws IllegalStateException if this is closed
   */
  public long size() {
    owner.checkOpen(this);
    object.lock();
    try {
      return object.size();
    } finally {
      object.unlock();
    }
  }

  /**
   * Changes the size. What is beyond a smaller size is gone when this returns, and an access to it
   * throws {@link MemoryFault} BEYOND_END; what is added consists of zeros.
   *
   * @param size bytes, from 0 to 2^46
   * @throws IllegalStateException if this is closed
   */
  public void resize(long size) {
    owner.checkOpen(this);
    SharedMemories.checkSize(size);
    if (!object.resize(size)) {
      throw new OutOfMemoryError("no memory for the last page of shared memory: size=" + size);
    }
  }

  /**
   * How much memory it takes.
   *
   * @return pages
   * @throws IllegalStateException if this is closed
   */
  public long residentPages() {
    owner.checkOpen(this);
    object.lock();
    try {
      return object.residentPages();
    } finally {
      object.unlock();
    }
  }

  /** Lets go of it. Mappings stay. Closing twice does nothing. */
  @Override
  public void close() {
    owner.close(this);
  }
}
