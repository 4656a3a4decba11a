package org.juvm;

import java.io.Serial;

/** A change to an address space that cannot be done. Nothing has changed. */
public final class MapException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  /** Why a change could not be done. */
  public enum Reason {
    /** No hole of the address space is large enough. (ENOMEM) */
    NO_SPACE,
    /** Something is mapped in the range already. (EEXIST) */
    OCCUPIED,
    /** A part of the range is not mapped. (ENOMEM) */
    NOT_MAPPED,
    /** More rights are asked for than the mapping may ever have. (EACCES) */
    MAXIMUM_PROTECTION,
    /** There is not enough memory for pages that must be copied at once. (ENOMEM) */
    NO_MEMORY
  }

  private final Reason reason;

  MapException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  /**
   * Why.
   *
   * @return the reason
   */
  public Reason reason() {
    return reason;
  }
}
