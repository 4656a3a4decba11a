package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.juvm.Cpu;
import org.juvm.MapRequest;
import org.juvm.MemoryFault;
import org.juvm.PagingProbe;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Advice;
import org.juvm.base.Protection;
import org.juvm.store.FileStore;
import org.juvm.trace.Counter;

/** What faults do with pages that are in swap, or in memory but not mapped. */
@Timeout(120)
class SwappedFaultsTest {
  private static final int PAGE = 4096;
  private static final long AT = 1 << 20;
  private static final int PAGES = 160;

  private final Vm vm = Vm.builder().memory(64L * PAGE).pageSize(PAGE).boot();
  private final Vmspace space = vm.newVmspace();
  private final Cpu cpu = vm.newCpu();
  private FaultyStore swap;

  @BeforeEach
  void boot(@TempDir Path directory) throws IOException {
    swap = new FaultyStore(FileStore.temporary(directory));
    PagingProbe.addSwap(vm, swap, 1024L * PAGE, 0, false);
    cpu.attach(space);
  }

  @AfterEach
  void nothingIsLeft() {
    cpu.close();
    assertThat(vm.audit()).isEmpty();
    vm.vmspaces().forEach(Vmspace::close);
    // Waits for what is still being written.
    assertThat(vm.audit()).isEmpty();
    assertThat(PagingProbe.slotsInUse(vm)).isZero();
    assertThat(vm.statistics().usedFrames()).isZero();
    vm.close();
  }

  private static long page(long i) {
    return AT + i * PAGE;
  }

  private void fill(boolean shared) {
    MapRequest request = MapRequest.anonymous((long) PAGES * PAGE).at(AT);
    space.map(shared ? request.shared() : request);
    cpu.set(JAVA_LONG, page(0), 100);
    sendAway();
  }

  /** Writes all pages but the first until that has left memory. */
  private void sendAway() {
    do {
      for (int i = 1; i < PAGES; i++) {
        cpu.set(JAVA_LONG, page(i), 100 + i);
      }
    } while (space.paging().resident(AT, PAGE)[0]);
  }

  /** One reads, the others wait for the same page; each of them has counted what it did. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void F8_onePageInForAllWhoWant(boolean shared) {
    fill(shared);
    FaultyStore.Hold hold = swap.hold(FaultyStore.Operation.READ);
    CountDownLatch reading = new CountDownLatch(1);
    AtomicInteger majors = new AtomicInteger();
    AtomicInteger waits = new AtomicInteger();
    Crew crew = new Crew();
    Cpu[] cpus = {vm.newCpu(), vm.newCpu(), vm.newCpu()};
    for (int n = 0; n < 3; n++) {
      Cpu own = cpus[n];
      boolean first = n == 0;
      crew.add(
          "reader " + n,
          () -> {
            if (!first) {
              reading.await();
            }
            own.attach(space);
            assertThat(own.get(JAVA_LONG, page(0))).isEqualTo(100);
            majors.addAndGet((int) PagingProbe.count(own, Counter.MAJOR_FAULTS));
            waits.addAndGet((int) PagingProbe.count(own, Counter.BUSY_WAITS));
            // Who comes late finds the page mapped.
            assertThat(PagingProbe.count(own, Counter.FAULTS)).isBetween(first ? 1L : 0L, 1L);
            own.close();
          });
    }
    crew.add(
        "releaser",
        () -> {
          hold.awaitOperations(1);
          reading.countDown();
          while (PagingProbe.count(cpus[1], Counter.BUSY_WAITS)
                  + PagingProbe.count(cpus[2], Counter.BUSY_WAITS)
              < 2) {
            Thread.onSpinWait();
          }
          hold.release();
        });
    long before = swap.operations(FaultyStore.Operation.READ);
    crew.run();
    assertThat(majors.get()).isEqualTo(1);
    assertThat(waits.get()).isGreaterThanOrEqualTo(2);
    assertThat(swap.operations(FaultyStore.Operation.READ)).isEqualTo(before + 1);
  }

  /** Nobody but the owners of a page that cannot be read see an error, and its slot is not used. */
  @ParameterizedTest
  @CsvSource({"false, false", "true, false", "false, true", "true, true"})
  void F8_O6_unreadablePage(boolean shared, boolean shortRead) {
    fill(shared);
    try (Vmspace child = space.fork();
        Cpu other = vm.newCpu()) {
      other.attach(child);
      if (shortRead) {
        swap.shortenNextReads(1);
      } else {
        swap.failNext(FaultyStore.Operation.READ, 1);
      }
      for (Cpu each : new Cpu[] {cpu, other, cpu}) {
        assertThatThrownBy(() -> each.get(JAVA_LONG, page(0)))
            .isInstanceOfSatisfying(
                MemoryFault.class,
                e -> assertThat(e.reason()).isEqualTo(MemoryFault.Reason.IO_ERROR));
      }
      assertThatThrownBy(() -> cpu.set(JAVA_LONG, page(0), 1))
          .isInstanceOfSatisfying(
              MemoryFault.class,
              e -> assertThat(e.reason()).isEqualTo(MemoryFault.Reason.IO_ERROR));
      assertThat(PagingProbe.slotsBad(vm)).isEqualTo(1);
      for (int i = 1; i < PAGES; i++) {
        assertThat(cpu.get(JAVA_LONG, page(i))).isEqualTo(100 + i);
        assertThat(other.get(JAVA_LONG, page(i))).isEqualTo(100 + i);
      }
      assertThat(vm.audit()).isEmpty();
      space.map(MapRequest.anonymous(PAGE).replacing(page(0)));
      assertThat(cpu.get(JAVA_LONG, page(0))).isZero();
      assertThatThrownBy(() -> other.get(JAVA_LONG, page(0))).isInstanceOf(MemoryFault.class);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void F12_wiredPageHasNoSlot(boolean shared) {
    fill(shared);
    // Free memory, so that nothing else goes on.
    space.unmap(page(40), (PAGES - 40L) * PAGE);
    assertThat(vm.audit()).isEmpty();
    assertThat(cpu.get(JAVA_LONG, page(0))).isEqualTo(100);
    long before = PagingProbe.slotsInUse(vm);
    space.paging().wire(page(0), PAGE);
    // It is in memory and in swap; there it is of no use any more.
    assertThat(PagingProbe.slotsInUse(vm)).isEqualTo(before - 1);
    space.paging().unwire(page(0), PAGE);
    space.map(page(40), (PAGES - 40L) * PAGE, Protection.READ_WRITE);
    sendAway();
    assertThat(cpu.get(JAVA_LONG, page(0))).isEqualTo(100);
    assertThat(PagingProbe.pages(vm)).isEqualTo(PAGES);
  }

  /** A child reads what its parent has in memory: in sequence, and in runs of four pages. */
  @ParameterizedTest
  @CsvSource({
    "RANDOM, 40, 40",
    "NORMAL, 8, 8",
    "SEQUENTIAL, 5, 4",
  })
  void F7_F15_faultsOnResidentPages(Advice advice, int inSequence, int inRuns) {
    space.map(AT, 40L * PAGE, Protection.READ_WRITE);
    for (int i = 0; i < 40; i++) {
      cpu.set(JAVA_LONG, page(i), 100 + i);
    }
    space.paging().advise(AT, 40L * PAGE, advice);
    int[] sequence = new int[40];
    int[] runs = new int[40];
    for (int i = 0; i < 40; i++) {
      sequence[i] = i;
      // Runs of four pages, one here and one there.
      runs[i] = i / 4 * 7 % 10 * 4 + i % 4;
    }
    assertThat(faults(sequence)).as("in sequence").isEqualTo(inSequence);
    assertThat(faults(runs)).as("in runs").isEqualTo(inRuns);
    assertThat(PagingProbe.count(vm, Counter.SWAP_OUTS)).isZero();
  }

  private long faults(int[] order) {
    try (Vmspace child = space.fork();
        Cpu reader = vm.newCpu()) {
      reader.attach(child);
      for (int i : order) {
        assertThat(reader.get(JAVA_LONG, page(i))).isEqualTo(100 + i);
      }
      long faults = PagingProbe.count(reader, Counter.FAULTS);
      assertThat(PagingProbe.count(reader, Counter.NEIGHBOURS)).isEqualTo(order.length - faults);
      assertThat(PagingProbe.count(reader, Counter.MAJOR_FAULTS)).isZero();
      return faults;
    }
  }

  /** What leaves memory takes its mappings with it, and comes back with one fault for each page. */
  @Test
  void F15_majorFaults() {
    fill(false);
    long before = swap.operations(FaultyStore.Operation.READ);
    try (Cpu reader = vm.newCpu()) {
      reader.attach(space);
      for (int i = 0; i < PAGES; i++) {
        assertThat(reader.get(JAVA_LONG, page(i))).isEqualTo(100 + i);
      }
      long majors = PagingProbe.count(reader, Counter.MAJOR_FAULTS);
      assertThat(majors).isGreaterThanOrEqualTo(PAGES - 64);
      assertThat(PagingProbe.count(reader, Counter.SWAP_INS)).isEqualTo(majors);
      assertThat(swap.operations(FaultyStore.Operation.READ) - before).isEqualTo(majors);
    }
  }
}
