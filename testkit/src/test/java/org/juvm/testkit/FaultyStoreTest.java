package org.juvm.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.juvm.store.FileStore;
import org.juvm.testkit.FaultyStore.Operation;

class FaultyStoreTest {
  private static final int PAGE = 4096;

  private final MemorySegment memory = Arena.ofAuto().allocate(8 * PAGE);
  private final long[] offsets = {0, PAGE, 3 * PAGE};
  private final FaultyStore store;

  FaultyStoreTest(@TempDir Path directory) throws IOException {
    store = new FaultyStore(FileStore.temporary(directory));
    store.write(0, memory, 0, 8 * PAGE);
  }

  @AfterEach
  void close() throws IOException {
    store.close();
  }

  @Test
  void S5_handsOnWhatDoesNotFail() throws IOException {
    store.write(PAGE, memory, offsets, 3, PAGE);
    assertThat(store.read(0, memory, 0, 8 * PAGE)).isEqualTo(8 * PAGE);
    assertThat(store.read(6 * PAGE, memory, offsets, 3, PAGE)).isEqualTo(2 * PAGE);
    store.resize(PAGE);
    store.sync();
    assertThat(store.size()).isEqualTo(PAGE);
    assertThat(store.operations(Operation.READ)).isEqualTo(2);
    assertThat(store.operations(Operation.WRITE)).isEqualTo(2);
    assertThat(store.operations(Operation.RESIZE)).isOne();
    assertThat(store.operations(Operation.SYNC)).isOne();
    assertThat(store.failures(Operation.WRITE)).isZero();
    assertThat(store.isClosed()).isFalse();
  }

  @Test
  void S5_failsAsOftenAsAsked() throws IOException {
    store.failNext(Operation.WRITE, 2);
    assertThatThrownBy(() -> store.write(0, memory, 0, PAGE))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("EIO");
    assertThatThrownBy(() -> store.write(0, memory, offsets, 3, PAGE))
        .isInstanceOf(IOException.class);
    store.write(0, memory, 0, PAGE);
    assertThat(store.failures(Operation.WRITE)).isEqualTo(2);
    assertThat(store.read(0, memory, 0, PAGE)).isEqualTo(PAGE);
  }

  @Test
  void S5_failsWhereAsked() throws IOException {
    store.failAt(Operation.READ, 2 * PAGE, PAGE);
    assertThat(store.read(0, memory, 0, 2 * PAGE)).isEqualTo(2 * PAGE);
    assertThat(store.read(3 * PAGE, memory, 0, PAGE)).isEqualTo(PAGE);
    assertThatThrownBy(() -> store.read(PAGE, memory, offsets, 3, PAGE))
        .isInstanceOf(IOException.class);
    store.write(2 * PAGE, memory, 0, PAGE);
    store.heal();
    assertThat(store.read(2 * PAGE, memory, 0, PAGE)).isEqualTo(PAGE);
  }

  @Test
  void S5_aSeedSaysWhatFails() {
    List<List<Boolean>> histories = new ArrayList<>();
    for (int round = 0; round < 2; round++) {
      store.failAtRandom(new Choices(5), 3);
      List<Boolean> history = new ArrayList<>();
      for (int i = 0; i < 60; i++) {
        history.add(fails());
      }
      histories.add(history);
    }
    assertThat(histories.getFirst()).contains(true, false).isEqualTo(histories.getLast());
    store.heal();
    for (int i = 0; i < 20; i++) {
      assertThat(fails()).isFalse();
    }
  }

  private boolean fails() {
    try {
      return store.read(0, memory, 0, PAGE) != PAGE;
    } catch (IOException _) {
      return true;
    }
  }

  @Test
  void S5_shortReads() throws IOException {
    store.shortenNextReads(2);
    assertThat(store.read(0, memory, 0, PAGE)).isEqualTo(PAGE / 2);
    assertThat(store.read(0, memory, offsets, 3, PAGE)).isEqualTo(2 * PAGE + PAGE / 2);
    assertThat(store.read(0, memory, 0, PAGE)).isEqualTo(PAGE);
  }

  @Test
  void S5_fullAndLostDevices() throws IOException {
    store.setFull(true);
    assertThatThrownBy(() -> store.write(0, memory, 0, PAGE)).hasMessageContaining("ENOSPC");
    assertThat(store.read(0, memory, 0, PAGE)).isEqualTo(PAGE);
    store.setFull(false);
    store.write(0, memory, 0, PAGE);
    store.lose();
    store.heal();
    assertThatThrownBy(() -> store.read(0, memory, 0, PAGE)).hasMessageContaining("ENXIO");
    assertThatThrownBy(() -> store.sync()).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> store.size()).isInstanceOf(IOException.class);
    store.close();
    assertThat(store.isClosed()).isTrue();
  }

  @Test
  void S5_operationsAreHeldBackUntilReleased() {
    FaultyStore.Hold hold = store.hold(Operation.WRITE);
    AtomicInteger done = new AtomicInteger();
    List<CompletableFuture<Boolean>> writers = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      writers.add(CompletableFuture.supplyAsync(() -> writes(done), task -> start(task)));
    }
    hold.awaitOperations(2);
    assertThat(done).hasValue(0);
    assertThat(fails()).isFalse();
    hold.release();
    for (CompletableFuture<Boolean> writer : writers) {
      assertThat(writer.join()).as("interrupt status").isTrue();
    }
    assertThat(done).hasValue(2);
  }

  private static void start(Runnable task) {
    var _ = Thread.ofPlatform().daemon().start(task);
  }

  /** Writes with the interrupt status set, and returns what has become of it. */
  private boolean writes(AtomicInteger done) {
    Thread.currentThread().interrupt();
    try {
      store.write(0, memory, 0, PAGE);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    int _ = done.incrementAndGet();
    return Thread.currentThread().isInterrupted();
  }
}
