package org.juvm.sim;

import java.io.IOException;
import java.io.Serial;

/** A file that is no trace. */
public final class TraceException extends IOException {
  @Serial private static final long serialVersionUID = 1L;

  TraceException(String message) {
    super(message);
  }
}
