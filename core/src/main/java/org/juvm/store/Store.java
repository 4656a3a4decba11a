package org.juvm.store;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * A place for bytes outside memory: a file, or what a client implements.
 *
 * <p>All methods may be called by many threads at a time, virtual ones among them. Transfers are
 * positional and independent of each other; what comes of two that overlap, one of them a write, is
 * undefined. An implementation does not let an interrupt of the calling thread end a transfer or
 * harm the store, and leaves the interrupt status as it found it. It must not call back into the
 * system that uses it.
 *
 * <p>{@code memory} is a native segment that can be accessed from any thread and outlives the call.
 * A system passes the same segment, all its frames, for as long as it lives.
 *
 * <p>After {@link #close} every method but {@code close} throws an {@link IOException}.
 */
public interface Store extends AutoCloseable {
  /**
   * How much there is.
   *
   * @return bytes
   * @throws IOException if the device cannot tell
   */
  long size() throws IOException;

  /**
   * Reads consecutive bytes.
   *
   * @param position of the first byte, in bytes from the start of the store
   * @param memory where to
   * @param offset of the first byte in {@code memory}
   * @param length how many bytes
   * @return bytes read; fewer than {@code length} only where the store ends
   * @throws IOException if they cannot be read; what the memory holds then is undefined
   */
  long read(long position, MemorySegment memory, long offset, long length) throws IOException;

  /**
   * Reads consecutive bytes into pieces of memory.
   *
   * @param position of the first byte, in bytes from the start of the store
   * @param memory where to
   * @param offsets of the pieces in {@code memory}; not changed, nor kept
   * @param count number of pieces
   * @param pieceBytes length of each
   * @return bytes read; fewer than all only where the store ends
   * @throws IOException if they cannot be read; what the memory holds then is undefined
   */
  default long read(long position, MemorySegment memory, long[] offsets, int count, int pieceBytes)
      throws IOException {
    long done = 0;
    for (int i = 0; i < count; i++) {
      long bytes = read(position + done, memory, offsets[i], pieceBytes);
      done += bytes;
      if (bytes < pieceBytes) {
        break;
      }
    }
    return done;
  }

  /**
   * Writes consecutive bytes, all of them. The store grows if it ends before the last of them.
   *
   * @param position of the first byte, in bytes from the start of the store
   * @param memory where from
   * @param offset of the first byte in {@code memory}
   * @param length how many bytes
   * @throws IOException if not all were written; what the store holds there is undefined
   */
  void write(long position, MemorySegment memory, long offset, long length) throws IOException;

  /**
   * Writes pieces of memory to consecutive positions, all of them. The store grows if it ends
   * before the last of them.
   *
   * @param position of the first byte, in bytes from the start of the store
   * @param memory where from
   * @param offsets of the pieces in {@code memory}; not changed, nor kept
   * @param count number of pieces
   * @param pieceBytes length of each
   * @throws IOException if not all were written; what the store holds there is undefined
   */
  default void write(long position, MemorySegment memory, long[] offsets, int count, int pieceBytes)
      throws IOException {
    for (int i = 0; i < count; i++) {
      write(position + (long) i * pieceBytes, memory, offsets[i], pieceBytes);
    }
  }

  /**
   * Cuts the store off, or lets it grow with zeros.
   *
   * @param size the new size in bytes
   * @throws IOException if it cannot have this size; it has the old one then
   */
  void resize(long size) throws IOException;

  /**
   * Makes durable what was written before: it is still there after a crash of the machine.
   *
   * @throws IOException if that is not certain
   */
  void sync() throws IOException;

  /**
   * Ends the store: waits for transfers under way, and gives back what it uses of the host. A
   * second call does nothing.
   *
   * @throws IOException if the device reports an error; the store is closed all the same
   */
  @Override
  void close() throws IOException;
}
