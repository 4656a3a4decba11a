package org.juvm;

import java.io.Serial;
import org.juvm.map.MapOutcome;

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
    /** A mapping in the range allows no access at all. (EINVAL) */
    NO_ACCESS,
    /** A mapping in the range must not be changed any more. (EPERM) */
    IMMUTABLE,
    /** A mapping in the range is wired. (EBUSY) */
    WIRED,
    /** A mapping in the range has page tables of its own, or has none, as it must not. (EINVAL) */
    WRONG_KIND,
    /** A part of the range belongs to a submap. (EINVAL) */
    SUBMAP,
    /** A limit of the address space would be exceeded. (ENOMEM, EAGAIN) */
    LIMIT,
    /** The range goes beyond the end of what is mapped. (ENOMEM) */
    BEYOND_END,
    /** Somebody else changes the map, and the caller did not want to wait. (EAGAIN) */
    LOCKED,
    /** There is not enough memory for what must be done at once. (ENOMEM) */
    NO_MEMORY,
    /** A page could not be read or written. (EIO) */
    IO_ERROR
  }

  private final Reason reason;

  MapException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  /**
   * Throws what an outcome deserves; does nothing if it is DONE.
   *
   * @throws IllegalStateException if the address space has ended
   */
  static void check(MapOutcome outcome, String call, long vmspace, long address, long length) {
    Reason reason =
        switch (outcome) {
          case DONE -> null;
          case NO_SPACE -> Reason.NO_SPACE;
          case OCCUPIED -> Reason.OCCUPIED;
          case NOT_MAPPED -> Reason.NOT_MAPPED;
          case MAXIMUM_PROTECTION -> Reason.MAXIMUM_PROTECTION;
          case NO_ACCESS -> Reason.NO_ACCESS;
          case IMMUTABLE -> Reason.IMMUTABLE;
          case WIRED -> Reason.WIRED;
          case WRONG_KIND -> Reason.WRONG_KIND;
          case SUBMAP -> Reason.SUBMAP;
          case LIMIT -> Reason.LIMIT;
          case BEYOND_END -> Reason.BEYOND_END;
          case LOCKED -> Reason.LOCKED;
          case NO_MEMORY -> Reason.NO_MEMORY;
          case IO_ERROR -> Reason.IO_ERROR;
          case EXITED ->
              throw new IllegalStateException(
                  call + ": the address space has ended: vmspace=" + vmspace);
        };
    if (reason != null) {
      throw new MapException(
          reason,
          call
              + ": "
              + reason
              + ": address=0x"
              + Long.toHexString(address)
              + ", length="
              + length
              + ", vmspace="
              + vmspace);
    }
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
