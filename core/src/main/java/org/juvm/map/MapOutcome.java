package org.juvm.map;

/** How an operation on a map ended. Unless it is DONE, nothing has changed. */
public enum MapOutcome {
  /** As asked. */
  DONE,
  /** No hole is large enough, or the range leaves the map. */
  NO_SPACE,
  /** Something is mapped in the range already. */
  OCCUPIED,
  /** A part of the range is not mapped. */
  NOT_MAPPED,
  /** More is asked for than the maximum protection allows. */
  MAXIMUM_PROTECTION,
  /** A mapping in the range allows no access at all. */
  NO_ACCESS,
  /** A mapping in the range must not be changed. */
  IMMUTABLE,
  /** A mapping in the range is wired. */
  WIRED,
  /** A mapping in the range has page tables of its own, or has none, as it must not. */
  WRONG_KIND,
  /** A part of the range belongs to a submap. */
  SUBMAP,
  /** A limit of the address space would be exceeded. */
  LIMIT,
  /** The range is beyond the end of what is mapped there. */
  BEYOND_END,
  /** Somebody else has locked the map, and the caller did not want to wait. */
  LOCKED,
  /** Not enough memory. */
  NO_MEMORY,
  /** A page could not be read or written. */
  IO_ERROR,
  /** The address space has ended. */
  EXITED
}
