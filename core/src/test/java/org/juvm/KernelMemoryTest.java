package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.juvm.AuditedVms.assertRefused;
import static org.juvm.AuditedVms.awaitWaiting;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Protection;

/** Native memory with a limit. */
class KernelMemoryTest {
  private static final long PAGE = 4096;

  /** More than any test needs: no test ends by it. */
  private static final Duration LONG = Duration.ofHours(1);

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  @Test
  void K9_memoryOfAllSizesIsAlignedDistinctAndZeroAtFirst() {
    Vm vm = vms.boot(8192);
    KernelMemory memory = vm.kernel().memory(24 << 20);
    List<MemorySegment> all = new ArrayList<>();
    long used = 0;
    for (long size = 0; size < 200_000; size = size + 1 + size / 7) {
      for (long alignment = 1; alignment <= PAGE; alignment *= 8) {
        MemorySegment segment = memory.allocate(size, alignment);
        assertThat(segment.byteSize()).isEqualTo(size);
        assertThat(segment.address() % alignment).isZero();
        assertThat(segment.mismatch(MemorySegment.ofArray(new byte[(int) size]))).isEqualTo(-1);
        segment.fill((byte) all.size());
        all.add(segment);
        used += size;
      }
      if (used > 5 << 20) {
        break;
      }
    }
    assertThat(memory.usage().used()).isEqualTo(used);
    assertThat(vm.audit()).isEmpty();
    for (int i = 0; i < all.size(); i++) {
      MemorySegment segment = all.get(i);
      for (long at = 0; at < segment.byteSize(); at++) {
        assertThat(segment.get(JAVA_BYTE, at)).isEqualTo((byte) i);
      }
      memory.free(segment);
    }
    memory.trim();
    assertThat(memory.usage().mapped()).isZero();
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  @Test
  void K5_theLimitIsHardAndWhatIsFreedCanBeHadAgain() {
    Vm vm = vms.boot(1024);
    KernelMemory memory = vm.kernel().memory(64 * PAGE);
    for (int size : new int[] {16, 100, 4096, 5000, 30_000, 40_000}) {
      List<MemorySegment> all = new ArrayList<>();
      try {
        while (true) {
          all.add(memory.allocate(size, 8));
          assertThat(memory.usage().mapped()).isLessThanOrEqualTo(64 * PAGE);
        }
      } catch (MapException e) {
        assertThat(e.reason()).isEqualTo(MapException.Reason.NO_SPACE);
      }
      // What is lost to rounding and to the ends of slabs is less than a third.
      assertThat((long) all.size() * size).isGreaterThan(64 * PAGE * 2 / 3);
      assertThat(memory.usage().failures()).isPositive();
      memory.free(all.removeLast());
      all.add(memory.allocate(size, 8));
      all.forEach(memory::free);
    }
    assertRefused(MapException.Reason.NO_SPACE, () -> memory.allocate(65 * PAGE));
    assertRefused(MapException.Reason.NO_SPACE, () -> memory.allocate(Long.MAX_VALUE));
    memory.free(memory.allocate(64 * PAGE));
  }

  @Test
  void K8_freeIsChecked() {
    Vm vm = vms.boot(1024);
    KernelMemory memory = vm.kernel().memory(256 * PAGE);
    KernelMemory other = vm.kernel().memory(256 * PAGE);
    for (long size : new long[] {0, 24, 100, 4096, 20_000, 50_000}) {
      MemorySegment segment = memory.allocate(size);
      assertThatThrownBy(() -> other.free(segment)).isInstanceOf(IllegalArgumentException.class);
      if (size > 1) {
        assertThatThrownBy(() -> memory.free(segment.asSlice(0, size - 1)))
            .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> memory.free(segment.asSlice(1, size - 1)))
            .isInstanceOf(IllegalArgumentException.class);
      }
      memory.free(segment);
      assertThatThrownBy(() -> memory.free(segment))
          .isInstanceOfAny(IllegalStateException.class, IllegalArgumentException.class);
      assertThat(vm.audit()).isEmpty();
    }
    assertThatThrownBy(() -> memory.free(MemorySegment.ofArray(new byte[8])))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> memory.free(MemorySegment.NULL))
        .isInstanceOf(IllegalArgumentException.class);
    try (Arena arena = Arena.ofConfined()) {
      assertThatThrownBy(() -> memory.free(arena.allocate(64)))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(memory.usage().used()).isZero();
    assertThat(memory.usage().allocations()).isEqualTo(memory.usage().frees());
  }

  @Test
  void K8_ofTwoThreadsThatFreeTheSameOneIsToldSo() throws Exception {
    Vm vm = vms.boot(1024);
    KernelMemory memory = vm.kernel().memory(256 * PAGE);
    for (int round = 0; round < 2000; round++) {
      MemorySegment segment = memory.allocate(64);
      List<FutureTask<Boolean>> tasks = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        tasks.add(
            new FutureTask<>(
                () -> {
                  try {
                    memory.free(segment);
                    return true;
                  } catch (IllegalStateException e) {
                    return false;
                  }
                }));
      }
      tasks.forEach(task -> Thread.ofVirtual().start(task));
      assertThat(tasks.get(0).get() ^ tasks.get(1).get()).isTrue();
    }
  }

  @Test
  void K7_whoWaitsGetsWhatAnotherFrees() throws Exception {
    Vm vm = vms.boot(1024);
    KernelMemory memory = vm.kernel().memory(32 * PAGE);
    List<MemorySegment> all = new ArrayList<>();
    fill(memory, 512, all);
    FutureTask<MemorySegment> small = new FutureTask<>(() -> memory.allocate(1024, 8, LONG));
    FutureTask<MemorySegment> large = new FutureTask<>(() -> memory.allocate(10 * PAGE, 8, LONG));
    Thread first = Thread.ofPlatform().start(small);
    Thread second = Thread.ofPlatform().start(large);
    awaitWaiting(first);
    awaitWaiting(second);
    assertThat(memory.usage().waits()).isEqualTo(2);
    while (!all.isEmpty() && !(small.isDone() && large.isDone())) {
      memory.free(all.removeLast());
    }
    all.forEach(memory::free);
    memory.free(small.get());
    memory.free(large.get());
    assertThat(memory.usage().used()).isZero();
  }

  @Test
  void K7_theWaitEndsWithTheTime() throws Exception {
    Vm vm = vms.boot(1024);
    KernelMemory memory = vm.kernel().memory(8 * PAGE);
    fill(memory, 1000, new ArrayList<>());
    try {
      memory.allocate(1000, 8, Duration.ofMillis(5));
      throw new AssertionError("there was memory");
    } catch (MapException e) {
      assertThat(e.reason()).isEqualTo(MapException.Reason.NO_SPACE);
    }
    try {
      memory.allocate(9 * PAGE, 8, LONG);
      throw new AssertionError("there was memory");
    } catch (MapException e) {
      assertThat(e.reason()).isEqualTo(MapException.Reason.NO_SPACE);
    }
  }

  @Test
  void K7_theWaitEndsWithAnInterruptAndWithTheMemory() throws Exception {
    Vm vm = vms.boot(1024);
    KernelMemory memory = vm.kernel().memory(8 * PAGE);
    fill(memory, 1000, new ArrayList<>());
    FutureTask<MemorySegment> interrupted = new FutureTask<>(() -> memory.allocate(999, 8, LONG));
    Thread thread = Thread.ofPlatform().start(interrupted);
    awaitWaiting(thread);
    thread.interrupt();
    assertThatThrownBy(interrupted::get).hasCauseInstanceOf(InterruptedException.class);
    FutureTask<MemorySegment> ended = new FutureTask<>(() -> memory.allocate(999, 8, LONG));
    awaitWaiting(Thread.ofPlatform().start(ended));
    memory.close();
    assertThatThrownBy(ended::get).hasCauseInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> memory.allocate(8)).isInstanceOf(IllegalStateException.class);
    memory.close();
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  @Test
  void K5_K6_theSystemsMemoryIsShortAndComesBack() throws Exception {
    Vm vm = vms.boot(256);
    KernelMemory memory = vm.kernel().memory(1024 * PAGE);
    Vmspace vmspace = vm.newVmspace();
    long user = vmspace.map(128 * PAGE, Protection.READ_WRITE);
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(vmspace);
      cpu.bulk().fill(user, 128 * PAGE, (byte) 1);
      List<MemorySegment> all = new ArrayList<>();
      try {
        while (true) {
          all.add(memory.allocate(2000));
        }
      } catch (MapException e) {
        assertThat(e.reason()).isEqualTo(MapException.Reason.NO_MEMORY);
      }
      assertThat(all.size()).isGreaterThan(100);
      FutureTask<MemorySegment> waiter = new FutureTask<>(() -> memory.allocate(2000, 8, LONG));
      Thread thread = Thread.ofPlatform().start(waiter);
      awaitWaiting(thread);
      vmspace.unmap(user, 128 * PAGE);
      memory.free(waiter.get());
      all.forEach(memory::free);
    }
  }

  @Test
  void K9_whatIsKeptReadyIsGivenUpBeforeThereIsNoMemory() {
    for (int swapPages : new int[] {0, 16}) {
      Vm vm = swapPages == 0 ? vms.boot(256) : vms.bootWithSwap(256, swapPages);
      KernelMemory memory = vm.kernel().memory(200 * PAGE);
      List<MemorySegment> all = new ArrayList<>();
      for (int size : new int[] {100, 3000, 9000}) {
        for (int i = 0; i < 20; i++) {
          all.add(memory.allocate(size));
        }
      }
      all.forEach(memory::free);
      assertThat(memory.usage().mapped()).isPositive();
      Vmspace vmspace = vm.newVmspace();
      long user = vmspace.map(250 * PAGE, Protection.READ_WRITE);
      try (Cpu cpu = vm.newCpu()) {
        cpu.attach(vmspace);
        cpu.bulk().fill(user, 240 * PAGE, (byte) 1);
      }
      assertThat(memory.usage().mapped()).isLessThan(16 * PAGE);
    }
  }

  @Test
  void arenasBoundTheLifeOfMemory() {
    Vm vm = vms.boot(1024);
    KernelMemory memory = vm.kernel().memory(256 * PAGE);
    MemorySegment escaped;
    try (Arena arena = Arena.ofConfined()) {
      escaped = memory.allocate(100, 8, arena);
      escaped.set(JAVA_LONG, 0, 42);
      assertThat(memory.usage().used()).isEqualTo(100);
    }
    assertThat(memory.usage().used()).isZero();
    assertThatThrownBy(() -> escaped.get(JAVA_LONG, 0)).isInstanceOf(IllegalStateException.class);
    try (Arena arena = Arena.ofShared()) {
      assertThat(memory.allocate(100, 8, arena).get(JAVA_LONG, 0)).isZero();
    }
    Arena closed = Arena.ofConfined();
    closed.close();
    assertThatThrownBy(() -> memory.allocate(100, 8, closed))
        .isInstanceOf(IllegalStateException.class);
    assertThat(memory.usage().used()).isZero();
    assertThat(memory.allocateFrom("juvm").getString(0)).isEqualTo("juvm");
  }

  @Test
  void K7_theEndOfTheSystemEndsTheWait() throws Exception {
    Vm vm = vms.boot(1024);
    KernelMemory memory = vm.kernel().memory(8 * PAGE);
    fill(memory, 1000, new ArrayList<>());
    FutureTask<MemorySegment> ended = new FutureTask<>(() -> memory.allocate(999, 8, LONG));
    awaitWaiting(Thread.ofPlatform().start(ended));
    vm.close();
    assertThatThrownBy(ended::get).hasCauseInstanceOf(IllegalStateException.class);
  }

  @Test
  void whatIsKeptReadyIsNotGivenOutAfterTheEnd() {
    Vm vm = vms.boot(1024);
    KernelMemory memory = vm.kernel().memory(64 * PAGE);
    MemorySegment one = memory.allocate(64);
    memory.free(memory.allocate(64));
    memory.close();
    assertThatThrownBy(() -> memory.allocate(64)).isInstanceOf(IllegalStateException.class);
    memory.free(one);
    memory.trim();
    assertThat(vm.audit()).isEmpty();
  }

  @Test
  void usageSaysWhatThereIs() {
    Vm vm = vms.boot(1024);
    KernelMemory memory = vm.kernel().memory(256 * PAGE);
    MemorySegment one = memory.allocate(100);
    MemorySegment two = memory.allocate(3000);
    KernelMemory.Usage usage = memory.usage();
    assertThat(usage.limit()).isEqualTo(256 * PAGE);
    assertThat(usage.used()).isEqualTo(3100);
    assertThat(usage.allocations()).isEqualTo(2);
    assertThat(usage.sizes()).extracting(KernelMemory.SizeUsage::bytes).containsExactly(112, 3072);
    for (KernelMemory.SizeUsage size : usage.sizes()) {
      assertThat(size.free()).isEqualTo(size.objects() - 1);
    }
    assertThat(memory.show())
        .contains("used=3100, allocations=2, frees=0, failures=0, waits=0\n")
        .containsPattern("\n +112 +1 +\\d+ +1 +\\d+\n +3072 +1 +\\d+ +1 +\\d+\n$");
    memory.free(one);
    memory.free(two);
    memory.trim();
    assertThat(memory.usage().sizes()).isEmpty();
    assertThat(memory.show()).contains("mapped=0, used=0, allocations=2, frees=2");
  }

  @Test
  void whatIsFreeIsKeptReady_upToAnEighthOfTheLimit() {
    Vm vm = vms.boot(8192);
    long limit = 4096 * PAGE;
    KernelMemory memory = vm.kernel().memory(limit);
    List<MemorySegment> all = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      all.add(memory.allocate(16_384));
    }
    long mapped = memory.usage().mapped();
    all.forEach(memory::free);
    assertThat(memory.usage().mapped()).isEqualTo(mapped);
    all.clear();
    fill(memory, 16_384, all);
    all.forEach(memory::free);
    assertThat(memory.usage().mapped()).isBetween(limit / 16, limit / 8 + limit / 32);
    assertThat(vm.audit()).isEmpty();
    // All of it can be had in another form.
    memory.free(memory.allocate(limit));
    assertThat(memory.usage().mapped()).isZero();
    assertThat(vm.audit()).isEmpty();
  }

  @Test
  void otherPageSizes() {
    for (int pageSize : new int[] {1024, 16384, 65536}) {
      Vm vm = vms.boot(512, pageSize);
      KernelMemory memory = vm.kernel().memory(128L * pageSize);
      List<MemorySegment> all = new ArrayList<>();
      for (int size = 1; size < 60_000 && size < 16L * pageSize; size += 1 + size / 2) {
        all.add(memory.allocate(size, Math.min(pageSize, Integer.highestOneBit(size))));
        all.getLast().fill((byte) 1);
      }
      assertThat(vm.audit()).isEmpty();
      all.forEach(memory::free);
      memory.close();
    }
  }

  @Test
  void wrongArguments() {
    Vm vm = vms.boot(64);
    KernelMemory memory = vm.kernel().memory(8 * PAGE);
    assertThatThrownBy(() -> memory.allocate(-1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> memory.allocate(8, 3)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> memory.allocate(8, 0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> memory.allocate(8, 2 * PAGE))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> vm.kernel().memory(0)).isInstanceOf(IllegalArgumentException.class);
    MemorySegment segment = memory.allocate(8);
    vm.close();
    assertThatThrownBy(() -> memory.allocate(8)).isInstanceOf(IllegalStateException.class);
    assertThat(segment.get(JAVA_LONG, 0)).isZero();
  }

  private static void fill(KernelMemory memory, long size, List<MemorySegment> into) {
    try {
      while (true) {
        into.add(memory.allocate(size));
      }
    } catch (MapException e) {
      assertThat(e.reason()).isEqualTo(MapException.Reason.NO_SPACE);
    }
  }
}
