package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.juvm.Cpu;
import org.juvm.MemoryFault;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Protection;

/**
 * Looks for stores and loads that use a translation after it was revoked.
 *
 * <p>Threads, the <em>users</em>, store to (or load from) the pages of one space without a pause.
 * The <em>recycler</em> takes the pages away from them, by one {@link Way} or another. As soon as
 * that call has returned the frames are somebody else's, who fills them with values that say where
 * they belong. Then the recycler waits until each user has finished the access that it may have
 * been in, and looks again. A foreign value is a late store; a user that sees a foreign value has
 * done a stale load.
 *
 * <p>Memory is so small that frames come straight back: the free list is a stack.
 *
 * <p>As a program: {@code RecycledFrames SECONDS [WAY [USE]]} prints what it sees, in all
 * combinations that begin so.
 */
final class RecycledFrames {

  /** How the pages are taken away. */
  enum Way {
    /** They are unmapped, and their frames go to a space that is called the victim. */
    UNMAP,
    /** The whole space ends, and its frames go to the victim. */
    EXIT,
    /** The right to store is taken away. */
    PROTECT,
    /** They become those of a child; the users get copies. */
    FORK
  }

  /** What the users do. */
  enum Use {
    /** Single stores. */
    STORE,
    /** Stores across pages and to ranges of pages. */
    BULK_STORE,
    /** Single loads. */
    LOAD,
    /** Loads of ranges of pages. */
    BULK_LOAD
  }

  private static final int PAGE_SIZE = 1024;
  private static final int PAGES = 8;
  private static final int LENGTH = PAGES * PAGE_SIZE;

  /** Few enough that the allocator keeps no caches. */
  private static final int FRAMES = 31;

  /** Words of users have this in their topmost byte, words of the victim have something else. */
  private static final long USER = 0x55L << 56;

  private static final int MAXIMUM_SPINS = 3000;

  /** Where a user gets no processor, the recycler does not go on for ever. */
  private static final long MAXIMUM_IDLE_ROUNDS = 3000;

  private static final long VICTIM = 0x66L << 56;
  private static final long OWNER = 0xffL << 56;

  private final Way way;
  private final Use use;
  private final int users;
  private final Vm vm;
  private final Vmspace victim;
  private volatile Vmspace space;
  private final long base;

  /** How often the users have got pages. Written by the recycler. */
  private volatile long epoch;

  private final List<AtomicLong> progress = new ArrayList<>();
  private final AtomicBoolean stop = new AtomicBoolean();
  private final byte[] bytes = new byte[LENGTH];
  private final MemorySegment words = MemorySegment.ofArray(bytes);

  /** Words that changed when nobody had the right to. Recycler only. */
  private long lateStores;

  /** Loads that gave what another space has. */
  private final AtomicLong staleLoads = new AtomicLong();

  /** Rounds in which a user was running. */
  private long rounds;

  RecycledFrames(Way way, Use use, int users) {
    this.way = way;
    this.use = use;
    this.users = users;
    vm = Vm.builder().memory((long) FRAMES * PAGE_SIZE).pageSize(PAGE_SIZE).boot();
    victim = vm.newVmspace();
    space = vm.newVmspace();
    base = space.map(LENGTH, Protection.READ_WRITE);
  }

  long lateStores() {
    return lateStores;
  }

  long staleLoads() {
    return staleLoads.get();
  }

  long rounds() {
    return rounds;
  }

  /** Runs it to the end, audits and closes the system. */
  void run(Budget budget, Choices choices) {
    Crew crew = new Crew();
    for (int i = 0; i < users; i++) {
      AtomicLong mine = new AtomicLong();
      progress.add(mine);
      Choices own = choices.split();
      crew.add("user " + i, () -> use(own, mine));
    }
    crew.add(
        "recycler",
        () -> {
          try {
            recycle(budget, crew);
          } finally {
            stop.set(true);
          }
        });
    crew.run();
    List<String> findings = vm.audit();
    if (!findings.isEmpty() && lateStores + staleLoads.get() == 0) {
      throw new AssertionError("the audit found:\n" + String.join("\n", findings));
    }
    vm.close();
  }

  // ---- users ----

  private void use(Choices choices, AtomicLong mine) {
    byte[] block = new byte[LENGTH];
    MemorySegment own = MemorySegment.ofArray(block);
    for (int i = 0; i < LENGTH; i += Long.BYTES) {
      own.set(JAVA_LONG_UNALIGNED, i, USER);
    }
    try (Cpu cpu = vm.newCpu()) {
      while (!stop.get()) {
        long given = epoch;
        Vmspace current = space;
        if (cpu.vmspace() != current) {
          cpu.attach(current);
        }
        try {
          for (int i = 0; i < 64; i++) {
            access(cpu, choices, own);
            mine.setOpaque(mine.getPlain() + 1);
          }
        } catch (MemoryFault e) {
          if (e.reason() == MemoryFault.Reason.OUT_OF_MEMORY && way != Way.FORK) {
            throw e;
          }
          // The recycler has the pages now; it would be disturbed by further faults.
          while (epoch == given && !stop.get()) {
            mine.setOpaque(mine.getPlain() + 1);
            Thread.onSpinWait();
          }
        }
      }
    }
  }

  private void access(Cpu cpu, Choices choices, MemorySegment own) {
    long at = base + choices.below(LENGTH / Long.BYTES) * (long) Long.BYTES;
    switch (use) {
      case STORE -> cpu.set(JAVA_LONG, at, USER | at);
      case BULK_STORE -> {
        switch (choices.below(3)) {
          case 0 -> cpu.bulk().write(base, own, 0, LENGTH);
          case 1 -> cpu.bulk().fill(base, LENGTH, (byte) (USER >>> 56));
          default -> {
            // The last four bytes of one page and the first four of the next.
            long border = base + (long) (1 + choices.below(PAGES - 1)) * PAGE_SIZE;
            cpu.set(JAVA_LONG_UNALIGNED, border - 4, 0x5555555555555555L);
          }
        }
      }
      case LOAD -> check(cpu.get(JAVA_LONG, at));
      case BULK_LOAD -> {
        MemorySegment copy = MemorySegment.ofArray(new byte[LENGTH]);
        cpu.bulk().read(base, copy, 0, LENGTH);
        for (int i = 0; i < LENGTH; i += Long.BYTES) {
          check(copy.get(JAVA_LONG_UNALIGNED, i));
        }
      }
    }
  }

  private void check(long word) {
    if (word != 0 && (word & OWNER) != USER) {
      staleLoads.incrementAndGet();
    }
  }

  // ---- the recycler ----

  private void recycle(Budget budget, Crew crew) {
    try (Cpu cpu = vm.newCpu()) {
      long most = MAXIMUM_IDLE_ROUNDS;
      for (long all = 0; budget.hasRound(rounds) && all < most && !crew.hasFailed(); all++) {
        boolean running = awaitUsers();
        switch (way) {
          case UNMAP -> {
            space.unmap(base, LENGTH);
            haunt(cpu);
            space.map(base, LENGTH, Protection.READ_WRITE);
            refill(cpu);
          }
          case EXIT -> {
            Vmspace old = space;
            old.close();
            haunt(cpu);
            Vmspace next = vm.newVmspace();
            next.map(base, LENGTH, Protection.READ_WRITE);
            space = next;
            refill(cpu);
          }
          case PROTECT -> {
            space.protect(base, LENGTH, Protection.READ);
            watch(cpu, space);
            space.protect(base, LENGTH, Protection.READ_WRITE);
          }
          case FORK -> {
            try (Vmspace child = space.fork()) {
              watch(cpu, child);
            }
          }
        }
        epoch = all + 1;
        if (running) {
          rounds++;
          most++;
        }
      }
    }
  }

  /** Loading users need something to load. */
  private void refill(Cpu cpu) {
    if (use == Use.LOAD || use == Use.BULK_LOAD) {
      cpu.attach(space);
      for (int i = 0; i < LENGTH; i += Long.BYTES) {
        cpu.set(JAVA_LONG, base + i, USER | i);
      }
    }
  }

  /** Has the frames in another space for a while. */
  private void haunt(Cpu cpu) {
    long at = victim.map(LENGTH, Protection.READ_WRITE);
    cpu.attach(victim);
    for (int i = 0; i < LENGTH; i += Long.BYTES) {
      cpu.set(JAVA_LONG, at + i, VICTIM | rounds << 16 | i);
    }
    countForeign(cpu, at);
    awaitUsers();
    countForeign(cpu, at);
    victim.unmap(at, LENGTH);
  }

  private void countForeign(Cpu cpu, long at) {
    cpu.bulk().read(at, bytes, 0, LENGTH);
    for (int i = 0; i < LENGTH; i += Long.BYTES) {
      long expected = VICTIM | rounds << 16 | i;
      if (words.get(JAVA_LONG_UNALIGNED, i) != expected) {
        lateStores++;
        cpu.set(JAVA_LONG, at + i, expected);
      }
    }
  }

  /** Looks twice at memory that nobody may change. */
  private void watch(Cpu cpu, Vmspace constant) {
    cpu.attach(constant);
    cpu.bulk().read(base, bytes, 0, LENGTH);
    awaitUsers();
    while (true) {
      long differs = cpu.bulk().mismatch(base, words, 0, LENGTH);
      if (differs < 0) {
        return;
      }
      lateStores++;
      cpu.bulk().read(base, bytes, 0, LENGTH);
    }
  }

  /**
   * Gives each user the time to come to the end of an access. One that does not run now is not
   * waited for long: it may be inside an access, and will be late if anybody ever is.
   *
   * @return whether any of them did
   */
  private boolean awaitUsers() {
    boolean any = false;
    for (AtomicLong user : progress) {
      long before = user.getAcquire();
      int spins = 0;
      while (user.getAcquire() < before + 1 && spins < MAXIMUM_SPINS) {
        Thread.onSpinWait();
        spins++;
      }
      any |= spins < MAXIMUM_SPINS;
    }
    return any;
  }

  public static void main(String[] args) {
    long seconds = Long.parseLong(args[0]);
    for (Way way : Way.values()) {
      for (Use use : Use.values()) {
        if (!(way + " " + use)
            .startsWith(String.join(" ", List.of(args).subList(1, args.length)))) {
          continue;
        }
        for (int users = 1; users <= 3; users += 2) {
          RecycledFrames frames = new RecycledFrames(way, use, users);
          String outcome;
          try {
            frames.run(Budget.seconds(seconds), Choices.fresh());
            outcome = "";
          } catch (AssertionError e) {
            outcome = ", ended by " + e.getMessage();
          }
          System.out.printf(
              "%-7s %-10s %d users: %,9d rounds, %,9d late stores, %,9d stale loads%s%n",
              way, use, users, frames.rounds(), frames.lateStores(), frames.staleLoads(), outcome);
        }
      }
    }
  }
}
