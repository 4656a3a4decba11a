package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.juvm.base.VirtualPte.ACCESSED;
import static org.juvm.base.VirtualPte.WRITABLE;

import org.juvm.base.PageSize;
import org.juvm.base.VirtualPte;

/**
 * A system inside a program: two tasks, each with an address space by page tables of its own, in
 * one memory. The scheduler switches between them by the root of the tables, and sees from their
 * marks which pages a task works with.
 */
final class GuestExample implements AutoCloseable {
  private static final long MEMORY = 1 << 20;
  private static final long VIRTUAL = 1 << 30;
  private static final int TASK_PAGES = 16;

  private final SharedMemory memory;
  private final Vmspace space;
  private final Cpu cpu;
  private final PageSize pageSize;

  /** Where the memory is mapped as it is, so that the system can write its tables. */
  private final long physical;

  /** Where the task that runs sees its own memory. */
  private final long virtual;

  private long free;

  private GuestExample(Vm vm) {
    memory = vm.sharedMemory().create(MEMORY);
    space = vm.newVmspace();
    cpu = vm.newCpu();
    pageSize = PageSize.ofBytes(vm.pageSize());
    physical = space.map(MapRequest.of(memory, 0, MEMORY).shared());
    virtual = space.map(MapRequest.of(memory, 0, VIRTUAL).pageTable(0));
    cpu.attach(space);
  }

  private long newPage() {
    long page = free;
    free += pageSize.bytes();
    return page;
  }

  /** The place of the entry for an address. Tables that are missing on the way are made. */
  private long entry(long root, long address) {
    long pte = root;
    for (int level = VirtualPte.levels(pageSize) - 1; ; level--) {
      long table = physical + pageSize.address(VirtualPte.page(pte, pageSize));
      long at = table + VirtualPte.position(address, level, pageSize);
      if (level == 0) {
        return at;
      }
      pte = cpu.get(JAVA_LONG, at);
      if (pte == 0) {
        pte = VirtualPte.of(newPage(), WRITABLE);
        cpu.set(JAVA_LONG, at, pte);
      }
    }
  }

  private long newTask() {
    long root = VirtualPte.of(newPage(), WRITABLE);
    for (int page = 0; page < TASK_PAGES; page++) {
      long address = pageSize.address(page);
      cpu.set(JAVA_LONG, entry(root, address), VirtualPte.of(newPage(), WRITABLE));
    }
    return root;
  }

  /** A task's turn: it counts in some of its pages. */
  private void run(long root, int pages) {
    space.paging().setPageTable(virtual, VIRTUAL, root);
    for (int page = 0; page < pages; page++) {
      long counter = virtual + pageSize.address(page);
      cpu.set(JAVA_LONG, counter, cpu.get(JAVA_LONG, counter) + 1);
    }
  }

  /** How many pages a task has used since this was asked last. */
  private int workingSet(long root) {
    int used = 0;
    for (int page = 0; page < TASK_PAGES; page++) {
      long at = entry(root, pageSize.address(page));
      used += (cpu.atomics().getAndBitwiseAnd(JAVA_LONG, at, ~ACCESSED) & ACCESSED) != 0 ? 1 : 0;
    }
    space.paging().invalidate(virtual, VIRTUAL);
    return used;
  }

  @Override
  public void close() {
    cpu.close();
    space.close();
    memory.close();
  }

  /** Ten turns for each of two tasks, of which one uses less and less. */
  static String run() {
    try (Vm vm = Vm.builder().memory(2 << 20).boot();
        GuestExample system = new GuestExample(vm)) {
      long one = system.newTask();
      long two = system.newTask();
      StringBuilder sets = new StringBuilder();
      for (int turn = 0; turn < 10; turn++) {
        system.run(one, TASK_PAGES - turn);
        system.run(two, 3);
        sets.append(system.workingSet(one)).append('+').append(system.workingSet(two)).append(' ');
      }
      system.run(one, 1);
      return sets.append("counter ").append(system.cpu.get(JAVA_LONG, system.virtual)).toString();
    }
  }
}
