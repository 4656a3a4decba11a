package org.juvm.store;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file through a channel of the JDK, for hosts whose own functions cannot be linked. An interrupt
 * would close the channel: only {@link IoThreads} call this, which nobody interrupts. Thread-safe;
 * arguments were checked by the caller.
 */
final class ChannelFile implements Store {
  /** Transfers of more than this are cut: a buffer's length is an int. */
  private static final long MAX_BYTES = 1 << 30;

  private final Path path;
  private final FileChannel channel;

  private ChannelFile(Path path, FileChannel channel) {
    this.path = path;
    this.channel = channel;
  }

  /** Opens a file that exists. */
  static ChannelFile open(Path path, FileStore.Opening opening) throws IOException {
    FileChannel channel =
        switch (opening) {
          case READ_ONLY -> FileChannel.open(path, StandardOpenOption.READ);
          case READ_WRITE, CREATE ->
              FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
          case TEMPORARY ->
              FileChannel.open(
                  path,
                  StandardOpenOption.READ,
                  StandardOpenOption.WRITE,
                  StandardOpenOption.DELETE_ON_CLOSE);
        };
    return new ChannelFile(path, channel);
  }

  @Override
  public long size() throws IOException {
    return channel.size();
  }

  @Override
  public long read(long position, MemorySegment memory, long offset, long length)
      throws IOException {
    long done = 0;
    try {
      while (done < length) {
        int bytes = channel.read(buffer(memory, offset + done, length - done), position + done);
        if (bytes < 0) {
          break;
        }
        done += bytes;
      }
    } catch (IOException e) {
      throw failure("read", e, position + done, length - done);
    }
    return done;
  }

  @Override
  public void write(long position, MemorySegment memory, long offset, long length)
      throws IOException {
    long done = 0;
    try {
      while (done < length) {
        done += channel.write(buffer(memory, offset + done, length - done), position + done);
      }
    } catch (IOException e) {
      throw failure("write", e, position + done, length - done);
    }
  }

  private static ByteBuffer buffer(MemorySegment memory, long offset, long length) {
    return memory.asSlice(offset, Math.min(length, MAX_BYTES)).asByteBuffer();
  }

  private IOException failure(String call, IOException cause, long position, long length) {
    return new IOException(
        "%s: %s: file=%s, position=%d, length=%d"
            .formatted(call, cause.getMessage(), path, position, length),
        cause);
  }

  @Override
  public void resize(long size) throws IOException {
    long old = channel.size();
    if (size < old) {
      var _ = channel.truncate(size);
    } else if (size > old) {
      int _ = channel.write(ByteBuffer.allocate(1), size - 1);
    }
  }

  @Override
  public void sync() throws IOException {
    channel.force(false);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
