package org.juvm;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.juvm.object.AnonymousObject;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/** The shared memory of one system, with and without names. Thread-safe. */
public final class SharedMemories {
  private final Vm vm;
  private final RankedLock lock = new RankedLock(LockRank.SYSTEM);

  /** Each name has a reference to its object. Guarded by lock. */
  private final Map<String, AnonymousObject> names = new HashMap<>();

  /** Each has a reference to its object. Guarded by lock. */
  private final Set<SharedMemory> open = new HashSet<>();

  SharedMemories(Vm vm) {
    this.vm = vm;
  }

  Vm vm() {
    return vm;
  }

  /**
   * Makes shared memory without a name.
   *
   * @param size bytes, from 0 to 2^46
   * @return the memory; close it when it is mapped everywhere
   * @throws IllegalStateException if the system is closed
   */
  public SharedMemory create(long size) {
    checkSize(size);
    return register(vm.machine().newObject(size, true));
  }

  /**
   * Makes shared memory without a name that never goes to swap: its pages stay in memory from when
   * they are first touched until they are gone. ({@code UAO_FLAG_NOSWAP})
   *
   * @param size bytes, from 0 to 2^46
   * @return the memory; close it when it is mapped everywhere
   * @throws IllegalStateException if the system is closed
   */
  public SharedMemory createResident(long size) {
    checkSize(size);
    return register(vm.machine().newObject(size, false));
  }

  private SharedMemory register(AnonymousObject object) {
    SharedMemory memory = new SharedMemory(this, object);
    lock.lock();
    try {
      if (!vm.isClosed()) {
        open.add(memory);
        return memory;
      }
    } finally {
      lock.unlock();
    }
    object.dereference();
    throw Vm.closedException();
  }

  /**
   * Makes shared memory with a name. ({@code shm_open(3)} with O_CREAT and O_EXCL)
   *
   * @param name any name
   * @param size bytes, from 0 to 2^46
   * @return the memory, or null if there is one of this name
   * @throws IllegalStateException if the system is closed
   */
  public @Nullable SharedMemory create(String name, long size) {
    checkSize(size);
    AnonymousObject object = vm.machine().newObject(size, true);
    lock.lock();
    boolean taken;
    try {
      taken = names.putIfAbsent(name, object) != null;
      if (!taken) {
        object.reference();
      }
    } finally {
      lock.unlock();
    }
    if (taken) {
      object.dereference();
      return null;
    }
    return register(object);
  }

  /**
   * Finds shared memory by its name.
   *
   * @param name its name
   * @return the memory, to be closed, or null if there is none of this name
   * @throws IllegalStateException if the system is closed
   */
  public @Nullable SharedMemory find(String name) {
    AnonymousObject object;
    lock.lock();
    try {
      object = names.get(name);
      if (object == null) {
        return null;
      }
      object.reference();
    } finally {
      lock.unlock();
    }
    return register(object);
  }

  /**
   * Takes a name away. What is open or mapped stays. ({@code shm_unlink(3)})
   *
   * @param name the name
   * @return false if there was none
   */
  public boolean unlink(String name) {
    AnonymousObject object;
    lock.lock();
    try {
      object = names.remove(name);
    } finally {
      lock.unlock();
    }
    if (object == null) {
      return false;
    }
    object.dereference();
    return true;
  }

  /**
   * All names.
   *
   * @return a snapshot, in order
   */
  public Set<String> names() {
    lock.lock();
    try {
      return new TreeSet<>(names.keySet());
    } finally {
      lock.unlock();
    }
  }

  void close(SharedMemory memory) {
    boolean was;
    lock.lock();
    try {
      was = open.remove(memory);
    } finally {
      lock.unlock();
    }
    if (was) {
      memory.object().dereference();
    }
  }

  void checkOpen(SharedMemory memory) {
    lock.lock();
    try {
      if (open.contains(memory)) {
        return;
      }
    } finally {
      lock.unlock();
    }
    throw new IllegalStateException("the shared memory is closed");
  }

  /** Takes a reference for a mapping, if the memory is open. */
  AnonymousObject reference(SharedMemory memory) {
    lock.lock();
    try {
      if (open.contains(memory)) {
        memory.object().reference();
        return memory.object();
      }
    } finally {
      lock.unlock();
    }
    throw new IllegalStateException("the shared memory is closed");
  }

  /** An element for each reference by a name or a handle, for audits. */
  List<AnonymousObject> references() {
    lock.lock();
    try {
      List<AnonymousObject> all = new ArrayList<>(names.values());
      open.forEach(memory -> all.add(memory.object()));
      return all;
    } finally {
      lock.unlock();
    }
  }

  /** Drops everything, when the system is closed. */
  void closeAll() {
    List<AnonymousObject> all;
    lock.lock();
    try {
      all = new ArrayList<>(names.values());
      open.forEach(memory -> all.add(memory.object()));
      names.clear();
      open.clear();
    } finally {
      lock.unlock();
    }
    all.forEach(AnonymousObject::dereference);
  }

  static void checkSize(long size) {
    if (size < 0 || size > AnonymousObject.MAXIMUM_BYTES) {
      throw new IllegalArgumentException("size of shared memory out of range: size=" + size);
    }
  }
}
