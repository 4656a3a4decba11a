package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.juvm.Cpu;
import org.juvm.MemoryFault;
import org.juvm.Statistics;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Access;
import org.juvm.base.Inheritance;
import org.juvm.base.Protection;

/**
 * Eight threads on two spaces that do everything at once to pages that say what they are.
 *
 * <p>Each thread has a region of its own in the space that it shares with three others. Every word
 * of a page says who wrote it, where and in which version; words are written in ascending order. So
 * a page of one's own is known exactly, and a page of somebody else, seen in a child, must be a
 * prefix of one version followed by the rest of the one before. Beside that there is a page of
 * counters in each space, to which all threads add.
 *
 * <p>As a program: {@code Soak SECONDS}, which runs {@link MapSoak} beside it.
 */
final class Soak {
  private static final int SPACES = 2;
  private static final int THREADS_PER_SPACE = 4;
  private static final int PAGE_SIZE = 1024;
  private static final int WORDS = PAGE_SIZE / Long.BYTES;

  /** Pages of a region; the regions of a space cross page tables and nodes of amaps. */
  private static final int PAGES = 96;

  private static final long REGION = 100L * PAGE_SIZE;
  private static final long FIRST = 450L * PAGE_SIZE;
  private static final long COUNTERS = 4096L * PAGE_SIZE;

  private final Vm vm = Vm.builder().memory(16L << 20).pageSize(PAGE_SIZE).boot();
  private final Vmspace[] spaces = new Vmspace[SPACES];
  private final AtomicLong[] added = {new AtomicLong(), new AtomicLong()};
  private final AtomicLong rounds = new AtomicLong();

  /** What a thread knows. */
  private final class Member {
    final int number;
    final Vmspace space;
    final AtomicLong total;
    final Choices choices;
    final Cpu cpu = vm.newCpu();
    final Cpu second = vm.newCpu();
    final byte[] buffer = new byte[PAGE_SIZE];
    final MemorySegment words = MemorySegment.ofArray(buffer);

    /** Version of each page of the region; 0: zeros, -1: not mapped. */
    final long[] versions = new long[PAGES];

    final boolean[] readOnly = new boolean[PAGES];

    Member(int number, Choices choices) {
      this.number = number;
      this.choices = choices;
      space = spaces[number / THREADS_PER_SPACE];
      total = added[number / THREADS_PER_SPACE];
    }

    long page(int i) {
      return FIRST + number % THREADS_PER_SPACE * REGION + (long) i * PAGE_SIZE;
    }

    static long word(int owner, long address, long version) {
      long place = (address / Long.BYTES) & 0xff_ffff;
      return ((owner + 1L) << 56) | ((version & 0xffff_ffffL) << 24) | place;
    }

    void live(Budget budget, Crew crew) {
      try (cpu;
          second) {
        cpu.attach(space);
        space.map(page(0), (long) PAGES * PAGE_SIZE, Protection.READ_WRITE);
        for (long done = 0; budget.hasRound(done) && !crew.hasFailed(); done++) {
          step();
          rounds.incrementAndGet();
        }
        for (int i = 0; i < PAGES; i++) {
          check(cpu, i);
        }
      }
    }

    private void step() {
      int i = choices.below(PAGES);
      switch (choices.below(16)) {
        case 0, 1, 2, 3, 4 -> write(cpu, i, versions[i] + 1);
        case 5, 6, 7, 8 -> check(cpu, i);
        case 9 -> remap(i);
        case 10 -> protect(i);
        case 11 -> {
          cpu.atomics().getAndAdd(JAVA_LONG, COUNTERS, 1L);
          total.incrementAndGet();
        }
        case 12 -> copy(i, choices.below(PAGES));
        case 13 -> window(i);
        default -> fork();
      }
    }

    /** In a child the versions are not ours to keep. */
    private void write(Cpu by, int i, long version) {
      if (versions[i] < 0 || readOnly[i]) {
        refused(by, i, Access.WRITE);
        return;
      }
      long at = page(i);
      for (int k = 0; k < PAGE_SIZE; k += Long.BYTES) {
        by.set(JAVA_LONG, at + k, word(number, at + k, version));
      }
      if (by == cpu) {
        versions[i] = version;
      }
    }

    private void refused(Cpu by, int i, Access access) {
      try {
        if (access == Access.WRITE) {
          by.set(JAVA_LONG, page(i) + 8, 0);
        } else {
          long _ = by.get(JAVA_LONG, page(i) + 8);
        }
      } catch (MemoryFault e) {
        MemoryFault.Reason expected =
            versions[i] < 0 ? MemoryFault.Reason.NOT_MAPPED : MemoryFault.Reason.PROTECTION;
        if (e.reason() != expected) {
          throw e;
        }
        return;
      }
      throw new AssertionError(access + " was possible: page " + i + " of thread " + number);
    }

    private void check(Cpu by, int i) {
      if (versions[i] < 0) {
        refused(by, i, Access.READ);
        return;
      }
      long at = page(i);
      by.bulk().read(at, buffer, 0, PAGE_SIZE);
      for (int k = 0; k < PAGE_SIZE; k += Long.BYTES) {
        long expected = versions[i] == 0 ? 0 : word(number, at + k, versions[i]);
        long found = words.get(JAVA_LONG_UNALIGNED, k);
        if (found != expected) {
          throw new AssertionError(
              "thread %d, page %d, word %d: %x instead of %x"
                  .formatted(number, i, k, found, expected));
        }
      }
    }

    private void remap(int from) {
      int count = Math.min(1 + choices.below(20), PAGES - from);
      long length = (long) count * PAGE_SIZE;
      if (choices.oneIn(2)) {
        space.unmap(page(from), length);
        for (int i = from; i < from + count; i++) {
          versions[i] = -1;
          readOnly[i] = false;
        }
      } else {
        for (int i = from; i < from + count; i++) {
          if (versions[i] < 0) {
            space.map(page(i), PAGE_SIZE, Protection.READ_WRITE);
            versions[i] = 0;
          }
        }
      }
    }

    private void protect(int i) {
      if (versions[i] >= 0) {
        space.protect(page(i), PAGE_SIZE, readOnly[i] ? Protection.READ_WRITE : Protection.READ);
        readOnly[i] = !readOnly[i];
      }
    }

    /** Rewrites the words of a page from those of another one, through a copy of it. */
    private void copy(int from, int to) {
      if (from != to && versions[from] >= 0 && versions[to] >= 0 && !readOnly[to]) {
        cpu.bulk().copy(page(from), page(to), PAGE_SIZE);
        cpu.bulk().read(page(from), buffer, 0, PAGE_SIZE);
        if (cpu.bulk().mismatch(page(to), words, 0, PAGE_SIZE) >= 0) {
          throw new AssertionError("thread " + number + ": copy of page " + from + " differs");
        }
        write(cpu, to, versions[to] + 1);
      }
    }

    private void window(int i) {
      if (versions[i] >= 0 && !readOnly[i]) {
        long at = page(i);
        long version = versions[i] + 1;
        cpu.bulk()
            .window(
                at,
                PAGE_SIZE,
                Access.WRITE,
                segment -> {
                  for (int k = 0; k < PAGE_SIZE; k += Long.BYTES) {
                    segment.set(JAVA_LONG, k, word(number, at + k, version));
                  }
                });
        versions[i] = version;
      }
    }

    private void fork() {
      try (Vmspace child = space.fork()) {
        second.attach(child);
        BitSet changed = new BitSet();
        for (int n = 0; n < 6; n++) {
          int i = choices.below(PAGES);
          if (!changed.get(i)) {
            check(second, i);
          }
          if (choices.oneIn(2)) {
            // A write in the child is not seen in the parent, which has other versions.
            write(second, i, versions[i] + 1000);
            changed.set(i);
            check(cpu, i);
          } else {
            checkOther(choices.below(THREADS_PER_SPACE), choices.below(PAGES));
          }
        }
        if (choices.oneIn(2)) {
          int i = choices.below(PAGES / 2);
          child.unmap(page(i), (long) PAGE_SIZE * (1 + choices.below(PAGES / 2)));
        }
        if (choices.oneIn(4)) {
          child.fork().close();
        }
        second.atomics().getAndAdd(JAVA_LONG, COUNTERS, 1L);
        total.incrementAndGet();
        second.detach();
      }
    }

    /** A page of another thread of the space, as it was at the fork. */
    private void checkOther(int other, int i) {
      if (other == number % THREADS_PER_SPACE) {
        return;
      }
      int owner = number / THREADS_PER_SPACE * THREADS_PER_SPACE + other;
      long at = FIRST + other * REGION + (long) i * PAGE_SIZE;
      try {
        second.bulk().read(at, buffer, 0, PAGE_SIZE);
      } catch (MemoryFault e) {
        if (e.reason() != MemoryFault.Reason.NOT_MAPPED) {
          throw e;
        }
        return;
      }
      long last = Long.MAX_VALUE;
      int changes = 0;
      for (int k = 0; k < WORDS; k++) {
        long found = words.get(JAVA_LONG_UNALIGNED, (long) k * Long.BYTES);
        long version = (found >>> 24) & 0xffff_ffffL;
        long address = at + (long) k * Long.BYTES;
        boolean copied =
            found >>> 56 == owner + 1 && (found & 0xff_ffff) != ((address / 8) & 0xff_ffff);
        if (copied) {
          // In the middle of a copy from another page of the owner; nothing to say about order.
          return;
        }
        if (found != 0 && found != word(owner, address, version)) {
          throw new AssertionError(
              "thread %d sees %x at word %d of page %d of thread %d"
                  .formatted(number, found, k, i, owner));
        }
        if (k > 0 && version != last) {
          changes++;
          if (version > last || changes > 1) {
            throw new AssertionError(
                "thread %d sees version %d after %d in page %d of thread %d"
                    .formatted(number, version, last, i, owner));
          }
        }
        last = version;
      }
    }
  }

  /** Runs it, audits and closes the system. Returns what was counted. */
  Statistics run(Budget budget, Choices choices) {
    Crew crew = new Crew();
    for (int i = 0; i < SPACES; i++) {
      spaces[i] = vm.newVmspace();
      spaces[i].map(COUNTERS, PAGE_SIZE, Protection.READ_WRITE);
      spaces[i].inherit(COUNTERS, PAGE_SIZE, Inheritance.SHARE);
    }
    for (int i = 0; i < SPACES * THREADS_PER_SPACE; i++) {
      Member member = new Member(i, choices.split());
      crew.add("member " + i, () -> member.live(budget, crew));
    }
    crew.run();
    try (Cpu cpu = vm.newCpu()) {
      for (int i = 0; i < SPACES; i++) {
        cpu.attach(spaces[i]);
        long sum = cpu.get(JAVA_LONG, COUNTERS);
        if (sum != added[i].get()) {
          throw new AssertionError("lost increments: " + sum + " of " + added[i]);
        }
      }
    }
    List<String> findings = vm.audit();
    for (Vmspace space : spaces) {
      space.close();
    }
    Statistics statistics = vm.statistics();
    if (!findings.isEmpty() || !vm.audit().isEmpty() || statistics.usedFrames() != 0) {
      throw new AssertionError("the audits found: " + findings + vm.audit() + statistics);
    }
    vm.close();
    return statistics;
  }

  long rounds() {
    return rounds.get();
  }

  /** Both mixes at once, each in a system of its own. */
  public static void main(String[] args) {
    long seconds = Long.parseLong(args[0]);
    Choices choices = Choices.fresh();
    System.out.println(choices);
    Soak soak = new Soak();
    MapSoak maps = new MapSoak(true);
    Choices forMaps = choices.split();
    Crew crew = new Crew();
    crew.add("maps", () -> System.out.println(maps.run(Budget.seconds(seconds), forMaps)));
    crew.add("accesses", () -> System.out.println(soak.run(Budget.seconds(seconds), choices)));
    crew.run();
    System.out.println(
        soak.rounds() + " rounds, and " + maps.rounds() + " on one map; audits clean");
  }
}
