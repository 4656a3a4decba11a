package org.juvm.ram;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/** Loads and stores at absolute native addresses. Nothing is checked. */
public final class Native {
  /**
   * The whole address space of the process; an offset in it is an absolute address. Only for
   * addresses that a live {@link Reservation} covers.
   */
  @SuppressWarnings("restricted") // the one place that makes a segment from nothing
  public static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private static final VarHandle BYTE = ValueLayout.JAVA_BYTE.varHandle();
  private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
  private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

  private Native() {}

  /**
   * A segment over a range of native memory, usable until an arena is closed.
   *
   * @param address absolute
   * @param bytes its length
   * @param arena bounds its life
   * @return the segment
   */
  @SuppressWarnings("restricted") // the caller keeps the range valid until the arena is closed
  public static MemorySegment segment(long address, long bytes, Arena arena) {
    return MemorySegment.ofAddress(address).reinterpret(bytes, arena, null);
  }

  /**
   * Plain load.
   *
   * @param address absolute, a multiple of 8
   * @return the value
   */
  public static long getLong(long address) {
    return ALL.get(ValueLayout.JAVA_LONG, address);
  }

  /**
   * Plain store.
   *
   * @param address absolute, a multiple of 8
   * @param value the value
   */
  public static void setLong(long address, long value) {
    ALL.set(ValueLayout.JAVA_LONG, address, value);
  }

  /**
   * Load with acquire semantics.
   *
   * @param address absolute, a multiple of 8
   * @return the value
   */
  public static long getLongAcquire(long address) {
    return (long) LONG.getAcquire(ALL, address);
  }

  /**
   * Store with release semantics.
   *
   * @param address absolute, a multiple of 8
   * @param value the value
   */
  public static void setLongRelease(long address, long value) {
    LONG.setRelease(ALL, address, value);
  }

  /**
   * Compare and set with volatile semantics.
   *
   * @param address absolute, a multiple of 8
   * @param expected the value that must be there
   * @param value the value to store
   * @return true if it was stored
   */
  public static boolean compareAndSetLong(long address, long expected, long value) {
    return LONG.compareAndSet(ALL, address, expected, value);
  }

  /**
   * Plain load.
   *
   * @param address absolute, a multiple of 4
   * @return the value
   */
  public static int getInt(long address) {
    return ALL.get(ValueLayout.JAVA_INT, address);
  }

  /**
   * Plain store.
   *
   * @param address absolute, a multiple of 4
   * @param value the value
   */
  public static void setInt(long address, int value) {
    ALL.set(ValueLayout.JAVA_INT, address, value);
  }

  /**
   * Load with volatile semantics.
   *
   * @param address absolute, a multiple of 4
   * @return the value
   */
  public static int getIntVolatile(long address) {
    return (int) INT.getVolatile(ALL, address);
  }

  /**
   * Compare and set with volatile semantics.
   *
   * @param address absolute, a multiple of 4
   * @param expected the value that must be there
   * @param value the value to store
   * @return true if it was stored
   */
  public static boolean compareAndSetInt(long address, int expected, int value) {
    return INT.compareAndSet(ALL, address, expected, value);
  }

  /**
   * Load with volatile semantics.
   *
   * @param address absolute
   * @return the value
   */
  static byte getByteVolatile(long address) {
    return (byte) BYTE.getVolatile(ALL, address);
  }

  /**
   * Store with release semantics.
   *
   * @param address absolute
   * @param value the value
   */
  static void setByteRelease(long address, byte value) {
    BYTE.setRelease(ALL, address, value);
  }

  /**
   * Sets bytes to zero.
   *
   * @param address absolute
   * @param bytes how many
   */
  public static void zero(long address, long bytes) {
    ALL.asSlice(address, bytes).fill((byte) 0);
  }

  /**
   * Copies bytes; the ranges may overlap.
   *
   * @param from absolute
   * @param to absolute
   * @param bytes how many
   */
  public static void copy(long from, long to, long bytes) {
    MemorySegment.copy(ALL, from, ALL, to, bytes);
  }
}
