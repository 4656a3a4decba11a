package org.juvm;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.juvm.map.Cleaner;
import org.juvm.object.FileObject;
import org.juvm.store.FileStore;
import org.juvm.store.Store;
import org.juvm.sync.EventCount;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * The files of one system that are open or mapped. Thread-safe. Obtained by {@link Vm#files}.
 *
 * <p>However often and under whatever names a file is opened, its pages are in memory once, and all
 * mappings, reads and writes see the same bytes. It stays open as long as there is a handle or a
 * mapping; with the last one what was changed is written back. If that fails, the file is kept with
 * its changes in memory, until it is opened again or the system is closed.
 *
 * <p>When the first file is opened, the page daemon starts, whether there is swap or not: pages of
 * files leave memory when it is short.
 *
 * <p>Source: {@code vnode(9)}; {@code uvn_attach}, {@code uvn_detach} of {@code uvm_vnode.c}.
 */
public final class MappedFiles {
  private static final int MAXIMUM_WAITING = 64;
  private static final long IDLE_SECONDS = 10;

  private final Vm vm;
  private final RankedLock lock = new RankedLock(LockRank.SYSTEM);

  /** By the identity of the file. One of them may just have ended. Guarded by lock. */
  private final Map<Object, FileObject> objects = new HashMap<>();

  /** Each has a reference to its object. Guarded by lock. */
  private final Set<MappedFile> open = new HashSet<>();

  /** Files of nobody that could not be written. Each has a reference. Guarded by lock. */
  private final Set<FileObject> unwritten = new HashSet<>();

  /** Set when the system is closed. Guarded by lock. */
  private boolean ended;

  /** Writes what {@link #later} is asked for; if much is waiting, whoever asks does it. */
  private final ThreadPoolExecutor cleaner =
      new ThreadPoolExecutor(
          1,
          1,
          IDLE_SECONDS,
          TimeUnit.SECONDS,
          new ArrayBlockingQueue<>(MAXIMUM_WAITING),
          MappedFiles::newThread,
          (task, executor) -> task.run());

  /** What was asked of the cleaner and is not done. */
  private final AtomicInteger waiting = new AtomicInteger();

  /** Advances when the cleaner has done something. */
  private final EventCount done = new EventCount();

  private final FileObject.Keeper keeper =
      new FileObject.Keeper() {
        @Override
        public boolean keep(FileObject file) {
          return keepUnwritten(file);
        }

        @Override
        public void ended(FileObject file) {
          forget(file);
        }
      };

  MappedFiles(Vm vm) {
    this.vm = vm;
    cleaner.allowCoreThreadTimeOut(true);
  }

  private static Thread newThread(Runnable task) {
    Thread thread = new Thread(task, "juvm-sync");
    thread.setDaemon(true);
    return thread;
  }

  Vm vm() {
    return vm;
  }

  // ---- opening ----

  /**
   * Opens a file.
   *
   * @param path the file
   * @param options READ, which is meant in any case, WRITE, CREATE, CREATE_NEW and
   *     TRUNCATE_EXISTING of {@link StandardOpenOption}, the last three in effect only with WRITE
   * @return the file, to be closed
   * @throws IOException if it cannot be opened as wanted
   * @throws UnsupportedOperationException for any other option
   * @throws IllegalStateException if the system is closed
   */
  public MappedFile open(Path path, OpenOption... options) throws IOException {
    Set<OpenOption> wanted = Set.copyOf(List.of(options));
    for (OpenOption option : wanted) {
      if (!(option instanceof StandardOpenOption known) || !isSupported(known)) {
        throw new UnsupportedOperationException("option: " + option);
      }
    }
    boolean writable = wanted.contains(StandardOpenOption.WRITE);
    FileStore store = writable ? openWritable(path, wanted) : FileStore.openReadOnly(path);
    MappedFile file = open(store, store.key(), path, writable);
    if (writable && wanted.contains(StandardOpenOption.TRUNCATE_EXISTING)) {
      try {
        file.resize(0);
      } catch (IOException e) {
        file.close();
        throw e;
      }
    }
    return file;
  }

  private static boolean isSupported(StandardOpenOption option) {
    return switch (option) {
      case READ, WRITE, CREATE, CREATE_NEW, TRUNCATE_EXISTING -> true;
      default -> false;
    };
  }

  private static FileStore openWritable(Path path, Set<OpenOption> wanted) throws IOException {
    if (wanted.contains(StandardOpenOption.CREATE_NEW)) {
      return FileStore.create(path);
    }
    // Somebody else can make the file or take it away between the two attempts.
    while (true) {
      try {
        return FileStore.openReadWrite(path);
      } catch (NoSuchFileException e) {
        if (!wanted.contains(StandardOpenOption.CREATE)) {
          throw e;
        }
      }
      try {
        return FileStore.create(path);
      } catch (FileAlreadyExistsException e) {
        // Then it can be opened.
        assert e != null;
      }
    }
  }

  /**
   * Treats any place for bytes as a file. Opening one store twice gives two handles of one file.
   *
   * @param store has the bytes; it belongs to the system from now on, which closes it when nothing
   *     refers to it any more, or if it cannot be opened
   * @param writable whether it is to be written; else it never is
   * @return the file, to be closed
   * @throws IOException if the store does not tell its size
   * @throws IllegalStateException if the system is closed
   */
  public MappedFile open(Store store, boolean writable) throws IOException {
    return open(store, store instanceof FileStore file ? file.key() : store, null, writable);
  }

  private MappedFile open(Store store, Object key, @Nullable Path path, boolean writable)
      throws IOException {
    long size;
    try {
      size = store.size();
      if (size > MappedFile.MAXIMUM_BYTES) {
        throw new IOException("file too large: size=" + size);
      }
    } catch (IOException e) {
      store.close();
      throw e;
    }
    vm.daemon().start();
    MappedFile file = register(store, key, path, writable, size);
    if (file == null) {
      store.close();
      throw Vm.closedException();
    }
    return file;
  }

  /** Returns null if the system is closed. */
  private @Nullable MappedFile register(
      Store store, Object key, @Nullable Path path, boolean writable, long size)
      throws IOException {
    FileObject object;
    MappedFile file;
    boolean known;
    boolean kept;
    lock.lock();
    try {
      if (ended || vm.isClosed()) {
        return null;
      }
      FileObject there = objects.get(key);
      known = there != null && there.tryReference();
      object = known && there != null ? there : vm.machine().newFile(store, writable, size, keeper);
      if (!known) {
        FileObject _ = objects.put(key, object);
      }
      kept = unwritten.remove(object);
      file = new MappedFile(this, object, path, writable);
      open.add(file);
    } finally {
      lock.unlock();
    }
    if (kept) {
      object.dereference();
    }
    if (known) {
      try {
        boolean needed = object.uses(store) || (writable && adopted(object, store));
        if (!needed) {
          store.close();
        }
        object.refresh();
      } catch (IOException e) {
        close(file);
        throw e;
      }
    }
    return file;
  }

  private boolean adopted(FileObject object, Store store) {
    lock.lock();
    try {
      return object.adopt(store);
    } finally {
      lock.unlock();
    }
  }

  // ---- references ----

  void close(MappedFile file) {
    boolean was;
    lock.lock();
    try {
      was = open.remove(file);
    } finally {
      lock.unlock();
    }
    if (was) {
      file.object().dereference();
    }
  }

  /** Takes a reference for a mapping or for the time of a call, if the file is open. */
  FileObject reference(MappedFile file) {
    lock.lock();
    try {
      if (open.contains(file)) {
        file.object().reference();
        return file.object();
      }
    } finally {
      lock.unlock();
    }
    throw new IllegalStateException("the file is closed: " + file);
  }

  private boolean keepUnwritten(FileObject file) {
    lock.lock();
    try {
      return !ended && unwritten.add(file);
    } finally {
      lock.unlock();
    }
  }

  private void forget(FileObject file) {
    lock.lock();
    try {
      objects.values().remove(file);
    } finally {
      lock.unlock();
    }
  }

  /** An element for each reference by a handle, and for what nobody could write, for audits. */
  List<FileObject> references() {
    lock.lock();
    try {
      return referencesLocked();
    } finally {
      lock.unlock();
    }
  }

  private List<FileObject> referencesLocked() {
    List<FileObject> all = new ArrayList<>(unwritten);
    open.forEach(file -> all.add(file.object()));
    return all;
  }

  /** Waits until no page of any file is on its way. Nothing may start new transfers meanwhile. */
  void awaitTransfers() {
    List<FileObject> all;
    lock.lock();
    try {
      all = List.copyOf(objects.values());
    } finally {
      lock.unlock();
    }
    all.forEach(FileObject::awaitTransfers);
  }

  // ---- writing later ----

  /** Has what was collected written by another thread. */
  void later(Cleaner collected) {
    if (collected.isEmpty()) {
      return;
    }
    int _ = waiting.incrementAndGet();
    cleaner.execute(
        () -> {
          try {
            collected.writeOut();
          } finally {
            int _ = waiting.decrementAndGet();
            done.advance();
          }
        });
  }

  /** Waits until everything that was to be written later is. */
  void awaitLater() {
    while (true) {
      long seen = done.count();
      if (waiting.get() == 0) {
        return;
      }
      done.await(seen);
    }
  }

  /** Writes everything and closes all files, when the system is closed and nothing is mapped. */
  void closeAll() {
    cleaner.shutdown();
    awaitLater();
    List<FileObject> all;
    lock.lock();
    try {
      ended = true;
      all = referencesLocked();
      open.clear();
      unwritten.clear();
    } finally {
      lock.unlock();
    }
    all.forEach(FileObject::dereference);
  }
}
