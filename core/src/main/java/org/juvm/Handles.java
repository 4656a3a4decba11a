package org.juvm;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.juvm.object.MemoryObject;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/** The objects that clients of one system have made and not closed. Thread-safe. */
final class Handles {
  private final Vm vm;
  private final RankedLock lock = new RankedLock(LockRank.SYSTEM);

  /** Each has a reference to its object. Guarded by lock. */
  private final Set<Handle> open = new HashSet<>();

  Handles(Vm vm) {
    this.vm = vm;
  }

  Vm vm() {
    return vm;
  }

  /** Adds what was just made; throws {@link IllegalStateException} if the system is closed. */
  void open(Handle handle) {
    lock.lock();
    try {
      if (!vm.isClosed()) {
        open.add(handle);
        return;
      }
    } finally {
      lock.unlock();
    }
    handle.object().dereference();
    throw Vm.closedException();
  }

  boolean isOpen(Handle handle) {
    lock.lock();
    try {
      return open.contains(handle);
    } finally {
      lock.unlock();
    }
  }

  /** Returns false if it was closed already. */
  boolean close(Handle handle) {
    boolean was;
    lock.lock();
    try {
      was = open.remove(handle);
    } finally {
      lock.unlock();
    }
    if (was) {
      handle.object().dereference();
    }
    return was;
  }

  MemoryObject reference(Handle handle) {
    lock.lock();
    try {
      if (open.contains(handle)) {
        handle.object().reference();
        return handle.object();
      }
    } finally {
      lock.unlock();
    }
    throw new IllegalStateException("the memory is closed");
  }

  /** An element for each reference, for audits. */
  List<MemoryObject> references() {
    lock.lock();
    try {
      List<MemoryObject> all = new ArrayList<>();
      open.forEach(handle -> all.add(handle.object()));
      return all;
    } finally {
      lock.unlock();
    }
  }

  /** Drops everything, when the system is closed. */
  void closeAll() {
    List<Handle> all;
    lock.lock();
    try {
      all = List.copyOf(open);
    } finally {
      lock.unlock();
    }
    all.forEach(Handle::end);
  }
}
