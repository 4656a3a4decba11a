package org.juvm.bench.shot;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * What paging is compared with: a file in the directory where a system's swap is, read and written
 * by a program that does it itself. Any number of threads may read at once. It is gone when it is
 * closed.
 */
final class PlainFile implements AutoCloseable {
  /** Bytes of one write. */
  private static final int WRITE_BYTES = 256 << 10;

  private final FileChannel channel;

  /** Pages that were written. */
  private int pages;

  PlainFile() {
    try {
      Path path =
          Files.createTempFile(Path.of(System.getProperty("java.io.tmpdir", "")), "juvm", ".bench");
      channel =
          FileChannel.open(
              path,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              StandardOpenOption.DELETE_ON_CLOSE);
    } catch (IOException e) {
      throw new UncheckedIOException("no file to compare with", e);
    }
  }

  /** Writes pages in sequence, from the start of the file on. Returns nanoseconds for each. */
  double write(int newPages) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(WRITE_BYTES);
    pages = newPages;
    long end = (long) newPages * Region.PAGE;
    long start = System.nanoTime();
    try {
      for (long at = 0; at < end; ) {
        buffer.clear().limit((int) Math.min(WRITE_BYTES, end - at));
        at += channel.write(buffer, at);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("a plain write failed", e);
    }
    return (double) (System.nanoTime() - start) / newPages;
  }

  int pages() {
    return pages;
  }

  /** Reads one page into a buffer of that size. Returns its first bytes. */
  long read(int page, ByteBuffer into) {
    try {
      into.clear();
      if (channel.read(into, (long) page * Region.PAGE) != Region.PAGE) {
        throw new IllegalStateException("a plain read was short: page=" + page);
      }
      return into.getLong(0);
    } catch (IOException e) {
      throw new UncheckedIOException("a plain read failed", e);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
