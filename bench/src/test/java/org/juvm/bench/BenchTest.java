package org.juvm.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class BenchTest {
  private static final PrintStream NOWHERE =
      new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);

  private static List<String> rows() {
    return Rows.USUAL.stream().map(Row::name).filter(name -> !name.equals("T20")).toList();
  }

  @ParameterizedTest
  @MethodSource("rows")
  @EnabledOnOs(OS.LINUX)
  void row_tiny_yieldsFiniteFigures(String name) {
    Report report = Bench.tiny(List.of(name), null).measure(NOWHERE);

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
  void of_names_areInTheOrderOfTheTableWhateverTheirCase() {
    assertThat(Bench.of(List.of("t6", "T1", "t6"), false, null).names())
        .containsExactly("T1", "T6");
  }

  @Test
  void of_noNames_leavesProgramsOut() {
    assertThat(Bench.of(List.of(), false, null).names())
        .hasSize(Rows.ALL.size() - 1)
        .doesNotContain("W1");
    assertThat(Bench.of(List.of("w1"), true, null).names()).containsExactly("W1");
  }

  @Test
  void T20_noTraces_saysSoAndIsSkipped() {
    var progress = new ByteArrayOutputStream();

    Report report =
        Bench.tiny(List.of("T20"), null)
            .measure(new PrintStream(progress, true, StandardCharsets.UTF_8));

    assertThat(report.figures()).isEmpty();
    assertThat(report.isComplete()).isTrue();
    assertThat(progress.toString(StandardCharsets.UTF_8)).contains("skipped").contains("--traces");
  }

  /** Three pages in turn with two frames: nothing is found. The second result is made up. */
  @Test
  void T20_traces_countsWhatIsEqual(@TempDir Path traces) throws IOException {
    Files.writeString(traces.resolve("turn.trace.gz"), "1\n2\n3\n1\n2\n3\n");
    Files.writeString(
        traces.resolve("expected.csv"),
        "trace,frames,clock_hits,clockpro_hit_percent_jiang\nturn,2,0,%s\nturn,3,2,0.1\n"
            .formatted("16.7"));

    Report report = Bench.tiny(List.of("T20"), traces).measure(NOWHERE);

    assertThat(report.figures()).hasSize(2);
    assertThat(report.figures().get(0).baseline()).isEqualTo(2);
    assertThat(report.figures().get(0).juvm()).isEqualTo(1);
    assertThat(report.figures().get(0).verdict()).isEqualTo(Verdict.MISSED);
  }

  @Test
  void T20_directoryWithoutResults_isAnError(@TempDir Path traces) {
    Report report = Bench.tiny(List.of("T20"), traces).measure(NOWHERE);

    assertThat(report.isComplete()).isFalse();
    assertThat(report.table()).contains("expected.csv");
  }

  @Test
  void list_namesEveryRow() {
    var bytes = new ByteArrayOutputStream();

    Bench.list(new PrintStream(bytes, true, StandardCharsets.UTF_8));

    assertThat(bytes.toString(StandardCharsets.UTF_8).lines())
        .hasSameSizeAs(Rows.ALL)
        .anySatisfy(line -> assertThat(line).startsWith("W1 "));
  }

  @Test
  void of_unknownName_throws() {
    assertThatThrownBy(() -> Bench.of(List.of("T1", "T99"), false, null))
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
