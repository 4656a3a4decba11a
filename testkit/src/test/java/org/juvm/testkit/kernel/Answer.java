package org.juvm.testkit.kernel;

/**
 * What a call came to.
 *
 * @param error name of the errno, or nothing if the call succeeded
 * @param value what it returned, 0 for calls that return nothing; addresses are relative to the
 *     arena
 */
record Answer(String error, long value) {
  static final Answer DONE = new Answer("", 0);

  static Answer of(long value) {
    return new Answer("", value);
  }

  static Answer failed(String error) {
    return new Answer(error, 0);
  }

  boolean isDone() {
    return error.isEmpty();
  }

  @Override
  public String toString() {
    return isDone() ? "0x" + Long.toHexString(value) : error;
  }
}
