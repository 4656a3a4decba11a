package org.juvm.wasm.program;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * Standard error of a guest written in Rust: passes lines on, except that an error which ends the
 * guest loses the frame that a Rust panic puts around it.
 *
 * <p>Not thread-safe.
 */
final class PanicFilter extends OutputStream {
  private static final String PANIC = "thread '";
  private static final String CAUSE = "on an `Err` value: ";
  private static final String NOTE = "note: run with `RUST_BACKTRACE=1`";

  private final OutputStream target;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private final StringBuilder panic = new StringBuilder();
  private boolean panicking;

  /** Whether an empty line is held back: a panic begins with one. */
  private boolean blankBefore;

  PanicFilter(OutputStream target) {
    this.target = target;
  }

  @Override
  public void write(int b) throws IOException {
    line.write(b);
    if (b == '\n') {
      endLine();
    }
  }

  private void endLine() throws IOException {
    var text = line.toString(StandardCharsets.UTF_8);
    panicking |= text.startsWith(PANIC) && text.contains(" panicked at ");
    if (panicking) {
      panic.append(text);
    } else {
      passBlank();
      blankBefore = text.equals("\n");
      if (!blankBefore) {
        line.writeTo(target);
      }
    }
    line.reset();
  }

  private void passBlank() throws IOException {
    if (blankBefore) {
      target.write('\n');
      blankBefore = false;
    }
  }

  @Override
  public void flush() throws IOException {
    if (!panicking) {
      passBlank();
      line.writeTo(target);
      line.reset();
    }
    target.flush();
  }

  /**
   * Writes what the panic was about.
   *
   * @return whether there was a panic
   */
  boolean finish() {
    if (!panicking) {
      return false;
    }
    try {
      endLine();
      target.write(message().getBytes(StandardCharsets.UTF_8));
      target.flush();
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      panicking = false;
      panic.setLength(0);
    }
  }

  private String message() {
    int cause = panic.indexOf(CAUSE);
    int from = cause < 0 ? 0 : cause + CAUSE.length();
    int note = panic.indexOf(NOTE);
    int to = note < 0 ? panic.length() : note;
    return panic.substring(from, to).strip() + System.lineSeparator();
  }
}
