package org.juvm;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.juvm.anon.AnonTable;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;
import org.juvm.trace.Counters;

/** The processors of one system, and what all that there ever were have counted. Thread-safe. */
final class Cpus {
  private final Vm vm;
  private final RankedLock lock = new RankedLock(LockRank.SYSTEM);

  /** Those that have not been closed. Guarded by lock. */
  private final Set<Cpu> open = new LinkedHashSet<>();

  /** Events of those that are gone. Guarded by lock. */
  private final Counters retired = new Counters();

  /**
   * Numbers of those that there are. A new one gets the smallest that is free: numbers select
   * stripes of locks and caches, and so are spread over them evenly. Guarded by lock.
   */
  private final BitSet numbers = new BitSet();

  Cpus(Vm vm) {
    this.vm = vm;
  }

  /** Makes one that is attached to nothing. */
  Cpu newCpu() {
    lock.lock();
    try {
      if (vm.isClosed()) {
        throw Vm.closedException();
      }
      int number = numbers.nextClearBit(0);
      Cpu cpu = new Cpu(vm, number);
      numbers.set(number);
      open.add(cpu);
      return cpu;
    } finally {
      lock.unlock();
    }
  }

  /** One that is detached goes; its events stay. */
  void unregister(Cpu cpu) {
    lock.lock();
    try {
      if (open.remove(cpu)) {
        retired.addAll(cpu.counters());
        numbers.clear(cpu.number());
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Counts all events again. No event is counted twice, none is missed that was counted in an
   * earlier total: from one total to the next no counter goes backwards.
   *
   * @param total what to count them in; its owner is the caller
   */
  void count(Counters total) {
    total.clear();
    total.addAll(vm.machine().counters());
    lock.lock();
    try {
      total.addAll(retired);
      for (Cpu cpu : open) {
        total.addAll(cpu.counters());
      }
    } finally {
      lock.unlock();
    }
  }

  /** The magazines of all, for audits. */
  List<AnonTable.Magazine> magazines() {
    List<AnonTable.Magazine> magazines = new ArrayList<>();
    lock.lock();
    try {
      open.forEach(cpu -> magazines.add(cpu.magazine()));
      return magazines;
    } finally {
      lock.unlock();
    }
  }

  /** Waits until accesses are over that may use translations revoked before. */
  void awaitAccesses() {
    List<Cpu> all;
    lock.lock();
    try {
      all = List.copyOf(open);
    } finally {
      lock.unlock();
    }
    for (Cpu cpu : all) {
      Thread owner = cpu.owner();
      if (owner != null) {
        AccessesUnderWay.await(owner);
      }
    }
  }
}
