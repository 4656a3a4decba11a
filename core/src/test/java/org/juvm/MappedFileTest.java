package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.juvm.AuditedVms.assertFault;
import static org.juvm.AuditedVms.assertRefused;
import static org.juvm.Program.PAGE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.juvm.base.Access;
import org.juvm.base.Advice;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;

/** Files, their mappings, and what the file itself has. */
class MappedFileTest {
  private static final long AT = 1 << 20;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  @TempDir Path directory;

  /** A file whose i-th page starts with i + 1 and otherwise consists of the byte 7. */
  private Path numbered(String name, int pages) throws IOException {
    byte[] bytes = new byte[pages * PAGE];
    Arrays.fill(bytes, (byte) 7);
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    for (int i = 0; i < pages; i++) {
      ByteBuffer _ = buffer.putLong(i * PAGE, i + 1);
    }
    return Files.write(directory.resolve(name), bytes);
  }

  private static long inFile(Path path, long position) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder());
    try (FileChannel channel = FileChannel.open(path)) {
      assertThat(channel.read(bytes, position)).isEqualTo(Long.BYTES);
    }
    return bytes.getLong(0);
  }

  private static MappedFile openToWrite(Vm vm, Path path) throws IOException {
    return vm.files().open(path, StandardOpenOption.WRITE);
  }

  @Test
  void V1_mappingsReadsAndWritesSeeTheSameBytes() throws IOException {
    Vm vm = vms.boot(64);
    Path path = numbered("a", 8);
    Program one = Program.in(vm);
    Program two = Program.in(vm);
    try (MappedFile file = openToWrite(vm, path);
        MappedFile again = vm.files().open(directory.resolve(".").resolve("a"))) {
      one.space.map(MapRequest.of(file, 0, 8 * PAGE).shared().at(AT));
      two.space.map(
          MapRequest.of(again, 2 * PAGE, 6 * PAGE).shared().protection(Protection.READ).at(AT));
      for (int i = 0; i < 8; i++) {
        assertThat(one.get(AT + (long) i * PAGE)).isEqualTo(i + 1);
      }
      one.set(AT + 3 * PAGE, 30);
      assertThat(two.get(AT + PAGE)).isEqualTo(30);
      byte[] bytes = new byte[Long.BYTES];
      assertThat(again.read(3 * PAGE, bytes)).isEqualTo(Long.BYTES);
      assertThat(ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).getLong()).isEqualTo(30);
      ByteBuffer _ = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).putLong(0, 40);
      file.write(4 * PAGE, bytes);
      assertThat(one.get(AT + 4 * PAGE)).isEqualTo(40);
      assertThat(two.get(AT + 2 * PAGE)).isEqualTo(40);
      assertThat(file.residentPages()).isEqualTo(8).isEqualTo(again.residentPages());
      assertThat(inFile(path, 3 * PAGE)).as("not written yet").isEqualTo(4);
      two.space.paging().clean(AT, 6 * PAGE, false);
      assertThat(inFile(path, 3 * PAGE)).isEqualTo(30);
      assertThat(inFile(path, 4 * PAGE)).isEqualTo(40);
    }
  }

  @Test
  void V1_whatOthersWriteIsSeenAfterAnInvalidation() throws IOException {
    Vm vm = vms.boot(64);
    Path path = numbered("a", 4);
    Program program = Program.in(vm);
    try (MappedFile file = openToWrite(vm, path);
        FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
      program.space.map(MapRequest.of(file, 0, 4 * PAGE).shared().at(AT));
      assertThat(program.get(AT + PAGE)).isEqualTo(2);
      program.set(AT, 11);
      ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder());
      ByteBuffer _ = bytes.putLong(0, 22);
      assertThat(channel.write(bytes, PAGE)).isEqualTo(Long.BYTES);
      assertThat(program.get(AT + PAGE)).isEqualTo(2);
      program.space.paging().clean(AT, 4 * PAGE, true);
      assertThat(file.residentPages()).isZero();
      assertThat(program.get(AT + PAGE)).isEqualTo(22);
      assertThat(program.get(AT)).isEqualTo(11);
      assertThat(inFile(path, 0)).isEqualTo(11);
    }
  }

  @Test
  void F5_privateStoresStayPrivate() throws IOException {
    Vm vm = vms.boot(64);
    Path path = numbered("a", 4);
    Program sharer = Program.in(vm);
    Program owner = Program.in(vm);
    try (MappedFile file = openToWrite(vm, path);
        MappedFile readOnly = vm.files().open(path)) {
      sharer.space.map(MapRequest.of(file, 0, 4 * PAGE).shared().at(AT));
      owner.space.map(MapRequest.of(readOnly, 0, 4 * PAGE).at(AT));
      owner.set(AT, 100);
      assertThat(sharer.get(AT)).isEqualTo(1);
      sharer.set(AT, 10);
      sharer.set(AT + PAGE, 20);
      assertThat(owner.get(AT)).isEqualTo(100);
      assertThat(owner.get(AT + PAGE)).as("not private before a store").isEqualTo(20);
      owner.space.paging().discard(AT, PAGE);
      assertThat(owner.get(AT)).isEqualTo(10);
      owner.set(AT, 100);
      Program child = owner.fork();
      child.set(AT + PAGE, 200);
      assertThat(owner.get(AT + PAGE)).isEqualTo(20);
      file.sync();
      assertThat(inFile(path, 0)).isEqualTo(10);
      assertThat(inFile(path, PAGE)).isEqualTo(20);
      owner.space.paging().clean(AT, 4 * PAGE, true);
      assertThat(owner.get(AT)).isEqualTo(100);
    }
  }

  @Test
  void V1_readOnlyFilesAreNeverWritten() throws IOException {
    Vm vm = vms.boot(64);
    Path path = numbered("a", 2);
    Program program = Program.in(vm);
    try (MappedFile file = vm.files().open(path)) {
      assertRefused(
          MapException.Reason.MAXIMUM_PROTECTION,
          () -> program.space.map(MapRequest.of(file, 0, PAGE).shared()));
      program.space.map(MapRequest.of(file, 0, PAGE).shared().protection(Protection.READ).at(AT));
      assertRefused(
          MapException.Reason.MAXIMUM_PROTECTION,
          () -> program.space.protect(AT, PAGE, Protection.READ_WRITE));
      assertFault(MemoryFault.Reason.PROTECTION, AT, () -> program.set(AT, 1));
      assertThatThrownBy(() -> file.write(0, new byte[1]))
          .isInstanceOf(NonWritableChannelException.class);
      assertThatThrownBy(() -> file.resize(0)).isInstanceOf(NonWritableChannelException.class);
      assertThat(file.isWritable()).isFalse();
      assertThat(file.path()).isEqualTo(path);
      file.sync();
      // Another handle makes the file itself writable, and this one not.
      try (MappedFile writable = openToWrite(vm, path)) {
        writable.write(8, new byte[] {1});
        assertThatThrownBy(() -> file.resize(0)).isInstanceOf(NonWritableChannelException.class);
      }
      file.sync();
      assertThat(Files.readAllBytes(path)[8]).isEqualTo((byte) 1);
    }
  }

  @Test
  void V1_openOptions() throws IOException {
    Vm vm = vms.boot(64);
    Path path = directory.resolve("new");
    assertThatThrownBy(() -> openToWrite(vm, path)).isInstanceOf(NoSuchFileException.class);
    try (MappedFile file =
        vm.files().open(path, StandardOpenOption.WRITE, StandardOpenOption.CREATE)) {
      file.write(0, new byte[] {1, 2, 3});
      assertThat(file.size()).isEqualTo(3);
    }
    assertThat(Files.readAllBytes(path)).containsExactly(1, 2, 3);
    assertThatThrownBy(
            () -> vm.files().open(path, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW))
        .isInstanceOf(FileAlreadyExistsException.class);
    assertThatThrownBy(() -> vm.files().open(path, StandardOpenOption.APPEND))
        .isInstanceOf(UnsupportedOperationException.class);
    try (MappedFile file =
        vm.files().open(path, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
      assertThat(file.size()).isZero();
    }
    assertThat(Files.size(path)).isZero();
    MappedFile closed = vm.files().open(path);
    closed.close();
    closed.close();
    assertThatIllegalStateException().isThrownBy(closed::size);
    Vmspace space = vm.newVmspace();
    assertThatIllegalStateException()
        .isThrownBy(() -> space.map(MapRequest.of(closed, 0, PAGE)))
        .withMessageContaining("closed");
    try (MappedFile file = vm.files().open(path)) {
      Vm other = vms.boot(16);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> other.newVmspace().map(MapRequest.of(file, 0, PAGE)));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> space.map(MapRequest.of(file, 1, PAGE)));
    }
  }

  @Test
  void V1_lastUnmapWritesBack() throws IOException {
    Vm vm = vms.boot(64);
    Path path = numbered("a", 4);
    Program program = Program.in(vm);
    try (MappedFile file = openToWrite(vm, path)) {
      program.space.map(MapRequest.of(file, 0, 4 * PAGE).shared().at(AT));
    }
    program.set(AT + 2 * PAGE, 33);
    Program child = program.fork();
    child.set(AT, 11);
    program.space.unmap(AT, 4 * PAGE);
    assertThat(inFile(path, 0)).isEqualTo(1);
    assertThat(child.get(AT + 2 * PAGE)).isEqualTo(33);
    child.space.close();
    assertThat(inFile(path, 0)).isEqualTo(11);
    assertThat(inFile(path, 2 * PAGE)).isEqualTo(33);
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  @Test
  void V1_closingTheSystemWritesBack() throws IOException {
    Vm vm = vms.boot(64);
    Path path = numbered("a", 4);
    Path other = numbered("b", 4);
    Program program = Program.in(vm);
    MappedFile file = openToWrite(vm, path);
    program.space.map(MapRequest.of(file, 0, 4 * PAGE).shared().at(AT));
    program.set(AT, 11);
    MappedFile written = openToWrite(vm, other);
    written.write(5, new byte[] {1});
    vm.close();
    assertThat(inFile(path, 0)).isEqualTo(11);
    assertThat(Files.readAllBytes(other)[5]).isEqualTo((byte) 1);
    assertThatIllegalStateException().isThrownBy(file::size);
    assertThatIllegalStateException().isThrownBy(() -> vm.files().open(path));
  }

  @Test
  void V1_theRestOfTheLastPage() throws IOException {
    Vm vm = vms.boot(64);
    Path path = directory.resolve("a");
    byte[] bytes = new byte[PAGE + 100];
    Arrays.fill(bytes, (byte) 7);
    Path _ = Files.write(path, bytes);
    Program program = Program.in(vm);
    try (MappedFile file = openToWrite(vm, path)) {
      program.space.map(MapRequest.of(file, 0, 4 * PAGE).shared().at(AT));
      assertThat(program.get(AT + PAGE + 104)).isZero();
      program.set(AT + PAGE + 96, -1);
      program.set(AT + PAGE + 2048, -1);
      assertFault(MemoryFault.Reason.BEYOND_END, AT + 2 * PAGE, () -> program.get(AT + 2 * PAGE));
      assertFault(
          MemoryFault.Reason.BEYOND_END, AT + 3 * PAGE, () -> program.set(AT + 3 * PAGE, 1));
      program.space.paging().clean(AT, 2 * PAGE, false);
      Arrays.fill(bytes, PAGE + 96, PAGE + 100, (byte) -1);
      assertThat(Files.readAllBytes(path)).isEqualTo(bytes);
      // What is added later consists of zeros, whatever was stored there before.
      file.resize(3 * PAGE);
      assertThat(program.get(AT + PAGE + 2048)).isZero();
      assertThat(program.get(AT + 2 * PAGE)).isZero();
      file.sync();
      assertThat(Files.readAllBytes(path)).isEqualTo(Arrays.copyOf(bytes, 3 * PAGE));
    }
  }

  @Test
  void V1_truncationUnderAMapping() throws IOException {
    Vm vm = vms.boot(64);
    Path path = numbered("a", 8);
    Program program = Program.in(vm);
    try (MappedFile file = openToWrite(vm, path)) {
      program.space.map(MapRequest.of(file, 0, 8 * PAGE).shared().at(AT));
      for (int i = 0; i < 8; i++) {
        program.set(AT + (long) i * PAGE + 8, 9);
      }
      program.space.paging().wire(AT + 6 * PAGE, PAGE);
      file.resize(3 * PAGE + 8);
      assertThat(Files.size(path)).isEqualTo(3 * PAGE + 8);
      assertThat(program.get(AT + 3 * PAGE)).isEqualTo(4);
      assertThat(program.get(AT + 3 * PAGE + 8)).isZero();
      for (int i = 4; i < 8; i++) {
        long beyond = AT + (long) i * PAGE;
        assertFault(MemoryFault.Reason.BEYOND_END, beyond, () -> program.get(beyond));
      }
      assertThat(file.residentPages()).as("with the wired one").isEqualTo(5);
      file.resize(8 * PAGE);
      for (int i = 4; i < 8; i++) {
        assertThat(program.get(AT + (long) i * PAGE)).isZero();
        assertThat(program.get(AT + (long) i * PAGE + 8)).isZero();
      }
      program.set(AT + 6 * PAGE, 77);
      file.sync();
      assertThat(inFile(path, 6 * PAGE)).isEqualTo(77);
      assertThat(inFile(path, 2 * PAGE + 8)).isEqualTo(9);
      assertThat(inFile(path, 3 * PAGE + 8)).isZero();
      file.resize(PAGE);
      program.space.unmap(AT, 8 * PAGE);
      assertThat(file.residentPages()).isEqualTo(1);
    }
    assertThat(Files.size(path)).isEqualTo(PAGE);
  }

  @Test
  void V1_truncationByOthersIsNoticed() throws IOException {
    Vm vm = vms.boot(64);
    Path path = numbered("a", 8);
    Program program = Program.in(vm);
    try (MappedFile file = openToWrite(vm, path);
        FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
      program.space.map(MapRequest.of(file, 0, 8 * PAGE).shared().advice(Advice.RANDOM).at(AT));
      program.set(AT + 6 * PAGE, 1);
      var _ = channel.truncate(2 * PAGE + 8);
      assertThat(program.get(AT + 2 * PAGE)).isEqualTo(3);
      assertThat(program.get(AT + 2 * PAGE + 8)).isZero();
      assertFault(MemoryFault.Reason.BEYOND_END, AT + 4 * PAGE, () -> program.get(AT + 4 * PAGE));
      assertFault(MemoryFault.Reason.BEYOND_END, AT + 6 * PAGE, () -> program.get(AT + 6 * PAGE));
      assertThat(file.size()).isEqualTo(2 * PAGE + 8);
      assertThat(channel.write(ByteBuffer.allocate(8), 5 * PAGE)).isEqualTo(8);
      assertThat(file.refresh()).isEqualTo(5 * PAGE + 8);
      assertThat(program.get(AT + 4 * PAGE)).isZero();
    }
    assertThat(Files.size(path)).isEqualTo(5 * PAGE + 8);
  }

  @Test
  void V1_wiredPagesAreWrittenAndStay() throws IOException {
    Vm vm = vms.boot(64);
    Path path = numbered("a", 4);
    Program program = Program.in(vm);
    Program other = Program.in(vm);
    try (MappedFile file = openToWrite(vm, path)) {
      program.space.map(MapRequest.of(file, 0, 4 * PAGE).shared().wired().at(AT));
      other.space.map(MapRequest.of(file, 0, 4 * PAGE).shared().at(AT));
      program.set(AT, 11);
      assertRefused(MapException.Reason.WIRED, () -> program.space.paging().clean(AT, PAGE, true));
      program.space.paging().clean(AT, PAGE, false);
      assertThat(inFile(path, 0)).isEqualTo(11);
      program.set(AT, 12);
      other.space.paging().clean(AT, 4 * PAGE, true);
      assertThat(inFile(path, 0)).isEqualTo(12);
      assertThat(file.residentPages()).isEqualTo(4);
      assertThat(other.get(AT)).isEqualTo(12);
    }
  }

  /** A store after the page was written is written again, and one through a window, too. */
  @Test
  void M16_aCleanPageBecomesDirtyAgain() throws IOException {
    Vm vm = vms.boot(64);
    Path path = numbered("a", 2);
    Program program = Program.in(vm);
    try (MappedFile file = openToWrite(vm, path)) {
      program.space.map(MapRequest.of(file, 0, 2 * PAGE).shared().at(AT));
      for (int round = 1; round < 5; round++) {
        program.set(AT, round);
        program.space.paging().clean(AT, 2 * PAGE, false);
        assertThat(inFile(path, 0)).isEqualTo(round);
      }
      program
          .cpu
          .bulk()
          .window(
              AT,
              PAGE,
              Access.WRITE,
              run -> {
                run.set(JAVA_LONG, 0, 50);
                program.space.paging().clean(AT, PAGE, false);
                run.set(JAVA_LONG, 0, 51);
              });
      file.sync();
      assertThat(inFile(path, 0)).isEqualTo(51);
      file.write(0, new byte[Long.BYTES]);
      file.sync();
      assertThat(inFile(path, 0)).isZero();
    }
  }

  @Test
  void M16_asynchronousCleaningGetsToTheFile() throws IOException {
    Vm vm = vms.boot(64);
    Path path = numbered("a", 4);
    Program program = Program.in(vm);
    try (MappedFile file = openToWrite(vm, path)) {
      program.space.map(MapRequest.of(file, 0, 4 * PAGE).shared().at(AT));
      program.space.map(AT + 4 * PAGE, PAGE, Protection.READ_WRITE);
      for (int i = 0; i < 200; i++) {
        program.set(AT + (i % 4L) * PAGE, i);
        program.space.paging().cleanLater(AT, 5 * PAGE);
      }
      assertRefused(
          MapException.Reason.NOT_MAPPED, () -> program.space.paging().cleanLater(AT, 6 * PAGE));
      // An audit waits for what was begun.
      assertThat(vm.audit()).isEmpty();
      for (int i = 0; i < 4; i++) {
        assertThat(inFile(path, (long) i * PAGE)).isEqualTo(196 + i);
      }
    }
  }

  @Test
  void F13_noFaultMappingsReadZerosBeyondTheEnd() throws IOException {
    Vm vm = vms.boot(64);
    Path path = numbered("a", 1);
    Program program = Program.in(vm);
    try (MappedFile file = vm.files().open(path)) {
      program.space.map(MapRequest.of(file, 0, 3 * PAGE).flag(MapFlag.NO_FAULT).at(AT));
      assertThat(program.get(AT)).isEqualTo(1);
      assertThat(program.get(AT + 2 * PAGE)).isZero();
    }
  }

  private long faults(Path path, Advice advice, int pages) throws IOException {
    Vm vm = vms.boot(1024);
    Program program = Program.in(vm);
    try (MappedFile file = vm.files().open(path)) {
      program.space.map(
          MapRequest.of(file, 0, (long) pages * PAGE)
              .shared()
              .protection(Protection.READ)
              .advice(advice)
              .at(AT));
      for (int i = 0; i < pages; i++) {
        assertThat(program.get(AT + (long) i * PAGE)).isEqualTo(i + 1);
        if (i == 0) {
          long ahead = advice == Advice.SEQUENTIAL ? 64 : 1;
          assertThat(file.residentPages()).as("%s", advice).isEqualTo(ahead);
        }
      }
    }
    return vm.statistics().faults();
  }

  @Test
  void F7_readingAheadSavesFaults() throws IOException {
    int pages = 512;
    Path path = numbered("a", pages);
    long random = faults(path, Advice.RANDOM, pages);
    long normal = faults(path, Advice.NORMAL, pages);
    long sequential = faults(path, Advice.SEQUENTIAL, pages);
    assertThat(random).isEqualTo(pages);
    assertThat(normal).isLessThan(pages / 2);
    assertThat(sequential).isLessThan(normal).isLessThanOrEqualTo(pages / 8 + 1);
  }

  /** Pages of a file leave memory without any swap, and are what they were. */
  @Test
  void D3_fileLargerThanMemory() throws IOException {
    for (long swap : List.of(0L, 4L << 20)) {
      int pages = 1024;
      Path path = numbered("a" + swap, pages);
      try (Vm vm = Vm.builder().memory(128 * PAGE).swap(swap).boot()) {
        Program program = Program.in(vm);
        try (MappedFile file = openToWrite(vm, path)) {
          program.space.map(MapRequest.of(file, 0, (long) pages * PAGE).shared().at(AT));
          program.space.map(AT / 2, 64 * PAGE, Protection.READ_WRITE);
          program.number(AT / 2, 64);
          for (int round = 0; round < 3; round++) {
            for (int i = 0; i < pages; i++) {
              long at = AT + i * 37L % pages * PAGE;
              program.set(at, program.get(at) + 1000);
            }
          }
          for (int i = 0; i < 64; i++) {
            assertThat(program.get(AT / 2 + (long) i * PAGE)).isEqualTo(i + 1);
          }
          assertThat(file.residentPages()).isLessThan(128);
          file.sync();
          assertThat(vm.audit()).isEmpty();
        }
        program.cpu.close();
      }
      for (int i = 0; i < pages; i++) {
        assertThat(inFile(path, (long) i * PAGE)).isEqualTo(i + 1 + 3000);
        assertThat(inFile(path, (long) i * PAGE + 8)).isEqualTo(0x0707070707070707L);
      }
    }
  }

  @Test
  void V1_readsAndWritesAcrossPagesAndTheEnd() throws IOException {
    Vm vm = vms.boot(32);
    Path path = directory.resolve("a");
    byte[] model = new byte[100 * PAGE];
    try (MappedFile file =
        vm.files().open(path, StandardOpenOption.WRITE, StandardOpenOption.CREATE)) {
      int size = 0;
      for (int i = 0; i < 60; i++) {
        byte[] part = new byte[1 + i * 997 % (5 * PAGE)];
        Arrays.fill(part, (byte) (i + 1));
        int position = i * 6151 % (model.length - part.length);
        file.write(position, part);
        System.arraycopy(part, 0, model, position, part.length);
        size = Math.max(size, position + part.length);
        assertThat(file.size()).isEqualTo(size);
        byte[] back = new byte[7 * PAGE];
        int from = i * 7919 % size;
        int expected = Math.min(back.length, size - from);
        assertThat(file.read(from, back)).isEqualTo(expected);
        assertThat(Arrays.copyOf(back, expected))
            .isEqualTo(Arrays.copyOfRange(model, from, from + expected));
      }
      assertThat(file.read(size, new byte[1])).isZero();
      file.sync();
      assertThat(Files.readAllBytes(path)).isEqualTo(Arrays.copyOf(model, size));
    }
  }
}
