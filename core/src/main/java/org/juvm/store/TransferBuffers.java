package org.juvm.store;

/**
 * Memory for blocks that are on their way to a store in another form than they have where they come
 * from. There is a bounded amount of it. Thread-safe.
 */
public interface TransferBuffers {
  /**
   * The size of the pieces that a buffer consists of.
   *
   * @return bytes
   */
  int pieceBytes();

  /**
   * Takes a buffer, and waits until there is one. Called without locks, by who has no other buffer,
   * and waits for nothing but the end of its transfer until it gives it back: so every wait here
   * ends.
   *
   * @return a buffer that nobody else uses
   */
  TransferBuffer take();

  /**
   * Gives a buffer back. Any thread.
   *
   * @param buffer what was taken
   */
  void give(TransferBuffer buffer);
}
