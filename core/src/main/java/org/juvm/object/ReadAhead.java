package org.juvm.object;

import java.util.Arrays;

/**
 * Learns from the pages that had to be read which ones will be wanted next.
 *
 * <p>Whoever reads in sequence misses, after what was read for the last miss, exactly the page
 * behind it. A few such streams are followed at a time. The first miss of a stream brings nothing
 * but its page, the second one 64 KiB more, and every further one twice as much as the one before.
 *
 * <p>Guarded by the lock of the object.
 *
 * <p>Source: {@code ra_startio} and the contexts of {@code uvm_readahead.c}.
 */
final class ReadAhead {
  private static final int STREAMS = 8;
  private static final int FIRST_BYTES = 64 << 10;

  private final int firstPages;

  /** By stream: the page behind what was read last. */
  private final long[] next = new long[STREAMS];

  /** By stream: how many pages were read ahead at the last miss. */
  private final int[] window = new int[STREAMS];

  /** The stream that is forgotten next. */
  private int oldest;

  ReadAhead(int pageBytes) {
    firstPages = Math.max(1, FIRST_BYTES / pageBytes);
    Arrays.fill(next, -1);
  }

  /** How many pages should be read behind one that is missing, at most so many. */
  int pages(long page, int most) {
    int stream = find(page);
    return stream < 0 ? 0 : Math.min(most, Math.max(firstPages, 2 * window[stream]));
  }

  /** Pages are being read: the one that was missing and some behind it. */
  void reading(long page, int count) {
    int stream = find(page);
    if (stream < 0) {
      stream = oldest;
      oldest = (oldest + 1) % STREAMS;
    }
    next[stream] = page + count;
    window[stream] = count - 1;
  }

  private int find(long page) {
    for (int i = 0; i < STREAMS; i++) {
      if (next[i] == page) {
        return i;
      }
    }
    return -1;
  }
}
