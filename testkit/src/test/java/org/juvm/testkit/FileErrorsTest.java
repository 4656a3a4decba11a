package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.juvm.Cpu;
import org.juvm.MapRequest;
import org.juvm.MappedFile;
import org.juvm.MemoryFault;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Advice;
import org.juvm.store.FileStore;
import org.juvm.testkit.FaultyStore.Operation;

/** Files whose device fails: errors are reported, and nothing is lost. */
@Timeout(120)
@SuppressWarnings("NullAway.Init") // each test calls map before anything else
class FileErrorsTest {
  private static final int PAGE = 4096;
  private static final long AT = 1 << 20;
  private static final int PAGES = 64;

  @RegisterExtension final VmExtension vms = new VmExtension();

  private final Path path;
  private final FaultyStore store;
  private Vm vm;
  private Vmspace space;
  private Cpu cpu;
  private MappedFile file;

  /** The i-th page of the file starts with i + 1. */
  FileErrorsTest(@TempDir Path directory) throws IOException {
    byte[] bytes = new byte[PAGES * PAGE];
    for (int i = 0; i < PAGES; i++) {
      ByteBuffer _ = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).putLong(i * PAGE, i + 1);
    }
    path = Files.write(directory.resolve("file"), bytes);
    store = new FaultyStore(FileStore.openReadWrite(path));
  }

  private void map(int frames, Advice advice) throws IOException {
    vm = vms.boot((long) frames * PAGE, PAGE);
    space = vm.newVmspace();
    cpu = vm.newCpu();
    cpu.attach(space);
    file = vm.files().open(store, true);
    space.map(MapRequest.of(file, 0, PAGES * PAGE).shared().advice(advice).at(AT));
  }

  private static long page(int i) {
    return AT + (long) i * PAGE;
  }

  private long inFile(int page) throws IOException {
    byte[] bytes = Files.readAllBytes(path);
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).getLong(page * PAGE);
  }

  private static void assertFault(MemoryFault.Reason reason, ThrowingCallable access) {
    assertThatThrownBy(access)
        .isInstanceOfSatisfying(
            MemoryFault.class, fault -> assertThat(fault.reason()).isEqualTo(reason));
  }

  private void assertCleanFails(String error) {
    assertThatThrownBy(() -> space.paging().clean(AT, PAGES * PAGE, false))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining(error);
  }

  @Test
  void M16_aWriteErrorIsReportedOnceAndNothingIsLost() throws IOException {
    map(128, Advice.NORMAL);
    for (int i = 0; i < PAGES; i += 2) {
      cpu.set(JAVA_LONG, page(i), 100 + i);
    }
    store.failAt(Operation.WRITE, 10 * PAGE, PAGE);
    assertCleanFails("EIO");
    assertThat(inFile(4)).as("others are written").isEqualTo(104);
    store.heal();
    assertThat(cpu.get(JAVA_LONG, page(10))).isEqualTo(110);
    file.sync();
    for (int i = 0; i < PAGES; i++) {
      assertThat(inFile(i)).isEqualTo(i % 2 == 0 ? 100L + i : i + 1L);
    }
  }

  @Test
  void M16_aFailedSyncIsReportedOnce() throws IOException {
    map(128, Advice.NORMAL);
    cpu.set(JAVA_LONG, AT, 5);
    store.failNext(Operation.SYNC, 1);
    assertThatThrownBy(() -> file.sync()).isInstanceOf(IOException.class);
    file.sync();
    assertThat(inFile(0)).isEqualTo(5);
  }

  /** What the page daemon cannot write stays, and whoever syncs next gets to know. */
  @Test
  void D5_aFullDeviceFailsFaultsButLosesNothing() throws IOException {
    map(32, Advice.NORMAL);
    store.setFull(true);
    int[] stored = {0};
    assertFault(
        MemoryFault.Reason.OUT_OF_MEMORY,
        () -> {
          for (; stored[0] < PAGES; stored[0]++) {
            cpu.set(JAVA_LONG, page(stored[0]), 100 + stored[0]);
          }
        });
    assertThat(stored[0]).isGreaterThan(16);
    store.setFull(false);
    for (int i = stored[0]; i < PAGES; i++) {
      cpu.set(JAVA_LONG, page(i), 100 + i);
    }
    assertThatThrownBy(() -> file.sync()).hasMessageContaining("ENOSPC");
    file.sync();
    for (int i = 0; i < PAGES; i++) {
      assertThat(inFile(i)).isEqualTo(100L + i);
      assertThat(cpu.get(JAVA_LONG, page(i))).isEqualTo(100L + i);
    }
  }

  @Test
  void F8_aReadErrorFailsThePageThatIsWantedOnly() throws IOException {
    map(128, Advice.SEQUENTIAL);
    store.failAt(Operation.READ, 3 * PAGE, PAGE);
    assertThat(cpu.get(JAVA_LONG, page(0))).isEqualTo(1);
    assertThat(cpu.get(JAVA_LONG, page(4))).isEqualTo(5);
    assertFault(MemoryFault.Reason.IO_ERROR, () -> cpu.get(JAVA_LONG, page(3)));
    assertThatThrownBy(() -> file.read(3 * PAGE, new byte[8])).isInstanceOf(IOException.class);
    assertThat(vm.audit()).isEmpty();
    store.heal();
    for (int i = 0; i < PAGES; i++) {
      assertThat(cpu.get(JAVA_LONG, page(i))).isEqualTo(i + 1L);
    }
  }

  @Test
  void V1_aShortReadIsNoEndOfTheFile() throws IOException {
    map(128, Advice.SEQUENTIAL);
    store.shortenNextReads(1);
    for (int i = 0; i < PAGES; i++) {
      assertThat(cpu.get(JAVA_LONG, page(i))).isEqualTo(i + 1L);
    }
    space.paging().clean(AT, PAGES * PAGE, true);
    store.shortenNextReads(100);
    assertFault(MemoryFault.Reason.IO_ERROR, () -> cpu.get(JAVA_LONG, page(0)));
    store.heal();
    assertThat(cpu.get(JAVA_LONG, page(0))).isEqualTo(1);
  }

  @Test
  void V1_aResizeThatFailsChangesNothing() throws IOException {
    map(128, Advice.NORMAL);
    cpu.set(JAVA_LONG, page(40), 7);
    store.failNext(Operation.RESIZE, 2);
    assertThatThrownBy(() -> file.resize(10 * PAGE)).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> file.resize(100 * PAGE)).isInstanceOf(IOException.class);
    assertThat(file.size()).isEqualTo(PAGES * PAGE);
    assertThat(cpu.get(JAVA_LONG, page(40))).isEqualTo(7);
    file.sync();
    assertThat(inFile(40)).isEqualTo(7);
  }

  @Test
  void V1_whatTheLastUnmapCannotWriteIsKept() throws IOException {
    map(128, Advice.NORMAL);
    file.close();
    cpu.set(JAVA_LONG, page(5), 7);
    store.setFull(true);
    space.unmap(AT, PAGES * PAGE);
    assertThat(vm.audit()).isEmpty();
    assertThat(store.isClosed()).isFalse();
    try (MappedFile again = vm.files().open(store, true)) {
      byte[] bytes = new byte[1];
      assertThat(again.read(5 * PAGE, bytes)).isOne();
      assertThat(bytes[0]).isEqualTo((byte) 7);
      store.setFull(false);
      assertThatThrownBy(() -> again.sync()).hasMessageContaining("ENOSPC");
    }
    assertThat(store.isClosed()).isTrue();
    assertThat(inFile(5)).isEqualTo(7);
  }

  @Test
  void V1_aLostDeviceDoesNotKeepTheSystemFromClosing() throws IOException {
    map(128, Advice.NORMAL);
    cpu.set(JAVA_LONG, page(5), 7);
    store.lose();
    vm.close();
    assertThat(store.isClosed()).isTrue();
    assertThat(inFile(5)).isEqualTo(6);
  }

  /** Whatever fails at random, in the end the file has what was stored. */
  @Test
  void D5_randomErrorsLoseNothing() throws IOException {
    map(48, Advice.NORMAL);
    Choices choices = Choices.fresh();
    store.failAtRandom(choices.split(), 5);
    long[] model = new long[PAGES];
    for (int i = 0; i < PAGES; i++) {
      model[i] = i + 1L;
    }
    for (long round = 0; round < Choices.times(3000); round++) {
      int i = choices.below(PAGES);
      try {
        if (choices.oneIn(3)) {
          cpu.set(JAVA_LONG, page(i), round);
          model[i] = round;
        } else if (choices.oneIn(40)) {
          space.paging().clean(page(i), PAGE, choices.oneIn(2));
        } else {
          assertThat(cpu.get(JAVA_LONG, page(i))).as("%s", choices).isEqualTo(model[i]);
        }
      } catch (MemoryFault e) {
        assertThat(e.reason()).isIn(MemoryFault.Reason.IO_ERROR, MemoryFault.Reason.OUT_OF_MEMORY);
      } catch (UncheckedIOException e) {
        assertThat(e).hasMessageContaining("injected");
      }
    }
    store.heal();
    try {
      file.sync();
    } catch (IOException e) {
      file.sync();
    }
    for (int i = 0; i < PAGES; i++) {
      assertThat(inFile(i)).as("%s", choices).isEqualTo(model[i]);
    }
  }
}
