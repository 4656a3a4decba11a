package org.juvm.wasm.program;

/** SQLite refused a statement. The message is SQLite's. */
public final class SqliteException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int code;
  private final boolean parsed;

  SqliteException(int code, boolean parsed, String message) {
    super(message);
    this.code = code;
    this.parsed = parsed;
  }

  /**
   * Which error it was.
   *
   * @return SQLite's primary result code, for instance 19 for a violated constraint
   */
  public int code() {
    return code;
  }

  /**
   * How far the statement got.
   *
   * @return false if it could not be parsed, true if it failed while it ran
   */
  public boolean isAfterParsing() {
    return parsed;
  }
}
