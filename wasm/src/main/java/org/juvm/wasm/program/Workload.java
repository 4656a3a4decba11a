package org.juvm.wasm.program;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.function.Function;
import run.endive.runtime.Memory;
import run.endive.wasm.types.MemoryLimits;

/**
 * Work for the programs that the build brings along, to compare one kind of memory with another.
 *
 * <p>The output of a workload depends on its size only, so it must be the same over any memory.
 */
public enum Workload {
  /** QuickJS: parses, sorts, matches, hashes and simulates. The size is the number of records. */
  JAVASCRIPT("workload.js", 20_000) {
    @Override
    GuestProgram program(String script) {
      return new JavaScriptProgram(script);
    }
  },

  /** SQLite: fills a table with an index, then joins and searches it. The size is its rows. */
  SQLITE("workload.sql", 200_000) {
    @Override
    GuestProgram program(String script) {
      return new SqliteProgram();
    }
  },

  /** CPython: works with its standard library. The size is the number of records. */
  PYTHON("workload.py", 5_000) {
    @Override
    GuestProgram program(String script) {
      return new PythonProgram(name(), script.getBytes(StandardCharsets.UTF_8));
    }
  };

  private static final String SIZE = "@SIZE@";

  private final String resource;
  private final int fullSize;

  Workload(String resource, int fullSize) {
    this.resource = resource;
    this.fullSize = fullSize;
  }

  abstract GuestProgram program(String script);

  /**
   * How much work a measurement takes.
   *
   * @return a size that makes a warmed-up run take about a second
   */
  public int fullSize() {
    return fullSize;
  }

  /**
   * Starts the program, lets it do its work, and ends it. To be called on a thread with a stack of
   * 100 MiB or more.
   *
   * <p>Compare two kinds of memory in two JVMs: where both are used, the calls of compiled guest
   * code into its memory have two targets, and both kinds become slower.
   *
   * @param memories makes the memory of the program
   * @param size how much to do, at least 10
   * @return what the program printed
   * @throws IllegalStateException if the program fails
   */
  public String run(Function<MemoryLimits, Memory> memories, int size) {
    var script = script(size);
    var output = new ByteArrayOutputStream();
    var errors = new ByteArrayOutputStream();
    var environment =
        GuestEnvironment.of(memories)
            .withInput(new ByteArrayInputStream(script.getBytes(StandardCharsets.UTF_8)))
            .withOutput(output, errors);
    int status = program(script).run(environment);
    if (status != 0) {
      throw new IllegalStateException(
          "workload failed: status=%d errors=%s"
              .formatted(status, errors.toString(StandardCharsets.UTF_8)));
    }
    return output.toString(StandardCharsets.UTF_8);
  }

  private String script(int size) {
    try (var in = Objects.requireNonNull(Workload.class.getResourceAsStream(resource))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .replace(SIZE, Integer.toString(size));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
