package org.juvm;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.juvm.object.FileObject;

/**
 * An open file whose pages can be mapped by {@link MapRequest#of(MappedFile, long, long)}.
 * Thread-safe. Obtained by {@link MappedFiles#open(Path, java.nio.file.OpenOption...)}.
 *
 * <p>Reads and writes go through the same pages as mappings, so that each sees what the others have
 * written at once. The file itself, as other processes and {@link java.nio.channels.FileChannel}
 * see it, has all of that after {@link #sync}, and parts of it before. What others write to it is
 * seen when a page is read the next time; see {@link Paging#clean}.
 *
 * <p>A file can be closed while it is mapped. No interrupt of a thread closes it or ends what is
 * being done with it.
 *
 * <p>Source: {@code uvm_vnode.c}; {@code ubc(9)}.
 */
public final class MappedFile extends Mappable implements AutoCloseable {
  /** The largest size, in bytes. */
  public static final long MAXIMUM_BYTES = FileObject.MAXIMUM_BYTES;

  private final MappedFiles owner;
  private final FileObject object;
  private final @Nullable Path path;
  private final boolean writable;

  /** Takes over a reference to the object. */
  MappedFile(MappedFiles owner, FileObject object, @Nullable Path path, boolean writable) {
    this.owner = owner;
    this.object = object;
    this.path = path;
    this.writable = writable;
  }

  FileObject object() {
    return object;
  }

  /** Takes a reference to the object, if this is open. */
  @Override
  FileObject reference() {
    return owner.reference(this);
  }

  @Override
  Vm vm() {
    return owner.vm();
  }

  @Override
  boolean isReadOnly() {
    return !writable;
  }

  /**
   * The name under which it was opened.
   *
   * @return the path, or null if it was opened as a store
   */
  public @Nullable Path path() {
    return path;
  }

  /**
   * Whether it was opened for writing: by {@link #write}, {@link #resize} and through shared
   * mappings. Private mappings can be written in any case.
   *
   * @return true if so
   */
  public boolean isWritable() {
    return writable;
  }

  /** What is done with the object while this has a reference to it. */
  @FunctionalInterface
  private interface Use<T> {
    T of(FileObject object) throws IOException;
  }

  private <T> T using(Use<T> use) throws IOException {
    FileObject used = reference();
    try {
      return use.of(used);
    } finally {
      used.dereference();
    }
  }

  private void checkWritable() {
    if (!writable) {
      throw new NonWritableChannelException();
    }
  }

  // ---- size ----

  /**
   * The size, as it was when the file was opened the last time, or was changed here since then.
   *
   * @return bytes
   * @throws IllegalStateException if this is closed
   */
  public long size() {
    FileObject used = reference();
    try {
      used.lock();
      try {
        return used.size();
      } finally {
        used.unlock();
      }
    } finally {
      used.dereference();
    }
  }

  /**
   * Changes the size of the file. What is beyond a smaller size is gone when this returns, and an
   * access to a page beyond it throws {@link MemoryFault} BEYOND_END; what is added consists of
   * zeros. ({@code ftruncate(2)})
   *
   * @param size bytes, from 0 to 2^46
   * @throws IOException if the file cannot have this size; then it has the old one
   * @throws NonWritableChannelException if it was opened for reading only
   * @throws IllegalStateException if this is closed
   */
  public void resize(long size) throws IOException {
    if (size < 0 || size > MAXIMUM_BYTES) {
      throw new IllegalArgumentException("size of file out of range: size=" + size);
    }
    checkWritable();
    long _ =
        using(
            used -> {
              used.resize(size);
              return size;
            });
  }

  /**
   * Looks whether somebody else has changed the size of the file, as is done when it is opened, and
   * goes by what it is now.
   *
   * @return the size, in bytes
   * @throws IOException if it cannot be found out
   * @throws IllegalStateException if this is closed
   */
  public long refresh() throws IOException {
    return using(
        used -> {
          used.refresh();
          return size();
        });
  }

  // ---- bytes ----

  /**
   * Reads bytes, as {@code pread(2)} does.
   *
   * @param position of the first byte in the file
   * @param target receives them
   * @param offset where in the target
   * @param length how many, at least 0
   * @return how many were read: fewer only if the file ends before
   * @throws IOException if the file cannot be read
   * @throws OutOfMemoryError if no memory can be made free for a page
   * @throws IllegalStateException if this is closed
   */
  public long read(long position, MemorySegment target, long offset, long length)
      throws IOException {
    check(position, target, offset, length);
    return using(
        used -> new FileCopier(used, vm().machine()).read(position, target, offset, length));
  }

  /**
   * As {@link #read(long, MemorySegment, long, long)}, to an array.
   *
   * @param position of the first byte in the file
   * @param target receives the bytes
   * @return how many were read: fewer than fit only if the file ends before
   * @throws IOException if the file cannot be read
   */
  public int read(long position, byte[] target) throws IOException {
    return (int) read(position, MemorySegment.ofArray(target), 0, target.length);
  }

  /**
   * Writes bytes, as {@code pwrite(2)} does: to the pages in memory, which get to the file later.
   * The file grows if it ends before the last of them.
   *
   * @param position of the first byte in the file
   * @param source has them
   * @param offset where in the source
   * @param length how many, at least 0
   * @throws IOException if the file cannot grow, or a page that is written in part cannot be read;
   *     bytes before it may have been written
   * @throws OutOfMemoryError if no memory can be made free for a page
   * @throws NonWritableChannelException if it was opened for reading only
   * @throws IllegalStateException if this is closed
   */
  public void write(long position, MemorySegment source, long offset, long length)
      throws IOException {
    check(position, source, offset, length);
    checkWritable();
    if (length > MAXIMUM_BYTES - position) {
      throw new IllegalArgumentException("end of write out of range: position=" + position);
    }
    long _ =
        using(used -> new FileCopier(used, vm().machine()).write(position, source, offset, length));
  }

  /**
   * As {@link #write(long, MemorySegment, long, long)}, from an array.
   *
   * @param position of the first byte in the file
   * @param source the bytes
   * @throws IOException if the file cannot grow, or a page cannot be read
   */
  public void write(long position, byte[] source) throws IOException {
    write(position, MemorySegment.ofArray(source), 0, source.length);
  }

  private static void check(long position, MemorySegment memory, long offset, long length) {
    if (position < 0) {
      throw new IllegalArgumentException("negative position: position=" + position);
    }
    long _ = Objects.checkFromIndexSize(offset, length, memory.byteSize());
  }

  /**
   * Writes to the file whatever was changed by whoever, and makes it durable: it is there after a
   * crash, of the process or of the machine, when this has returned without an error. ({@code
   * fsync(2)})
   *
   * @throws IOException if something could not be written, now or since the last time that this was
   *     said; it is in memory still, and will be written again
   * @throws IllegalStateException if this is closed
   */
  public void sync() throws IOException {
    boolean _ =
        using(
            used -> {
              used.clean(0, Long.MAX_VALUE, false);
              return true;
            });
  }

  /**
   * How much of it is in memory.
   *
   * @return pages
   * @throws IllegalStateException if this is closed
   */
  public long residentPages() {
    FileObject used = reference();
    try {
      used.lock();
      try {
        return used.residentPages();
      } finally {
        used.unlock();
      }
    } finally {
      used.dereference();
    }
  }

  /**
   * Lets go of the file. Mappings stay. With the last handle and mapping what was changed is
   * written, which {@link #sync} does with a report. Closing twice does nothing.
   */
  @Override
  public void close() {
    owner.close(this);
  }

  /**
   * Names the file.
   *
   * @return for example {@code file /tmp/data}
   */
  @Override
  public String toString() {
    return "file " + (path == null ? "without a path" : path);
  }
}
