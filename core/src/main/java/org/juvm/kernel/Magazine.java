package org.juvm.kernel;

/**
 * A stack of free objects of one size, by {@link Slab#name name}. Guarded by its {@link Stripe}.
 *
 * <p>Source: J. Bonwick and J. Adams, "Magazines and Vmem", 2001; one stack of twice a batch does
 * what their pairs of magazines do.
 */
final class Magazine {
  private static final int MAXIMUM_BATCH = 32;
  private static final long[] NO_ROOM = {};

  /** Objects that are moved between a magazine and slabs at once. */
  final int batch;

  /** Room for two batches, once it was asked for. */
  private long[] objects = NO_ROOM;

  private int count;

  Magazine(int objectBytes, long batchBytes) {
    batch = Math.clamp(batchBytes / objectBytes, 1, MAXIMUM_BATCH);
  }

  int count() {
    return count;
  }

  boolean isEmpty() {
    return count == 0;
  }

  boolean isFull() {
    return count == 2 * batch;
  }

  /** Whether an object can be pushed. */
  boolean hasRoom() {
    return count < objects.length;
  }

  /** Makes room for two batches, if there is none yet. */
  void makeRoom() {
    if (objects.length == 0) {
      objects = new long[2 * batch];
    }
  }

  void push(long object) {
    objects[count++] = object;
  }

  long pop() {
    return objects[--count];
  }

  /** The objects, for audits. */
  long get(int i) {
    return objects[i];
  }
}
