package org.juvm.page;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.juvm.ram.BlockPool;

/** Where pages of an object are, compared with a sorted map. */
class ObjectPagesOracleTest {
  private final BlockPool pool = ObjectPages.newPool(16, false);
  private final ObjectPages pages = new ObjectPages(pool);
  private final TreeMap<Long, Integer> oracle = new TreeMap<>();

  private static int place(SplittableRandom random) {
    return switch (random.nextInt(8)) {
      case 0 -> ObjectPages.LOST;
      case 1, 2, 3 -> ObjectPages.inFrame(random.nextInt(1 << 28));
      default -> ObjectPages.inSlot(random.nextInt(1, Integer.MAX_VALUE));
    };
  }

  /** Around the sizes at which the BSDs change from an array to a hash of clusters of slots. */
  private static long index(SplittableRandom random, long size) {
    return switch (random.nextInt(4)) {
      case 0 -> Math.min(size - 1, 62 + random.nextInt(4));
      case 1 -> Math.min(size - 1, random.nextInt(40) * 16L + random.nextInt(2));
      case 2 -> size - 1 - random.nextLong(Math.min(size, 70));
      default -> random.nextLong(size);
    };
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 15, 16, 17, 63, 64, 65, 100, 4096, 4097, 1 << 20, 1L << 39})
  void O2_O3_slotsAndFrames(long size) {
    long seed = new SplittableRandom().nextLong();
    SplittableRandom random = new SplittableRandom(seed);
    for (int step = 0; step < 4000; step++) {
      long page = index(random, size);
      switch (random.nextInt(10)) {
        case 0 -> drop(page, page + 1);
        case 1 -> drop(page, Math.min(size, page + 1 + random.nextInt(20)));
        case 2 -> drop(random.nextInt(4) == 0 ? page : Math.max(page, size - 20), Long.MAX_VALUE);
        default -> {
          int place = place(random);
          pages.put(page, place);
          oracle.put(page, place);
        }
      }
      long looked = index(random, size);
      assertThat(pages.find(looked))
          .as("page %d, seed %d", looked, seed)
          .isEqualTo(oracle.getOrDefault(looked, ObjectPages.ABSENT));
      if (step % 64 == 0) {
        compare(seed, page, Math.min(size, page + 100));
        compare(seed, 0, Long.MAX_VALUE);
      }
    }
    drop(0, Long.MAX_VALUE);
    assertThat(pool.inUse()).as("nodes, seed %d", seed).isZero();
    assertThat(pages.limit()).isZero();
    assertThat(pages.resident() + pages.swapped()).isZero();
  }

  private void drop(long start, long end) {
    pages.forEach(start, end, (_, _) -> true);
    oracle.subMap(start, end).clear();
  }

  private void compare(long seed, long start, long end) {
    List<Map.Entry<Long, Integer>> found = new ArrayList<>();
    pages.forEach(
        start,
        end,
        (page, place) -> {
          found.add(Map.entry(page, place));
          return false;
        });
    assertThat(found)
        .as("seed %d", seed)
        .containsExactlyElementsOf(oracle.subMap(start, end).entrySet());
    assertThat(pages.limit()).isGreaterThanOrEqualTo(oracle.isEmpty() ? 0 : oracle.lastKey() + 1);
    assertThat(pages.resident())
        .isEqualTo(oracle.values().stream().filter(ObjectPages::isFrame).count());
    assertThat(pages.resident() + pages.swapped()).isEqualTo(oracle.size());
  }
}
