package org.juvm.store;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.charset.Charset;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * A file through the host's own functions. Transfers run in the calling thread, allocate nothing,
 * and know no interrupts. Thread-safe, except that the caller keeps {@link #close} from overlapping
 * anything; arguments were checked by the caller.
 */
final class HostFile implements Store {
  private static final int OWNER_READS_AND_WRITES = 0600;

  private final Path path;
  private final int descriptor;

  private HostFile(Path path, int descriptor) {
    this.path = path;
    this.descriptor = descriptor;
  }

  static HostFile open(Path path, FileStore.Opening opening) throws IOException {
    int flags =
        switch (opening) {
          case READ_ONLY -> HostFiles.O_RDONLY;
          case READ_WRITE, TEMPORARY -> HostFiles.O_RDWR;
          case CREATE -> HostFiles.O_RDWR | HostFiles.O_CREAT_EXCL;
        };
    String name = path.toString();
    // The encoding of file names, where it differs from that of other text.
    Charset charset = Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));
    HostFiles.Scratch scratch = HostFiles.Scratch.take();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocateFrom(name, charset);
      while (true) {
        int descriptor = HostFiles.open(scratch, text, flags, OWNER_READS_AND_WRITES);
        if (descriptor >= 0) {
          return new HostFile(path, descriptor);
        }
        int errno = scratch.errno();
        if (errno != Errno.EINTR) {
          throw switch (errno) {
            case Errno.ENOENT -> new NoSuchFileException(name);
            case Errno.EACCES -> new AccessDeniedException(name);
            case Errno.EEXIST -> new FileAlreadyExistsException(name);
            default -> new FileSystemException(name, null, "open: " + Errno.name(errno));
          };
        }
      }
    } finally {
      scratch.give();
    }
  }

  /** Another name of the open file, which is its own whatever becomes of its path. */
  Path link() {
    return Path.of("/proc/self/fd/" + descriptor);
  }

  @Override
  public long size() throws IOException {
    HostFiles.Scratch scratch = HostFiles.Scratch.take();
    try {
      long size = HostFiles.size(scratch, descriptor);
      if (size < 0) {
        throw failure("lseek", scratch.errno());
      }
      return size;
    } finally {
      scratch.give();
    }
  }

  @Override
  public long read(long position, MemorySegment memory, long offset, long length)
      throws IOException {
    long address = memory.address() + offset;
    HostFiles.Scratch scratch = HostFiles.Scratch.take();
    try {
      long done = 0;
      while (done < length) {
        long bytes =
            HostFiles.pread(scratch, descriptor, address + done, length - done, position + done);
        if (bytes == 0) {
          break;
        }
        done += progress("pread", bytes, scratch, position + done, length - done);
      }
      return done;
    } finally {
      scratch.give();
      Reference.reachabilityFence(memory);
    }
  }

  @Override
  public long read(long position, MemorySegment memory, long[] offsets, int count, int pieceBytes)
      throws IOException {
    long base = memory.address();
    long length = (long) count * pieceBytes;
    HostFiles.Scratch scratch = HostFiles.Scratch.take();
    try {
      long done = 0;
      while (done < length) {
        int elements = list(scratch, base, offsets, count, pieceBytes, done);
        long bytes = HostFiles.preadv(scratch, descriptor, elements, position + done);
        if (bytes == 0) {
          break;
        }
        done += progress("preadv", bytes, scratch, position + done, length - done);
      }
      return done;
    } finally {
      scratch.give();
      Reference.reachabilityFence(memory);
    }
  }

  @Override
  public void write(long position, MemorySegment memory, long offset, long length)
      throws IOException {
    long address = memory.address() + offset;
    HostFiles.Scratch scratch = HostFiles.Scratch.take();
    try {
      long done = 0;
      while (done < length) {
        long bytes =
            HostFiles.pwrite(scratch, descriptor, address + done, length - done, position + done);
        done += progress("pwrite", bytes, scratch, position + done, length - done);
      }
    } finally {
      scratch.give();
      Reference.reachabilityFence(memory);
    }
  }

  @Override
  public void write(long position, MemorySegment memory, long[] offsets, int count, int pieceBytes)
      throws IOException {
    long base = memory.address();
    long length = (long) count * pieceBytes;
    HostFiles.Scratch scratch = HostFiles.Scratch.take();
    try {
      long done = 0;
      while (done < length) {
        int elements = list(scratch, base, offsets, count, pieceBytes, done);
        long bytes = HostFiles.pwritev(scratch, descriptor, elements, position + done);
        done += progress("pwritev", bytes, scratch, position + done, length - done);
      }
    } finally {
      scratch.give();
      Reference.reachabilityFence(memory);
    }
  }

  /** Lists what is left when some bytes are done. */
  private static int list(
      HostFiles.Scratch scratch, long base, long[] offsets, int count, int pieceBytes, long done) {
    int first = (int) (done / pieceBytes);
    return scratch.list(base, offsets, first, count, pieceBytes, (int) (done % pieceBytes));
  }

  /** The bytes that a call has moved: none if it was cut short by a signal. */
  private long progress(
      String call, long result, HostFiles.Scratch scratch, long position, long length)
      throws IOException {
    if (result > 0) {
      return result;
    }
    if (result == 0) {
      throw new IOException(
          "%s: the device takes no more: file=%s, position=%d, length=%d"
              .formatted(call, path, position, length));
    }
    int errno = scratch.errno();
    if (errno == Errno.EINTR) {
      return 0;
    }
    String message =
        "%s: %s: file=%s, position=%d, length=%d"
            .formatted(call, Errno.name(errno), path, position, length);
    if (errno == Errno.ENOSPC || errno == Errno.EDQUOT) {
      throw new StoreFullException(message);
    }
    throw new IOException(message);
  }

  @Override
  public void resize(long size) throws IOException {
    HostFiles.Scratch scratch = HostFiles.Scratch.take();
    try {
      while (HostFiles.ftruncate(scratch, descriptor, size) < 0) {
        int errno = scratch.errno();
        if (errno != Errno.EINTR) {
          throw new IOException(
              "ftruncate: %s: file=%s, size=%d".formatted(Errno.name(errno), path, size));
        }
      }
    } finally {
      scratch.give();
    }
  }

  @Override
  public void sync() throws IOException {
    HostFiles.Scratch scratch = HostFiles.Scratch.take();
    try {
      while (HostFiles.fdatasync(scratch, descriptor) < 0) {
        int errno = scratch.errno();
        if (errno != Errno.EINTR) {
          throw failure("fdatasync", errno);
        }
      }
    } finally {
      scratch.give();
    }
  }

  @Override
  public void close() throws IOException {
    HostFiles.Scratch scratch = HostFiles.Scratch.take();
    try {
      // Linux has released the descriptor whatever the result is, so this is never repeated.
      if (HostFiles.close(scratch, descriptor) < 0 && scratch.errno() != Errno.EINTR) {
        throw failure("close", scratch.errno());
      }
    } finally {
      scratch.give();
    }
  }

  private IOException failure(String call, int errno) {
    return new IOException("%s: %s: file=%s".formatted(call, Errno.name(errno), path));
  }
}
