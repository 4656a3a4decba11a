package org.juvm.store;

import java.io.IOException;
import java.io.Serial;

/**
 * A store has no room for what was to be written. What it holds can be read, and when there is room
 * again it can be written to.
 */
public final class StoreFullException extends IOException {
  @Serial private static final long serialVersionUID = 1L;

  /**
   * A store is full.
   *
   * @param message which one, and what was to be written
   */
  public StoreFullException(String message) {
    super(message);
  }
}
