package org.juvm.swap;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Slots of one area against a set of bits that is searched from the start. */
class SlotMapTest {
  private final long seed = Long.getLong("juvm.test.seed", System.nanoTime());
  private final SplittableRandom random = new SplittableRandom(seed);

  /** Free slots. */
  private final BitSet free = new BitSet();

  private final BitSet bad = new BitSet();
  private String where = "";

  private int longestFreeRun() {
    int longest = 0;
    for (int start = free.nextSetBit(0); start >= 0; ) {
      int end = free.nextClearBit(start);
      longest = Math.max(longest, end - start);
      start = free.nextSetBit(end);
    }
    return longest;
  }

  @Test
  void S1_runsAreAsLongAsPossible() {
    for (int round = 0; round < 12 * Integer.getInteger("juvm.test.scale", 1); round++) {
      int slots =
          switch (round % 4) {
            case 0 -> random.nextInt(1, 200);
            case 1 -> 4096 * random.nextInt(1, 4);
            case 2 -> random.nextInt(4000, 4200);
            default -> random.nextInt(8000, 20_000);
          };
      SlotMap map = new SlotMap(slots);
      free.clear();
      free.set(0, slots);
      bad.clear();
      // Mostly full, half full, mostly empty.
      int allocations = random.nextInt(3, 7);
      for (int step = 0; step < 3000; step++) {
        where = "round %d, step %d, -Djuvm.test.seed=%d".formatted(round, step, seed);
        if (random.nextInt(10) < allocations) {
          allocate(map, random.nextInt(8) == 0 ? 1 + random.nextInt(9000) : 1 + random.nextInt(70));
        } else {
          release(map, slots);
        }
        if (random.nextInt(500) == 0) {
          int slot = random.nextInt(slots);
          map.markBad(slot);
          bad.set(slot);
          free.clear(slot);
        }
        assertThat(map.badSlots()).as(where).isEqualTo(bad.cardinality());
        assertThat(map.inUse()).as(where).isEqualTo(slots - free.cardinality() - bad.cardinality());
      }
    }
  }

  private void allocate(SlotMap map, int wanted) {
    int longest = longestFreeRun();
    int minimum = random.nextBoolean() ? 1 : wanted;
    long run = map.allocate(minimum, wanted);
    int first = SwapFixture.first(run);
    int count = SwapFixture.count(run);
    int expected = Math.min(wanted, longest);
    assertThat(count).as(where).isEqualTo(expected < minimum ? 0 : expected);
    assertThat(free.nextClearBit(first)).as(where).isGreaterThanOrEqualTo(first + count);
    free.clear(first, first + count);
  }

  /** Frees a stretch of what is in use. */
  private void release(SlotMap map, int slots) {
    int first = random.nextInt(slots);
    int length = random.nextInt(10) == 0 ? 1 + random.nextInt(5000) : 1 + random.nextInt(20);
    for (int slot = first; slot < Math.min(slots, first + length); slot++) {
      if (!free.get(slot)) {
        map.free(slot, 1);
        if (!bad.get(slot)) {
          free.set(slot);
        }
      }
    }
  }

  /** In an area that nobody disturbs, one run comes after the other. */
  @Test
  void S1_runsFollowEachOther() {
    SlotMap map = new SlotMap(100_000);
    for (int i = 0; i < 1562; i++) {
      assertThat(map.allocate(1, 64)).isEqualTo((i * 64L) << 32 | 64);
    }
    for (int i = 0; i < 1000; i++) {
      map.free(i * 64, 64);
    }
    assertThat(map.allocate(1, 32)).isEqualTo(99_968L << 32 | 32);
    assertThat(map.allocate(1, 64)).isEqualTo(64);
  }

  /** Whatever threads do, a slot has one owner. */
  @Test
  void S1_noSlotIsGivenOutTwice() throws InterruptedException, ExecutionException {
    SlotMap map = new SlotMap(5000);
    ConcurrentHashMap<Integer, Long> owners = new ConcurrentHashMap<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      var work =
          IntStream.range(0, 4)
              .<Future<?>>mapToObj(
                  i -> {
                    SplittableRandom own = random.split();
                    return threads.submit(() -> takeAndFree(map, owners, own));
                  })
              .toList();
      for (Future<?> each : work) {
        var _ = each.get();
      }
    }
    assertThat(map.inUse()).isZero();
    assertThat(map.allocate(1, 5000)).isEqualTo(5000);
  }

  private static void takeAndFree(
      SlotMap map, ConcurrentHashMap<Integer, Long> owners, SplittableRandom random) {
    long me = Thread.currentThread().threadId();
    for (int i = 0; i < 3000; i++) {
      long run = map.allocate(1, 1 + random.nextInt(100));
      int first = SwapFixture.first(run);
      int count = SwapFixture.count(run);
      for (int slot = first; slot < first + count; slot++) {
        assertThat(owners.putIfAbsent(slot, me)).isNull();
      }
      for (int slot = first; slot < first + count; slot++) {
        assertThat(owners.remove(slot)).isEqualTo(me);
      }
      if (count > 0) {
        map.free(first, count);
      }
    }
  }
}
