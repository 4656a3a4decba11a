package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.juvm.Cpu;
import org.juvm.PagingProbe;
import org.juvm.Statistics;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Protection;
import org.juvm.trace.Counter;

/**
 * Ten instances forked from one parent that is four times as large as memory, all active on threads
 * of their own. The first words of a page say whose page it is and in which version.
 *
 * <p>As a program: {@code Instances PARENT_MIB ROUNDS}.
 */
final class Instances {
  private static final int INSTANCES = 10;
  private static final int PAGE_SIZE = 4096;
  private static final long AT = 1 << 20;

  private final Vm vm;
  private final int pages;
  private final AtomicLong checked = new AtomicLong();

  Instances(int pages) {
    this.pages = pages;
    long bytes = (long) pages * PAGE_SIZE;
    vm = Vm.builder().memory(bytes / 4).pageSize(PAGE_SIZE).swap(12 * bytes).boot();
  }

  private static long page(int i) {
    return AT + (long) i * PAGE_SIZE;
  }

  /** Somewhere in the page, so that pages differ in more than their first word. */
  private static long second(int i) {
    return page(i) + 8L * (1 + i % (PAGE_SIZE / 8 - 1));
  }

  private static void write(Cpu cpu, int i, int owner, long version) {
    long word = owner * 1_000_000_000_000L + version * 10_000_000L + i;
    cpu.set(JAVA_LONG, page(i), word);
    cpu.set(JAVA_LONG, second(i), ~word);
  }

  private void check(Cpu cpu, int i, int owner, long version) {
    long word = owner * 1_000_000_000_000L + version * 10_000_000L + i;
    if (cpu.get(JAVA_LONG, page(i)) != word || cpu.get(JAVA_LONG, second(i)) != ~word) {
      throw new AssertionError(
          "page %d of owner %d: %d and %d instead of version %d"
              .formatted(
                  i, owner, cpu.get(JAVA_LONG, page(i)), cpu.get(JAVA_LONG, second(i)), version));
    }
    checked.incrementAndGet();
  }

  /** Lets each instance look at so many pages, and write every fourth of them. */
  Statistics run(int rounds, Choices choices) {
    Vmspace parent = vm.newVmspace();
    parent.map(AT, (long) pages * PAGE_SIZE, Protection.READ_WRITE);
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(parent);
      for (int i = 0; i < pages; i++) {
        write(cpu, i, 0, 1);
      }
      Crew crew = new Crew();
      for (int n = 1; n <= INSTANCES; n++) {
        int owner = n;
        Vmspace instance = parent.fork();
        Choices own = choices.split();
        crew.add("instance " + n, () -> live(instance, owner, rounds, own));
      }
      Choices own = choices.split();
      crew.add("parent", () -> live(parent.fork(), INSTANCES + 1, rounds, own));
      crew.run();
      for (int i = 0; i < pages; i++) {
        check(cpu, i, 0, 1);
      }
    }
    Ground.same(List.of(), vm.audit());
    parent.close();
    // Waits for what is still being written, too.
    Ground.same(List.of(), vm.audit());
    Statistics statistics = vm.statistics();
    Ground.same(0L, statistics.usedFrames());
    Ground.same(0L, PagingProbe.slotsInUse(vm));
    return statistics;
  }

  private void live(Vmspace instance, int owner, int rounds, Choices choices) {
    long[] versions = new long[pages];
    try (Cpu cpu = vm.newCpu();
        instance) {
      cpu.attach(instance);
      for (int round = 0; round < rounds; round++) {
        int i = choices.below(pages);
        check(cpu, i, versions[i] == 0 ? 0 : owner, Math.max(1, versions[i]));
        if (choices.oneIn(4)) {
          versions[i]++;
          write(cpu, i, owner, versions[i]);
        }
      }
      for (int i = 0; i < pages; i++) {
        check(cpu, i, versions[i] == 0 ? 0 : owner, Math.max(1, versions[i]));
      }
    }
  }

  /** Returns what was seen, in words, and closes the system. */
  String close() {
    String seen =
        "%d pages checked, %d evictions, %d pages written"
            .formatted(
                checked.get(),
                PagingProbe.count(vm, Counter.EVICTIONS),
                PagingProbe.count(vm, Counter.SWAP_OUTS));
    vm.close();
    return seen;
  }

  long evictions() {
    return PagingProbe.count(vm, Counter.EVICTIONS);
  }

  public static void main(String[] args) {
    Choices choices = Choices.fresh();
    System.out.println(choices);
    Instances instances = new Instances(Integer.parseInt(args[0]) << 8);
    long start = System.nanoTime();
    System.out.println(instances.run(Integer.parseInt(args[1]), choices));
    System.out.printf("%s in %d s%n", instances.close(), (System.nanoTime() - start) / 1000000000);
  }
}
