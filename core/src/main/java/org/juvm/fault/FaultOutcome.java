package org.juvm.fault;

/** How a fault ended. */
public enum FaultOutcome {
  /** The access can be tried again and will find a translation. */
  RESOLVED,
  /** Nothing is mapped at the address. */
  NOT_MAPPED,
  /** The mapping does not allow the access. */
  PROTECTION,
  /** Nothing is mapped there, and the stack above may not grow down to it. */
  STACK_LIMIT,
  /** The page is beyond the end of what is mapped. */
  BEYOND_END,
  /** The page could not be read from where it is. */
  IO_ERROR,
  /** No frame, or no bookkeeping memory, is left. */
  OUT_OF_MEMORY
}
