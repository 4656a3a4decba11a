package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.juvm.Cpu;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Protection;

/**
 * Threads take faults at the same time on pages whose entries are in the same page tables, and
 * whose locks are different ones.
 *
 * <p>They start with an address space that has no tables, or only some, all of them
 * write-protected: so tables are made, put on top of others, and write-protection is pushed down
 * while other pages are entered beside and below, for reading and for writing. Another thread forks
 * the space and maps and unmaps pages among theirs.
 */
@Tag("threads")
class SharedTablesTest {
  private static final int PAGE_SIZE = 1024;
  private static final int THREADS = 3;

  /** Pages of a mapping; the page behind it is a hole, so that mappings do not become one. */
  private static final int PAGES = 7;

  private static final long APART = (PAGES + 1L) * PAGE_SIZE;

  /**
   * Where mappings are: in one lowest table, over the end of it, and below other topmost entries.
   */
  private static final long[] BASES = {
    128L * PAGE_SIZE, 500L * PAGE_SIZE, 1L << 22, 1L << 30, 1L << 39, (1L << 39) + (1 << 20)
  };

  /** In the same table as the first mappings. */
  private static final long PASSING = 300L * PAGE_SIZE;

  private final Vm vm = Vm.builder().memory(8L << 20).pageSize(PAGE_SIZE).boot();
  private final Choices choices = Choices.fresh();

  /** Addresses of the pages of a thread. */
  private static List<Long> pages(int thread) {
    List<Long> pages = new ArrayList<>();
    for (long base : BASES) {
      for (int i = 0; i < PAGES; i++) {
        pages.add(base + thread * APART + (long) i * PAGE_SIZE);
      }
    }
    return pages;
  }

  private static long word(long address, int version) {
    return address | version;
  }

  @Test
  void entersAndRevocationsInTheSameTables() {
    Vmspace parent = vm.newVmspace();
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(parent);
      for (int thread = 0; thread < THREADS; thread++) {
        for (long base : BASES) {
          parent.map(base + thread * APART, PAGES * (long) PAGE_SIZE, Protection.READ_WRITE);
        }
        for (long page : pages(thread)) {
          cpu.set(JAVA_LONG, page, word(page, 1));
        }
      }
      for (int i = 0; i < Choices.times(150); i++) {
        round(parent, cpu);
      }
    }
    parent.close();
    assertThat(vm.statistics().usedFrames()).as("%s", choices).isZero();
    vm.close();
  }

  private void round(Vmspace parent, Cpu cpu) {
    try (Vmspace child = parent.fork()) {
      cpu.attach(child);
      for (int i = choices.below(4); i > 0; i--) {
        long page = pages(choices.below(THREADS)).get(choices.below(BASES.length * PAGES));
        assertThat(cpu.get(JAVA_LONG, page)).isEqualTo(word(page, 1));
      }
      try (Vmspace snapshot = child.fork()) {
        Crew crew = new Crew();
        for (int thread = 0; thread < THREADS; thread++) {
          List<Long> pages = pages(thread);
          Choices own = choices.split();
          Collections.shuffle(pages, new Random(own.seed()));
          crew.add("faulter " + thread, () -> fault(child, pages, own));
        }
        Choices own = choices.split();
        crew.add("forker", () -> disturb(child, own));
        crew.run();
        check(cpu, child, 2);
        check(cpu, snapshot, 1);
      }
      check(cpu, parent, 1);
      assertThat(vm.audit()).as("%s", choices).isEmpty();
    }
  }

  /** Reads or writes each page once, then writes all of them. */
  private void fault(Vmspace space, List<Long> pages, Choices own) {
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(space);
      for (long page : pages) {
        assertThat(cpu.get(JAVA_LONG, page)).isEqualTo(word(page, 1));
        if (own.oneIn(2)) {
          cpu.set(JAVA_LONG, page, word(page, 2));
        }
      }
      for (long page : pages) {
        cpu.set(JAVA_LONG, page, word(page, 2));
        assertThat(cpu.get(JAVA_LONG, page)).isEqualTo(word(page, 2));
      }
    }
  }

  private void disturb(Vmspace space, Choices own) {
    try (Cpu cpu = vm.newCpu()) {
      for (int i = 0; i < 4; i++) {
        cpu.attach(space);
        space.map(PASSING, PAGES * (long) PAGE_SIZE, Protection.READ_WRITE);
        for (int k = 0; k < PAGES; k++) {
          cpu.set(JAVA_LONG, PASSING + (long) k * PAGE_SIZE, k);
        }
        try (Vmspace other = space.fork()) {
          space.unmap(PASSING, PAGES * (long) PAGE_SIZE);
          cpu.attach(other);
          List<Long> pages = pages(own.below(THREADS));
          for (long page : pages.subList(0, 1 + own.below(pages.size()))) {
            assertThat(cpu.get(JAVA_LONG, page)).isIn(word(page, 1), word(page, 2));
            cpu.set(JAVA_LONG, page, word(page, 3));
          }
        }
      }
    }
  }

  private static void check(Cpu cpu, Vmspace space, int version) {
    cpu.attach(space);
    for (int thread = 0; thread < THREADS; thread++) {
      for (long page : pages(thread)) {
        assertThat(cpu.get(JAVA_LONG, page)).isEqualTo(word(page, version));
      }
    }
    long pages = (long) THREADS * BASES.length * PAGES;
    assertThat(space.residentPages()).isEqualTo(pages);
    assertThat(space.peakResidentPages()).isBetween(pages, pages + PAGES);
  }
}
