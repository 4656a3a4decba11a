package org.juvm.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Files, by the host's functions and by channels. */
@ParameterizedClass
@ValueSource(strings = {"host", "channel"})
class FileStoreTest {
  private static final int PAGE = 4096;

  @Parameter String io = "";
  @TempDir Path directory = Path.of("");

  private final MemorySegment memory = Arena.ofAuto().allocate(64 * PAGE, PAGE);
  private final List<FileStore> opened = new ArrayList<>();

  private FileStore opened(Callable<FileStore> opening) throws IOException {
    System.setProperty("juvm.io", io);
    try {
      FileStore store = opening.call();
      opened.add(store);
      return store;
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new AssertionError(e);
    } finally {
      System.clearProperty("juvm.io");
    }
  }

  private FileStore temporary() throws IOException {
    return opened(() -> FileStore.temporary(directory));
  }

  @AfterEach
  void close() throws IOException {
    for (FileStore store : opened) {
      store.close();
    }
  }

  /** Fills a page of memory with its number. */
  private void fill(int page, long number) {
    for (int i = 0; i < PAGE; i += Long.BYTES) {
      memory.set(ValueLayout.JAVA_LONG, (long) page * PAGE + i, number << 16 | i);
    }
  }

  private static boolean holds(MemorySegment memory, int page, long number) {
    for (int i = 0; i < PAGE; i += Long.BYTES) {
      if (memory.get(ValueLayout.JAVA_LONG, (long) page * PAGE + i) != (number << 16 | i)) {
        return false;
      }
    }
    return true;
  }

  @Test
  void S5_bytesComeBack() throws IOException {
    FileStore store = temporary();
    byte[] model = new byte[200_000];
    long seed = Long.getLong("juvm.test.seed", System.nanoTime());
    SplittableRandom random = new SplittableRandom(seed);
    long size = 0;
    for (int step = 0; step < 1000; step++) {
      int length = random.nextInt(20_000);
      int position = random.nextInt(model.length - length);
      int offset = random.nextInt((int) memory.byteSize() - length);
      if (random.nextBoolean()) {
        byte[] text = new byte[length];
        random.nextBytes(text);
        MemorySegment.copy(text, 0, memory, ValueLayout.JAVA_BYTE, offset, length);
        store.write(position, memory, offset, length);
        System.arraycopy(text, 0, model, position, length);
        size = length == 0 ? size : Math.max(size, position + length);
      } else {
        long bytes = store.read(position, memory, offset, length);
        assertThat(bytes).as("seed %d", seed).isEqualTo(Math.clamp(size - position, 0, length));
        byte[] text = memory.asSlice(offset, bytes).toArray(ValueLayout.JAVA_BYTE);
        assertThat(text)
            .as("seed %d", seed)
            .isEqualTo(Arrays.copyOfRange(model, position, position + (int) bytes));
      }
      assertThat(store.size()).as("seed %d", seed).isEqualTo(size);
    }
    store.sync();
  }

  @Test
  void S5_scatterAndGather() throws IOException {
    FileStore store = temporary();
    for (int page = 0; page < 64; page++) {
      fill(page, page);
    }
    // Some neighbours, some apart, some twice, one after the other backwards.
    long[] from = {3, 4, 5, 9, 9, 8, 7, 20, 21, 63, 0, 1};
    for (int i = 0; i < from.length; i++) {
      from[i] *= PAGE;
    }
    store.write(PAGE, memory, from, from.length, PAGE);
    assertThat(store.size()).isEqualTo((from.length + 1L) * PAGE);
    long[] to = {40, 39, 41, 42, 30, 31, 32, 33, 50, 2, 6, 10, 11};
    for (int i = 0; i < to.length; i++) {
      to[i] *= PAGE;
    }
    assertThat(store.read(PAGE, memory, to, to.length, PAGE)).isEqualTo((long) from.length * PAGE);
    for (int i = 0; i < from.length; i++) {
      assertThat(holds(memory, (int) (to[i] / PAGE), from[i] / PAGE)).as("page %d", i).isTrue();
    }
    assertThat(holds(memory, 11, 11)).isTrue();
  }

  /** More pieces than one call of the host takes, and pieces that are no pages. */
  @Test
  void S5_manyPieces() throws IOException {
    FileStore store = temporary();
    int count = 3000;
    long[] offsets = new long[count];
    for (int i = 0; i < count; i++) {
      offsets[i] = 40L * (count - i);
      memory.set(ValueLayout.JAVA_INT, offsets[i], i);
    }
    store.write(7, memory, offsets, count, 20);
    memory.fill((byte) 0);
    assertThat(store.read(7, memory, offsets, count, 20)).isEqualTo(20L * count);
    for (int i = 0; i < count; i++) {
      assertThat(memory.get(ValueLayout.JAVA_INT, offsets[i])).isEqualTo(i);
    }
    store.resize(7 + 20L * 1500 + 5);
    assertThat(store.read(7, memory, offsets, count, 20)).isEqualTo(20L * 1500 + 5);
  }

  @Test
  void S5_resizeCutsAndGrows() throws IOException {
    FileStore store = temporary();
    fill(0, 1);
    store.write(0, memory, 0, PAGE);
    store.resize(16);
    assertThat(store.size()).isEqualTo(16);
    store.resize(PAGE);
    assertThat(store.read(0, memory, 0, PAGE)).isEqualTo(PAGE);
    assertThat(memory.get(ValueLayout.JAVA_LONG, 8)).isEqualTo(1L << 16 | 8);
    assertThat(memory.get(ValueLayout.JAVA_LONG, 16)).isZero();
    assertThatThrownBy(() -> store.resize(-1)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void S5_opensOfOneFileHaveOneKey() throws IOException {
    Path path = directory.resolve("file é");
    FileStore store = opened(() -> FileStore.create(path));
    Path link = Files.createSymbolicLink(directory.resolve("link"), path);
    FileStore other = opened(() -> FileStore.openReadOnly(link));
    FileStore third = opened(() -> FileStore.openReadWrite(path));
    assertThat(other.key()).isEqualTo(store.key()).hasSameHashCodeAs(store.key());
    assertThat(third.key()).isEqualTo(store.key());
    assertThat(temporary().key()).isNotEqualTo(store.key()).isNotEqualTo(temporary().key());
  }

  @Test
  void S5_readOnlyFilesAreNotWritten() throws IOException {
    Path path = Files.write(directory.resolve("file"), new byte[100]);
    FileStore store = opened(() -> FileStore.openReadOnly(path));
    assertThat(store.isWritable()).isFalse();
    assertThat(store.read(90, memory, 0, 50)).isEqualTo(10);
    assertThatThrownBy(() -> store.write(0, memory, 0, 1))
        .isInstanceOf(NonWritableChannelException.class);
    assertThatThrownBy(() -> store.resize(1)).isInstanceOf(NonWritableChannelException.class);
    assertThat(store.read(100, memory, 0, 50)).isZero();
  }

  @Test
  void S5_filesThatCannotBeOpened() throws IOException {
    Path path = directory.resolve("file");
    assertThatThrownBy(() -> opened(() -> FileStore.openReadOnly(path)))
        .isInstanceOf(NoSuchFileException.class);
    assertThatThrownBy(() -> opened(() -> FileStore.openReadWrite(path)))
        .isInstanceOf(NoSuchFileException.class);
    FileStore _ = opened(() -> FileStore.create(path));
    assertThatThrownBy(() -> opened(() -> FileStore.create(path)))
        .isInstanceOf(FileAlreadyExistsException.class);
    assertThatThrownBy(() -> opened(() -> FileStore.openReadOnly(directory)))
        .isInstanceOf(FileSystemException.class);
  }

  @Test
  void S5_temporaryFilesAreNotSeen() throws IOException {
    FileStore store = temporary();
    store.resize(1L << 40);
    store.write((1L << 40) - 1, memory, 0, 1);
    assertThat(directory).isEmptyDirectory();
    assertThat(store.read((1L << 39), memory, 0, PAGE)).isEqualTo(PAGE);
  }

  @Test
  void S5_badArgumentsAreRefused() throws IOException {
    FileStore store = temporary();
    assertThatThrownBy(() -> store.read(-1, memory, 0, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> store.read(0, MemorySegment.ofArray(new byte[9]), 0, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> store.read(0, memory.asReadOnly(), 0, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> store.read(0, memory, memory.byteSize(), 1))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> store.write(0, memory, -1, 1))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> store.write(0, memory, new long[] {memory.byteSize()}, 1, 1))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> store.write(0, memory, new long[1], 2, 1))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> store.read(0, memory, new long[1], 1, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void S3_aFullDeviceSaysSo() throws IOException {
    FileStore store = opened(() -> FileStore.openReadWrite(Path.of("/dev/full")));
    assertThatThrownBy(() -> store.write(8192, memory, 0, PAGE))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("/dev/full")
        .hasMessageContaining("position=8192")
        .hasMessageContaining("length=4096")
        .hasMessageMatching("(?i).*no space left on.*device.*");
    assertThatThrownBy(() -> store.write(0, memory, new long[] {0, 8192}, 2, PAGE))
        .isInstanceOf(IOException.class);
  }

  @Test
  void S5_interruptsDoNotReachTheFile() throws IOException {
    FileStore store = temporary();
    fill(0, 5);
    Thread.currentThread().interrupt();
    store.write(0, memory, 0, PAGE);
    assertThat(store.read(0, memory, PAGE, PAGE)).isEqualTo(PAGE);
    store.sync();
    store.resize(2 * PAGE);
    assertThat(store.size()).isEqualTo(2 * PAGE);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(holds(memory, 1, 5)).isTrue();
  }

  /** Platform and virtual threads that are interrupted all the time. */
  @Test
  void S5_interruptsInTheMiddleOfTransfers() throws Exception {
    FileStore store = temporary();
    for (int page = 0; page < 64; page++) {
      fill(page, page);
    }
    store.write(0, memory, 0, 64 * PAGE);
    for (Thread.Builder builder : List.of(Thread.ofPlatform(), Thread.ofVirtual())) {
      List<Throwable> failures = new ArrayList<>();
      Thread reader =
          builder.start(
              () -> {
                MemorySegment own = Arena.ofAuto().allocate(PAGE);
                try {
                  for (int i = 0; i < 3000; i++) {
                    assertThat(store.read((long) (i % 64) * PAGE, own, 0, PAGE)).isEqualTo(PAGE);
                    assertThat(holds(own, 0, i % 64)).isTrue();
                  }
                } catch (Throwable e) {
                  failures.add(e);
                }
              });
      while (reader.isAlive()) {
        reader.interrupt();
        Thread.onSpinWait();
      }
      reader.join();
      assertThat(failures).isEmpty();
    }
    assertThat(store.read(0, memory, 0, PAGE)).isEqualTo(PAGE);
  }

  @Test
  void S5_manyVirtualThreadsReadInParallel() throws Exception {
    FileStore store = temporary();
    for (int page = 0; page < 64; page++) {
      fill(page, page);
    }
    store.write(0, memory, 0, 64 * PAGE);
    MemorySegment shared = Arena.ofAuto().allocate(2000L * PAGE);
    List<Future<Boolean>> reads = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 2000; i++) {
        int page = i;
        reads.add(
            threads.submit(
                () -> {
                  long bytes =
                      store.read((long) (page % 64) * PAGE, shared, (long) page * PAGE, PAGE);
                  return bytes == PAGE && holds(shared, page, page % 64);
                }));
      }
    }
    for (Future<Boolean> read : reads) {
      assertThat(read.get()).isTrue();
    }
  }

  @Test
  void S5_nothingGoesAfterClose() throws IOException {
    FileStore store = temporary();
    store.close();
    store.close();
    assertThatThrownBy(store::size).isInstanceOf(ClosedChannelException.class);
    assertThatThrownBy(store::sync).isInstanceOf(ClosedChannelException.class);
    assertThatThrownBy(() -> store.read(0, memory, 0, 1))
        .isInstanceOf(ClosedChannelException.class);
    assertThatThrownBy(() -> store.write(0, memory, 0, 1))
        .isInstanceOf(ClosedChannelException.class);
    assertThatThrownBy(() -> store.write(0, memory, new long[1], 1, 1))
        .isInstanceOf(ClosedChannelException.class);
    assertThatThrownBy(() -> store.resize(1)).isInstanceOf(ClosedChannelException.class);
  }

  /** Readers of stores that are closed under them see the store or an error, never another file. */
  @Test
  void S5_closeDuringTransfers() throws InterruptedException, ExecutionException, IOException {
    Path path = directory.resolve("good");
    Path evil = directory.resolve("evil");
    fill(0, 1);
    byte[] page = memory.asSlice(0, PAGE).toArray(ValueLayout.JAVA_BYTE);
    Path _ = Files.write(path, page);
    Path _ = Files.write(evil, new byte[PAGE]);
    try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
      for (int round = 0; round < 100; round++) {
        FileStore store = opened(() -> FileStore.openReadOnly(path));
        List<Future<Boolean>> readers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
          readers.add(threads.submit(() -> readsUntilClosed(store)));
        }
        assertThat(store.read(0, memory, 0, PAGE)).isEqualTo(PAGE);
        store.close();
        // Gets the descriptor's number.
        FileStore other = opened(() -> FileStore.openReadOnly(evil));
        for (Future<Boolean> reader : readers) {
          assertThat(reader.get()).isTrue();
        }
        other.close();
      }
    }
  }

  private static boolean readsUntilClosed(FileStore store) throws IOException {
    MemorySegment own = Arena.ofAuto().allocate(PAGE);
    while (true) {
      try {
        if (store.read(0, own, 0, PAGE) != PAGE || !holds(own, 0, 1)) {
          return false;
        }
      } catch (ClosedChannelException _) {
        return true;
      }
    }
  }

  @Test
  void S5_transfersAllocateNothing() throws IOException {
    FileStore store = temporary();
    if (!io.equals("host") || !HostFiles.AVAILABLE) {
      return;
    }
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long[] offsets = {0, 3 * PAGE, 4 * PAGE};
    long least = Long.MAX_VALUE;
    // The compiler removes allocations when it knows the code well.
    for (int attempt = 0; attempt < 400 && least > 0; attempt++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 1000; i++) {
        store.write(0, memory, 0, PAGE);
        store.write(PAGE, memory, offsets, 3, PAGE);
        long _ = store.read(0, memory, PAGE, PAGE);
        long _ = store.read(0, memory, offsets, 3, PAGE);
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertThat(least).isZero();
  }
}
