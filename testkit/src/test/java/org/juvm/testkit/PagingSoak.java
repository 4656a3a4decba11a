package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import org.juvm.Cpu;
import org.juvm.MapException;
import org.juvm.MapRequest;
import org.juvm.MemoryFault;
import org.juvm.PagingProbe;
import org.juvm.SharedMemory;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Access;
import org.juvm.base.Advice;
import org.juvm.base.Protection;
import org.juvm.trace.Counter;

/**
 * Threads on one space that is four times as large as memory, one half of it private and the other
 * half shared memory, while swap devices work, or fail at random.
 *
 * <p>Every word of a page says whose page it is, where it belongs and in which version it is; they
 * are written by the page's owner only. So its owner knows a page exactly. Others, who may read
 * while it is being written, see no word that is older than what they have seen of the whole page.
 * A page that cannot be read from swap is lost to everybody until its owner makes a new one in its
 * place.
 *
 * <p>As a program: {@code PagingSoak SECONDS}, with faults.
 */
final class PagingSoak {
  private static final int PAGE_SIZE = 1024;
  private static final int WORDS = PAGE_SIZE / Long.BYTES;
  private static final int FRAMES = 200;
  private static final int PAGES = 4 * FRAMES;
  private static final int MEMBERS = 6;
  private static final int SLOTS = 12 * FRAMES;
  private static final long FIRST = 450L * PAGE_SIZE;

  private final Vm vm = Vm.builder().memory((long) FRAMES * PAGE_SIZE).pageSize(PAGE_SIZE).boot();
  private final Vmspace space = vm.newVmspace();
  private final boolean faults;
  private final List<FaultyStore> devices = new ArrayList<>();
  private final List<SlotWatch> watches = new ArrayList<>();

  /** Twice how often the owner of a page has made a new one; odd while it does. */
  private final AtomicIntegerArray births = new AtomicIntegerArray(PAGES);

  /** Frames that the system has for itself. */
  private final long buffers;

  private final AtomicBoolean stop = new AtomicBoolean();
  private final AtomicLong rounds = new AtomicLong();
  private final AtomicLong forks = new AtomicLong();
  private final AtomicLong lost = new AtomicLong();
  private final AtomicLong refused = new AtomicLong();

  PagingSoak(boolean faults) {
    this.faults = faults;
    for (int i = 0; i < 2; i++) {
      FaultyStore device = new FaultyStore(TestStores.temporary());
      SlotWatch watch = new SlotWatch(device, PAGE_SIZE);
      devices.add(device);
      watches.add(watch);
      PagingProbe.addSwap(vm, watch, (long) SLOTS / 2 * PAGE_SIZE, 0, i == 1);
    }
    buffers = vm.statistics().usedFrames();
    SharedMemory shared = vm.sharedMemory().create((long) PAGES / 2 * PAGE_SIZE);
    space.map(page(0), (long) PAGES / 2 * PAGE_SIZE, Protection.READ_WRITE);
    space.map(MapRequest.of(shared, 0, (long) PAGES / 2 * PAGE_SIZE).shared().at(page(PAGES / 2)));
    shared.close();
  }

  private static long page(int i) {
    return FIRST + (long) i * PAGE_SIZE;
  }

  private static long word(int page, long version, int k) {
    return (page + 1L) << 48 | version << 16 | k;
  }

  /** What a thread knows. */
  private final class Member {
    final int number;
    final Choices choices;
    final Cpu cpu = vm.newCpu();
    final Cpu second = vm.newCpu();
    final byte[] buffer = new byte[PAGE_SIZE];
    final MemorySegment words = MemorySegment.ofArray(buffer);

    /** Version of each page: of one's own, exactly; of others, the oldest that was seen last. */
    final long[] versions = new long[PAGES];

    /** In which life of a page of others that was. */
    final int[] learned = new int[PAGES];

    /** Pages of one's own that are zeros, whatever their version. */
    final boolean[] torn = new boolean[PAGES];

    Member(int number, Choices choices) {
      this.number = number;
      this.choices = choices;
    }

    void live(Budget budget, Crew crew) {
      try (cpu;
          second) {
        cpu.attach(space);
        for (long done = 0; budget.hasRound(done) && !crew.hasFailed(); done++) {
          try {
            step();
          } catch (MemoryFault e) {
            outOfMemory(e);
          }
          rounds.incrementAndGet();
        }
      }
    }

    /** Without faults of devices there is memory for everything. */
    private void outOfMemory(MemoryFault e) {
      if (e.reason() != MemoryFault.Reason.OUT_OF_MEMORY || !faults) {
        throw e;
      }
      refused.incrementAndGet();
    }

    private void step() {
      int i = choices.below(PAGES);
      int block = i - i % MEMBERS;
      int mine = block + number < PAGES ? block + number : block + number - MEMBERS;
      switch (choices.below(20)) {
        case 0, 1, 2, 3, 4, 5 -> write(mine);
        case 6, 7, 8 -> checkOwn(cpu, mine);
        case 9 -> renew(mine);
        case 10 -> wire(mine);
        case 11 -> window(mine);
        case 12 -> debug(i);
        case 13 -> fork();
        case 14 -> advise(i);
        default -> checkOther(i);
      }
    }

    private boolean isLost(MemoryFault e) {
      if (e.reason() != MemoryFault.Reason.IO_ERROR) {
        throw e;
      }
      if (!faults) {
        throw new AssertionError("a page was lost, and no device failed", e);
      }
      return true;
    }

    /** A new page of one's own, of zeros at first. */
    private void renew(int i) {
      births.incrementAndGet(i);
      space.map(MapRequest.anonymous(PAGE_SIZE).replacing(page(i)));
      births.incrementAndGet(i);
      write(i);
    }

    private void write(int i) {
      long version = versions[i] + 1;
      try {
        for (int k = 0; k < WORDS; k++) {
          cpu.set(JAVA_LONG, page(i) + (long) k * Long.BYTES, word(i, version, k));
        }
        versions[i] = version;
        torn[i] = false;
      } catch (MemoryFault e) {
        if (e.reason() == MemoryFault.Reason.OUT_OF_MEMORY && faults) {
          // How far it came is not known; a page that is whole again is.
          refused.incrementAndGet();
          tearOff(i, version);
          return;
        }
        boolean _ = isLost(e);
        lost.incrementAndGet();
        tearOff(i, version);
      }
    }

    /** There is nothing at a page of one's own that says anything. */
    private void tearOff(int i, long version) {
      births.incrementAndGet(i);
      space.map(MapRequest.anonymous(PAGE_SIZE).replacing(page(i)));
      births.incrementAndGet(i);
      versions[i] = version;
      torn[i] = true;
    }

    private void checkOwn(Cpu by, int i) {
      try {
        by.bulk().read(page(i), buffer, 0, PAGE_SIZE);
      } catch (MemoryFault e) {
        if (e.reason() == MemoryFault.Reason.OUT_OF_MEMORY) {
          throw e;
        }
        boolean _ = isLost(e);
        lost.incrementAndGet();
        tearOff(i, versions[i] + 1);
        return;
      }
      boolean zeros = versions[i] == 0 || torn[i];
      for (int k = 0; k < WORDS; k++) {
        long expected = zeros ? 0 : word(i, versions[i], k);
        long found = words.get(JAVA_LONG_UNALIGNED, (long) k * Long.BYTES);
        if (found != expected) {
          throw new AssertionError(
              "page %d, word %d: %x instead of %x".formatted(i, k, found, expected));
        }
      }
    }

    private void checkOther(int i) {
      if (i % MEMBERS == number) {
        checkOwn(cpu, i);
        return;
      }
      int born = births.get(i);
      try {
        cpu.bulk().read(page(i), buffer, 0, PAGE_SIZE);
      } catch (MemoryFault e) {
        if (e.reason() == MemoryFault.Reason.NOT_MAPPED
            || e.reason() == MemoryFault.Reason.OUT_OF_MEMORY) {
          throw e;
        }
        boolean _ = isLost(e);
        return;
      }
      long oldest = checkWords(i);
      if (born != births.get(i) || born % 2 != 0) {
        // A new page takes the place of the one that was seen, or of its successor.
        return;
      }
      if (learned[i] == born && oldest < versions[i]) {
        throw new AssertionError("page %d: version %d after %d".formatted(i, oldest, versions[i]));
      }
      learned[i] = born;
      versions[i] = oldest;
    }

    /** Each word says where it belongs, or nothing. Returns the oldest version. */
    private long checkWords(int i) {
      long oldest = Long.MAX_VALUE;
      for (int k = 0; k < WORDS; k++) {
        long found = words.get(JAVA_LONG_UNALIGNED, (long) k * Long.BYTES);
        long version = found >>> 16 & 0xffff_ffffL;
        if (found != 0 && found != word(i, version, k)) {
          throw new AssertionError("page %d, word %d: %x".formatted(i, k, found));
        }
        oldest = Math.min(oldest, version);
      }
      return oldest;
    }

    private void wire(int i) {
      try {
        space.paging().wire(page(i), PAGE_SIZE);
      } catch (MapException e) {
        boolean device =
            e.reason() == MapException.Reason.NO_MEMORY
                || e.reason() == MapException.Reason.IO_ERROR;
        if (!device || !faults) {
          throw e;
        }
        return;
      }
      for (int n = 0; n < 5; n++) {
        if (!space.paging().resident(page(i), PAGE_SIZE)[0]) {
          throw new AssertionError("wired page is not resident: " + i);
        }
        checkOther(choices.below(PAGES));
      }
      checkOwn(cpu, i);
      if (choices.oneIn(2)) {
        write(i);
      }
      space.paging().unwire(page(i), PAGE_SIZE);
      checkOwn(cpu, i);
    }

    private void window(int i) {
      long version = versions[i] + 1;
      try {
        cpu.bulk()
            .window(
                page(i),
                PAGE_SIZE,
                Access.WRITE,
                segment -> {
                  for (int k = 0; k < WORDS; k++) {
                    segment.set(JAVA_LONG, (long) k * Long.BYTES, word(i, version, k));
                  }
                  versions[i] = version;
                  torn[i] = false;
                });
      } catch (MemoryFault e) {
        if (e.reason() == MemoryFault.Reason.OUT_OF_MEMORY) {
          throw e;
        }
        boolean _ = isLost(e);
        lost.incrementAndGet();
        tearOff(i, version);
      }
    }

    private void debug(int i) {
      try {
        space.debug().read(page(i), words, 0, PAGE_SIZE);
      } catch (MemoryFault e) {
        if (e.reason() == MemoryFault.Reason.OUT_OF_MEMORY) {
          throw e;
        }
        boolean _ = isLost(e);
        return;
      }
      long _ = checkWords(i);
    }

    private void advise(int i) {
      long length = Math.min(16, PAGES - i) * (long) PAGE_SIZE;
      space.paging().advise(page(i), length, choices.pick(List.of(Advice.values())));
      if (choices.oneIn(2)) {
        space.paging().prefault(page(i), length);
      }
    }

    /** What a child has of private memory stays as it is. */
    private void fork() {
      forks.incrementAndGet();
      try (Vmspace child = space.fork()) {
        second.attach(child);
        int[] pages = new int[6];
        byte[][] seen = new byte[6][];
        for (int n = 0; n < 6; n++) {
          // Six different ones.
          pages[n] = choices.below(PAGES / 12) * 6 + n;
          seen[n] = inChild(pages[n]);
        }
        for (int n = 0; n < 4; n++) {
          write(choices.below(PAGES / MEMBERS) * MEMBERS + number);
        }
        if (choices.oneIn(3)) {
          child.fork().close();
        }
        for (int n = 0; n < 6; n++) {
          byte[] again = inChild(pages[n]);
          if (seen[n].length == again.length && !Arrays.equals(seen[n], again)) {
            throw new AssertionError("page " + pages[n] + " of a child has changed");
          }
          writeInChild(pages[n]);
        }
      } catch (MemoryFault e) {
        outOfMemory(e);
      } finally {
        second.detach();
      }
    }

    private void writeInChild(int i) {
      try {
        second.set(JAVA_LONG, page(i), word(i, 1, 0));
        if (second.get(JAVA_LONG, page(i)) != word(i, 1, 0)) {
          throw new AssertionError("page " + i + " of a child has not changed");
        }
      } catch (MemoryFault e) {
        if (e.reason() == MemoryFault.Reason.OUT_OF_MEMORY) {
          throw e;
        }
        boolean _ = isLost(e);
      }
    }

    /** The bytes of a page, or none if it is lost. */
    private byte[] inChild(int i) {
      try {
        second.bulk().read(page(i), buffer, 0, PAGE_SIZE);
        return buffer.clone();
      } catch (MemoryFault e) {
        if (e.reason() == MemoryFault.Reason.OUT_OF_MEMORY) {
          throw e;
        }
        boolean _ = isLost(e);
        return new byte[0];
      }
    }
  }

  /** Runs it, audits and closes the system. Returns what it has seen, in words. */
  String run(Budget budget, Choices choices) {
    Crew crew = new Crew();
    Crew helpers = new Crew();
    List<Member> members = new ArrayList<>();
    for (int i = 0; i < MEMBERS; i++) {
      Member member = new Member(i, choices.split());
      members.add(member);
      if (i % 2 == 0) {
        crew.add("member " + i, () -> member.live(budget, crew));
      } else {
        crew.addVirtual("member " + i, () -> member.live(budget, crew));
      }
    }
    Choices forFaults = choices.split();
    if (faults) {
      Torment torment = new Torment(devices, rounds::get, () -> stop.get() || crew.hasFailed());
      helpers.add("tormentor", () -> torment.run(forFaults));
      helpers.start();
    }
    try {
      crew.run();
    } finally {
      stop.set(true);
    }
    helpers.run();
    Ground.same(List.of(), vm.audit());
    long away = checkAll(members);
    if (faults) {
      devices.getLast().lose();
      away += checkAll(members);
    }
    Ground.same(List.of(), vm.audit());
    String seen =
        "%d rounds, %d forks, %d written, %d failed places, %d bad slots, %d pages lost, %d at the end, %d times out of memory"
            .formatted(
                rounds.get(),
                forks.get(),
                PagingProbe.count(vm, Counter.SWAP_OUTS),
                watches.stream().mapToInt(SlotWatch::failed).sum(),
                PagingProbe.slotsBad(vm),
                lost.get(),
                away,
                refused.get());
    space.close();
    Ground.same(List.of(), vm.audit());
    Ground.same(buffers, vm.statistics().usedFrames());
    Ground.same(0L, PagingProbe.slotsInUse(vm));
    vm.close();
    for (SlotWatch watch : watches) {
      Ground.same(List.of(), List.copyOf(watch.violations()));
    }
    return seen;
  }

  /** Nothing else goes on. Returns how many pages are lost. */
  private long checkAll(List<Member> members) {
    long before = lost.get();
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(space);
      for (Member member : members) {
        for (int i = member.number; i < PAGES; i += MEMBERS) {
          member.checkOwn(cpu, i);
        }
      }
    }
    return lost.get() - before;
  }

  long forks() {
    return forks.get();
  }

  /** One system after another, all of whose devices fail in the end. */
  public static void main(String[] args) {
    Budget budget = Budget.seconds(Long.parseLong(args[0]));
    for (long i = 0; budget.hasRound(i); i++) {
      Choices choices = Choices.fresh();
      String how = choices.toString();
      System.out.println(how + ": " + new PagingSoak(true).run(Budget.rounds(3000), choices));
    }
  }
}
