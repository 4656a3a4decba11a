package org.juvm.bench.allocator;

/** Gives out native memory and takes it back. */
public interface Allocator {
  /**
   * Allocates memory and stores to its first eight bytes.
   *
   * @param bytes how much, at least 8
   * @return what {@link #free} wants
   */
  Object allocate(long bytes);

  /** Gives back what allocate has returned. */
  void free(Object memory);
}
