package org.juvm.bench.host;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What a JVM must not try on itself: forks and copy-on-write faults of a whole process, by a small
 * C program that is compiled when it is needed.
 */
public final class KernelProgram {
  private KernelProgram() {}

  /**
   * Compiles and runs it.
   *
   * @param pages size of what is forked
   * @param rounds how often to measure
   * @return nanoseconds by name; empty if there is no C compiler
   */
  public static Map<String, Double> run(long pages, int rounds) {
    try {
      Path directory = Files.createTempDirectory("juvm-bench");
      Path source = directory.resolve("kernel.c");
      Path program = directory.resolve("kernel");
      try (InputStream in =
          Objects.requireNonNull(KernelProgram.class.getResourceAsStream("kernel.c"))) {
        Files.copy(in, source);
        if (!compile(source, program)) {
          return Map.of();
        }
        return Figures.of(
            List.of(program.toString(), Long.toString(pages), Integer.toString(rounds)));
      } finally {
        Files.deleteIfExists(program);
        Files.deleteIfExists(source);
        Files.deleteIfExists(directory);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean compile(Path source, Path program) {
    try {
      Process compiler =
          new ProcessBuilder("cc", "-O2", "-o", program.toString(), source.toString())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return compiler.waitFor() == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
