package org.juvm.wasm.program;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * SQLite reading statements from its standard input, as its own shell does in list mode: columns
 * separated by {@code |}, NULL as nothing, errors on standard error and then on with the next
 * statement.
 */
public final class SqliteProgram implements GuestProgram {
  private static final int FAILED = 1;

  /** Reads a script. */
  public SqliteProgram() {}

  @Override
  public int run(GuestEnvironment environment) {
    try (var session = SqliteSession.open(environment)) {
      return new Shell(session, environment.output(), environment.errors())
          .run(environment.input());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One reading of one script. */
  private static final class Shell {
    private final SqliteSession session;
    private final OutputStream output;
    private final OutputStream errors;
    private boolean failed;

    Shell(SqliteSession session, OutputStream output, OutputStream errors) {
      this.session = session;
      this.output = output;
      this.errors = errors;
    }

    int run(InputStream script) throws IOException {
      var lines = new BufferedReader(new InputStreamReader(script, StandardCharsets.UTF_8));
      var pending = new StringBuilder();
      int number = 0;
      int first = 0;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        if (pending.isEmpty()) {
          if (line.isBlank()) {
            continue;
          }
          first = number;
        }
        pending.append(line).append('\n');
        if (line.indexOf(';') >= 0 && session.isComplete(pending.toString())) {
          execute(pending.toString(), first);
          pending.setLength(0);
        }
      }
      if (!pending.isEmpty()) {
        execute(pending.toString(), first);
      }
      output.flush();
      return failed ? FAILED : 0;
    }

    private void execute(String statements, int line) throws IOException {
      try {
        session.run(statements, this::print);
      } catch (SqliteException e) {
        failed = true;
        output.flush();
        report(e, line);
      }
    }

    private void report(SqliteException e, int line) throws IOException {
      var text =
          e.isAfterParsing()
              ? "Runtime error near line %d: %s (%d)%n".formatted(line, e.getMessage(), e.code())
              : "Parse error near line %d: %s%n".formatted(line, e.getMessage());
      errors.write(text.getBytes(StandardCharsets.UTF_8));
      errors.flush();
    }

    private void print(byte[] row) {
      try {
        output.write(row);
        output.write('\n');
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
