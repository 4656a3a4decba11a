package org.juvm.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Which objects are for which sizes. */
class SizeClassesTest {
  @Test
  void of_everySize_isTheSmallestClassThatFits() {
    for (int bytes = 0; bytes <= SizeClasses.LARGEST; bytes++) {
      int number = SizeClasses.of(bytes);

      assertThat(SizeClasses.size(number)).isGreaterThanOrEqualTo(bytes);
      if (number > 0) {
        assertThat(SizeClasses.size(number - 1)).isLessThan(bytes);
      }
    }
    assertThat(SizeClasses.of(SizeClasses.LARGEST)).isEqualTo(SizeClasses.COUNT - 1);
  }

  @Test
  void of_alignment_dividesTheSize() {
    for (int alignment = 1; alignment <= SizeClasses.LARGEST; alignment *= 2) {
      for (int bytes = 0; bytes <= SizeClasses.LARGEST; bytes += 7) {
        int size = SizeClasses.size(SizeClasses.of(bytes, alignment));

        assertThat(size).isGreaterThanOrEqualTo(bytes);
        assertThat(size % alignment).isZero();
      }
    }
  }
}
