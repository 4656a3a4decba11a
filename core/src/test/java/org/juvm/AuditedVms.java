package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Boots systems for a test, and audits and closes them after it. */
final class AuditedVms implements AfterEachCallback {
  private final List<Vm> booted = new ArrayList<>();

  Vm boot(int frames) {
    return boot(frames, 4096);
  }

  Vm boot(int frames, int pageSize) {
    Vm vm = Vm.builder().memory((long) frames * pageSize).pageSize(pageSize).boot();
    booted.add(vm);
    return vm;
  }

  /** A system that pages to a temporary file. */
  Vm bootWithSwap(int frames, int swapPages) {
    long page = 4096;
    Vm vm = Vm.builder().memory(frames * page).swap(swapPages * page).boot();
    booted.add(vm);
    return vm;
  }

  @Override
  public void afterEach(ExtensionContext context) {
    List<Vm> vms = List.copyOf(booted);
    booted.clear();
    for (Vm vm : vms) {
      if (!vm.isClosed()) {
        assertThat(vm.audit()).isEmpty();
        vm.close();
      }
    }
  }

  static void assertFault(MemoryFault.Reason reason, long address, Runnable access) {
    try {
      access.run();
    } catch (MemoryFault e) {
      assertThat(e.reason()).isEqualTo(reason);
      assertThat(e.address()).isEqualTo(address);
      return;
    }
    throw new AssertionError("no fault at " + Long.toHexString(address));
  }

  static void assertRefused(MapException.Reason reason, Runnable change) {
    try {
      change.run();
    } catch (MapException e) {
      assertThat(e.reason()).isEqualTo(reason);
      return;
    }
    throw new AssertionError("not refused: " + reason);
  }

  /** Returns when a thread waits, or is done. */
  static void awaitWaiting(Thread thread) {
    while (thread.isAlive()
        && thread.getState() != Thread.State.WAITING
        && thread.getState() != Thread.State.TIMED_WAITING) {
      Thread.onSpinWait();
    }
  }
}
