package org.juvm.pageout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The balance between anonymous pages and those of files. */
class ClockSettingsTest {

  /** Of 1000 pages, with the default limits: anonymous 100 to 800, file 100 to 500. */
  @ParameterizedTest
  @CsvSource({
    // Neither is at a limit: what counts is use.
    "400, 400, false, NEITHER",
    "101, 500, false, NEITHER",
    "800, 101, false, NEITHER",
    // Too few of one type: it stays.
    "100, 400, false, ANONYMOUS",
    "0, 400, false, ANONYMOUS",
    "400, 100, false, FILE",
    "400, 0, false, FILE",
    // Too many of one type: the other one stays.
    "300, 501, false, ANONYMOUS",
    "801, 150, false, FILE",
    // Too few of one and too many of the other.
    "100, 900, false, ANONYMOUS",
    "900, 100, false, FILE",
    // Both would stay: neither does.
    "100, 100, false, NEITHER",
    "0, 0, false, NEITHER",
    // Anonymous pages have nowhere to go, so files cannot stay.
    "400, 100, true, NEITHER",
    "801, 150, true, NEITHER",
    "100, 400, true, ANONYMOUS"
  })
  void D3_truthTable(long anonymous, long file, boolean swapFull, ClockSettings.Staying staying) {
    long free = 1000 - anonymous - file;
    assertThat(ClockSettings.DEFAULT.staying(anonymous, file, free, swapFull)).isEqualTo(staying);
  }

  /** Limits that cross make both types more than their maximum. */
  @Test
  void D3_bothOverTheirMaxima() {
    ClockSettings crossed = new ClockSettings(10, 30, 10, 30, 33);
    assertThat(crossed.staying(500, 500, 0, false)).isEqualTo(ClockSettings.Staying.NEITHER);
  }

  @Test
  void D3_limitsAreChecked() {
    assertThat(new ClockSettings(90, 100, 5, 0, 100).inactive()).isEqualTo(100);
    assertThatThrownBy(() -> new ClockSettings(90, 100, 6, 0, 33))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("95");
    for (int wrong : new int[] {-1, 101}) {
      assertThatThrownBy(() -> new ClockSettings(wrong, 80, 10, 50, 33))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> new ClockSettings(10, wrong, 10, 50, 33))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> new ClockSettings(10, 80, wrong, 50, 33))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> new ClockSettings(10, 80, 10, wrong, 33))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> new ClockSettings(10, 80, 10, 50, wrong))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
