package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.juvm.Cpu;
import org.juvm.MapException;
import org.juvm.MapRequest;
import org.juvm.MemoryFault;
import org.juvm.PagingProbe;
import org.juvm.Statistics;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Access;
import org.juvm.base.Advice;
import org.juvm.base.Inheritance;
import org.juvm.base.Protection;
import org.juvm.trace.Counter;

/**
 * Four threads that do everything to the map of one space at once, each in a region of its own
 * whose pages say who wrote them and in which version.
 *
 * <p>A page of one's own is known exactly, whatever the others do, and what a child has of it, too.
 * Beside that the threads look at each other's pages, which may be gone at any time but never hold
 * what belongs to somebody else; make mappings anywhere, which must be nobody else's; and count in
 * a page that is shared with all children.
 */
final class MapSoak {
  private static final int THREADS = 4;
  private static final int PAGE_SIZE = 1024;
  private static final int PAGES = 96;

  /** Regions of one space cross page tables; above each one is room to move its pages to. */
  private static final long REGION = 250L * PAGE_SIZE;

  private static final long FIRST = 450L * PAGE_SIZE;
  private static final long ASIDE = 120L * PAGE_SIZE;
  private static final long COUNTER = 4096L * PAGE_SIZE;

  /** Version of a page that is not mapped. */
  private static final long GONE = -1;

  private static final int AMPLE_FRAMES = 16384;

  /** Less than the regions, of which each thread wires a few pages at most. */
  private static final int FEW_FRAMES = 160;

  private final boolean paging;
  private final Vm vm;
  private final Vmspace space;
  private final AtomicLong added = new AtomicLong();
  private final AtomicLong rounds = new AtomicLong();

  /** In ample memory, or in little memory with swap. */
  MapSoak(boolean paging) {
    this.paging = paging;
    vm =
        Vm.builder()
            .memory((long) (paging ? FEW_FRAMES : AMPLE_FRAMES) * PAGE_SIZE)
            .pageSize(PAGE_SIZE)
            .swap(paging ? (long) AMPLE_FRAMES * PAGE_SIZE : 0)
            .boot();
    space = vm.newVmspace();
  }

  /** What a thread knows. */
  private final class Member {
    final int number;
    final Choices choices;
    final Cpu cpu = vm.newCpu();
    final Cpu second = vm.newCpu();
    final byte[] buffer = new byte[PAGE_SIZE];
    final MemorySegment words = MemorySegment.ofArray(buffer);

    /** Version of each page of the region; 0: zeros. */
    final long[] versions = new long[PAGES];

    final boolean[] readOnly = new boolean[PAGES];
    final boolean[] wired = new boolean[PAGES];
    final Inheritance[] inherited = new Inheritance[PAGES];
    long last;

    Member(int number, Choices choices) {
      this.number = number;
      this.choices = choices;
      Arrays.fill(versions, GONE);
    }

    long page(int i) {
      return FIRST + number * REGION + (long) i * PAGE_SIZE;
    }

    long word(long version, int k) {
      return version == 0 ? 0 : ((number + 1L) << 56) | (version << 8) | (k / Long.BYTES);
    }

    void live(Budget budget, Crew crew) {
      try (cpu;
          second) {
        cpu.attach(space);
        for (long done = 0; budget.hasRound(done) && !crew.hasFailed(); done++) {
          step();
          rounds.incrementAndGet();
        }
        for (int i = 0; i < PAGES; i++) {
          check(cpu, page(i), versions[i]);
        }
      }
    }

    private void step() {
      int i = choices.below(PAGES);
      int count = Math.min(1 + choices.below(12), PAGES - i);
      switch (choices.below(24)) {
        case 0, 1 -> map(i, count);
        case 2 -> replace(i, count);
        case 3 -> unmap(i, count);
        case 4 -> protect(i, count);
        case 5, 6 -> wire(i, count);
        case 7 -> unwire(i, count);
        case 8 -> advise(i, count);
        case 9, 10 -> discard(i, count);
        case 11, 12 -> move(i, count);
        case 13 -> inherit(i, count);
        case 14, 15 -> fork();
        case 16 -> anywhere(count);
        case 17 -> count(cpu);
        case 18 -> lookAtOthers();
        case 19 -> duplicate(i);
        case 20 -> check(cpu, page(i), versions[i]);
        default -> write(i);
      }
    }

    // ---- pages ----

    private void write(int i) {
      if (versions[i] == GONE || readOnly[i]) {
        refused(cpu, page(i), Access.WRITE, versions[i]);
        return;
      }
      last++;
      for (int k = 0; k < PAGE_SIZE; k += Long.BYTES) {
        cpu.set(JAVA_LONG, page(i) + k, word(last, k));
      }
      versions[i] = last;
    }

    private void refused(Cpu by, long at, Access access, long version) {
      try {
        if (access == Access.WRITE) {
          by.set(JAVA_LONG, at, 0);
        } else {
          long _ = by.get(JAVA_LONG, at);
        }
      } catch (MemoryFault e) {
        MemoryFault.Reason expected =
            version == GONE ? MemoryFault.Reason.NOT_MAPPED : MemoryFault.Reason.PROTECTION;
        if (e.reason() != expected) {
          throw e;
        }
        return;
      }
      throw new AssertionError(access + " was possible: %x".formatted(at));
    }

    private void check(Cpu by, long at, long version) {
      if (version == GONE) {
        refused(by, at, Access.READ, version);
        return;
      }
      by.bulk().read(at, buffer, 0, PAGE_SIZE);
      for (int k = 0; k < PAGE_SIZE; k += Long.BYTES) {
        long found = words.get(JAVA_LONG_UNALIGNED, k);
        if (found != word(version, k)) {
          throw new AssertionError(
              "thread %d at %x: %x instead of %x"
                  .formatted(number, at + k, found, word(version, k)));
        }
      }
    }

    private boolean isMapped(int from, int count) {
      for (int i = from; i < from + count; i++) {
        if (versions[i] == GONE) {
          return false;
        }
      }
      return true;
    }

    private boolean isAnyWired(int from, int count) {
      for (int i = from; i < from + count; i++) {
        if (wired[i]) {
          return true;
        }
      }
      return false;
    }

    private void fresh(int i, long version) {
      versions[i] = version;
      readOnly[i] = false;
      wired[i] = false;
      inherited[i] = Inheritance.COPY;
    }

    // ---- operations on one's own region ----

    private void map(int from, int count) {
      for (int i = from; i < from + count; i++) {
        if (versions[i] == GONE) {
          space.map(page(i), PAGE_SIZE, Protection.READ_WRITE);
          fresh(i, 0);
        }
      }
    }

    private void replace(int from, int count) {
      space.map(MapRequest.anonymous((long) count * PAGE_SIZE).replacing(page(from)));
      for (int i = from; i < from + count; i++) {
        fresh(i, 0);
      }
    }

    private void unmap(int from, int count) {
      space.unmap(page(from), (long) count * PAGE_SIZE);
      for (int i = from; i < from + count; i++) {
        fresh(i, GONE);
      }
    }

    private void protect(int from, int count) {
      boolean only = choices.oneIn(2);
      String found =
          outcome(
              () ->
                  space.protect(
                      page(from),
                      (long) count * PAGE_SIZE,
                      only ? Protection.READ : Protection.READ_WRITE));
      if (expect(isMapped(from, count) ? "" : "NOT_MAPPED", found)) {
        Arrays.fill(readOnly, from, from + count, only);
      }
    }

    private void wire(int from, int count) {
      if (paging) {
        unwireAll();
      }
      String found = outcome(() -> space.paging().wire(page(from), (long) count * PAGE_SIZE));
      if (expect(isMapped(from, count) ? "" : "NOT_MAPPED", found)) {
        Arrays.fill(wired, from, from + count, true);
        boolean[] resident = space.paging().resident(page(from), (long) count * PAGE_SIZE);
        for (boolean each : resident) {
          if (!each) {
            throw new AssertionError("wired page is not resident");
          }
        }
      }
    }

    private void unwireAll() {
      for (int i = 0; i < PAGES; i++) {
        if (wired[i]) {
          unwire(i, 1);
        }
      }
    }

    private void unwire(int from, int count) {
      String found = outcome(() -> space.paging().unwire(page(from), (long) count * PAGE_SIZE));
      if (expect(isMapped(from, count) ? "" : "NOT_MAPPED", found)) {
        Arrays.fill(wired, from, from + count, false);
      }
    }

    private void advise(int from, int count) {
      long length = (long) count * PAGE_SIZE;
      switch (choices.below(3)) {
        case 0 -> space.paging().advise(page(from), length, choices.pick(ADVICE));
        case 1 -> space.paging().invalidate(page(from), length);
        default ->
            expect(
                isMapped(from, count) ? "" : "NOT_MAPPED",
                outcome(() -> space.paging().clean(page(from), length, false)));
      }
    }

    /** Pages that somebody else may see, because another thread has forked, stay as they are. */
    private void discard(int from, int count) {
      String found = outcome(() -> space.paging().discard(page(from), (long) count * PAGE_SIZE));
      if (expect(isAnyWired(from, count) ? "WIRED" : "", found)) {
        for (int i = from; i < from + count; i++) {
          if (versions[i] != GONE) {
            long first = cpu.get(JAVA_LONG, page(i));
            versions[i] = first == 0 ? 0 : versions[i];
            check(cpu, page(i), versions[i]);
          }
        }
      }
    }

    private void move(int from, int count) {
      long length = (long) count * PAGE_SIZE;
      long aside = page(from) + ASIDE;
      String found = outcome(() -> space.remapTo(page(from), length, length, aside));
      if (expect(isMapped(from, count) ? "" : "NOT_MAPPED", found)) {
        int i = from + choices.below(count);
        refused(cpu, page(i), Access.READ, GONE);
        check(cpu, page(i) + ASIDE, versions[i]);
        space.remapTo(aside, length, length, page(from));
        refused(cpu, page(i) + ASIDE, Access.READ, GONE);
        check(cpu, page(i), versions[i]);
      }
    }

    private void inherit(int from, int count) {
      Inheritance what = choices.pick(INHERITANCES);
      space.inherit(page(from), (long) count * PAGE_SIZE, what);
      Arrays.fill(inherited, from, from + count, what);
    }

    private void duplicate(int i) {
      if (versions[i] != GONE) {
        long other = space.duplicate(page(i), PAGE_SIZE);
        check(cpu, other, versions[i]);
        write(i);
        check(cpu, other, versions[i]);
        space.unmap(other, PAGE_SIZE);
      }
    }

    // ---- what concerns others ----

    private void fork() {
      try (Vmspace child = space.fork()) {
        second.attach(child);
        BitSet seen = new BitSet();
        for (int n = 0; n < 8; n++) {
          int i = choices.below(PAGES);
          if (!seen.get(i)) {
            seen.set(i);
            long before = inChild(i);
            check(second, page(i), before);
            write(i);
            check(second, page(i), inherited[i] == Inheritance.SHARE ? inChild(i) : before);
          }
        }
        if (choices.oneIn(2)) {
          child.unmap(page(choices.below(PAGES)), PAGE_SIZE * (1L + choices.below(PAGES)));
        }
        if (choices.oneIn(4)) {
          wireInChild(child);
        }
        count(second);
        second.detach();
      }
    }

    private void wireInChild(Vmspace child) {
      if (!paging) {
        child.paging().wireAll(true, false);
        return;
      }
      for (int i = choices.below(PAGES / 2); i < PAGES; i += PAGES / 4) {
        long at = page(i);
        String found = outcome(() -> child.paging().wire(at, PAGE_SIZE));
        if (!found.equals("NOT_MAPPED")) {
          expect("", found);
        }
      }
    }

    private long inChild(int i) {
      if (versions[i] == GONE) {
        return GONE;
      }
      return switch (inherited[i]) {
        case SHARE, COPY -> versions[i];
        case ZERO -> 0;
        case NONE -> GONE;
      };
    }

    private void anywhere(int count) {
      long at = space.map((long) count * PAGE_SIZE, Protection.READ_WRITE);
      for (int n = 0; n < count; n++) {
        check(cpu, at + (long) n * PAGE_SIZE, 0);
        cpu.bulk().fill(at + (long) n * PAGE_SIZE, PAGE_SIZE, (byte) number);
      }
      for (int n = 0; n < count * PAGE_SIZE; n += 512) {
        if (cpu.get(JAVA_BYTE, at + n) != number) {
          throw new AssertionError("new mapping is somebody else's, too: %x".formatted(at + n));
        }
      }
      space.unmap(at, (long) count * PAGE_SIZE);
    }

    private void count(Cpu by) {
      by.atomics().getAndAdd(JAVA_LONG, COUNTER, 1L);
      added.incrementAndGet();
    }

    private void lookAtOthers() {
      int owner = choices.below(THREADS);
      int k = choices.below(PAGE_SIZE / Long.BYTES) * Long.BYTES;
      long at = FIRST + owner * REGION + (long) choices.below(PAGES) * PAGE_SIZE + k;
      long found;
      try {
        found = cpu.get(JAVA_LONG, at);
      } catch (MemoryFault e) {
        if (e.reason() != MemoryFault.Reason.NOT_MAPPED) {
          throw e;
        }
        return;
      }
      if (found != 0 && (found >>> 56 != owner + 1 || (found & 0xff) != k / Long.BYTES)) {
        throw new AssertionError("%x at %x, which is of thread %d".formatted(found, at, owner));
      }
    }

    private static String outcome(Runnable operation) {
      try {
        operation.run();
        return "";
      } catch (MapException e) {
        return e.reason().name();
      }
    }

    /** Returns whether it was done. */
    private static boolean expect(String expected, String found) {
      Ground.same(expected, found);
      return found.isEmpty();
    }
  }

  private static final List<Advice> ADVICE = List.of(Advice.values());
  private static final List<Inheritance> INHERITANCES =
      List.of(Inheritance.COPY, Inheritance.COPY, Inheritance.SHARE, Inheritance.ZERO);

  /** Runs it, audits and closes the system. Returns what was counted. */
  Statistics run(Budget budget, Choices choices) {
    space.map(COUNTER, PAGE_SIZE, Protection.READ_WRITE);
    space.inherit(COUNTER, PAGE_SIZE, Inheritance.SHARE);
    Crew crew = new Crew();
    for (int i = 0; i < THREADS; i++) {
      Member member = new Member(i, choices.split());
      crew.add("member " + i, () -> member.live(budget, crew));
    }
    crew.run();
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(space);
      Ground.same(added.get(), cpu.get(JAVA_LONG, COUNTER));
    }
    Ground.same(List.of(), vm.audit());
    space.close();
    Ground.same(List.of(), vm.audit());
    Statistics statistics = vm.statistics();
    Ground.same(0L, statistics.usedFrames());
    Ground.same(0L, PagingProbe.slotsInUse(vm));
    Ground.same(paging, PagingProbe.count(vm, Counter.EVICTIONS) > 0);
    vm.close();
    return statistics;
  }

  long rounds() {
    return rounds.get();
  }
}
