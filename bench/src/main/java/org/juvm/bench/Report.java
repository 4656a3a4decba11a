package org.juvm.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.juvm.bench.shot.Scale;

/**
 * Everything that was measured, to be printed.
 *
 * @param before the machine at the start
 * @param after the machine at the end
 * @param scale how much was measured
 * @param figures the lines
 */
record Report(Machine before, Machine after, Scale scale, List<Figure> figures) {
  private static final List<String> HEADINGS =
      List.of("row", "", "baseline", "juvm", "unit", "ratio", "target", "verdict");
  private static final String RIGHT_ALIGNED = "baseline juvm ratio";

  Report {
    figures = List.copyOf(figures);
  }

  /** Whether every row could be measured. */
  boolean isComplete() {
    return figures.stream().noneMatch(figure -> Double.isNaN(figure.juvm()));
  }

  // ---- table ----

  /** As lines for people. */
  String table() {
    List<List<String>> lines = new ArrayList<>();
    lines.add(HEADINGS);
    String row = "";
    for (Figure figure : figures) {
      lines.add(cells(figure, figure.row().equals(row)));
      row = figure.row();
    }
    int[] widths = new int[HEADINGS.size()];
    for (List<String> line : lines) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], line.get(i).length());
      }
    }
    StringBuilder table = new StringBuilder();
    table.append(
        String.format(
            Locale.ROOT,
            "%s, %d processors, %s, %s, load %.2f to %.2f%s%n%n",
            before.processor(),
            before.processors(),
            before.kernel(),
            before.jvm(),
            before.load(),
            after.load(),
            scale == Scale.FULL ? "" : ", " + scale.name().toLowerCase(Locale.ROOT) + " run"));
    for (List<String> line : lines) {
      table.append(align(line, widths)).append(System.lineSeparator());
    }
    List<String> remarks = remarks();
    if (!remarks.isEmpty()) {
      table.append(System.lineSeparator());
      remarks.forEach(remark -> table.append(remark).append(System.lineSeparator()));
    }
    return table.toString();
  }

  private List<String> remarks() {
    List<String> remarks = new ArrayList<>();
    for (Figure figure : figures) {
      if (!figure.note().isEmpty()) {
        remarks.add(figure.row() + ", " + figure.what() + ": " + figure.note());
      }
    }
    before.warning().ifPresent(remarks::add);
    return remarks;
  }

  private static List<String> cells(Figure figure, boolean again) {
    return List.of(
        again ? "" : figure.row(),
        figure.what(),
        number(figure.baseline()),
        number(figure.juvm()),
        figure.unit(),
        Double.isNaN(figure.ratio()) ? "" : number(figure.ratio()) + "x",
        figure.target().text(),
        figure.verdict().text());
  }

  private static String align(List<String> line, int[] widths) {
    StringBuilder aligned = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      boolean right = !HEADINGS.get(i).isEmpty() && RIGHT_ALIGNED.contains(HEADINGS.get(i));
      String padding = " ".repeat(widths[i] - line.get(i).length());
      aligned.append(i == 0 ? "" : "  ");
      aligned.append(right ? padding + line.get(i) : line.get(i) + padding);
    }
    return aligned.toString().stripTrailing();
  }

  /** Three digits or more. */
  private static String number(double value) {
    if (Double.isNaN(value)) {
      return "-";
    }
    double size = Math.abs(value);
    int decimals = size >= 100 ? 0 : size >= 10 ? 1 : 2;
    return String.format(Locale.ROOT, "%." + decimals + "f", value);
  }

  // ---- JSON ----

  /** As JSON (RFC 8259). */
  String json() {
    StringBuilder json = new StringBuilder("{\n  \"machine\": {");
    json.append("\"processor\": ").append(string(before.processor()));
    json.append(", \"processors\": ").append(before.processors());
    json.append(", \"kernel\": ").append(string(before.kernel()));
    json.append(", \"jvm\": ").append(string(before.jvm()));
    json.append(", \"loadBefore\": ").append(value(before.load()));
    json.append(", \"loadAfter\": ").append(value(after.load()));
    json.append("},\n  \"scale\": ").append(string(scale.name().toLowerCase(Locale.ROOT)));
    json.append(",\n  \"figures\": [");
    String separator = "\n";
    for (Figure figure : figures) {
      json.append(separator).append("    ").append(json(figure));
      separator = ",\n";
    }
    return json.append("\n  ]\n}\n").toString();
  }

  private static String json(Figure figure) {
    return "{\"row\": "
        + string(figure.row())
        + ", \"what\": "
        + string(figure.what())
        + ", \"unit\": "
        + string(figure.unit())
        + ", \"baseline\": "
        + value(figure.baseline())
        + ", \"juvm\": "
        + value(figure.juvm())
        + ", \"ratio\": "
        + value(figure.ratio())
        + ", \"target\": "
        + string(figure.target().text())
        + ", \"verdict\": "
        + string(figure.verdict().name().toLowerCase(Locale.ROOT))
        + ", \"note\": "
        + string(figure.note())
        + "}";
  }

  /** A number, or null for what is none. */
  private static String value(double value) {
    return Double.isFinite(value) ? String.format(Locale.ROOT, "%.6g", value) : "null";
  }

  private static String string(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"', '\\' -> quoted.append('\\').append(c);
        default -> {
          if (c < ' ') {
            quoted.append(String.format("\\u%04x", (int) c));
          } else {
            quoted.append(c);
          }
        }
      }
    }
    return quoted.append('"').toString();
  }
}
