package org.juvm.base;

/** A limit of one address space, in bytes, as in {@code setrlimit(2)}. */
public enum Limit {
  /** All that is mapped (RLIMIT_AS). */
  ADDRESS_SPACE,
  /** The data segment that {@code brk} moves the end of (RLIMIT_DATA). */
  DATA,
  /** Each stack that grows (RLIMIT_STACK). */
  STACK,
  /** What is wired by its program (RLIMIT_MEMLOCK). */
  LOCKED
}
