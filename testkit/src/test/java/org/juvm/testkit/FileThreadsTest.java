package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.juvm.Cpu;
import org.juvm.MapException;
import org.juvm.MapRequest;
import org.juvm.MappedFile;
import org.juvm.MemoryFault;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Protection;

/** Files under threads that fault, write, clean, cut and map at the same time. */
@Tag("threads")
@Timeout(240)
class FileThreadsTest {
  private static final int PAGE = 4096;
  private static final long AT = 1 << 20;

  @RegisterExtension final VmExtension vms = new VmExtension();

  @TempDir Path directory;

  private Path zeros(int pages) throws IOException {
    return Files.write(directory.resolve("file"), new byte[pages * PAGE]);
  }

  private static MappedFile open(Vm vm, Path path) throws IOException {
    return vm.files().open(path, StandardOpenOption.WRITE);
  }

  private static long inFile(byte[] bytes, long position) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).getLong((int) position);
  }

  /**
   * Each thread counts in a word of its own in every page, while pages leave memory, are cleaned
   * and dropped: a count that is lost was stored to a page after it was taken for clean.
   */
  @ParameterizedTest
  @ValueSource(longs = {0, 8 << 20})
  void D3_noStoreIsLostWhilePagesComeAndGo(long swap) throws IOException {
    int pages = 256;
    int threads = 3;
    int rounds = Choices.times(20_000);
    Path path = zeros(pages);
    long[][] counts = new long[threads][pages];
    try (Vm vm = Vm.builder().memory(96 * PAGE).swap(swap).boot();
        MappedFile file = open(vm, path)) {
      Vmspace space = vm.newVmspace();
      space.map(MapRequest.of(file, 0, (long) pages * PAGE).shared().at(AT));
      AtomicInteger running = new AtomicInteger(threads);
      Crew crew = new Crew();
      for (int n = 0; n < threads; n++) {
        int thread = n;
        Choices choices = Choices.fresh();
        crew.add(
            "counter " + n,
            () -> {
              try (Cpu cpu = vm.newCpu()) {
                cpu.attach(space);
                for (int i = 0; i < rounds; i++) {
                  int page = choices.oneIn(3) ? choices.below(pages) : choices.below(20);
                  long at = AT + (long) page * PAGE + thread * 8L;
                  cpu.set(JAVA_LONG, at, cpu.get(JAVA_LONG, at) + 1);
                  counts[thread][page]++;
                }
              } finally {
                int _ = running.decrementAndGet();
              }
            });
      }
      crew.add(
          "cleaner",
          () -> {
            for (int i = 0; running.get() > 0; i++) {
              space.paging().clean(AT, 128L * PAGE, i % 2 == 0);
              space.paging().cleanLater(AT + 64L * PAGE, 128L * PAGE);
            }
          });
      crew.run();
      assertThat(vm.audit()).isEmpty();
      file.sync();
      byte[] bytes = Files.readAllBytes(path);
      for (int n = 0; n < threads; n++) {
        for (int i = 0; i < pages; i++) {
          assertThat(inFile(bytes, (long) i * PAGE + n * 8L)).isEqualTo(counts[n][i]);
        }
      }
    }
  }

  /** A page has its number, or zeros if it was cut off since; beyond the end nothing is. */
  @Test
  void V1_truncationUpAndDownUnderFaults() throws IOException {
    int pages = 128;
    Path path = zeros(pages);
    Vm vm = vms.boot(64 * PAGE, PAGE);
    Vmspace space = vm.newVmspace();
    try (MappedFile file = open(vm, path)) {
      space.map(MapRequest.of(file, 0, (long) pages * PAGE).shared().at(AT));
      AtomicInteger cutters = new AtomicInteger(2);
      int rounds = Choices.times(400);
      Crew crew = new Crew();
      for (int n = 0; n < 2; n++) {
        Choices choices = Choices.fresh();
        crew.add(
            "cutter " + n,
            () -> {
              try {
                for (int i = 0; i < rounds; i++) {
                  file.resize(choices.below(pages * (long) PAGE));
                  if (choices.oneIn(4)) {
                    file.sync();
                  }
                }
              } finally {
                int _ = cutters.decrementAndGet();
              }
            });
      }
      for (int n = 0; n < 2; n++) {
        Choices choices = Choices.fresh();
        crew.add("faulter " + n, () -> fault(vm, space, choices, pages, cutters));
      }
      crew.run();
      assertThat(vm.audit()).isEmpty();
      file.sync();
      byte[] bytes = Files.readAllBytes(path);
      assertThat(bytes).hasSize((int) file.size());
      for (int i = 0; i < bytes.length / PAGE; i++) {
        assertThat(inFile(bytes, (long) i * PAGE)).isIn(0L, i + 1L);
      }
    }
  }

  private static void fault(
      Vm vm, Vmspace space, Choices choices, int pages, AtomicInteger cutters) {
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(space);
      while (cutters.get() > 0) {
        int page = choices.below(pages);
        long at = AT + (long) page * PAGE;
        try {
          assertThat(cpu.get(JAVA_LONG, at)).as("%s", choices).isIn(0L, page + 1L);
          if (choices.oneIn(2)) {
            cpu.set(JAVA_LONG, at, page + 1);
          }
        } catch (MemoryFault e) {
          assertThat(e.reason()).isEqualTo(MemoryFault.Reason.BEYOND_END);
        }
      }
    }
  }

  /** Nobody waits for a page, or for the device, with the map locked. */
  @Test
  void bug1_cleanFaultAndMapTogether() throws IOException {
    int pages = 64;
    Path path = zeros(pages);
    Vm vm = vms.boot(48 * PAGE, PAGE);
    Vmspace space = vm.newVmspace();
    try (MappedFile file = open(vm, path)) {
      space.map(MapRequest.of(file, 0, (long) pages * PAGE).shared().at(AT));
      int rounds = Choices.times(400);
      AtomicInteger running = new AtomicInteger(2);
      Crew crew = new Crew();
      for (int n = 0; n < 2; n++) {
        boolean invalidate = n == 1;
        crew.add(
            "cleaner " + n,
            () -> {
              try {
                for (int i = 0; i < rounds; i++) {
                  refusable(() -> space.paging().clean(AT, 64 * PAGE, invalidate));
                }
              } finally {
                int _ = running.decrementAndGet();
              }
            });
      }
      crew.add(
          "faulter",
          () -> {
            try (Cpu cpu = vm.newCpu()) {
              cpu.attach(space);
              for (int i = 0; running.get() > 0; i++) {
                long at = AT + i % 64 * (long) PAGE;
                refusable(() -> cpu.set(JAVA_LONG, at, 1));
              }
            }
          });
      crew.add(
          "mapper",
          () -> {
            for (int i = 0; running.get() > 0; i++) {
              long at = AT + i % 64 * (long) PAGE;
              space.unmap(at, PAGE);
              space.map(MapRequest.of(file, i % 64 * (long) PAGE, PAGE).shared().at(at));
            }
          });
      crew.run();
    }
  }

  private static void refusable(Runnable operation) {
    try {
      operation.run();
    } catch (MapException e) {
      assertThat(e.reason()).isEqualTo(MapException.Reason.NOT_MAPPED);
    } catch (MemoryFault e) {
      assertThat(e.reason()).isEqualTo(MemoryFault.Reason.NOT_MAPPED);
    }
  }

  /** The file ends and begins again all the time, and each time has what was stored before. */
  @Test
  void V1_openMapStoreAndForgetAgainAndAgain() throws IOException {
    int threads = 3;
    int rounds = Choices.times(300);
    Path path = zeros(4);
    Vm vm = vms.boot(64 * PAGE, PAGE);
    Crew crew = new Crew();
    for (int n = 0; n < threads; n++) {
      long word = n * 8L;
      crew.add(
          "user " + n,
          () -> {
            Vmspace space = vm.newVmspace();
            try (Cpu cpu = vm.newCpu()) {
              cpu.attach(space);
              for (int i = 0; i < rounds; i++) {
                long at;
                try (MappedFile file = open(vm, path)) {
                  at = space.map(MapRequest.of(file, 0, 4 * PAGE).shared());
                }
                assertThat(cpu.get(JAVA_LONG, at + word)).isEqualTo(i);
                cpu.set(JAVA_LONG, at + word, i + 1);
                space.unmap(at, 4 * PAGE);
              }
            }
            space.close();
          });
    }
    crew.run();
    byte[] bytes = Files.readAllBytes(path);
    for (int n = 0; n < threads; n++) {
      assertThat(inFile(bytes, n * 8L)).isEqualTo(rounds);
    }
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  /** Reads and writes by calls and by mappings, of words of their own, while pages go. */
  @Test
  void V1_readsAndWritesAgreeWithMappings() throws IOException {
    int pages = 96;
    int rounds = Choices.times(5000);
    Path path = zeros(pages);
    Vm vm = vms.boot(48 * PAGE, PAGE);
    Vmspace space = vm.newVmspace();
    try (MappedFile file = open(vm, path)) {
      space.map(MapRequest.of(file, 0, (long) pages * PAGE).shared().at(AT));
      Crew crew = new Crew();
      for (int n = 0; n < 3; n++) {
        long word = n * 8L;
        Choices choices = Choices.fresh();
        crew.add(
            "user " + n,
            () -> {
              long[] model = new long[pages];
              try (Cpu cpu = vm.newCpu();
                  Arena arena = Arena.ofConfined()) {
                cpu.attach(space);
                MemorySegment value = arena.allocate(JAVA_LONG);
                for (int i = 1; i <= rounds; i++) {
                  int page = choices.below(pages);
                  long position = (long) page * PAGE + word;
                  boolean mapped = choices.oneIn(2);
                  long found;
                  if (mapped) {
                    found = cpu.get(JAVA_LONG, AT + position);
                  } else {
                    assertThat(file.read(position, value, 0, 8)).isEqualTo(8);
                    found = value.get(JAVA_LONG, 0);
                  }
                  assertThat(found).as("%s", choices).isEqualTo(model[page]);
                  model[page] = i;
                  if (choices.oneIn(2)) {
                    cpu.set(JAVA_LONG, AT + position, i);
                  } else {
                    value.set(JAVA_LONG, 0, i);
                    file.write(position, value, 0, 8);
                  }
                  if (choices.oneIn(200)) {
                    space.paging().clean(AT, (long) pages * PAGE, true);
                  }
                }
              }
            });
      }
      crew.run();
    }
  }

  /** A client that is interrupted all the time neither closes the file nor fails. */
  @Test
  void V1_interruptsDoNotReachTheFile() throws IOException {
    int pages = 128;
    Path path = zeros(pages);
    Vm vm = vms.boot(32 * PAGE, PAGE);
    Vmspace space = vm.newVmspace();
    try (MappedFile file = open(vm, path)) {
      space.map(MapRequest.of(file, 0, (long) pages * PAGE).shared().at(AT));
      Crew crew = new Crew();
      for (int n = 0; n < 2; n++) {
        boolean isVirtual = n == 1;
        crew.add(
            "client " + n,
            () -> {
              FutureTask<Boolean> client =
                  new FutureTask<>(
                      () -> countInterrupted(vm, space, file, isVirtual ? 0 : 8), true);
              Thread _ =
                  isVirtual ? Thread.ofVirtual().start(client) : Thread.ofPlatform().start(client);
              assertThat(client.get()).isTrue();
            });
      }
      crew.run();
      file.sync();
      byte[] bytes = Files.readAllBytes(path);
      for (int i = 0; i < pages; i++) {
        assertThat(inFile(bytes, (long) i * PAGE)).isEqualTo(3);
        assertThat(inFile(bytes, (long) i * PAGE + 8)).isEqualTo(3);
      }
    }
  }

  private static void countInterrupted(Vm vm, Vmspace space, MappedFile file, int word) {
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(space);
      for (int i = 0; i < 3 * 128; i++) {
        Thread.currentThread().interrupt();
        long at = AT + i % 128 * (long) PAGE + word;
        cpu.set(JAVA_LONG, at, cpu.get(JAVA_LONG, at) + 1);
        if (i % 64 == 0) {
          file.sync();
        }
        assertThat(Thread.interrupted()).isTrue();
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** What is mapped for reading only, or privately, is never written. */
  @Test
  void F5_privateMappingsUnderPressure() throws IOException {
    int pages = 64;
    Path path = zeros(pages);
    try (Vm vm = Vm.builder().memory(48 * PAGE).swap(4 << 20).boot();
        MappedFile file = vm.files().open(path);
        Cpu cpu = vm.newCpu()) {
      Vmspace space = vm.newVmspace();
      cpu.attach(space);
      space.map(MapRequest.of(file, 0, (long) pages * PAGE).at(AT));
      long shown =
          space.map(
              MapRequest.of(file, 0, (long) pages * PAGE).shared().protection(Protection.READ));
      for (int round = 0; round < 4; round++) {
        for (int i = 0; i < pages; i++) {
          long at = AT + (long) i * PAGE;
          assertThat(cpu.get(JAVA_LONG, at)).isEqualTo(round);
          cpu.set(JAVA_LONG, at, round + 1);
          assertThat(cpu.get(JAVA_LONG, shown + (long) i * PAGE)).isZero();
        }
      }
      assertThat(vm.audit()).isEmpty();
    }
    assertThat(Files.readAllBytes(path)).containsOnly(0);
  }
}
