package org.juvm.kernel;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Successive frames that are cut into objects of one size.
 *
 * <p>An object is free in the slab, free in a magazine, or with a client. The first is a bit here,
 * guarded by the lock of the size class. Whether it is with a client, and how many bytes that has
 * asked for, is in {@link #given}, which belongs to who has the object: it is set by the thread
 * that gives the object out, and cleared, by compare-and-set, by the one that takes it back. So of
 * two threads that give one object back one is told so.
 */
final class Slab {
  private static final VarHandle GIVEN = MethodHandles.arrayElementVarHandle(int[].class);
  private static final int RECIPROCAL_SHIFT = 40;

  /** The class of its objects, or -1: it is one object. */
  final int sizeClass;

  /** The kernel address of the first object. */
  final long address;

  /** The native address of the first object. */
  final long base;

  /** Bytes in whole pages. */
  final long bytes;

  /** Bytes of each object. */
  final long objectBytes;

  final int objects;

  /** 2^40 divided by objectBytes, rounded up: exact for what a slab can have. */
  private final long reciprocal;

  /** One more than the bytes of the object that were not asked for; 0: not with a client. */
  private final int[] given;

  /** A bit for each object that is free in the slab. Guarded by the class's lock. */
  private final long[] free;

  /** How many bits. Guarded by the class's lock. */
  private int freeCount;

  /** A bound from which on there is a bit. Guarded by the class's lock. */
  private int firstFree;

  /** Links of the class's list, or of slabs that are to go. Guarded by the class's lock. */
  @Nullable Slab next;

  @Nullable Slab previous;

  /** Number by which frames know the slab. */
  int number;

  Slab(int sizeClass, long address, long base, long bytes, long objectBytes) {
    this.sizeClass = sizeClass;
    this.address = address;
    this.base = base;
    this.bytes = bytes;
    this.objectBytes = objectBytes;
    objects = (int) (bytes / objectBytes);
    reciprocal = (1L << RECIPROCAL_SHIFT) / objectBytes + 1;
    given = new int[objects];
    free = new long[(objects + 63) >> 6];
    for (int i = 0; i < objects; i += 64) {
      free[i >> 6] = objects - i >= 64 ? -1L : (1L << (objects - i)) - 1;
    }
    freeCount = objects;
  }

  /** The number of the object that starts at a native address, or -1 if none does. */
  int indexOf(long at) {
    long offset = at - base;
    if (objects == 1) {
      return offset == 0 ? 0 : -1;
    }
    if (offset < 0 || offset >= bytes) {
      return -1;
    }
    int i = (int) ((offset * reciprocal) >>> RECIPROCAL_SHIFT);
    return i < objects && i * objectBytes == offset ? i : -1;
  }

  /** Where an object is, as a native address. */
  long address(int i) {
    return base + i * objectBytes;
  }

  /** The name of an object in its pool. */
  long name(int i) {
    return (long) number << 32 | i;
  }

  /** The number of the slab of an object with a name. */
  static int slab(long name) {
    return (int) (name >>> 32);
  }

  /** The number of an object with a name in its slab. */
  static int index(long name) {
    return (int) name;
  }

  // ---- with clients ----

  /** Notes that a client gets an object, which nobody else has. */
  void give(int i, long asked) {
    GIVEN.setOpaque(given, i, (int) (objectBytes - asked) + 1);
  }

  /** What a client has asked for when it got an object; -1 if it has not got it. */
  long asked(int i) {
    int unused = (int) GIVEN.getVolatile(given, i) - 1;
    return unused < 0 ? -1 : objectBytes - unused;
  }

  /**
   * Notes that a client gives an object back. Returns false, and changes nothing, if it is not with
   * one any more or has another size.
   */
  boolean takeBack(int i, long asked) {
    long unused = objectBytes - asked;
    return unused >= 0
        && unused < Integer.MAX_VALUE
        && GIVEN.compareAndSet(given, i, (int) unused + 1, 0);
  }

  /** How many objects are with clients. Exact while nobody gets or gives one back. */
  int givenCount() {
    return (int) Arrays.stream(given).filter(asked -> asked != 0).count();
  }

  // ---- free here; with the class's lock ----

  boolean isFull() {
    return freeCount == 0;
  }

  boolean isEmpty() {
    return freeCount == objects;
  }

  int freeCount() {
    return freeCount;
  }

  boolean isFree(int i) {
    return (free[i >> 6] >>> i & 1) != 0;
  }

  /** Takes out the first free object, of which there is one. Returns its name. */
  long take() {
    int word = firstFree >> 6;
    while (free[word] == 0) {
      word++;
    }
    int i = (word << 6) + Long.numberOfTrailingZeros(free[word]);
    free[word] &= free[word] - 1;
    firstFree = i;
    freeCount--;
    return name(i);
  }

  void put(int i) {
    assert !isFree(i) : i;
    free[i >> 6] |= 1L << i;
    firstFree = Math.min(firstFree, i);
    freeCount++;
  }
}
