package org.juvm.posix;

import org.jspecify.annotations.Nullable;
import org.juvm.Vm;

/**
 * The calls of a process about files and shared memory, and the descriptors that refer to them.
 * Thread-safe.
 *
 * <p>Reads and writes by descriptors and by mappings are of the same pages, so that each sees at
 * once what the other has written. A descriptor of a file has an offset, which those have in common
 * that fork has copied.
 */
public abstract sealed class DescriptorCalls permits PosixProcess {
  private final Descriptors descriptors;

  DescriptorCalls(Descriptors descriptors) {
    this.descriptors = descriptors;
  }

  final Descriptors descriptors() {
    return descriptors;
  }

  /** The system, if the process has not exited. */
  abstract Vm runningVm();

  private SharedMemoryCalls sharedMemory() {
    return new SharedMemoryCalls(runningVm().sharedMemory(), descriptors);
  }

  /** What is done with what a descriptor refers to. */
  @FunctionalInterface
  private interface Use {
    long of(OpenDescription opened);
  }

  private long using(Call call, int fd, Use use) {
    OpenDescription opened = descriptors.acquire(call, fd);
    try {
      return use.of(opened);
    } finally {
      opened.release();
    }
  }

  // ---- opening ----

  /**
   * Opens a file. A directory can be opened for reading, but not be used. The path {@code
   * /dev/kpmap} is that of {@link Vm#statisticsPage}, which can be mapped for reading, and shared.
   * ({@code open(2)})
   *
   * @param path a path of the host; relative ones start where the JVM does
   * @param oflag O_RDONLY, O_WRONLY or O_RDWR, and O_CREAT, O_EXCL and O_TRUNC; the last says
   *     nothing with O_RDONLY. A new file can be read and written by its owner. What is open for
   *     writing must be readable by the JVM, too
   * @return the lowest descriptor that is free
   * @throws PosixException EINVAL for other flags; ENOENT, ENOTDIR, EEXIST, EACCES, EISDIR,
   *     ENAMETOOLONG; EPERM for {@code /dev/kpmap} to be written, ENOMEM if there is no page of
   *     memory for it; EFAULT for null; EIO for any other error of the host
   */
  public int open(@Nullable String path, int oflag) {
    return new FileCalls(runningVm(), descriptors).open(path, oflag);
  }

  /**
   * Opens shared memory by its name. Names are those of {@link Vm#sharedMemory}; a slash at the
   * start is a part of the name. ({@code shm_open(3)})
   *
   * @param name from 1 to 1023 characters, not only a slash, without zero characters
   * @param oflag O_RDONLY or O_RDWR, and O_CREAT, O_EXCL and O_TRUNC; the last says nothing with
   *     O_RDONLY
   * @return the lowest descriptor that is free
   * @throws PosixException EINVAL for other flags or a bad name; ENAMETOOLONG; ENOENT; EEXIST
   */
  public int shmOpen(String name, int oflag) {
    return sharedMemory().shmOpen(name, oflag);
  }

  /**
   * Takes the name of shared memory away. What is open or mapped stays. ({@code shm_unlink(3)})
   *
   * @param name the name
   * @throws PosixException ENOENT, EINVAL or ENAMETOOLONG
   */
  public void shmUnlink(String name) {
    sharedMemory().shmUnlink(name);
  }

  /**
   * Closes a descriptor. Mappings stay. With the last descriptor and mapping of a file it is
   * written back. ({@code close(2)})
   *
   * @param fd a descriptor
   * @throws PosixException EBADF
   */
  public void close(int fd) {
    Vm _ = runningVm();
    descriptors.close(new Call("close", fd), fd);
  }

  // ---- size ----

  /**
   * Sets the size of a file or of shared memory. What is beyond is gone, what is added consists of
   * zeros. ({@code ftruncate(2)})
   *
   * @param fd a descriptor, open for writing
   * @param length bytes
   * @throws PosixException EBADF; EINVAL if it is not open for writing or the length is negative;
   *     EFBIG; EIO
   */
  public void ftruncate(int fd, long length) {
    Vm _ = runningVm();
    Call call = new Call("ftruncate", fd, length);
    long _ =
        using(
            call,
            fd,
            opened -> {
              call.require(opened.isWritable() && length >= 0, Errno.EINVAL);
              opened.resize(call, length);
              return length;
            });
  }

  /**
   * The size of a file or of shared memory. ({@code st_size} of {@code fstat(2)})
   *
   * @param fd a descriptor
   * @return bytes; 0 for a directory
   * @throws PosixException EBADF
   */
  public long fstatSize(int fd) {
    Vm _ = runningVm();
    Call call = new Call("fstat", fd);
    return using(call, fd, opened -> opened.size(call));
  }

  // ---- bytes ----

  /**
   * Reads bytes from a file at the offset, and moves that. ({@code read(2)})
   *
   * @param fd a descriptor of a file, open for reading
   * @param buf receives the bytes
   * @return how many: fewer than fit only at the end of the file
   * @throws PosixException EBADF; EISDIR; EINVAL for shared memory; ENODEV for {@code /dev/kpmap};
   *     EIO
   */
  public int read(int fd, byte[] buf) {
    Vm _ = runningVm();
    Call call = new Call("read", fd, buf.length);
    return (int)
        using(
            call,
            fd,
            opened -> {
              call.require(opened.isReadable(), Errno.EBADF);
              return opened.read(call, buf);
            });
  }

  /**
   * Writes bytes to a file at the offset, and moves that. The file grows if necessary. ({@code
   * write(2)})
   *
   * @param fd a descriptor of a file, open for writing
   * @param buf the bytes
   * @return how many were written: all
   * @throws PosixException EBADF; EINVAL for shared memory; EFBIG; EIO
   */
  public int write(int fd, byte[] buf) {
    Vm _ = runningVm();
    Call call = new Call("write", fd, buf.length);
    return (int)
        using(
            call,
            fd,
            opened -> {
              call.require(opened.isWritable(), Errno.EBADF);
              opened.write(call, buf);
              return buf.length;
            });
  }

  /**
   * Moves the offset of a file, also beyond its end. ({@code lseek(2)})
   *
   * @param fd a descriptor of a file
   * @param offset bytes, signed
   * @param whence SEEK_SET, SEEK_CUR or SEEK_END
   * @return the new offset
   * @throws PosixException EBADF; EINVAL for any other whence, a negative result, or shared memory;
   *     EOVERFLOW
   */
  public long lseek(int fd, long offset, int whence) {
    Vm _ = runningVm();
    Call call = new Call("lseek", fd, offset, whence);
    return using(call, fd, opened -> opened.seek(call, offset, whence));
  }

  /**
   * Writes everything of a file that was changed, by whoever, and makes it durable. ({@code
   * fsync(2)})
   *
   * @param fd a descriptor
   * @throws PosixException EBADF; EIO if something could not be written, now or since the last time
   *     that this was said; it stays in memory
   */
  public void fsync(int fd) {
    Vm _ = runningVm();
    Call call = new Call("fsync", fd);
    long _ =
        using(
            call,
            fd,
            opened -> {
              opened.sync(call);
              return 0;
            });
  }
}
