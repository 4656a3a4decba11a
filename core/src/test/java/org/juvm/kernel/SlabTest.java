package org.juvm.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a slab knows of the objects that clients have. */
class SlabTest {
  private static final long BASE = 1 << 20;

  @ParameterizedTest
  @ValueSource(longs = {4096, 1L << 20, (3L << 30) + 4096})
  void takeBack_oneObject_wantsTheSizeThatWasAskedFor(long bytes) {
    Slab slab = new Slab(-1, 0, BASE, bytes, bytes);
    for (long asked : new long[] {bytes, bytes - 1, bytes - 4095}) {
      slab.give(0, asked);

      assertThat(slab.asked(0)).isEqualTo(asked);
      for (long other : new long[] {-1, 0, asked - 1, asked + 1, bytes + 1, Long.MIN_VALUE}) {
        assertThat(slab.takeBack(0, other)).as("%d", other).isFalse();
      }
      assertThat(slab.takeBack(0, asked)).isTrue();
      assertThat(slab.takeBack(0, asked)).isFalse();
      assertThat(slab.asked(0)).isNegative();
    }
  }

  @Test
  void objectsHaveOneNameAndOneAddress() {
    Slab slab = new Slab(5, 0, BASE, 65_536, 112);
    slab.number = 0x7fff_ffff;
    for (int i = 0; i < slab.objects; i++) {
      long name = slab.name(i);

      assertThat(Slab.slab(name)).isEqualTo(slab.number);
      assertThat(Slab.index(name)).isEqualTo(i);
      assertThat(slab.indexOf(slab.address(i))).isEqualTo(i);
      assertThat(slab.indexOf(slab.address(i) + 1)).isNegative();
    }
  }
}
