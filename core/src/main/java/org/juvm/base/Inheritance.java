package org.juvm.base;

/** What a child gets of a mapping at fork, as in {@code minherit(2)}. */
public enum Inheritance {
  /** Parent and child see the same memory, writes included. */
  SHARE,
  /** The child gets a copy, made page by page when either side writes. The default. */
  COPY,
  /** The child has a hole there. */
  NONE,
  /** The child has the mapping with all bytes zero. */
  ZERO
}
