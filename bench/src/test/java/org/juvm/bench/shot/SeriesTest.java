package org.juvm.bench.shot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class SeriesTest {
  private static Series series(int count) {
    Series series = new Series();
    for (int i = count; i > 0; i--) {
      series.add((double) i);
    }
    return series;
  }

  @Test
  void median_isTheMiddle() {
    assertThat(series(3).median()).isEqualTo(2);
    assertThat(series(4).median()).isEqualTo(2.5);
  }

  @Test
  void percentile_isAValueThatWasMeasured() {
    assertThat(series(100).percentile(0.99)).isEqualTo(99);
    assertThat(series(10).percentile(0.99)).isEqualTo(10);
    assertThat(series(1).percentile(0.01)).isEqualTo(1);
  }

  @Test
  void median_ofNothing_throws() {
    assertThatThrownBy(() -> new Series().median()).isInstanceOf(IllegalStateException.class);
  }
}
