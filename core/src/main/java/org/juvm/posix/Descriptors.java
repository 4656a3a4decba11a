package org.juvm.posix;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the descriptors of a process refer to. Thread-safe: one monitor guards the table; it is held
 * for looking and changing only, never while memory is mapped, resized or closed.
 */
final class Descriptors {
  private final Object lock = new Object();

  /** By number; null where none is open. Each element has a reference. Guarded by lock. */
  private final List<@Nullable OpenDescription> table = new ArrayList<>();

  /** Set at exit; then the table is empty and stays so. Guarded by lock. */
  private boolean ended;

  /**
   * Opens the lowest number that is free.
   *
   * @param opened what it refers to; its reference passes to the table, or is released at failure
   * @throws IllegalStateException if the process has exited
   */
  int open(OpenDescription opened) {
    synchronized (lock) {
      if (!ended) {
        int fd = table.indexOf(null);
        if (fd >= 0) {
          table.set(fd, opened);
          return fd;
        }
        table.add(opened);
        return table.size() - 1;
      }
    }
    opened.release();
    throw PosixProcess.exitedException();
  }

  /**
   * What a descriptor refers to, with a reference for the caller.
   *
   * @throws PosixException EBADF
   */
  OpenDescription acquire(Call call, int fd) {
    synchronized (lock) {
      OpenDescription opened = fd < 0 || fd >= table.size() ? null : table.get(fd);
      if (opened == null) {
        throw call.failed(Errno.EBADF);
      }
      opened.acquire();
      return opened;
    }
  }

  void close(Call call, int fd) {
    OpenDescription opened = null;
    synchronized (lock) {
      if (fd >= 0 && fd < table.size()) {
        opened = table.set(fd, null);
      }
    }
    if (opened == null) {
      throw call.failed(Errno.EBADF);
    }
    opened.release();
  }

  /** A table with the same numbers, for a child. */
  Descriptors copy() {
    Descriptors copy = new Descriptors();
    synchronized (lock) {
      for (OpenDescription opened : table) {
        if (opened != null) {
          opened.acquire();
        }
        copy.table.add(opened);
      }
    }
    return copy;
  }

  /** Closes all, for ever. */
  void closeAll() {
    List<@Nullable OpenDescription> all;
    synchronized (lock) {
      ended = true;
      all = new ArrayList<>(table);
      table.clear();
    }
    for (OpenDescription opened : all) {
      if (opened != null) {
        opened.release();
      }
    }
  }
}
