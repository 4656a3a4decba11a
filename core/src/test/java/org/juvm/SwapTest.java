package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.juvm.AuditedVms.assertRefused;
import static org.juvm.Program.PAGE;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.juvm.base.Protection;
import org.juvm.base.Replacement;

/** Anonymous memory that is larger than memory, and where it goes. */
class SwapTest {
  private static final long AT = 1L << 20;

  @RegisterExtension private final AuditedVms vms = new AuditedVms();

  private static Program numbered(Vm vm, int pages) {
    Program program = Program.in(vm);
    program.space.map(AT, (long) pages * PAGE, Protection.READ_WRITE);
    program.number(AT, pages);
    return program;
  }

  private static void assertNumbered(Program program, int pages) {
    for (int i = 0; i < pages; i++) {
      assertThat(program.get(AT + (long) i * PAGE)).isEqualTo(i + 1);
    }
  }

  @Test
  void D1_memoryIsLargerThanTheBudget() {
    Vm vm = vms.bootWithSwap(64, 1024);
    Program program = numbered(vm, 512);
    assertNumbered(program, 512);
    assertNumbered(program, 512);
    Statistics seen = vm.statistics();
    assertThat(seen.zeroFills()).isEqualTo(512);
    assertThat(seen.swapOuts()).isGreaterThanOrEqualTo(512 - 64);
    assertThat(seen.swapIns()).isGreaterThanOrEqualTo(2 * (512 - 64));
    assertThat(seen.majorFaults()).isEqualTo(seen.swapIns());
    assertThat(seen.outOfMemory()).isZero();
  }

  @Test
  void D2_aPageThatWasNotChangedIsNotWrittenAgain() {
    Vm vm = vms.bootWithSwap(64, 1024);
    Program program = numbered(vm, 256);
    assertNumbered(program, 256);
    long written = vm.statistics().swapOuts();
    assertNumbered(program, 256);
    assertNumbered(program, 256);
    // What was in memory when the reading began may have been dirty.
    assertThat(vm.statistics().swapOuts() - written).isLessThanOrEqualTo(64);
    assertThat(vm.statistics().swapIns()).isGreaterThan(2 * (256 - 64));
  }

  @Test
  void A8_forkSharesPagesThatAreInSwap() {
    Vm vm = vms.bootWithSwap(64, 1024);
    Program parent = numbered(vm, 256);
    Program child = parent.fork();
    for (int i = 0; i < 256; i += 2) {
      parent.set(AT + (long) i * PAGE, -i);
    }
    assertNumbered(child, 256);
    for (int i = 0; i < 256; i++) {
      assertThat(parent.get(AT + (long) i * PAGE)).isEqualTo(i % 2 == 0 ? -i : i + 1);
    }
    parent.space.close();
    assertNumbered(child, 256);
    child.space.close();
    assertThat(vm.swap().pagesInUse()).isZero();
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  @Test
  void O6_sharedMemoryGoesToSwapAndComesBack() {
    Vm vm = vms.bootWithSwap(64, 1024);
    Program one = Program.in(vm);
    Program two = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().create(256L * PAGE)) {
      one.space.map(MapRequest.of(memory, 0, 256L * PAGE).shared().at(AT));
      two.space.map(MapRequest.of(memory, 0, 256L * PAGE).shared().at(AT));
      one.number(AT, 256);
      assertNumbered(two, 256);
      two.set(AT, 77);
      assertNumbered(one, 0);
      assertThat(one.get(AT)).isEqualTo(77);
      memory.resize(100L * PAGE + 8);
      memory.resize(256L * PAGE);
      assertThat(one.get(AT + 99L * PAGE)).isEqualTo(100);
      assertThat(one.get(AT + 100L * PAGE)).isEqualTo(101);
      assertThat(one.get(AT + 101L * PAGE)).isZero();
    }
  }

  @Test
  void O1_memoryWithoutSwapStays() {
    Vm vm = vms.bootWithSwap(64, 1024);
    Program program = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().createResident(16L * PAGE)) {
      program.space.map(MapRequest.of(memory, 0, 16L * PAGE).shared().at(2 * AT));
      program.number(2 * AT, 16);
      program.space.map(AT, 256L * PAGE, Protection.READ_WRITE);
      program.number(AT, 256);
      assertNumbered(program, 256);
      assertThat(memory.residentPages()).isEqualTo(16);
      assertThat(program.space.paging().resident(2 * AT, 16L * PAGE)).containsOnly(true);
    }
  }

  @Test
  void M12_pagesThatAreNotNeededGoFirst() {
    Vm vm = vms.bootWithSwap(64, 1024);
    Program program = numbered(vm, 40);
    program.space.paging().deactivate(AT, 8L * PAGE);
    program.space.map(2 * AT, 8L * PAGE, Protection.READ_WRITE);
    for (int i = 0; i < 8; i++) {
      program.set(2 * AT + (long) i * PAGE, 1);
    }
    boolean[] resident = new boolean[40];
    vm.daemon()
        .whileQuiet(
            () -> {
              boolean[] now = program.space.paging().resident(AT, 40L * PAGE);
              System.arraycopy(now, 0, resident, 0, 40);
            });
    assertThat(missing(resident, 8, 40) == 0 || missing(resident, 0, 8) == 8).isTrue();
    program.space.paging().prefault(AT, 8L * PAGE);
    assertNumbered(program, 40);
  }

  @Test
  void M26_pagesInSwapAreCounted() {
    Vm vm = vms.bootWithSwap(64, 1024);
    Program program = numbered(vm, 256);
    vm.daemon()
        .whileQuiet(
            () -> {
              Paging paging = program.space.paging();
              long swapped = paging.swappedPages();
              assertThat(swapped).isGreaterThanOrEqualTo(256 - 64);
              assertThat(paging.anonymousPages()).isEqualTo(256);
              assertThat(missing(paging.resident(AT, 256L * PAGE), 0, 256))
                  .isEqualTo((int) swapped);
            });
  }

  private static int missing(boolean[] resident, int start, int end) {
    int missing = 0;
    for (int i = start; i < end; i++) {
      missing += resident[i] ? 0 : 1;
    }
    return missing;
  }

  @Test
  void F12_aWiredPageStaysAndHasNoSlot() {
    Vm vm = vms.bootWithSwap(64, 1024);
    Program program = numbered(vm, 256);
    program.space.paging().wire(AT, 16L * PAGE);
    assertThat(program.space.paging().resident(AT, 16L * PAGE)).containsOnly(true);
    assertNumbered(program, 256);
    assertNumbered(program, 256);
    assertThat(program.space.paging().resident(AT, 16L * PAGE)).containsOnly(true);
    long reads = vm.statistics().swapIns();
    assertNumbered(program, 16);
    assertThat(vm.statistics().swapIns()).isEqualTo(reads);
    assertThat(vm.swap().pagesInUse()).isLessThanOrEqualTo(256 - 16);
  }

  @Test
  void F10_memoryAndSwapAreFull() {
    Vm vm = vms.bootWithSwap(64, 64);
    Program program = Program.in(vm);
    program.space.map(AT, 512L * PAGE, Protection.READ_WRITE);
    int pages = 0;
    try {
      for (; pages < 512; pages++) {
        program.set(AT + (long) pages * PAGE, pages + 1);
      }
    } catch (MemoryFault e) {
      assertThat(e.reason()).isEqualTo(MemoryFault.Reason.OUT_OF_MEMORY);
    }
    // A few frames are left for pages that are to be read.
    assertThat(pages).isBetween(64 + 50, 64 + 64);
    assertNumbered(program, pages);
    program.space.unmap(AT, 32L * PAGE);
    program.set(AT + (long) pages * PAGE, pages + 1);
    for (int i = 32; i <= pages; i++) {
      assertThat(program.get(AT + (long) i * PAGE)).isEqualTo(i + 1);
    }
  }

  @Test
  void S2_aDeviceIsRemovedWhileItIsUsed(@TempDir Path directory) throws IOException {
    Vm vm = vms.boot(64);
    Path file = directory.resolve("swap");
    SwapDevice first = vm.swap().addFile(file, 512L * PAGE, 0, false);
    Program program = numbered(vm, 256);
    Program child = program.fork();
    assertThat(first.pagesInUse()).isPositive();
    assertThat(first.bytesWritten()).isPositive();
    assertThatThrownBy(() -> vm.swap().addFile(file, 512L * PAGE, 0, false))
        .isInstanceOf(IllegalArgumentException.class);
    SwapDevice second = vm.swap().addFile(directory.resolve("other"), 512L * PAGE, 1, true);
    assertThat(second.pagesInUse()).isZero();
    vm.swap().remove(first);
    assertThat(vm.swap().devices()).extracting(SwapDevice::name).containsExactly(second.name());
    assertThat(second.pagesInUse()).isPositive();
    assertThat(Files.exists(file)).isTrue();
    assertNumbered(program, 256);
    assertNumbered(child, 256);
    assertThatThrownBy(() -> vm.swap().remove(first)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void A11_aDeviceThatDoesNotFitIntoMemoryStays(@TempDir Path directory) throws IOException {
    Vm vm = vms.boot(64);
    SwapDevice device = vm.swap().addFile(directory.resolve("swap"), 512L * PAGE, 0, false);
    Program program = numbered(vm, 256);
    assertRefused(MapException.Reason.NO_MEMORY, () -> vm.swap().remove(device));
    assertThat(vm.swap().devices()).hasSize(1);
    assertNumbered(program, 256);
    program.space.unmap(AT + 32L * PAGE, 224L * PAGE);
    vm.swap().remove(device);
    assertThat(vm.swap().devices()).isEmpty();
    assertThat(vm.swap().pages()).isZero();
    assertNumbered(program, 32);
  }

  @Test
  void O7_sharedMemoryIsReadBackWhenItsDeviceIsRemoved(@TempDir Path directory) throws IOException {
    Vm vm = vms.boot(64);
    SwapDevice device = vm.swap().addFile(directory.resolve("swap"), 512L * PAGE, 0, false);
    Program program = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().create(128L * PAGE)) {
      program.space.map(MapRequest.of(memory, 0, 128L * PAGE).shared().at(AT));
      program.number(AT, 128);
      program.space.unmap(AT, 128L * PAGE);
      memory.resize(40L * PAGE);
      vm.swap().remove(device);
      program.space.map(MapRequest.of(memory, 0, 40L * PAGE).shared().at(AT));
      assertNumbered(program, 40);
    }
    assertThat(vm.statistics().swapPages()).isZero();
  }

  @Test
  void D4_everyPolicyServesALiveSystem() {
    for (Replacement policy : Replacement.values()) {
      try (Vm vm = Vm.builder().memory(64L * PAGE).swap(1024L * PAGE).replacement(policy).boot()) {
        Program program = numbered(vm, 300);
        Program child = program.fork();
        assertNumbered(child, 300);
        child.number(AT, 150);
        assertNumbered(program, 300);
        assertThat(vm.audit()).as(policy.toString()).isEqualTo(List.of());
      }
    }
  }

  /** Each takes what the daemon frees for all; who comes last must not find that it has failed. */
  @Test
  void D5_manyThreadsThatWaitAtOnceAllGetMemory() throws Exception {
    int pages = 2048;
    Vm vm = vms.bootWithSwap(128, 2 * pages);
    Vmspace space = numbered(vm, pages).space;
    try (ExecutorService threads = Executors.newFixedThreadPool(16)) {
      List<Future<?>> readers = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        SplittableRandom random = new SplittableRandom(i);
        readers.add(
            threads.submit(
                () -> {
                  try (Cpu cpu = vm.newCpu()) {
                    cpu.attach(space);
                    for (int j = 0; j < 5000; j++) {
                      int page = random.nextInt(pages);
                      assertThat(cpu.get(ValueLayout.JAVA_LONG, AT + (long) page * PAGE))
                          .isEqualTo(page + 1);
                    }
                  }
                }));
      }
      for (Future<?> reader : readers) {
        reader.get();
      }
    }
    Statistics seen = vm.statistics();
    assertThat(seen.outOfMemory()).isZero();
  }

  @Test
  void S2_aDeviceIsRemovedWhileTheSystemIsClosed() throws Exception {
    for (int round = 0; round < 300; round++) {
      Vm vm = vms.bootWithSwap(64, 256);
      SwapDevice device = vm.swap().devices().getFirst();
      FutureTask<Boolean> removal =
          new FutureTask<>(
              () -> {
                try {
                  vm.swap().remove(device);
                  return true;
                } catch (IllegalArgumentException | IllegalStateException e) {
                  return false;
                }
              });
      Thread.ofPlatform().start(removal);
      vm.close();
      assertThat(removal.get()).isNotNull();
    }
  }
}
