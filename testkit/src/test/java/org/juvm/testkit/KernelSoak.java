package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.juvm.Cpu;
import org.juvm.KernelMap;
import org.juvm.KernelMemory;
import org.juvm.MapException;
import org.juvm.MapRequest;
import org.juvm.MemoryFault;
import org.juvm.PagingProbe;
import org.juvm.SwapDevice;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.KernelFlag;
import org.juvm.base.Protection;

/**
 * The kernel and programs in one little memory: threads that share a submap, one that looks at all
 * of it, one that forks, one with kernel memory, and one that adds and removes swap.
 *
 * <p>The first word of each page of the submap says who wrote it and in which version; versions
 * only grow. When an owner has freed a page it says which version is gone: whoever looks after that
 * must not see it, or an older one, by whatever translation.
 *
 * <p>As a program: {@code KernelSoak SECONDS}.
 */
final class KernelSoak {
  private static final int PAGE_SIZE = 1024;
  private static final int FRAMES = 256;
  private static final int SHARED_PAGES = 192;
  private static final int USER_PAGES = 200;
  private static final int OWNERS = 3;
  private static final int MAXIMUM_PAGES = 12;

  private final boolean swap;
  private final boolean faults;

  /** Whether the system is closed while all go on. */
  private final boolean closing;

  private final Vm vm = Vm.builder().memory((long) FRAMES * PAGE_SIZE).pageSize(PAGE_SIZE).boot();
  private final KernelMap shared;
  private final AtomicLong versions = new AtomicLong();

  /** How many threads have what they need to go on. */
  private final AtomicLong begun = new AtomicLong();

  /** The last version of each page of the submap that is gone. */
  private final AtomicLongArray gone = new AtomicLongArray(SHARED_PAGES);

  private final AtomicBoolean over = new AtomicBoolean();
  private final AtomicLong lost = new AtomicLong();
  private final AtomicLong seen = new AtomicLong();

  /** Guarded by this. */
  private int active = OWNERS + 3;

  /** Whether the system is being closed, or is. */
  private volatile boolean ended;

  KernelSoak(boolean swap, boolean faults, boolean closing) {
    this.swap = swap;
    this.faults = faults;
    this.closing = closing;
    shared =
        vm.kernel()
            .submap(3L * SHARED_PAGES * PAGE_SIZE, true)
            .submap((long) SHARED_PAGES * PAGE_SIZE, true);
  }

  /** How many pages were lost to failures of devices. */
  long lost() {
    return lost.get();
  }

  /** How often a page of somebody else was there to be looked at. */
  long seen() {
    return seen.get();
  }

  /** A round of a thread. */
  @FunctionalInterface
  private interface Round {
    void run() throws InterruptedException;
  }

  void run(Budget budget, Choices choices) {
    if (swap) {
      FaultyStore store = new FaultyStore(TestStores.temporary());
      if (faults) {
        store.failAtRandom(choices.split(), 40);
      }
      PagingProbe.addSwap(vm, store, 16L * FRAMES * PAGE_SIZE, 0, true);
    }
    long buffers = vm.statistics().usedFrames();
    Crew crew = new Crew();
    for (int i = 0; i < OWNERS; i++) {
      Owner owner = new Owner(i, choices.split());
      crew.add("owner " + i, () -> repeat(budget, crew, owner::step, owner::end));
    }
    Choices forking = choices.split();
    crew.add("forks", () -> forks(budget, crew, forking));
    Choices allocating = choices.split();
    crew.add("memory", () -> memory(budget, crew, allocating));
    Choices looking = choices.split();
    crew.add("observer", () -> observe(crew, looking));
    if (swap) {
      Choices devices = choices.split();
      crew.add("devices", () -> devices(crew, devices));
    }
    if (closing) {
      crew.add(
          "end",
          () -> {
            while (!crew.hasFailed()
                && !over.get()
                && (begun.get() < OWNERS + 3 || versions.get() < 2000)) {
              Thread.onSpinWait();
            }
            ended = true;
            vm.close();
          });
    }
    crew.run();
    if (closing) {
      vm.close();
      return;
    }
    List<String> findings = vm.audit();
    Ground.require(findings.isEmpty(), "audit: %s", findings);
    shared.close();
    Ground.require(vm.statistics().usedFrames() == buffers, "frames: %s", vm.statistics());
    findings = vm.audit();
    Ground.require(findings.isEmpty(), "audit: %s", findings);
    vm.close();
  }

  private void repeat(Budget budget, Crew crew, Round round, Runnable end)
      throws InterruptedException {
    begun.incrementAndGet();
    try {
      for (long done = 0; budget.hasRound(done) && !crew.hasFailed(); done++) {
        try {
          round.run();
        } catch (MemoryFault e) {
          tolerate(e);
        } catch (MapException e) {
          Ground.require(
              e.reason() == MapException.Reason.NO_MEMORY
                  || e.reason() == MapException.Reason.NO_SPACE,
              "%s",
              e);
        }
      }
      end.run();
    } catch (IllegalStateException e) {
      if (!closing) {
        throw e;
      }
    } catch (MapException | MemoryFault e) {
      if (!ended) {
        throw e;
      }
    } catch (AssertionError e) {
      // Others may be waiting for what this thread will not free.
      shared.close();
      throw e;
    } finally {
      done();
    }
  }

  private synchronized void done() {
    active--;
    over.set(active == 0);
  }

  /** Memory may be short, and devices may fail; nothing else is a reason. */
  private void tolerate(MemoryFault e) {
    if (e.reason() == MemoryFault.Reason.IO_ERROR && faults) {
      lost.incrementAndGet();
    } else if (e.reason() != MemoryFault.Reason.OUT_OF_MEMORY && !ended) {
      throw e;
    }
  }

  private int index(long address) {
    return (int) ((address - shared.start()) / PAGE_SIZE);
  }

  /** What a thread has of the submap. */
  private record Area(long at, int pages, long version, boolean wired) {}

  /** A thread that allocates in the submap. */
  private final class Owner {
    final int number;
    final Choices choices;
    final Cpu cpu = vm.newCpu();
    final List<Area> areas = new ArrayList<>();

    Owner(int number, Choices choices) {
      this.number = number;
      this.choices = choices;
    }

    long word(long version, int page) {
      return version << 16 | (long) page << 4 | number;
    }

    void step() {
      cpu.attach(shared);
      if (areas.size() < 3 && choices.oneIn(3)) {
        allocate();
      } else if (!areas.isEmpty()) {
        int i = choices.below(areas.size());
        Area area = areas.get(i);
        if (choices.oneIn(4)) {
          areas.remove(i);
          free(area);
        } else if (!check(area)) {
          areas.remove(i);
          lost.incrementAndGet();
          free(area);
        }
      }
    }

    private void allocate() {
      int pages = choices.between(1, MAXIMUM_PAGES);
      long bytes = (long) pages * PAGE_SIZE;
      boolean wired = choices.oneIn(4);
      long at =
          wired
              ? shared.allocate(bytes, KernelFlag.ZERO, KernelFlag.WAIT_FOR_SPACE)
              : shared.allocateOnDemand(bytes, KernelFlag.WAIT_FOR_SPACE);
      long version = versions.incrementAndGet();
      Area area = new Area(at, pages, version, wired);
      try {
        for (int i = 0; i < pages; i++) {
          long page = at + (long) i * PAGE_SIZE;
          long found = cpu.get(JAVA_LONG, page);
          Ground.require(found == 0, "new page holds %x", found);
          cpu.set(JAVA_LONG, page, word(version, index(page)));
        }
        areas.add(area);
      } catch (MemoryFault e) {
        Ground.require(!wired || ended, "wired memory faults: %s", e);
        free(area);
        throw e;
      }
    }

    /** Returns false if a device has lost a page. */
    private boolean check(Area area) {
      for (int i = 0; i < area.pages; i++) {
        long page = area.at + (long) i * PAGE_SIZE;
        try {
          long found = cpu.get(JAVA_LONG, page);
          long expected = word(area.version, index(page));
          Ground.require(found == expected, "page holds %x instead of %x", found, expected);
        } catch (MemoryFault e) {
          Ground.require(!area.wired || ended, "wired memory faults: %s", e);
          if (e.reason() == MemoryFault.Reason.IO_ERROR && faults) {
            return false;
          }
          throw e;
        }
      }
      return true;
    }

    /** In one piece or in two. */
    private void free(Area area) {
      int first = choices.oneIn(3) ? choices.below(area.pages) : 0;
      if (first > 0) {
        shared.free(area.at, (long) first * PAGE_SIZE);
        gone(area, 0, first);
      }
      shared.free(area.at + (long) first * PAGE_SIZE, (long) (area.pages - first) * PAGE_SIZE);
      gone(area, first, area.pages);
    }

    private void gone(Area area, int from, int to) {
      for (int i = from; i < to; i++) {
        gone.accumulateAndGet(index(area.at) + i, area.version, Math::max);
      }
    }

    void end() {
      areas.forEach(this::free);
      cpu.close();
    }
  }

  private void observe(Crew crew, Choices choices) throws InterruptedException {
    try (Cpu cpu = vm.newCpu()) {
      repeat(
          done -> !over(1) && !ended,
          crew,
          () -> {
            cpu.attach(vm.kernel());
            for (int i = 0; i < 100; i++) {
              look(cpu, choices.below(SHARED_PAGES));
            }
          },
          () -> {});
    }
  }

  private synchronized boolean over(int others) {
    return active <= others;
  }

  private void look(Cpu cpu, int page) {
    long before = gone.get(page);
    try {
      long found = cpu.get(JAVA_LONG, shared.start() + (long) page * PAGE_SIZE);
      Ground.require(
          found == 0 || (found >>> 16 > before && (found >>> 4 & 0xfff) == page),
          "page %d holds %x, and version %x is gone",
          page,
          found,
          before);
      seen.addAndGet(found == 0 ? 0 : 1);
    } catch (MemoryFault e) {
      // It is free, or somebody else's wired memory in the making.
      if (e.reason() != MemoryFault.Reason.NOT_MAPPED
          && e.reason() != MemoryFault.Reason.PROTECTION) {
        tolerate(e);
      }
    }
  }

  private void forks(Budget budget, Crew crew, Choices choices) throws InterruptedException {
    Vmspace space = vm.newVmspace();
    long at = space.map((long) USER_PAGES * PAGE_SIZE, Protection.READ_WRITE);
    long[] known = new long[USER_PAGES];
    try (Cpu cpu = vm.newCpu();
        Cpu second = vm.newCpu()) {
      repeat(
          budget,
          crew,
          () -> {
            cpu.attach(space);
            int page = choices.below(USER_PAGES);
            long address = at + (long) page * PAGE_SIZE;
            if (known[page] == -1) {
              space.unmap(address, PAGE_SIZE);
              long _ = space.map(MapRequest.anonymous(PAGE_SIZE).at(address));
              known[page] = 0;
            }
            try {
              Ground.require(cpu.get(JAVA_LONG, address) == known[page], "page %d", page);
              cpu.set(JAVA_LONG, address, known[page] + 1);
              known[page]++;
              if (choices.oneIn(8)) {
                try (Vmspace child = space.fork()) {
                  cpu.set(JAVA_LONG, address, known[page] + 1);
                  known[page]++;
                  second.attach(child);
                  Ground.require(
                      second.get(JAVA_LONG, address) == known[page] - 1, "child %d", page);
                  second.detach();
                }
              }
            } catch (MemoryFault e) {
              known[page] = e.reason() == MemoryFault.Reason.IO_ERROR ? -1 : known[page];
              throw e;
            }
          },
          space::close);
    }
  }

  private void memory(Budget budget, Crew crew, Choices choices) throws InterruptedException {
    KernelMemory memory = vm.kernel().memory(64L * PAGE_SIZE);
    List<MemorySegment> all = new ArrayList<>();
    repeat(
        budget,
        crew,
        () -> {
          if (all.size() < 8 && choices.oneIn(2)) {
            long bytes = choices.between(8, 9000);
            MemorySegment segment =
                choices.oneIn(2)
                    ? memory.allocate(bytes, 8)
                    : memory.allocate(bytes, 8, Duration.ofNanos(choices.below(100_000)));
            all.add(segment.fill((byte) bytes));
          } else if (!all.isEmpty()) {
            MemorySegment segment = all.remove(choices.below(all.size()));
            byte expected = (byte) segment.byteSize();
            for (byte found : segment.toArray(JAVA_BYTE)) {
              Ground.require(found == expected || ended, "%s holds %d", segment, found);
            }
            memory.free(segment);
          }
        },
        memory::close);
  }

  /** Swap comes and goes, as long as others go on. */
  private void devices(Crew crew, Choices choices) {
    while (!over.get() && !crew.hasFailed() && !ended) {
      try {
        SwapDevice device =
            vm.swap().addTemporary((long) FRAMES * PAGE_SIZE, choices.below(3), choices.oneIn(2));
        long until = versions.get() + choices.below(50);
        while (versions.get() < until && !over.get() && !crew.hasFailed() && !ended) {
          Thread.onSpinWait();
        }
        vm.swap().remove(device);
      } catch (IllegalStateException | MapException _) {
        // It stays, or the system is closed.
      } catch (IllegalArgumentException e) {
        Ground.require(ended, "%s", e);
      }
    }
  }

  public static void main(String[] args) {
    long seconds = Long.parseLong(args[0]);
    for (int i = 0; i < 4; i++) {
      Choices choices = Choices.fresh();
      KernelSoak soak = new KernelSoak(i > 0, i > 1, i > 2);
      System.out.println("swap " + (i > 0) + ", faults " + (i > 1) + ", " + choices);
      soak.run(Budget.seconds(seconds), choices);
      System.out.println("pages seen " + soak.seen() + ", lost " + soak.lost());
    }
  }
}
