package org.juvm.posix;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.juvm.Vm;

/** The call that opens files, of one process. */
final class FileCalls {
  private static final int ACCESS = Mman.O_WRONLY | Mman.O_RDWR;
  private static final int OPEN_FLAGS = ACCESS | Mman.O_CREAT | Mman.O_EXCL | Mman.O_TRUNC;

  /** As PATH_MAX, with the zero at the end. */
  private static final int PATH_MAXIMUM = 1023;

  private static final int NAME_MAXIMUM = 255;

  private final Vm vm;
  private final Descriptors descriptors;

  FileCalls(Vm vm, Descriptors descriptors) {
    this.vm = vm;
    this.descriptors = descriptors;
  }

  int open(@Nullable String name, int oflag) {
    Call call = new Call("open", name, oflag);
    Path path = path(call, name);
    int access = oflag & ACCESS;
    call.require((oflag & ~OPEN_FLAGS) == 0 && access != ACCESS, Errno.EINVAL);
    boolean writable = access != Mman.O_RDONLY;
    if (OpenStatisticsPage.PATH.equals(name)) {
      return openStatisticsPage(call, oflag, writable);
    }
    try {
      if (Files.isDirectory(path)) {
        call.require(
            (oflag & (Mman.O_CREAT | Mman.O_EXCL)) != (Mman.O_CREAT | Mman.O_EXCL), Errno.EEXIST);
        call.require(!writable && (oflag & Mman.O_CREAT) == 0, Errno.EISDIR);
        return descriptors.open(new OpenDirectory());
      }
      return open(path, oflag, access != Mman.O_WRONLY, writable);
    } catch (NoSuchFileException e) {
      throw call.failed(isBelowFile(path) ? Errno.ENOTDIR : Errno.ENOENT, e);
    } catch (FileAlreadyExistsException e) {
      throw call.failed(Errno.EEXIST, e);
    } catch (AccessDeniedException e) {
      throw call.failed(Errno.EACCES, e);
    } catch (IOException e) {
      throw call.failed(isBelowFile(path) ? Errno.ENOTDIR : Errno.EIO, e);
    }
  }

  private int openStatisticsPage(Call call, int oflag, boolean writable) {
    call.require(
        (oflag & (Mman.O_CREAT | Mman.O_EXCL)) != (Mman.O_CREAT | Mman.O_EXCL), Errno.EEXIST);
    call.require(!writable, Errno.EPERM);
    try {
      return descriptors.open(new OpenStatisticsPage(vm.statisticsPage()));
    } catch (OutOfMemoryError e) {
      throw call.failed(Errno.ENOMEM, e);
    }
  }

  private int open(Path path, int oflag, boolean readable, boolean writable) throws IOException {
    List<OpenOption> options = new ArrayList<>();
    if (writable) {
      options.add(StandardOpenOption.WRITE);
      if ((oflag & Mman.O_TRUNC) != 0) {
        options.add(StandardOpenOption.TRUNCATE_EXISTING);
      }
    }
    if ((oflag & Mman.O_CREAT) != 0) {
      boolean exclusive = (oflag & Mman.O_EXCL) != 0;
      if (writable) {
        options.add(exclusive ? StandardOpenOption.CREATE_NEW : StandardOpenOption.CREATE);
      } else {
        create(path, exclusive);
      }
    }
    return descriptors.open(
        new OpenFile(
            vm.files().open(path, options.toArray(OpenOption[]::new)), readable, writable));
  }

  /** For who wants to read only: no option of the files does it then. */
  private static void create(Path path, boolean exclusive) throws IOException {
    try {
      Path _ = Files.createFile(path);
    } catch (FileAlreadyExistsException e) {
      if (exclusive) {
        throw e;
      }
    }
  }

  private static Path path(Call call, @Nullable String name) {
    if (name == null) {
      throw call.failed(Errno.EFAULT);
    }
    call.require(!name.isEmpty(), Errno.ENOENT);
    call.require(name.length() <= PATH_MAXIMUM, Errno.ENAMETOOLONG);
    try {
      Path path = Path.of(name);
      for (Path part : path) {
        call.require(part.toString().length() <= NAME_MAXIMUM, Errno.ENAMETOOLONG);
      }
      return path;
    } catch (InvalidPathException e) {
      throw call.failed(Errno.EINVAL, e);
    }
  }

  private static boolean isBelowFile(Path path) {
    Path above = path.getParent();
    while (above != null && Files.notExists(above)) {
      above = above.getParent();
    }
    return above != null && !Files.isDirectory(above);
  }
}
