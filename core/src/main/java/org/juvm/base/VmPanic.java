package org.juvm.base;

import java.io.Serial;

/**
 * A broken invariant of the virtual memory system itself, never a mistake of its client. The state
 * is not to be trusted afterwards.
 */
public final class VmPanic extends Error {
  @Serial private static final long serialVersionUID = 1L;

  /**
   * Reports what was found.
   *
   * @param message what should hold and what was seen, with the values
   */
  public VmPanic(String message) {
    super(message);
  }
}
