package org.juvm.store;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.ClosedChannelException;
import java.util.Arrays;

/** A store in the heap that has no more than it must: what a client might write. Thread-safe. */
public final class MemoryStore implements Store {
  private byte[] bytes = new byte[0];
  private boolean closed;

  /** An empty store. */
  public MemoryStore() {}

  /** What it holds. */
  public synchronized byte[] contents() {
    return bytes.clone();
  }

  public synchronized boolean isClosed() {
    return closed;
  }

  private synchronized void checkOpen() throws IOException {
    if (closed) {
      throw new ClosedChannelException();
    }
  }

  @Override
  public synchronized long size() throws IOException {
    checkOpen();
    return bytes.length;
  }

  @Override
  public synchronized long read(long position, MemorySegment memory, long offset, long length)
      throws IOException {
    checkOpen();
    int count = (int) Math.clamp(bytes.length - position, 0, length);
    MemorySegment.copy(bytes, (int) position, memory, ValueLayout.JAVA_BYTE, offset, count);
    return count;
  }

  @Override
  public synchronized void write(long position, MemorySegment memory, long offset, long length)
      throws IOException {
    checkOpen();
    bytes = Arrays.copyOf(bytes, Math.toIntExact(Math.max(bytes.length, position + length)));
    MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, offset, bytes, (int) position, (int) length);
  }

  @Override
  public synchronized void resize(long size) throws IOException {
    checkOpen();
    bytes = Arrays.copyOf(bytes, Math.toIntExact(size));
  }

  @Override
  public void sync() throws IOException {
    checkOpen();
  }

  @Override
  public synchronized void close() {
    closed = true;
  }
}
