package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.util.concurrent.atomic.AtomicBoolean;
import org.juvm.Cpu;
import org.juvm.MemoryFault;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Protection;

/**
 * Looks for walks through page tables that are somebody else's by now.
 *
 * <p>Threads load from (or store to) single pages that lie far apart, each in a page table of its
 * own, so that most of these accesses walk the tables. Another thread unmaps them all, and has the
 * same blocks of memory used for other levels of another space's tables. Whoever follows an old
 * pointer gets a wrong value, or crashes the process.
 *
 * <p>As a program: {@code RecycledTables SECONDS USERS}.
 */
final class RecycledTables {
  private static final int PAGE_SIZE = 1024;

  /** Pages in a page table. */
  private static final long APART = 512L * PAGE_SIZE;

  private static final int TABLES = 40;

  private final Vm vm = Vm.builder().memory(2000L * PAGE_SIZE).pageSize(PAGE_SIZE).boot();
  private final Vmspace space = vm.newVmspace();
  private final Vmspace other = vm.newVmspace();
  private final AtomicBoolean stop = new AtomicBoolean();
  private final long base = APART;
  private long rounds;

  long rounds() {
    return rounds;
  }

  void run(Budget budget, int users, Choices choices) {
    Crew crew = new Crew();
    space.map(base, TABLES * APART, Protection.READ_WRITE);
    for (int i = 0; i < users; i++) {
      Choices own = choices.split();
      boolean stores = i % 2 == 1;
      crew.add("user " + i, () -> use(own, stores));
    }
    crew.add(
        "recycler",
        () -> {
          try (Cpu cpu = vm.newCpu()) {
            for (; budget.hasRound(rounds) && !crew.hasFailed(); rounds++) {
              recycle(cpu);
            }
          } finally {
            stop.set(true);
          }
        });
    crew.run();
    vm.close();
  }

  private void use(Choices choices, boolean stores) {
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(space);
      while (!stop.get()) {
        int table = choices.below(TABLES);
        long at = base + table * APART;
        try {
          if (stores) {
            cpu.set(JAVA_LONG, at, at);
          } else {
            long found = cpu.get(JAVA_LONG, at);
            if (found != 0 && found != at) {
              throw new AssertionError(Long.toHexString(at) + " has " + Long.toHexString(found));
            }
          }
        } catch (MemoryFault e) {
          // The recycler has it now.
          if (e.reason() != MemoryFault.Reason.NOT_MAPPED) {
            throw e;
          }
        }
      }
    }
  }

  private void recycle(Cpu cpu) {
    cpu.attach(space);
    for (int table = 0; table < TABLES; table++) {
      long at = base + table * APART;
      cpu.set(JAVA_LONG, at, at);
    }
    space.unmap(base, TABLES * APART);
    // Every word of what was a directory is now the entry of a page.
    cpu.attach(other);
    other.map(base, APART, Protection.READ_WRITE);
    for (long at = base; at < base + APART; at += PAGE_SIZE) {
      cpu.set(JAVA_LONG, at, -at);
    }
    other.unmap(base, APART);
    space.map(base, TABLES * APART, Protection.READ_WRITE);
  }

  public static void main(String[] args) {
    RecycledTables tables = new RecycledTables();
    tables.run(Budget.seconds(Long.parseLong(args[0])), Integer.parseInt(args[1]), Choices.fresh());
    System.out.println(tables.rounds() + " rounds");
  }
}
