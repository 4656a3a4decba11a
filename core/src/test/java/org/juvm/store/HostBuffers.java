package org.juvm.store;

import java.lang.foreign.Arena;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/** Two buffers of a few pieces each, in memory of the host. */
public final class HostBuffers implements TransferBuffers {
  private static final int PIECES = 5;

  private final int pieceBytes;
  private final BlockingQueue<TransferBuffer> free = new ArrayBlockingQueue<>(2);

  /** Buffers of pieces of a size. */
  public HostBuffers(int pieceBytes) {
    this.pieceBytes = pieceBytes;
    for (int i = 0; i < 2; i++) {
      long[] offsets = new long[PIECES];
      for (int piece = 0; piece < PIECES; piece++) {
        // In no order, with holes.
        offsets[piece] = 2L * pieceBytes * ((piece * 3) % PIECES);
      }
      free.add(new TransferBuffer(Arena.ofAuto().allocate(2L * pieceBytes * PIECES), offsets));
    }
  }

  @Override
  public int pieceBytes() {
    return pieceBytes;
  }

  @Override
  public TransferBuffer take() {
    try {
      return free.take();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void give(TransferBuffer buffer) {
    free.add(buffer);
  }
}
