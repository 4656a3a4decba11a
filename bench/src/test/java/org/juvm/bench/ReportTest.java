package org.juvm.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.juvm.bench.shot.Scale;

class ReportTest {
  private static final Row ROW = Row.of("T0", "nothing", (row, lab) -> List.of());
  private static final Machine IDLE = new Machine("Abacus", 2, "JVM 25", "OS 1", 0.1);
  private static final Machine BUSY = new Machine("Abacus", 2, "JVM 25", "OS 1", 3);

  private static Report report(Machine machine, Figure... figures) {
    return new Report(machine, machine, Scale.FULL, List.of(figures));
  }

  @Test
  void table_figures_areAligned() {
    Report report =
        report(
            IDLE,
            Figure.of(ROW, "short", "ns", 100, 250, Target.ratioAtMost(2)),
            Figure.of(ROW, "somewhat longer", "us", Double.NaN, 1.5, Target.NONE));

    assertThat(report.table().lines())
        .containsExactly(
            "Abacus, 2 processors, OS 1, JVM 25, load 0.10 to 0.10",
            "",
            "row                   baseline  juvm  unit  ratio  target  verdict",
            "T0   short                 100   250  ns    2.50x  <= 2x   missed",
            "     somewhat longer         -  1.50  us");
  }

  @Test
  void table_notes_followWithTheirRow() {
    Figure figure =
        Figure.of(ROW, "it", "ns", Double.NaN, 1, Target.ratioAtMost(2)).note("no compiler");

    assertThat(report(IDLE, figure).table()).contains("T0, it: no compiler").contains("?");
  }

  @Test
  void table_busyMachine_warns() {
    assertThat(report(BUSY).table()).contains("warning: the machine is busy");
    assertThat(report(IDLE).table()).doesNotContain("warning");
  }

  @Test
  void json_figures_areComplete() {
    Figure figure = Figure.of(ROW, "a \"quote\"\n", "ns", Double.NaN, 2, Target.atMost(3, "<= 3"));

    assertThat(report(IDLE, figure).json())
        .isEqualTo(
            """
            {
              "machine": {"processor": "Abacus", "processors": 2, "kernel": "OS 1", \
            "jvm": "JVM 25", "loadBefore": 0.100000, "loadAfter": 0.100000},
              "scale": "full",
              "figures": [
                {"row": "T0", "what": "a \\"quote\\"\\u000a", "unit": "ns", "baseline": null, \
            "juvm": 2.00000, "ratio": null, "target": "<= 3", "verdict": "met", "note": ""}
              ]
            }
            """);
  }
}
