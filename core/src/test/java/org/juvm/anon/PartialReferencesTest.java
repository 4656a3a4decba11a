package org.juvm.anon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.juvm.base.VmPanic;

/** Runs of equal counts against an array of counts. */
class PartialReferencesTest {

  @Test
  void A4_randomAdjustmentsAgainstArray() {
    long seed = Long.getLong("juvm.test.seed", System.nanoTime());
    Random random = new Random(seed);
    for (int round = 0; round < 200 * Integer.getInteger("juvm.test.scale", 1); round++) {
      int[] model = new int[1 + random.nextInt(100)];
      int initial = 1 + random.nextInt(3);
      Arrays.fill(model, initial);
      PartialReferences references = new PartialReferences(model.length, initial);
      for (int step = 0; step < 100; step++) {
        step(references, model, random);
        for (int i = 0; i < model.length; i++) {
          assertThat(references.count(i)).as("slot %d, seed %d", i, seed).isEqualTo(model[i]);
        }
      }
    }
  }

  private static void step(PartialReferences references, int[] model, Random random) {
    int start = random.nextInt(model.length);
    int stop = start + 1 + random.nextInt(model.length - start);
    boolean down = random.nextBoolean() && Arrays.stream(model, start, stop).min().orElse(0) > 0;
    boolean[] expected = new boolean[model.length];
    boolean[] named = new boolean[model.length];
    for (int i = start; i < stop; i++) {
      model[i] += down ? -1 : 1;
      expected[i] = model[i] == 0;
    }
    references.adjust(
        start, stop, down ? -1 : 1, (from, to) -> Arrays.fill(named, (int) from, (int) to, true));
    assertThat(named).isEqualTo(expected);
  }

  @Test
  void A4_fewerThanNoneIsABug() {
    PartialReferences references = new PartialReferences(10, 1);
    references.adjust(2, 5, -1, (from, to) -> {});
    assertThatExceptionOfType(VmPanic.class)
        .isThrownBy(() -> references.adjust(4, 6, -1, (from, to) -> {}));
  }
}
