package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Phaser;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;
import org.juvm.Cpu;
import org.juvm.KernelMemory;
import org.juvm.MapException;
import org.juvm.MemoryFault;
import org.juvm.PagingProbe;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Protection;

/**
 * Four threads that allocate and free in one {@link KernelMemory}, and a list of what is allocated,
 * which says whether any two pieces overlap. What a piece holds says whose it is.
 *
 * <p>Each thread asks for sizes that no other one asks for: so the second free of a piece, or one
 * with another size, is refused whoever may have got its place. In little memory another thread
 * takes memory for a program and gives it back.
 *
 * <p>As a program: {@code KernelMemoryOracle SECONDS}.
 */
final class KernelMemoryOracle {
  private static final int THREADS = 4;
  private static final int PAGE_SIZE = 4096;
  private static final int PHASES = 8;
  private static final int MAXIMUM_PIECES = 40;

  /** What is short. */
  enum Setting {
    NOTHING(16384, 8192, false),
    LIMIT(16384, 80, false),
    MEMORY(420, 8192, false),
    MEMORY_WITH_SWAP(420, 8192, true);

    final int frames;
    final int limit;
    final boolean swap;

    Setting(int frames, int limit, boolean swap) {
      this.frames = frames;
      this.limit = limit;
      this.swap = swap;
    }
  }

  /** Memory that somebody has. */
  private record Piece(MemorySegment segment, long identity) {
    long end() {
      return segment.address() + Math.max(1, segment.byteSize());
    }
  }

  private final Setting setting;
  private final Vm vm;
  private final KernelMemory memory;
  private final MemorySegment outside = Arena.ofAuto().allocate(4096);

  /** The address after each piece, by its address. */
  private final ConcurrentSkipListMap<Long, Long> live = new ConcurrentSkipListMap<>();

  private final LongAdder liveBytes = new LongAdder();
  private final Queue<Piece> handedOver = new ConcurrentLinkedQueue<>();
  private final AtomicLong identities = new AtomicLong();
  private final AtomicReferenceArray<Thread> members = new AtomicReferenceArray<>(THREADS);

  KernelMemoryOracle(Setting setting) {
    this.setting = setting;
    vm = Vm.builder().memory((long) setting.frames * PAGE_SIZE).pageSize(PAGE_SIZE).boot();
    memory = vm.kernel().memory((long) setting.limit * PAGE_SIZE);
  }

  /** Returns how often memory was allocated, and how often there was none. */
  KernelMemory.Usage run(Budget budget, Choices choices) {
    if (setting.swap) {
      FaultyStore store = new FaultyStore(TestStores.temporary());
      store.failAtRandom(choices.split(), 12);
      PagingProbe.addSwap(vm, store, 4L * setting.frames * PAGE_SIZE, 0, false);
    }
    Crew crew = new Crew();
    Phaser phaser =
        new Phaser() {
          @Override
          protected boolean onAdvance(int phase, int parties) {
            checkAtRest();
            return false;
          }
        };
    for (int i = 0; i < THREADS; i++) {
      Member member = new Member(i, choices.split());
      phaser.register();
      crew.add("member " + i, () -> member.live(budget, crew, phaser));
    }
    if (setting.frames < setting.limit) {
      Choices own = choices.split();
      phaser.register();
      crew.add("program", () -> program(own, crew, phaser));
    }
    crew.run();
    handedOver.forEach(this::free);
    KernelMemory.Usage usage = memory.usage();
    Ground.require(live.isEmpty() && usage.used() == 0, "left: %s, %s", live, usage);
    Ground.require(usage.allocations() == usage.frees(), "%s", usage);
    memory.trim();
    Ground.require(memory.usage().mapped() == 0, "mapped: %s", memory.usage());
    checkAtRest();
    Ground.require(vm.statistics().usedFrames() == 0, "frames: %s", vm.statistics());
    vm.close();
    return usage;
  }

  private void checkAtRest() {
    KernelMemory.Usage usage = memory.usage();
    Ground.require(usage.used() == liveBytes.sum(), "used: %s instead of %s", usage, liveBytes);
    Ground.require(usage.allocations() - usage.frees() == live.size(), "pieces: %s", usage);
    List<String> findings = vm.audit();
    Ground.require(findings.isEmpty(), "audit: %s", findings);
  }

  private void program(Choices choices, Crew crew, Phaser phaser) {
    Vmspace space = vm.newVmspace();
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(space);
      for (long done = 0; done < PHASES && !crew.hasFailed(); done++) {
        int pages = choices.between(1, setting.frames);
        long at = space.map((long) pages * PAGE_SIZE, Protection.READ_WRITE);
        try {
          for (int i = 0; i < pages; i++) {
            cpu.set(JAVA_BYTE, at + (long) i * PAGE_SIZE, (byte) i);
          }
        } catch (MemoryFault e) {
          Ground.require(e.reason() != MemoryFault.Reason.NOT_MAPPED, "%s", e);
        }
        Thread member = members.get(choices.below(THREADS));
        if (member != null) {
          member.interrupt();
        }
        if (choices.oneIn(2)) {
          int _ = phaser.arriveAndAwaitAdvance();
          space.unmap(at, (long) pages * PAGE_SIZE);
        } else {
          space.unmap(at, (long) pages * PAGE_SIZE);
          int _ = phaser.arriveAndAwaitAdvance();
        }
      }
    } finally {
      space.close();
      int _ = phaser.arriveAndDeregister();
    }
  }

  // ---- pieces ----

  private Piece claim(MemorySegment segment, long bytes, long alignment) {
    Piece piece = new Piece(segment, identities.incrementAndGet() << 20);
    long start = segment.address();
    Ground.require(segment.byteSize() == bytes, "size: %s", segment);
    Ground.require(start % alignment == 0, "alignment %d: %s", alignment, segment);
    Ground.require(live.putIfAbsent(start, piece.end()) == null, "given out twice: %s", segment);
    Map.Entry<Long, Long> before = live.lowerEntry(start);
    Map.Entry<Long, Long> after = live.higherEntry(start);
    Ground.require(before == null || before.getValue() <= start, "%s overlaps %s", segment, before);
    Ground.require(
        after == null || after.getKey() >= piece.end(), "%s overlaps %s", segment, after);
    liveBytes.add(bytes);
    long at = 0;
    for (; at + Long.BYTES <= bytes; at += Long.BYTES) {
      segment.set(JAVA_LONG_UNALIGNED, at, piece.identity | at);
    }
    for (; at < bytes; at++) {
      segment.set(JAVA_BYTE, at, (byte) (piece.identity >> 20));
    }
    return piece;
  }

  private void check(Piece piece) {
    MemorySegment segment = piece.segment;
    long at = 0;
    for (; at + Long.BYTES <= segment.byteSize(); at += Long.BYTES) {
      long found = segment.get(JAVA_LONG_UNALIGNED, at);
      Ground.require(found == (piece.identity | at), "%s holds %x at %d", piece, found, at);
    }
    for (; at < segment.byteSize(); at++) {
      byte found = segment.get(JAVA_BYTE, at);
      Ground.require(found == (byte) (piece.identity >> 20), "%s holds %x at %d", piece, found, at);
    }
  }

  /** Takes a piece off the list, before it can be given out again. */
  private void disclaim(Piece piece) {
    check(piece);
    Ground.require(live.remove(piece.segment.address(), piece.end()), "not listed: %s", piece);
    liveBytes.add(-piece.segment.byteSize());
  }

  private void free(Piece piece) {
    disclaim(piece);
    memory.free(piece.segment);
  }

  private static void assertRefused(KernelMemory by, MemorySegment segment) {
    try {
      by.free(segment);
    } catch (IllegalArgumentException | IllegalStateException _) {
      return;
    }
    throw new AssertionError("free was not refused: " + segment);
  }

  /** A thread. */
  private final class Member {
    final int number;
    final Choices choices;
    final List<Piece> own = new ArrayList<>();

    Member(int number, Choices choices) {
      this.number = number;
      this.choices = choices;
    }

    void live(Budget budget, Crew crew, Phaser phaser) {
      members.set(number, Thread.currentThread());
      try {
        for (int phase = 0; phase < PHASES; phase++) {
          long begun = phase;
          for (long done = 0; hasRound(budget, begun, done) && !crew.hasFailed(); done++) {
            step();
          }
          int _ = phaser.arriveAndAwaitAdvance();
        }
        own.forEach(KernelMemoryOracle.this::free);
      } finally {
        int _ = phaser.arriveAndDeregister();
      }
    }

    /** Each phase has its share of the rounds; of a time, the first one has all. */
    private boolean hasRound(Budget budget, long phase, long done) {
      return budget.hasRound(done * PHASES + phase);
    }

    private void step() {
      switch (choices.below(16)) {
        case 0, 1, 2, 3 -> allocate(false);
        case 4 -> allocate(true);
        case 5 -> bound();
        case 6 -> interrupted();
        case 7, 8, 9 -> freeSome();
        case 10 -> {
          if (!own.isEmpty()) {
            handedOver.add(own.remove(choices.below(own.size())));
          }
        }
        case 11 -> {
          Piece piece = handedOver.poll();
          if (piece != null) {
            free(piece);
          }
        }
        case 12 -> wrongFrees();
        case 13 -> {
          if (choices.oneIn(8)) {
            memory.trim();
          }
        }
        case 14 -> {
          KernelMemory.Usage usage = memory.usage();
          Ground.require(usage.mapped() <= memory.limit(), "beyond the limit: %s", usage);
          usage.sizes().forEach(size -> Ground.require(size.bytes() > 0, "%s", size));
        }
        default -> another();
      }
    }

    /** A size that no other thread asks for. */
    private long size() {
      long most =
          switch (choices.below(5)) {
            case 0, 1 -> 256;
            case 2 -> 4096;
            case 3 -> 32 << 10;
            default -> 100 << 10;
          };
      return choices.below(most) / THREADS * THREADS + number;
    }

    private void allocate(boolean waiting) {
      while (own.size() >= MAXIMUM_PIECES) {
        free(own.remove(choices.below(own.size())));
      }
      long bytes = size();
      long alignment = 1L << choices.below(13);
      try {
        MemorySegment segment =
            waiting
                ? memory.allocate(bytes, alignment, Duration.ofNanos(choices.below(2_000_000)))
                : memory.allocate(bytes, alignment);
        own.add(claim(segment, bytes, alignment));
      } catch (MapException e) {
        lacking(e);
      } catch (InterruptedException _) {
        freeSome();
      }
    }

    private void lacking(MapException e) {
      Ground.require(
          e.reason() == MapException.Reason.NO_SPACE || e.reason() == MapException.Reason.NO_MEMORY,
          "%s",
          e);
      freeSome();
    }

    private void interrupted() {
      Thread.currentThread().interrupt();
      allocate(true);
      boolean _ = Thread.interrupted();
    }

    private void bound() {
      long bytes = size();
      try (Arena arena = choices.oneIn(2) ? Arena.ofConfined() : Arena.ofShared()) {
        MemorySegment segment = memory.allocate(bytes, 8, arena);
        for (long at = 0; at < bytes; at++) {
          Ground.require(segment.get(JAVA_BYTE, at) == 0, "no zeros: %s", segment);
        }
        disclaim(claim(segment, bytes, 8));
      } catch (MapException e) {
        lacking(e);
      }
    }

    private void freeSome() {
      for (int i = choices.below(4); i > 0 && !own.isEmpty(); i--) {
        free(own.remove(choices.below(own.size())));
      }
    }

    @SuppressWarnings("restricted") // nobody uses such a segment
    private void wrongFrees() {
      assertRefused(memory, outside);
      assertRefused(memory, outside.asSlice(choices.below(4096)));
      assertRefused(memory, MemorySegment.NULL);
      if (own.isEmpty()) {
        return;
      }
      Piece piece = own.get(choices.below(own.size()));
      long bytes = piece.segment.byteSize();
      if (bytes > 1) {
        assertRefused(memory, piece.segment.asSlice(0, bytes - 1));
        assertRefused(memory, piece.segment.asSlice(1));
        assertRefused(memory, piece.segment.asSlice(bytes / 2));
      }
      assertRefused(memory, piece.segment.reinterpret(bytes + 1));
      assertRefused(memory, piece.segment.reinterpret(bytes + (1L << 32)));
      check(piece);
      if (bytes % THREADS == number) {
        own.remove(piece);
        free(piece);
        assertRefused(memory, piece.segment);
      }
    }

    /** Another one, which ends with what is allocated in it. */
    private void another() {
      if (!choices.oneIn(8)) {
        return;
      }
      try (KernelMemory other = vm.kernel().memory(choices.between(1, 16) * (long) PAGE_SIZE)) {
        for (int i = choices.below(6); i >= 0; i--) {
          MemorySegment segment = other.allocate(choices.below(PAGE_SIZE), 8);
          segment.fill((byte) number);
          assertRefused(memory, segment);
          if (choices.oneIn(2)) {
            other.free(segment);
          }
        }
        if (!own.isEmpty()) {
          assertRefused(other, own.getFirst().segment());
        }
      } catch (MapException e) {
        lacking(e);
      }
    }
  }

  public static void main(String[] args) {
    for (Setting setting : Setting.values()) {
      Choices choices = Choices.fresh();
      System.out.println(setting + ", " + choices);
      Budget budget = Budget.seconds(Long.parseLong(args[0]));
      System.out.println(new KernelMemoryOracle(setting).run(budget, choices));
    }
  }
}
