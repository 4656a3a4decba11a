package org.juvm.ram;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** A byte table against an array. */
class ByteTableTest {
  private final long seed = Long.getLong("juvm.test.seed", System.nanoTime());
  private final SplittableRandom random = new SplittableRandom(seed);

  @Test
  void D1_searchesAndCountsAsAnArrayDoes() {
    for (int round = 0; round < 40; round++) {
      int length = random.nextInt(1, 100);
      ByteTable table = new ByteTable(length, false);
      int[] model = new int[length];
      for (int step = 0; step < 200; step++) {
        int index = random.nextInt(length);
        int value = random.nextInt(ByteTable.MAXIMUM + 1);
        if (random.nextBoolean()) {
          table.set(index, value);
          model[index] = value;
        } else {
          int expected = random.nextBoolean() ? model[index] : random.nextInt(128);
          boolean done = table.compareAndSet(index, expected, value);
          assertThat(done).as("seed %d", seed).isEqualTo(expected == model[index]);
          model[index] = done ? value : model[index];
        }
        assertThat(table.get(index)).as("seed %d", seed).isEqualTo(model[index]);
        compareSearches(table, model);
      }
    }
  }

  private void compareSearches(ByteTable table, int[] model) {
    int mask = random.nextInt(1, 8);
    int wanted = mask & random.nextInt(8);
    int end = random.nextInt(model.length + 1);
    int from = random.nextInt(end + 1);
    int next = from;
    while (next < end && (model[next] & mask) != wanted) {
      next++;
    }
    assertThat(table.next(from, end, mask, wanted)).as("seed %d", seed).isEqualTo(next);
    if (wanted != 0) {
      int count = 0;
      for (int value : model) {
        count += (value & mask) == wanted ? 1 : 0;
      }
      assertThat(table.count(mask, wanted)).as("seed %d", seed).isEqualTo(count);
    }
  }

  @Test
  void D1_noUpdateOfANeighbourIsLost() throws InterruptedException {
    ByteTable table = new ByteTable(2, false);
    int times = 20_000;
    Thread other =
        new Thread(
            () -> {
              for (int i = 0; i < times; i++) {
                table.set(1, i & ByteTable.MAXIMUM);
                assertThat(table.get(1)).isEqualTo(i & ByteTable.MAXIMUM);
              }
            });
    Throwable[] failure = new Throwable[1];
    other.setUncaughtExceptionHandler((thread, e) -> failure[0] = e);
    other.start();
    for (int i = 0; i < times; i++) {
      assertThat(table.compareAndSet(0, i & 1, ~i & 1)).isTrue();
    }
    other.join();
    assertThat(failure[0]).isNull();
  }
}
