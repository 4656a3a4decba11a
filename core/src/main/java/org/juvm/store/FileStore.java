package org.juvm.store;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;

/**
 * A file, or a block device, as a store.
 *
 * <p>Thread-safe. A platform thread does its transfers itself; those of a virtual thread are done
 * by a pool of platform threads while it parks, so that thousands of virtual threads keep the
 * device busy without holding their carriers. No interrupt of any client reaches the file. {@link
 * #close} waits for the transfers under way; who comes later gets a {@link ClosedChannelException}.
 */
public final class FileStore implements Store {
  private final Object key;
  private final Store file;
  private final boolean writable;

  /** Whether the transfers of all threads are done by the pool. */
  private final boolean pooled;

  /** Open while {@link #file} is; everybody who uses that is inside. */
  private final TransferGate gate = new TransferGate();

  /** How a file is opened. */
  enum Opening {
    READ_ONLY,
    READ_WRITE,
    CREATE,
    TEMPORARY
  }

  private FileStore(Object key, Store file, boolean writable, boolean pooled) {
    this.key = key;
    this.file = file;
    this.writable = writable;
    this.pooled = pooled;
  }

  /**
   * Opens an existing file for reading.
   *
   * @param path the file
   * @return the store; its writes throw {@link NonWritableChannelException}
   * @throws IOException if the file is not there or cannot be opened
   */
  public static FileStore openReadOnly(Path path) throws IOException {
    return open(path, Opening.READ_ONLY);
  }

  /**
   * Opens an existing file for reading and writing.
   *
   * @param path the file
   * @return the store
   * @throws IOException if the file is not there or cannot be opened
   */
  public static FileStore openReadWrite(Path path) throws IOException {
    return open(path, Opening.READ_WRITE);
  }

  /**
   * Creates an empty file, for reading and writing by its owner.
   *
   * @param path the file
   * @return the store
   * @throws IOException if it exists or cannot be created
   */
  public static FileStore create(Path path) throws IOException {
    return open(path, Opening.CREATE);
  }

  /**
   * Creates an empty file that nobody else sees and that is gone when the store is closed or the
   * process ends. Its holes take no room.
   *
   * @param directory where its bytes are
   * @return the store
   * @throws IOException if it cannot be created
   */
  public static FileStore temporary(Path directory) throws IOException {
    Path path = Files.createTempFile(directory, "juvm", ".store");
    try {
      return open(path, Opening.TEMPORARY);
    } finally {
      boolean _ = Files.deleteIfExists(path);
    }
  }

  private static FileStore open(Path path, Opening opening) throws IOException {
    boolean writable = opening != Opening.READ_ONLY;
    if (HostFiles.AVAILABLE
        && path.getFileSystem().equals(FileSystems.getDefault())
        && !"channel".equals(System.getProperty("juvm.io"))) {
      HostFile file = HostFile.open(path, opening);
      try {
        return new FileStore(key(file.link(), path), file, writable, false);
      } catch (IOException | RuntimeException e) {
        file.close();
        throw e;
      }
    }
    if (opening == Opening.CREATE) {
      Path _ = Files.createFile(path);
    }
    Object key = key(path, path);
    return new FileStore(key, ChannelFile.open(path, opening), writable, true);
  }

  /** What two opens of one file have in common. */
  private static Object key(Path file, Path path) throws IOException {
    BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
    if (attributes.isDirectory()) {
      throw new FileSystemException(path.toString(), null, "is a directory");
    }
    Object key = attributes.fileKey();
    return key != null ? key : path.toRealPath();
  }

  /**
   * The identity of the file: equal for two stores exactly if they were opened on one file, under
   * whatever name.
   *
   * @return the key
   */
  public Object key() {
    return key;
  }

  /**
   * Whether it can be written.
   *
   * @return false if it was opened for reading only
   */
  public boolean isWritable() {
    return writable;
  }

  @Override
  public long size() throws IOException {
    enter();
    try {
      return inPool() ? IoThreads.call(file::size) : file.size();
    } finally {
      gate.leave();
    }
  }

  @Override
  public long read(long position, MemorySegment memory, long offset, long length)
      throws IOException {
    checkWritable(memory);
    check(position, memory, offset, length);
    enter();
    try {
      return inPool()
          ? IoThreads.call(() -> file.read(position, memory, offset, length))
          : file.read(position, memory, offset, length);
    } finally {
      gate.leave();
    }
  }

  @Override
  public long read(long position, MemorySegment memory, long[] offsets, int count, int pieceBytes)
      throws IOException {
    checkWritable(memory);
    check(position, memory, offsets, count, pieceBytes);
    enter();
    try {
      return inPool()
          ? IoThreads.call(() -> file.read(position, memory, offsets, count, pieceBytes))
          : file.read(position, memory, offsets, count, pieceBytes);
    } finally {
      gate.leave();
    }
  }

  @Override
  public void write(long position, MemorySegment memory, long offset, long length)
      throws IOException {
    check(position, memory, offset, length);
    enterToWrite();
    try {
      if (inPool()) {
        done(() -> file.write(position, memory, offset, length));
      } else {
        file.write(position, memory, offset, length);
      }
    } finally {
      gate.leave();
    }
  }

  @Override
  public void write(long position, MemorySegment memory, long[] offsets, int count, int pieceBytes)
      throws IOException {
    check(position, memory, offsets, count, pieceBytes);
    enterToWrite();
    try {
      if (inPool()) {
        done(() -> file.write(position, memory, offsets, count, pieceBytes));
      } else {
        file.write(position, memory, offsets, count, pieceBytes);
      }
    } finally {
      gate.leave();
    }
  }

  @Override
  public void resize(long size) throws IOException {
    if (size < 0) {
      throw new IllegalArgumentException("negative size: size=" + size);
    }
    enterToWrite();
    try {
      if (inPool()) {
        done(() -> file.resize(size));
      } else {
        file.resize(size);
      }
    } finally {
      gate.leave();
    }
  }

  @Override
  public void sync() throws IOException {
    enter();
    try {
      if (inPool()) {
        done(file::sync);
      } else {
        file.sync();
      }
    } finally {
      gate.leave();
    }
  }

  @Override
  public void close() throws IOException {
    if (gate.close()) {
      if (inPool()) {
        done(file::close);
      } else {
        file.close();
      }
    }
  }

  private void enter() throws ClosedChannelException {
    if (!gate.enter()) {
      throw new ClosedChannelException();
    }
  }

  private void enterToWrite() throws ClosedChannelException {
    if (!writable) {
      throw new NonWritableChannelException();
    }
    enter();
  }

  private boolean inPool() {
    return pooled || Thread.currentThread().isVirtual();
  }

  /** Something that has no result. */
  private interface Action {
    void run() throws IOException;
  }

  private static void done(Action action) throws IOException {
    long _ =
        IoThreads.call(
            () -> {
              action.run();
              return 0;
            });
  }

  private static void checkWritable(MemorySegment memory) {
    if (memory.isReadOnly()) {
      throw new IllegalArgumentException("read into memory that is read-only: " + memory);
    }
  }

  private static void check(long position, MemorySegment memory, long offset, long length) {
    if (position < 0 || !memory.isNative()) {
      throw new IllegalArgumentException(
          "negative position, or memory that is on the heap: position=" + position);
    }
    long _ = Objects.checkFromIndexSize(offset, length, memory.byteSize());
  }

  private static void check(
      long position, MemorySegment memory, long[] offsets, int count, int pieceBytes) {
    int _ = Objects.checkFromIndexSize(0, count, offsets.length);
    if (pieceBytes <= 0) {
      throw new IllegalArgumentException("pieces are not positive: pieceBytes=" + pieceBytes);
    }
    for (int i = 0; i < count; i++) {
      check(position, memory, offsets[i], pieceBytes);
    }
  }
}
