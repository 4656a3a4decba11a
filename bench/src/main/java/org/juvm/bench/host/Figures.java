package org.juvm.bench.host;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Figures that another process prints, as lines {@code figure NAME VALUE}. */
public final class Figures {
  private static final String PREFIX = "figure ";

  private Figures() {}

  /** What a process prints of a figure. */
  public static String line(String name, double value) {
    return PREFIX + name + " " + String.format(Locale.ROOT, "%.6g", value);
  }

  /**
   * Runs a command to its end.
   *
   * @param command program and arguments
   * @return what it printed
   * @throws IllegalStateException if it fails or prints no figure
   */
  public static Map<String, Double> of(List<String> command) {
    Map<String, Double> figures = new LinkedHashMap<>();
    StringBuilder rest = new StringBuilder();
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      try (BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          if (line.startsWith(PREFIX)) {
            String[] words = line.split(" ", -1);
            figures.put(words[1], Double.valueOf(words[2]));
          } else {
            rest.append(line).append('\n');
          }
        }
      }
      if (process.waitFor() == 0 && !figures.isEmpty()) {
        return figures;
      }
    } catch (IOException e) {
      throw new UncheckedIOException("could not run " + command.get(0), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
    throw new IllegalStateException("failed: " + String.join(" ", command) + "\n" + rest);
  }
}
