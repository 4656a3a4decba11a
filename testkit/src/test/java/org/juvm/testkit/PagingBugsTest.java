package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.juvm.Cpu;
import org.juvm.MapRequest;
import org.juvm.MemoryFault;
import org.juvm.PagingProbe;
import org.juvm.SharedMemory;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Access;
import org.juvm.base.Protection;
import org.juvm.store.FileStore;
import org.juvm.trace.Counter;

/**
 * What other implementations of the same design once got wrong when memory was short.
 *
 * <p>Bug 14, a pager's address space that runs out, has nothing to happen to: transfers go to and
 * from frames as they are.
 */
@Tag("threads")
@Timeout(120)
class PagingBugsTest {
  private static final long AT = 1 << 20;
  private static final int PAGE = 1024;

  @TempDir Path directory;
  private Vm vm;
  private FaultyStore swap;
  private Vmspace space;
  private Cpu cpu;

  /** Frames that the system has for itself. */
  private long buffers;

  private void boot(int frames, int slots, boolean encrypted) throws IOException {
    vm = Vm.builder().memory((long) frames * PAGE).pageSize(PAGE).boot();
    swap = new FaultyStore(FileStore.temporary(directory));
    PagingProbe.addSwap(vm, swap, (long) slots * PAGE, 0, encrypted);
    buffers = vm.statistics().usedFrames();
    space = vm.newVmspace();
    cpu = vm.newCpu();
    cpu.attach(space);
  }

  @AfterEach
  void nothingIsLeft() {
    cpu.close();
    assertThat(vm.audit()).isEmpty();
    vm.vmspaces().forEach(Vmspace::close);
    assertThat(vm.audit()).isEmpty();
    assertThat(vm.statistics().usedFrames()).isEqualTo(buffers);
    assertThat(PagingProbe.slotsInUse(vm)).as("slots that nobody has").isZero();
    vm.close();
    assertThat(swap.isClosed()).isTrue();
  }

  private static long page(long i) {
    return AT + i * PAGE;
  }

  private void write(int from, int to, long version) {
    for (int i = from; i < to; i++) {
      cpu.set(JAVA_LONG, page(i), version << 32 | i);
    }
  }

  private void check(Cpu by, int from, int to, long version) {
    for (int i = from; i < to; i++) {
      assertThat(by.get(JAVA_LONG, page(i))).as("page %d", i).isEqualTo(version << 32 | i);
    }
  }

  /** What happens to a page that is on its way in. */
  enum End {
    UNMAP,
    EXIT,
    EXEC,
    DISCARD,
    RESIZE,
    FORK
  }

  /** A page that is given up while it comes in: nobody waits, and it is free when it is there. */
  @ParameterizedTest
  @EnumSource
  void bug6_givenUpDuringPageIn(End end) throws Exception {
    boot(32, 256, false);
    SharedMemory shared = vm.sharedMemory().create(128L * PAGE);
    if (end == End.RESIZE) {
      space.map(MapRequest.of(shared, 0, 128L * PAGE).shared().at(AT));
    } else {
      space.map(AT, 128L * PAGE, Protection.READ_WRITE);
    }
    write(0, 128, 1);
    while (space.paging().resident(AT, PAGE)[0]) {
      write(1, 128, 1);
    }
    FaultyStore.Hold hold = swap.hold(FaultyStore.Operation.READ);
    AtomicLong found = new AtomicLong();
    Crew crew = new Crew();
    crew.add(
        "reader",
        () -> {
          try (Cpu other = vm.newCpu()) {
            other.attach(space);
            found.set(other.get(JAVA_LONG, AT));
          } catch (MemoryFault e) {
            found.set(-1 - e.reason().ordinal());
          } catch (IllegalStateException e) {
            found.set(Long.MIN_VALUE);
          }
        });
    Vmspace[] child = {null};
    crew.add(
        "ender",
        () -> {
          hold.awaitOperations(1);
          switch (end) {
            case UNMAP -> space.unmap(AT, PAGE);
            case EXIT -> space.close();
            case EXEC -> space.exec(null).close();
            case DISCARD -> space.paging().discard(AT, PAGE);
            case RESIZE -> shared.resize(0);
            case FORK -> {
              child[0] = space.fork();
              space.unmap(AT, PAGE);
            }
          }
          hold.release();
        });
    crew.run();
    shared.close();
    switch (end) {
      case UNMAP, FORK ->
          assertThat(found.get()).isEqualTo(-1 - MemoryFault.Reason.NOT_MAPPED.ordinal());
      case RESIZE ->
          assertThat(found.get()).isEqualTo(-1 - MemoryFault.Reason.BEYOND_END.ordinal());
      case DISCARD -> assertThat(found.get()).isZero();
      case EXIT, EXEC -> assertThat(found.get()).isNegative();
    }
    if (child[0] != null) {
      cpu.attach(child[0]);
      check(cpu, 0, 128, 1);
    }
  }

  /** The daemon needs no memory of its own, with whatever it does to a page on its way out. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void bug12_pageOutNeedsNoMemory(boolean encrypted) throws Exception {
    boot(16, 512, encrypted);
    space.map(AT, 400L * PAGE, Protection.READ_WRITE);
    for (int round = 1; round <= 3; round++) {
      write(0, 400, round);
      check(cpu, 0, 400, round);
    }
  }

  /** Pages made until there is no room for one more. */
  private int fill(int most) {
    for (int i = 0; i < most; i++) {
      try {
        cpu.set(JAVA_LONG, page(i), 1L << 32 | i);
      } catch (MemoryFault e) {
        assertThat(e.reason()).isEqualTo(MemoryFault.Reason.OUT_OF_MEMORY);
        return i;
      }
    }
    throw new AssertionError("there was room for everything");
  }

  @Test
  void bug13_swapFullAndEverythingDirty() throws Exception {
    boot(64, 128, false);
    space.map(AT, 400L * PAGE, Protection.READ_WRITE);
    // As many pages as slots: all are dirtied again and again while they keep a slot each.
    for (int round = 1; round <= 5; round++) {
      write(0, 128, round);
    }
    check(cpu, 0, 128, 5);
    space.unmap(AT, 400L * PAGE);
    space.map(AT, 400L * PAGE, Protection.READ_WRITE);
    int made = fill(400);
    assertThat(made).isBetween(128 + 60, 128 + 64);
    long scans = PagingProbe.count(vm, Counter.SCANS);
    for (int i = 0; i < 50; i++) {
      int one = 300 + i;
      assertThat(refused(() -> cpu.set(JAVA_BYTE, page(one), (byte) 1))).isTrue();
    }
    assertThat(PagingProbe.count(vm, Counter.SCANS) - scans).as("scans").isLessThan(50 * 4);
    // A little is free again, and everything that there was can be reached with it.
    space.unmap(page(0), 8L * PAGE);
    check(cpu, 8, made, 1);
    write(8, made, 2);
    check(cpu, 8, made, 2);
  }

  private static boolean refused(Runnable access) {
    try {
      access.run();
      return false;
    } catch (MemoryFault e) {
      assertThat(e.reason()).isEqualTo(MemoryFault.Reason.OUT_OF_MEMORY);
      return true;
    }
  }

  /** As bug 22 without paging, with pages that come and go. */
  @Test
  void bug22_forkWhileOthersWriteAndPagesLeave() throws Exception {
    boot(24, 512, false);
    int pages = 40;
    space.map(AT, pages * (long) PAGE, Protection.READ_WRITE);
    AtomicBoolean stop = new AtomicBoolean();
    Crew crew = new Crew();
    for (int n = 0; n < 2; n++) {
      long word = AT + n * 64L;
      crew.add(
          "writer " + n,
          () -> {
            try (Cpu writer = vm.newCpu()) {
              writer.attach(space);
              for (long i = 1; !stop.get(); i++) {
                for (int page = 0; page < pages; page++) {
                  writer.atomics().setRelease(JAVA_LONG, word + (long) page * PAGE, i);
                }
              }
            }
          });
    }
    crew.add(
        "forker",
        () -> {
          try (Cpu forker = vm.newCpu()) {
            long[] seen = new long[pages];
            for (int i = 0; i < Choices.times(60) && !crew.hasFailed(); i++) {
              try (Vmspace child = space.fork()) {
                forker.attach(child);
                long word = AT + i % 2 * 64L;
                for (int page = 0; page < pages; page++) {
                  seen[page] = forker.get(JAVA_LONG, word + (long) page * PAGE);
                  if (page > 0) {
                    assertThat(seen[page]).isBetween(seen[0] - 1, seen[page - 1]);
                  }
                }
                for (int page = 0; page < pages; page++) {
                  forker.set(JAVA_LONG, AT + 128 + (long) page * PAGE, i);
                  long again = forker.get(JAVA_LONG, word + (long) page * PAGE);
                  assertThat(again).isEqualTo(seen[page]);
                }
              }
            }
          } finally {
            stop.set(true);
          }
        });
    crew.run();
  }

  /** What is mapped around a page that is read does not wait for what is on its way. */
  @Test
  void bug37_neighboursOfBusyPages() throws Exception {
    boot(64, 256, false);
    space.map(AT, 128L * PAGE, Protection.READ_WRITE);
    write(0, 128, 1);
    while (space.paging().resident(AT, PAGE)[0]) {
      write(1, 128, 1);
    }
    // What is wired stays, but its translation may go.
    space.paging().wire(page(1), PAGE);
    space.paging().invalidate(page(1), PAGE);
    FaultyStore.Hold hold = swap.hold(FaultyStore.Operation.READ);
    Crew crew = new Crew();
    crew.add(
        "reader of the busy page",
        () -> {
          try (Cpu other = vm.newCpu()) {
            other.attach(space);
            check(other, 0, 1, 1);
          }
        });
    crew.add(
        "reader of its neighbour",
        () -> {
          hold.awaitOperations(1);
          try (Cpu other = vm.newCpu()) {
            other.attach(space);
            check(other, 1, 2, 1);
            assertThat(PagingProbe.count(other, Counter.FAULTS)).isEqualTo(1);
            assertThat(PagingProbe.count(other, Counter.BUSY_WAITS)).isZero();
          }
          hold.release();
        });
    crew.run();
  }

  /** Nothing is lost that was written between the look at a page and its page-out. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void bug35_dirtiedWhileItLeaves(int writers) throws Exception {
    boot(24, 512, false);
    int pages = 32;
    space.map(AT, 400L * PAGE, Protection.READ_WRITE);
    int rounds = Choices.times(150);
    Crew crew = new Crew();
    for (int n = 0; n < writers; n++) {
      long word = n * 8L;
      crew.add(
          "writer " + n,
          () -> {
            try (Cpu writer = vm.newCpu()) {
              writer.attach(space);
              for (long i = 1; i <= rounds; i++) {
                for (int page = 0; page < pages; page++) {
                  assertThat(writer.get(JAVA_LONG, page(page) + word)).isEqualTo(i - 1);
                  // Several stores to the same page, the later ones by the same translation.
                  writer.set(JAVA_LONG, page(page) + word, -i);
                  writer.set(JAVA_LONG, page(page) + word, i);
                }
              }
            }
          });
    }
    crew.run();
  }

  /** All that wait for memory get some when others give it up, even while swap does not answer. */
  @Test
  void bug36_manyWaitersAndOneWhoFrees() throws Exception {
    boot(64, 256, false);
    space.map(AT, 200L * PAGE, Protection.READ_WRITE);
    FaultyStore.Hold hold = swap.hold(FaultyStore.Operation.WRITE);
    write(0, 48, 1);
    int waiters = 6;
    AtomicInteger done = new AtomicInteger();
    List<Thread> threads = new ArrayList<>();
    CountDownLatch all = new CountDownLatch(waiters);
    for (int n = 0; n < waiters; n++) {
      long first = AT + (n + 1L) * (1 << 20);
      threads.add(
          Thread.ofPlatform()
              .daemon()
              .start(
                  () -> {
                    Vmspace own = vm.newVmspace();
                    own.map(first, 8L * PAGE, Protection.READ_WRITE);
                    try (Cpu mine = vm.newCpu()) {
                      mine.attach(own);
                      for (int i = 0; i < 8; i++) {
                        mine.set(JAVA_LONG, first + (long) i * PAGE, 1);
                      }
                    }
                    done.incrementAndGet();
                    all.countDown();
                  }));
    }
    // Some of them get the rest of memory; somebody waits in the end.
    while (threads.stream().noneMatch(t -> t.getState() == Thread.State.WAITING)) {
      Thread.onSpinWait();
    }
    assertThat(done.get()).isLessThan(waiters);
    space.unmap(AT, 200L * PAGE);
    all.await();
    hold.release();
    assertThat(done.get()).isEqualTo(waiters);
  }

  /** A wired page has no slot, stays, and goes with its space. */
  @Test
  void bug40_exitWithWiredPagesThatHadBeenInSwap() throws Exception {
    boot(64, 256, false);
    space.map(AT, 160L * PAGE, Protection.READ_WRITE);
    write(0, 160, 1);
    long before = PagingProbe.slotsInUse(vm);
    space.paging().wire(AT, 16L * PAGE);
    assertThat(PagingProbe.pages(vm)).isEqualTo(160);
    for (int round = 2; round < 5; round++) {
      write(16, 160, round);
      assertThat(space.paging().resident(AT, 16L * PAGE)).doesNotContain(false);
    }
    check(cpu, 0, 16, 1);
    assertThat(before).isPositive();
    Vmspace child = space.fork();
    space.close();
    cpu.attach(child);
    check(cpu, 0, 16, 1);
    check(cpu, 16, 160, 4);
    child.paging().wire(AT, 16L * PAGE);
  }

  /** A space is replaced while its pages are taken. */
  @Test
  void bug42_execUnderPressure() throws Exception {
    boot(40, 1024, false);
    Vmspace image = vm.newVmspace();
    image.map(AT, 64L * PAGE, Protection.READ_WRITE);
    cpu.attach(image);
    write(0, 64, 7);
    int rounds = Choices.times(60);
    Crew crew = new Crew();
    for (int n = 0; n < 3; n++) {
      crew.add(
          "program " + n,
          () -> {
            Vmspace current = vm.newVmspace();
            try (Cpu mine = vm.newCpu()) {
              for (int i = 0; i < rounds && !crew.hasFailed(); i++) {
                Vmspace next = current.exec(image);
                current.close();
                current = next;
                mine.attach(current);
                check(mine, 0, 64, 7);
                for (int page = i % 3; page < 64; page += 3) {
                  mine.set(JAVA_LONG, page(page), i);
                }
                for (int page = i % 3; page < 64; page += 3) {
                  assertThat(mine.get(JAVA_LONG, page(page))).isEqualTo(i);
                }
              }
            } finally {
              current.close();
            }
          });
    }
    crew.run();
    check(cpu, 0, 64, 7);
  }

  /**
   * Shared memory that is cut off while somebody uses it by raw address, leaves memory and is grown
   * again: it consists of zeros.
   */
  @ParameterizedTest
  @EnumSource(Access.class)
  void cutOffInAWindowAndGrownAgain(Access access) throws Exception {
    boot(32, 512, false);
    SharedMemory shared = vm.sharedMemory().create(8L * PAGE);
    space.map(MapRequest.of(shared, 0, 8L * PAGE).shared().at(AT));
    space.map(page(100), 200L * PAGE, Protection.READ_WRITE);
    write(0, 8, 1);
    write(100, 300, 1);
    check(cpu, 0, 8, 1);
    cpu.bulk()
        .window(
            AT,
            PAGE,
            access,
            segment -> {
              shared.resize(0);
              if (access == Access.WRITE) {
                segment.fill((byte) 5);
              }
            });
    write(100, 300, 2);
    check(cpu, 100, 300, 2);
    shared.resize(8L * PAGE);
    for (int round = 0; round < 2; round++) {
      for (int i = 0; i < 8; i++) {
        assertThat(cpu.get(JAVA_LONG, page(i))).as("page %d", i).isZero();
      }
      check(cpu, 100, 300, 2);
    }
    shared.close();
  }
}
