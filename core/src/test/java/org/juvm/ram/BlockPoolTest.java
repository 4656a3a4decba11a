package org.juvm.ram;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BlockPoolTest {

  /** Blocks are distinct, zero when handed out, and all of them can be had. */
  @Test
  void randomUse() {
    int capacity = 50;
    int bytes = 64;
    BlockPool pool = new BlockPool(bytes, capacity, false);
    List<Integer> live = new ArrayList<>();
    Random random = new Random(11);
    for (int step = 0; step < 20_000; step++) {
      if (random.nextInt(50) < 26) {
        int block = pool.allocate(true);
        assertThat(block == 0).isEqualTo(live.size() == capacity);
        if (block != 0) {
          assertThat(live).doesNotContain(block);
          assertThat(pool.block(pool.address(block))).isEqualTo(block);
          for (int i = 0; i < bytes; i += 8) {
            assertThat(Native.getLong(pool.address(block) + i)).isZero();
            Native.setLong(pool.address(block) + i, -block);
          }
          live.add(block);
        }
      } else if (!live.isEmpty()) {
        int chosen = random.nextInt(live.size());
        int block = live.get(chosen);
        live.set(chosen, live.getLast());
        live.removeLast();
        for (int i = 0; i < bytes; i += 8) {
          assertThat(Native.getLong(pool.address(block) + i)).isEqualTo(-block);
        }
        pool.free(block);
      }
      assertThat(pool.inUse()).isEqualTo(live.size());
      assertThat(pool.has(capacity - live.size())).isTrue();
      assertThat(pool.has(capacity - live.size() + 1)).isFalse();
    }
  }
}
