package org.juvm.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class BenchTest {
  private static final PrintStream NOWHERE =
      new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);

  private static List<String> rows() {
    return Rows.QUICK.stream().map(Row::name).toList();
  }

  private static String listed(Bench bench) {
    var bytes = new ByteArrayOutputStream();
    bench.list(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @MethodSource("rows")
  @EnabledOnOs(OS.LINUX)
  void row_tiny_yieldsFiniteFigures(String name) {
    Report report = Bench.tiny(List.of(name)).measure(NOWHERE);

    assertThat(report.figures())
        .isNotEmpty()
        .allSatisfy(
            figure -> {
              assertThat(figure.row()).isEqualTo(name);
              assertThat(figure.juvm()).as(figure.what() + figure.note()).isFinite();
              assertThat(figure.baseline())
                  .satisfiesAnyOf(
                      baseline -> assertThat(baseline).isPositive().isFinite(),
                      baseline -> assertThat(baseline).isNaN());
            });
    assertThat(report.isComplete()).isTrue();
  }

  @Test
  void of_names_areInTheUsualOrderWhateverTheirCase() {
    assertThat(listed(Bench.of(List.of("t6", "T1", "t6"), false)).lines())
        .satisfiesExactly(
            line -> assertThat(line).startsWith("T1 "), line -> assertThat(line).startsWith("T6 "));
  }

  @Test
  void of_noNames_isAll() {
    assertThat(listed(Bench.of(List.of(), false)).lines()).hasSameSizeAs(Rows.ALL);
  }

  @Test
  void of_noNamesQuick_leavesProgramsOut() {
    assertThat(listed(Bench.of(List.of(), true))).doesNotContain("W1");
    assertThat(listed(Bench.of(List.of("w1"), true))).contains("W1");
  }

  @Test
  void of_unknownName_throws() {
    assertThatThrownBy(() -> Bench.of(List.of("T1", "T99"), false))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("T99");
  }

  @Test
  void measure_rowThatFails_saysSoAndGoesOn() {
    Row bad =
        Row.of(
            "BAD",
            "fails",
            (row, lab) -> {
              throw new IllegalStateException("no luck");
            });
    Row good =
        Row.of(
            "GOOD",
            "works",
            (row, lab) -> List.of(Figure.of(row, "it", "ns", 2, 1, Target.ratioAtMost(1))));

    Report report = Bench.tiny(bad, good).measure(NOWHERE);

    assertThat(report.isComplete()).isFalse();
    assertThat(report.table()).contains("no luck").contains("met");
  }
}
