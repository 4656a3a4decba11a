package org.juvm.swap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.juvm.base.VmPanic;
import org.juvm.store.FileStore;
import org.juvm.store.HostBuffers;
import org.juvm.store.MemoryStore;

class SwapSpaceTest {
  private final SwapFixture fixture = new SwapFixture();
  private final SwapSpace space = fixture.space;

  @AfterEach
  void close() {
    fixture.close();
  }

  private SwapArea areaOf(long run) {
    return space.areas().stream()
        .filter(area -> space.isIn(SwapFixture.first(run), area))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void S1_noSlotWithoutAnArea() {
    assertThat(space.allocate(1)).isZero();
    assertThat(space.isFull()).isTrue();
    assertThat(space.slots()).isZero();
  }

  @Test
  void S1_slotsAreNumberedFromOneAndGivenOutInOrder() {
    SwapArea area = fixture.add("a", 10, 0);
    for (int slot = 1; slot <= 10; slot++) {
      assertThat(space.allocate(1)).isEqualTo((long) slot << 32 | 1);
      assertThat(space.slotsInUse()).isEqualTo(slot);
      assertThat(space.isIn(slot, area)).isTrue();
    }
    assertThat(space.allocate(1)).isZero();
    assertThat(space.isFull()).isTrue();
    assertThat(space.isIn(0, area)).isFalse();
    assertThat(space.isIn(11, area)).isFalse();
  }

  @Test
  void S1_roundRobinWithinOnePriority() {
    List<SwapArea> areas =
        List.of(fixture.add("a", 100, 5), fixture.add("b", 100, 5), fixture.add("c", 100, 5));
    for (int i = 0; i < 12; i++) {
      long run = space.allocate(8);
      assertThat(SwapFixture.count(run)).isEqualTo(8);
      assertThat(areaOf(run)).isSameAs(areas.get(i % 3));
    }
  }

  @Test
  void S1_lowestPriorityNumberFirst() {
    SwapArea slow = fixture.add("slow", 20, 7);
    SwapArea fast = fixture.add("fast", 20, -1);
    SwapArea middle = fixture.add("middle", 20, 3);
    assertThat(space.areas()).containsExactly(fast, middle, slow);
    List<SwapArea> order = new ArrayList<>();
    for (long run = space.allocate(20); run != 0; run = space.allocate(20)) {
      order.add(areaOf(run));
    }
    assertThat(order).containsExactly(fast, middle, slow);
  }

  @Test
  void S1_priorityCanBeChanged() {
    SwapArea one = fixture.add("one", 20, 1);
    SwapArea two = fixture.add("two", 20, 2);
    assertThat(areaOf(space.allocate(1))).isSameAs(one);
    space.setPriority(two, 0);
    assertThat(two.priority()).isZero();
    assertThat(areaOf(space.allocate(1))).isSameAs(two);
    space.setPriority(two, 1);
    assertThat(List.of(areaOf(space.allocate(1)), areaOf(space.allocate(1))))
        .containsExactlyInAnyOrder(one, two);
  }

  /** A device that is fragmented does not make clusters short while its neighbour has room. */
  @Test
  void S1_fullRunsAreTakenFromWhereTheyAre() {
    SwapArea fragmented = fixture.add("fragmented", 9, 0);
    long run = space.allocate(9);
    SwapArea whole = fixture.add("whole", 20, 0);
    space.free(SwapFixture.first(run));
    space.free(SwapFixture.first(run) + 4, 3);
    for (int i = 0; i < 2; i++) {
      long eight = space.allocate(8);
      assertThat(areaOf(eight)).isSameAs(whole);
      assertThat(SwapFixture.count(eight)).isEqualTo(8);
    }
    List<Integer> rest = new ArrayList<>();
    for (long r = space.allocate(8); r != 0; r = space.allocate(8)) {
      rest.add(SwapFixture.count(r));
    }
    assertThat(rest).containsExactlyInAnyOrder(3, 1, 4);
    assertThat(fragmented.slotsInUse()).isEqualTo(9);
  }

  @Test
  void S1_freedSlotsAreGivenOutAgain() {
    SwapArea area = fixture.add("a", 64, 0);
    long run = space.allocate(64);
    assertThat(run).isEqualTo(1L << 32 | 64);
    space.free(10, 5);
    space.free(40);
    assertThat(space.slotsInUse()).isEqualTo(58);
    assertThat(space.isFull()).isFalse();
    assertThat(space.allocate(3)).isEqualTo(10L << 32 | 3);
    assertThat(space.allocate(3)).isEqualTo(13L << 32 | 2);
    assertThat(space.allocate(3)).isEqualTo(40L << 32 | 1);
    assertThat(area.slotsInUse()).isEqualTo(64);
  }

  @Test
  void S1_slotsThatNobodyHasCannotBeFreed() {
    SwapArea _ = fixture.add("a", 10, 0);
    long _ = space.allocate(2);
    assertThatThrownBy(() -> space.free(3)).isInstanceOf(VmPanic.class);
    assertThatThrownBy(() -> space.free(0)).isInstanceOf(VmPanic.class);
    assertThatThrownBy(() -> space.free(11)).isInstanceOf(VmPanic.class);
    assertThatThrownBy(() -> space.free(9, 4)).isInstanceOf(VmPanic.class);
  }

  @Test
  void S2_anAreaIsWholePages() {
    MemoryStore store = new MemoryStore();
    for (long bytes : new long[] {0, -1024, 1023, 1025}) {
      assertThatThrownBy(() -> space.add("a", store, bytes, 0, null))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(() -> space.add("a", store, 1L << 41, 0, null))
        .isInstanceOf(IllegalStateException.class);
    assertThat(space.areas()).isEmpty();
  }

  @Test
  void S2_aStoreIsOneAreaOnly() {
    MemoryStore store = new MemoryStore();
    SwapArea _ = space.add("a", store, 1024, 0, null);
    assertThatThrownBy(() -> space.add("b", store, 1024, 0, null))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void S2_removeIsRefusedWhileSlotsAreInUse() {
    MemoryStore store = new MemoryStore();
    SwapArea area = space.add("a", store, 4096, 0, null);
    long run = space.allocate(1);
    assertThat(space.remove(area)).isFalse();
    assertThat(area.isEnabled()).isTrue();
    space.free(SwapFixture.first(run));
    assertThat(space.remove(area)).isTrue();
    assertThat(store.isClosed()).isTrue();
    assertThat(space.areas()).isEmpty();
    assertThat(space.allocate(1)).isZero();
    assertThat(space.remove(area)).isFalse();
    space.enable(area);
    assertThat(area.isEnabled()).isFalse();
  }

  @Test
  void S2_disabledAreasGiveNothing() {
    SwapArea one = fixture.add("one", 10, 0);
    SwapArea two = fixture.add("two", 10, 1);
    long before = space.allocate(2);
    space.disable(one);
    assertThat(space.slotsFree()).isEqualTo(10);
    assertThat(areaOf(space.allocate(2))).isSameAs(two);
    space.free(SwapFixture.first(before), 2);
    space.enable(one);
    assertThat(areaOf(space.allocate(2))).isSameAs(one);
    space.disable(one);
    space.disable(two);
    assertThat(space.isFull()).isTrue();
  }

  @Test
  void S2_numbersOfRemovedAreasAreUsedAgain() {
    SwapArea one = fixture.add("one", 10, 0);
    SwapArea two = fixture.add("two", 10, 0);
    assertThat(two.firstSlot()).isEqualTo(11);
    assertThat(space.remove(one)).isTrue();
    assertThat(fixture.add("large", 11, 0).firstSlot()).isEqualTo(21);
    assertThat(fixture.add("small", 4, 0).firstSlot()).isEqualTo(1);
    assertThat(fixture.add("rest", 6, 0).firstSlot()).isEqualTo(5);
  }

  @Test
  void S2_pagesComeBackAndAreCounted() throws IOException {
    SwapArea _ = fixture.add("small", 3, 0);
    SwapArea area = fixture.add("a", 64, 1);
    long _ = space.allocate(3);
    for (int frame = 0; frame < 40; frame++) {
      fixture.fill(frame, frame);
    }
    int slot = SwapFixture.first(space.allocate(40));
    space.write(slot, SwapFixture.frames(0, 40), 40);
    for (int i = 0; i < 40; i++) {
      space.read(slot + i, 100 + (i * 7) % 40);
      fixture.check(100 + (i * 7) % 40, i);
    }
    space.read(slot + 5, SwapFixture.frames(200, 20), 20);
    for (int i = 0; i < 20; i++) {
      fixture.check(200 + i, 5 + i);
    }
    assertThat(area.writes()).isOne();
    assertThat(area.bytesWritten()).isEqualTo(40 * 1024);
    assertThat(area.reads()).isEqualTo(41);
    assertThat(area.bytesRead()).isEqualTo(60 * 1024);
    assertThat(area.errors()).isZero();
    assertThat(area).hasToString("a: priority 1, 64 slots, 40 in use, 0 bad");
  }

  @Test
  void S2_longRunsAreCutForTheStore() throws IOException {
    SwapArea area = fixture.add("a", 300, 0);
    for (int frame = 0; frame < 300; frame++) {
      fixture.fill(frame, frame);
    }
    int slot = SwapFixture.first(space.allocate(300));
    space.write(slot, SwapFixture.frames(0, 300), 300);
    for (int frame = 0; frame < 300; frame++) {
      fixture.fill(frame, -1);
    }
    space.read(slot, SwapFixture.frames(0, 300), 300);
    for (int frame = 0; frame < 300; frame++) {
      fixture.check(frame, frame);
    }
    assertThat(area.bytesRead()).isEqualTo(300 * 1024);
  }

  @Test
  void S3_shortReadsAreErrors() throws IOException {
    SwapArea area = fixture.add("a", 10, 0);
    int slot = SwapFixture.first(space.allocate(10));
    space.write(slot, new int[] {0}, 1);
    assertThatThrownBy(() -> space.read(slot + 1, 1)).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> space.read(slot, SwapFixture.frames(1, 2), 2))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("read=1024");
    assertThat(area.errors()).isEqualTo(2);
    space.read(slot, 1);
  }

  @Test
  void S3_badSlotsAreNeverGivenOutAgain() {
    SwapArea area = fixture.add("a", 10, 0);
    long _ = space.allocate(4);
    space.markBad(2);
    space.markBad(2);
    space.markBad(7);
    assertThat(space.slotsBad()).isEqualTo(2);
    assertThat(space.slotsInUse()).isEqualTo(3);
    space.free(1, 4);
    assertThat(space.slotsInUse()).isZero();
    List<Integer> slots = new ArrayList<>();
    for (long run = space.allocate(1); run != 0; run = space.allocate(1)) {
      slots.add(SwapFixture.first(run));
    }
    assertThat(slots).containsExactlyInAnyOrder(1, 3, 4, 5, 6, 8, 9, 10);
    assertThat(space.isFull()).isTrue();
    assertThat(area.slotsBad()).isEqualTo(2);
  }

  @Test
  void S3_badSlotsAreNotRead() throws IOException {
    SwapArea _ = fixture.add("a", 10, 0);
    int slot = SwapFixture.first(space.allocate(2));
    space.write(slot, new int[] {0, 1}, 2);
    space.markBad(slot + 1);
    assertThatThrownBy(() -> space.read(slot + 1, 2)).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> space.read(slot, new int[] {2, 3}, 2)).isInstanceOf(IOException.class);
    space.read(slot, 2);
  }

  /** A bad slot does not keep its area; its owner may come later and meets nobody else's slot. */
  @Test
  void S3_badSlotsDoNotKeepAnArea() {
    SwapArea area = fixture.add("a", 10, 0);
    int slot = SwapFixture.first(space.allocate(2));
    space.free(slot + 1);
    space.markBad(slot);
    assertThat(space.remove(area)).isTrue();
    SwapArea other = fixture.add("b", 10, 0);
    assertThat(space.allocate(10)).isEqualTo((long) other.firstSlot() << 32 | 10);
    space.free(slot);
    assertThat(space.slotsInUse()).isEqualTo(10);
    assertThat(space.slotsBad()).isZero();
  }

  @Test
  void S3_fullDeviceIsAnErrorOfTheWrite() throws IOException {
    SwapArea area =
        space.add("full", FileStore.openReadWrite(Path.of("/dev/full")), 10_240, 0, null);
    int slot = SwapFixture.first(space.allocate(4));
    assertThatThrownBy(() -> space.write(slot, SwapFixture.frames(0, 4), 4))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("ENOSPC");
    assertThat(area.errors()).isOne();
    space.free(slot, 4);
    assertThat(space.remove(area)).isTrue();
  }

  @Test
  void S2_closeEndsTransfersAndLetsSlotsBeFreed(@TempDir Path directory) throws IOException {
    SwapArea area = space.add("file", FileStore.temporary(directory), 10_240, 0, null);
    int slot = SwapFixture.first(space.allocate(2));
    space.write(slot, new int[] {0, 1}, 2);
    space.close();
    space.close();
    assertThatThrownBy(() -> space.read(slot, 0)).isInstanceOf(IOException.class);
    assertThat(space.allocate(1)).isZero();
    space.free(slot, 2);
    assertThat(area.slotsInUse()).isZero();
    assertThatThrownBy(() -> fixture.add("late", 1, 0)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void S4_encryptedAreasHoldNoPageAsItIs() throws IOException {
    MemoryStore store = new MemoryStore();
    SwapArea area = space.add("secret", store, 64 * 1024, 0, new HostBuffers(1024));
    assertThat(area.isEncrypted()).isTrue();
    for (int frame = 0; frame < 64; frame++) {
      fixture.fill(frame, 7);
    }
    int slot = SwapFixture.first(space.allocate(64));
    space.write(slot, SwapFixture.frames(0, 64), 64);
    String plain = text(fixture.ram.segment().asSlice(0, 16).toArray(ValueLayout.JAVA_BYTE));
    assertThat(text(store.contents())).hasSize(64 * 1024).doesNotContain(plain);
    fixture.check(0, 7);
    space.read(slot + 30, 100);
    space.read(slot + 20, SwapFixture.frames(101, 3), 3);
    for (int frame = 100; frame < 104; frame++) {
      fixture.check(frame, 7);
    }
    space.free(slot, 64);
    assertThat(space.remove(area)).isTrue();
    assertThat(store.isClosed()).isTrue();
  }

  @Test
  void S2_swappingAllocatesNothing(@TempDir Path directory) throws IOException {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    SwapArea _ = space.add("one", FileStore.temporary(directory), 64 * 1024, 0, null);
    SwapArea _ = space.add("two", FileStore.temporary(directory), 64 * 1024, 0, null);
    int[] frames = SwapFixture.frames(0, 8);
    long least = Long.MAX_VALUE;
    // The compiler removes allocations when it knows the code well.
    for (int attempt = 0; attempt < 400 && least > 0; attempt++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 1000; i++) {
        int slot = SwapFixture.first(space.allocate(8));
        space.write(slot, frames, 8);
        space.read(slot, frames, 8);
        space.read(slot + 1, 9);
        space.free(slot, 8);
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertThat(least).isZero();
  }

  /** One character per byte. */
  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  /** Pages that say who they are, on several devices, by threads that take and free slots. */
  @Test
  void S1_threadsSwapTheirPages(@TempDir Path directory) throws Exception {
    SwapArea _ = space.add("file", FileStore.temporary(directory), 90 * 1024, 0, null);
    SwapArea _ =
        space.add("secret", FileStore.temporary(directory), 90 * 1024, 0, new HostBuffers(1024));
    SwapArea _ = fixture.add("memory", 100, 1);
    List<Future<?>> workers = new ArrayList<>();
    try (ExecutorService threads =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().factory())) {
      for (int i = 0; i < 8; i++) {
        int worker = i;
        workers.add(threads.submit(() -> swap(worker)));
      }
    }
    for (Future<?> worker : workers) {
      var _ = worker.get();
    }
    assertThat(space.slotsInUse()).isZero();
  }

  private @Nullable Void swap(int worker) throws IOException {
    SplittableRandom random = new SplittableRandom(worker);
    int frame = worker * 20;
    for (int i = 0; i < 200; i++) {
      long run = space.allocate(1 + random.nextInt(20));
      int slot = SwapFixture.first(run);
      int count = SwapFixture.count(run);
      if (count == 0) {
        continue;
      }
      for (int page = 0; page < count; page++) {
        fixture.fill(frame + page, worker * 1_000_000L + i * 100L + page);
      }
      space.write(slot, SwapFixture.frames(frame, count), count);
      for (int page = 0; page < count; page++) {
        fixture.fill(frame + page, -1);
      }
      space.read(slot, SwapFixture.frames(frame, count), count);
      for (int page = 0; page < count; page++) {
        fixture.check(frame + page, worker * 1_000_000L + i * 100L + page);
      }
      space.free(slot, count);
    }
    return null;
  }
}
