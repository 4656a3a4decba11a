package org.juvm.map;

/** How an operation on a map ended. Unless it is DONE, nothing has changed. */
public enum MapOutcome {
  /** As asked. */
  DONE,
  /** No hole is large enough. */
  NO_SPACE,
  /** Something is mapped in the range already. */
  OCCUPIED,
  /** A part of the range is not mapped. */
  NOT_MAPPED,
  /** More is asked for than the maximum protection allows. */
  MAXIMUM_PROTECTION,
  /** Not enough memory. */
  NO_MEMORY,
  /** The address space has ended. */
  EXITED
}
