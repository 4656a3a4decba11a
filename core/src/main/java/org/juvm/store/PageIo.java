package org.juvm.store;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.juvm.base.PageSize;

/**
 * Moves pages between stores and the frames of one system. Thread-safe; holds no lock, and
 * allocates nothing beside what the store does.
 */
public final class PageIo {
  /** Frames of one call of a store. */
  private static final int MAX_PIECES = 256;

  private final MemorySegment memory;
  private final PageSize pageSize;

  /** Offsets of frames for one call of a store. */
  private final SparePool<long[]> offsetArrays = new SparePool<>(() -> new long[MAX_PIECES]);

  /**
   * Transfers to and from frames.
   *
   * @param memory all frames, one after the other
   * @param pageSize the size of each
   */
  public PageIo(MemorySegment memory, PageSize pageSize) {
    this.memory = memory;
    this.pageSize = pageSize;
  }

  /**
   * The size of a frame.
   *
   * @return the page size
   */
  public PageSize pageSize() {
    return pageSize;
  }

  /**
   * Makes a buffer of frames, for transfers of what is not in memory in the form that it has in a
   * store.
   *
   * @param frames allocated frames
   * @return a buffer of as many pieces
   */
  public TransferBuffer buffer(int... frames) {
    long[] offsets = new long[frames.length];
    int pieces = offsets(frames, 0, frames.length, offsets);
    assert pieces == frames.length : pieces;
    return new TransferBuffer(memory, offsets);
  }

  /**
   * Fills a frame.
   *
   * @param store where from
   * @param position of the page in the store, in bytes
   * @param frame where to
   * @return bytes read: fewer than a page only where the store ends; the rest of the frame is as it
   *     was
   * @throws IOException if the store fails
   */
  public long read(Store store, long position, int frame) throws IOException {
    return store.read(position, memory, pageSize.address(frame), pageSize.bytes());
  }

  /**
   * Fills frames with consecutive pages.
   *
   * @param store where from
   * @param position of the first page in the store, in bytes
   * @param frames where to
   * @param count how many
   * @return bytes read: fewer than all only where the store ends; the rest of the frames is as it
   *     was
   * @throws IOException if the store fails
   */
  public long read(Store store, long position, int[] frames, int count) throws IOException {
    long[] offsets = offsetArrays.take();
    try {
      long done = 0;
      for (int i = 0; i < count; i += MAX_PIECES) {
        int pieces = offsets(frames, i, count, offsets);
        long bytes = store.read(position + done, memory, offsets, pieces, pageSize.bytes());
        done += bytes;
        if (bytes < pageSize.address(pieces)) {
          break;
        }
      }
      return done;
    } finally {
      offsetArrays.give(offsets);
    }
  }

  /**
   * Writes a frame.
   *
   * @param store where to
   * @param position of the page in the store, in bytes
   * @param frame where from
   * @param bytes how many of its bytes, from its start
   * @throws IOException if the store fails
   */
  public void write(Store store, long position, int frame, int bytes) throws IOException {
    assert bytes <= pageSize.bytes() : bytes;
    store.write(position, memory, pageSize.address(frame), bytes);
  }

  /**
   * Writes frames as consecutive pages.
   *
   * @param store where to
   * @param position of the first page in the store, in bytes
   * @param frames where from
   * @param count how many
   * @throws IOException if the store fails; some pages may have been written then
   */
  public void write(Store store, long position, int[] frames, int count) throws IOException {
    long[] offsets = offsetArrays.take();
    try {
      for (int i = 0; i < count; i += MAX_PIECES) {
        int pieces = offsets(frames, i, count, offsets);
        store.write(position + pageSize.address(i), memory, offsets, pieces, pageSize.bytes());
      }
    } finally {
      offsetArrays.give(offsets);
    }
  }

  /** Where frames are; returns how many of them. */
  private int offsets(int[] frames, int from, int count, long[] offsets) {
    int pieces = Math.min(count - from, MAX_PIECES);
    for (int i = 0; i < pieces; i++) {
      offsets[i] = pageSize.address(frames[from + i]);
    }
    return pieces;
  }
}
