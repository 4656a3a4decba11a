package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.juvm.AuditedVms.assertFault;
import static org.juvm.AuditedVms.assertRefused;
import static org.juvm.Program.PAGE;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Advice;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;

/** Memory whose pages a client provides. */
class PagerTest {
  private static final long AT = 1 << 20;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  /** Keeps pages on the heap; the first number of a page that never was is its own. */
  private static final class Backing implements WritablePager {
    final Map<Long, byte[]> pages = new ConcurrentHashMap<>();
    final Set<Long> broken = ConcurrentHashMap.newKeySet();
    final AtomicInteger reads = new AtomicInteger();
    final AtomicInteger writes = new AtomicInteger();

    @Override
    public void read(long page, MemorySegment into) throws IOException {
      reads.incrementAndGet();
      if (broken.contains(page)) {
        throw new IOException("no page " + page);
      }
      byte[] bytes = pages.get(page);
      if (bytes == null) {
        into.set(JAVA_LONG_UNALIGNED, 0, page);
      } else {
        into.copyFrom(MemorySegment.ofArray(bytes));
      }
    }

    @Override
    public void write(long page, MemorySegment from) throws IOException {
      writes.incrementAndGet();
      if (broken.contains(page)) {
        throw new IllegalStateException("cannot keep page " + page);
      }
      byte[] bytes = new byte[(int) from.byteSize()];
      MemorySegment.ofArray(bytes).copyFrom(from);
      pages.put(page, bytes);
    }

    long number(long page) {
      return MemorySegment.ofArray(pages.get(page)).get(JAVA_LONG_UNALIGNED, 0);
    }
  }

  private static MapRequest shared(PagedMemory memory, long pages) {
    return MapRequest.of(memory, 0, pages * PAGE).shared().advice(Advice.RANDOM).at(AT);
  }

  @Test
  void V3_pagesAreReadOnFaultOnce() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    Program other = Program.in(vm);
    Backing backing = new Backing();
    try (PagedMemory memory = vm.newPagedMemory(backing, 8 * PAGE)) {
      program.space.map(shared(memory, 8));
      other.space.map(shared(memory, 8));
      assertThat(backing.reads).hasValue(0);
      assertThat(program.get(AT + 3 * PAGE)).isEqualTo(3);
      assertThat(other.get(AT + 3 * PAGE)).isEqualTo(3);
      program.set(AT + 3 * PAGE, 33);
      assertThat(other.get(AT + 3 * PAGE)).isEqualTo(33);
      assertThat(backing.reads).hasValue(1);
      assertThat(memory.residentPages()).isEqualTo(1);
      assertFault(MemoryFault.Reason.NOT_MAPPED, AT + 8 * PAGE, () -> program.get(AT + 8 * PAGE));
    }
  }

  @Test
  void V3_changedPagesAreWrittenWhenMemoryIsShort() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    Backing backing = new Backing();
    try (PagedMemory memory = vm.newPagedMemory(backing, 512 * PAGE)) {
      program.space.map(shared(memory, 512));
      for (int round = 1; round < 4; round++) {
        for (long page = 0; page < 512; page++) {
          long at = AT + page * PAGE;
          assertThat(program.get(at)).isEqualTo(round == 1 ? page : page * 10 + round - 1);
          program.set(at, page * 10 + round);
        }
      }
      assertThat(memory.residentPages()).isLessThanOrEqualTo(64);
      assertThat(backing.writes.get()).isGreaterThan(512);
    }
  }

  @Test
  void V3_cleanPagesGoWithoutBeingWritten() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    Backing backing = new Backing();
    try (PagedMemory memory = vm.newPagedMemory(backing, 256 * PAGE)) {
      program.space.map(shared(memory, 256));
      for (int round = 0; round < 2; round++) {
        for (long page = 0; page < 256; page++) {
          assertThat(program.get(AT + page * PAGE)).isEqualTo(page);
        }
      }
      assertThat(backing.writes).hasValue(0);
      assertThat(backing.reads.get()).isGreaterThan(400);
    }
  }

  @Test
  void V3_privateMappingsAreCopies() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    Backing backing = new Backing();
    try (PagedMemory memory = vm.newPagedMemory(backing, 8 * PAGE)) {
      program.space.map(MapRequest.of(memory, 2 * PAGE, 4 * PAGE).at(AT));
      assertThat(program.get(AT)).isEqualTo(2);
      program.set(AT, 20);
      memory.sync();
      assertThat(backing.writes).hasValue(0);
      assertThat(program.get(AT)).isEqualTo(20);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void V3_syncWritesWhatHasChanged() throws IOException {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    Backing backing = new Backing();
    try (PagedMemory memory = vm.newPagedMemory(backing, 8 * PAGE)) {
      program.space.map(shared(memory, 8));
      program.number(AT, 3);
      program.get(AT + 5 * PAGE);
      memory.sync();
      assertThat(backing.pages.keySet()).containsExactlyInAnyOrder(0L, 1L, 2L);
      assertThat(backing.number(1)).isEqualTo(2);
      memory.sync();
      assertThat(backing.writes).as("nothing has changed since").hasValue(3);
      program.space.paging().wire(AT, PAGE);
      try (Loan loan = program.space.lend(AT + PAGE, PAGE)) {
        program.set(AT, 100);
        memory.sync();
        assertThat(backing.number(0)).isEqualTo(100);
        assertThat(loan.segments().getFirst().get(JAVA_LONG, 0)).isEqualTo(2);
      }
      program.space.paging().unwire(AT, PAGE);
    }
  }

  @Test
  void V3_lastPagesAreWrittenWhenNothingRefersToThem() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    Backing backing = new Backing();
    PagedMemory memory = vm.newPagedMemory(backing, 200L * PAGE);
    program.space.map(shared(memory, 200));
    program.number(AT, 20);
    memory.close();
    memory.close();
    assertThat(program.get(AT + PAGE)).isEqualTo(2);
    assertThat(backing.writes).hasValue(0);
    program.space.unmap(AT, 200L * PAGE);
    assertThat(backing.pages).hasSize(20);
    assertThat(backing.number(19)).isEqualTo(20);
    assertThat(vm.statistics().usedFrames()).isZero();
    assertThatIllegalStateException().isThrownBy(memory::sync);
    assertThatIllegalStateException().isThrownBy(() -> program.space.map(shared(memory, 1)));
  }

  @Test
  void V3_endOfTheSystemWritesWhatHasChanged() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    Backing backing = new Backing();
    program.space.map(shared(vm.newPagedMemory(backing, 8 * PAGE), 8));
    program.number(AT, 5);
    vm.close();
    assertThat(backing.pages).hasSize(5);
    assertThat(backing.number(4)).isEqualTo(5);
    assertThatIllegalStateException().isThrownBy(() -> vm.newPagedMemory(backing, PAGE));
  }

  @Test
  void V3_whatThePagerThrowsConcernsOnePage() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    Backing backing = new Backing();
    try (PagedMemory memory = vm.newPagedMemory(backing, 8 * PAGE)) {
      program.space.map(shared(memory, 8));
      backing.broken.add(2L);
      assertThatExceptionOfType(MemoryFault.class)
          .isThrownBy(() -> program.get(AT + 2 * PAGE))
          .withCauseInstanceOf(IOException.class)
          .satisfies(e -> assertThat(e.reason()).isEqualTo(MemoryFault.Reason.IO_ERROR));
      assertThat(program.get(AT + PAGE)).isEqualTo(1);
      assertThat(memory.residentPages()).isEqualTo(1);
      assertThat(vm.audit()).isEmpty();
      backing.broken.clear();
      assertThat(program.get(AT + 2 * PAGE)).isEqualTo(2);
      program.set(AT + PAGE, 10);
      program.set(AT + 2 * PAGE, 20);
      backing.broken.add(1L);
      assertThatExceptionOfType(IOException.class).isThrownBy(memory::sync);
      assertThat(backing.number(2)).isEqualTo(20);
      backing.broken.clear();
    }
  }

  @Test
  void F13_unreadablePageReadsAsZeros() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    Backing backing = new Backing();
    try (PagedMemory memory = vm.newPagedMemory(backing, 8 * PAGE)) {
      backing.broken.add(1L);
      backing.broken.add(2L);
      program.space.map(
          MapRequest.of(memory, 0, 4 * PAGE).flag(MapFlag.NO_FAULT).advice(Advice.RANDOM).at(AT));
      assertThat(program.get(AT + PAGE)).isZero();
      program.set(AT + PAGE, 5);
      backing.broken.clear();
      assertThat(program.get(AT + PAGE)).isEqualTo(5);
      assertThat(program.get(AT + 3 * PAGE)).isEqualTo(3);
      backing.broken.add(2L);
      try (Loan loan = program.space.lend(AT + 2 * PAGE, PAGE)) {
        assertThat(loan.segments().getFirst().get(JAVA_LONG, 0)).isZero();
      }
    }
  }

  @Test
  void V3_pagerThatOnlyReads() throws IOException {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    try (PagedMemory memory =
        vm.newPagedMemory(
            (page, into) -> into.set(JAVA_LONG_UNALIGNED, 0, page * page), 200L * PAGE)) {
      assertRefused(
          MapException.Reason.MAXIMUM_PROTECTION, () -> program.space.map(shared(memory, 200)));
      program.space.map(shared(memory, 200).protection(Protection.READ));
      assertRefused(
          MapException.Reason.MAXIMUM_PROTECTION,
          () -> program.space.protect(AT, PAGE, Protection.READ_WRITE));
      long copy = program.space.map(MapRequest.of(memory, 0, 4 * PAGE));
      program.set(copy + PAGE, 7);
      for (long page = 0; page < 200; page++) {
        assertThat(program.get(AT + page * PAGE)).isEqualTo(page * page);
      }
      assertThat(program.get(copy + PAGE)).isEqualTo(7);
      program.space.paging().wire(AT, PAGE);
      program.space.paging().unwire(AT, PAGE);
      memory.sync();
    }
  }

  /** The pager's code is a program like any other. */
  @Test
  void V3_pagerMayUseTheSystem() {
    Vm vm = vms.boot(128);
    Program program = Program.in(vm);
    Vmspace store = vm.newVmspace();
    long kept = store.map(64 * PAGE, Protection.READ_WRITE);
    try (PagedMemory memory =
        vm.newPagedMemory(
            (page, into) -> {
              try (Cpu cpu = vm.newCpu()) {
                cpu.attach(store);
                cpu.set(JAVA_LONG, kept + page * PAGE, page + 5);
                cpu.bulk().read(kept + page * PAGE, into, 0, PAGE);
              }
            },
            64 * PAGE)) {
      program.space.map(shared(memory, 64).protection(Protection.READ));
      for (long page = 0; page < 64; page++) {
        assertThat(program.get(AT + page * PAGE)).isEqualTo(page + 5);
      }
    }
  }

  @Test
  void V3_decompressionOnFault() {
    assertThat(DecompressExample.run()).isEqualTo(512L * 1023 * 1024 / 2 + " true");
  }

  /** Anonymous pages go on leaving memory, and other pages of the pager are served. */
  @Test
  void V3_bug33_pagerThatBlocksStopsNobodyElse() throws InterruptedException {
    CountDownLatch writing = new CountDownLatch(1);
    CountDownLatch reading = new CountDownLatch(1);
    CountDownLatch released = new CountDownLatch(1);
    WritablePager pager =
        new WritablePager() {
          @Override
          public void read(long page, MemorySegment into) {
            if (page == 60) {
              reading.countDown();
              awaitUninterruptibly(released);
            }
            into.set(JAVA_LONG_UNALIGNED, 0, page);
          }

          @Override
          public void write(long page, MemorySegment from) {
            writing.countDown();
            awaitUninterruptibly(released);
          }
        };
    try (Vm vm = Vm.builder().memory(64 * PAGE).swap(1024 * PAGE).boot()) {
      Program program = Program.in(vm);
      PagedMemory memory = vm.newPagedMemory(pager, 64 * PAGE);
      program.space.map(shared(memory, 64));
      Thread blocked =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try (Cpu cpu = vm.newCpu()) {
                      cpu.attach(program.space);
                      assertThat(cpu.get(JAVA_LONG, AT + 60 * PAGE)).isEqualTo(60);
                    }
                  });
      reading.await();
      program.number(AT, 16);
      long other = program.space.map(256 * PAGE, Protection.READ_WRITE);
      do {
        program.number(other, 256);
      } while (writing.getCount() != 0);
      for (int round = 0; round < 4; round++) {
        for (int page = 0; page < 256; page++) {
          assertThat(program.get(other + (long) page * PAGE)).isEqualTo(page + 1);
        }
        program.number(other, 256);
        assertThat(program.get(AT + (50L + round) * PAGE)).isEqualTo(50 + round);
      }
      released.countDown();
      blocked.join();
    }
  }

  /** A call that is under way when the system ends gets and gives nothing that is not its own. */
  @Test
  void V3_endOfTheSystemDuringACall() throws InterruptedException {
    CountDownLatch reading = new CountDownLatch(1);
    CountDownLatch released = new CountDownLatch(1);
    Vm vm = Vm.builder().memory(64 * PAGE).boot();
    Vmspace space = vm.newVmspace();
    PagedMemory memory =
        vm.newPagedMemory(
            (page, into) -> {
              reading.countDown();
              awaitUninterruptibly(released);
              into.fill((byte) 1);
            },
            PAGE);
    space.map(shared(memory, 1).protection(Protection.READ));
    Throwable[] thrown = new Throwable[1];
    Thread blocked =
        Thread.ofPlatform()
            .start(
                () -> {
                  Cpu cpu = vm.newCpu();
                  cpu.attach(space);
                  try {
                    cpu.get(JAVA_LONG, AT);
                  } catch (MemoryFault | IllegalStateException e) {
                    thrown[0] = e;
                  }
                });
    reading.await();
    vm.close();
    released.countDown();
    blocked.join();
    assertThat(thrown[0]).isNotNull();
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    boolean interrupted = false;
    while (true) {
      try {
        latch.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
