package org.juvm.map;

/**
 * The addresses that a stack may grow into. All parts of one stack have the same.
 *
 * @param low the lowest address of the reserve, guard included; page aligned
 * @param top the address after the stack's first word
 * @param guard bytes that stay unmapped between the stack and whatever lies below it
 */
public record StackReserve(long low, long top, long guard) {
  /** A stack grows by multiples of this, or by what is left. Bytes. */
  public static final long GROWTH = 128 << 10;
}
