package org.juvm.wasm.program;

import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * One JavaScript module, run by QuickJS: {@code console.log} writes to standard output, {@code
 * console.error} to standard error, and {@code scriptArgs} is an array of the arguments.
 */
public final class JavaScriptProgram implements GuestProgram {
  private final String source;

  /**
   * Takes a script.
   *
   * @param source text of a module; a first line with {@code #!} is a comment
   */
  public JavaScriptProgram(String source) {
    this.source = source.startsWith("#!") ? "//" + source : source;
  }

  @Override
  public int run(GuestEnvironment environment) {
    try (var session = JavaScriptSession.start(environment)) {
      int status = session.run(arguments(environment) + source);
      environment.output().flush();
      return status;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A statement for the first line, so that line numbers stay what they are. */
  private static String arguments(GuestEnvironment environment) {
    var statement = new StringBuilder("globalThis.scriptArgs=[");
    for (var argument : environment.arguments()) {
      statement.append('"');
      argument
          .chars()
          .forEach(
              c -> {
                if (c < 0x80 && Character.isLetterOrDigit(c)) {
                  statement.append((char) c);
                } else {
                  statement.append("\\u%04x".formatted(c));
                }
              });
      statement.append("\",");
    }
    return statement.append("];").toString();
  }
}
