package org.juvm;

import org.juvm.page.FrameTable;
import org.juvm.store.Store;
import org.juvm.trace.Counter;

/** What tests of paging do and see beside the public calls of a system. */
public final class PagingProbe {
  private PagingProbe() {}

  /** Lets a system page to a store of a test. */
  public static void addSwap(Vm vm, Store store, long bytes, int priority, boolean encrypted) {
    SwapDevice _ = vm.swap().add("test " + priority, store, bytes, priority, encrypted);
  }

  /** Slots that hold pages. */
  public static long slotsInUse(Vm vm) {
    return vm.machine().swap().slotsInUse();
  }

  /** Slots that have failed. */
  public static long slotsBad(Vm vm) {
    return vm.machine().swap().slotsBad();
  }

  /** Slots that are free, and good. */
  public static long slotsFree(Vm vm) {
    return vm.machine().swap().slotsFree();
  }

  /** How many pages there are in memory, in swap or in both. Exact while nobody faults. */
  public static long pages(Vm vm) {
    long[] pages = new long[1];
    FrameTable frames = vm.machine().frames();
    vm.daemon()
        .whileQuiet(
            () -> {
              long both = 0;
              for (int frame = 0; frame < frames.frames(); frame++) {
                both += frames.slot(frame) != 0 ? 1 : 0;
              }
              long resident = (long) frames.frames() - vm.machine().allocator().freeFrames();
              pages[0] = resident + slotsInUse(vm) - both;
            });
    return pages[0];
  }

  /** How often something has happened that is no processor's. */
  public static long count(Vm vm, Counter counter) {
    return vm.machine().counters().value(counter);
  }

  /** How often something has happened to a processor. */
  public static long count(Cpu cpu, Counter counter) {
    return cpu.counters().value(counter);
  }
}
