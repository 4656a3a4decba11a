package org.juvm;

import java.lang.foreign.ValueLayout;
import org.juvm.ram.Native;

/**
 * Ordered and atomic access to ints and longs, between all cpus of all address spaces that share
 * the memory. A view of a {@link Cpu}, under the same rules.
 *
 * <p>Addresses must be multiples of the size, whatever the layout says. An access that cannot be
 * done throws {@link MemoryFault}; a misaligned one {@link IllegalArgumentException}.
 */
public final class Atomics extends OrderedAccess {
  Atomics(Processor processor) {
    super(processor);
  }

  // ---- int ----

  /**
   * Sets an int if it has an expected value, with volatile semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @param expected the value that must be there
   * @param value the value to store
   * @return true if it was stored
   */
  public boolean compareAndSet(ValueLayout.OfInt layout, long address, int expected, int value) {
    long at = beginStore(address, layout);
    try {
      return handle(layout).compareAndSet(Native.ALL, at, expected, value);
    } finally {
      tlb.withdraw();
    }
  }

  /**
   * Sets an int if it has an expected value, with volatile semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @param expected the value that must be there
   * @param value the value to store
   * @return the value that was there; if it equals the expected one, the new one was stored
   */
  public int compareAndExchange(ValueLayout.OfInt layout, long address, int expected, int value) {
    long at = beginStore(address, layout);
    try {
      return (int) handle(layout).compareAndExchange(Native.ALL, at, expected, value);
    } finally {
      tlb.withdraw();
    }
  }

  /**
   * Replaces an int, atomically, with volatile semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @param value the operand
   * @return the value that was there before
   */
  public int getAndSet(ValueLayout.OfInt layout, long address, int value) {
    long at = beginStore(address, layout);
    try {
      return (int) handle(layout).getAndSet(Native.ALL, at, value);
    } finally {
      tlb.withdraw();
    }
  }

  /**
   * Adds to an int, atomically, with volatile semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @param delta the operand
   * @return the value that was there before
   */
  public int getAndAdd(ValueLayout.OfInt layout, long address, int delta) {
    long at = beginStore(address, layout);
    try {
      return (int) handle(layout).getAndAdd(Native.ALL, at, delta);
    } finally {
      tlb.withdraw();
    }
  }

  /**
   * Ands an int, atomically, with volatile semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @param mask the operand
   * @return the value that was there before
   */
  public int getAndBitwiseAnd(ValueLayout.OfInt layout, long address, int mask) {
    long at = beginStore(address, layout);
    try {
      return (int) handle(layout).getAndBitwiseAnd(Native.ALL, at, mask);
    } finally {
      tlb.withdraw();
    }
  }

  /**
   * Ors an int, atomically, with volatile semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @param mask the operand
   * @return the value that was there before
   */
  public int getAndBitwiseOr(ValueLayout.OfInt layout, long address, int mask) {
    long at = beginStore(address, layout);
    try {
      return (int) handle(layout).getAndBitwiseOr(Native.ALL, at, mask);
    } finally {
      tlb.withdraw();
    }
  }

  /**
   * Xors an int, atomically, with volatile semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @param mask the operand
   * @return the value that was there before
   */
  public int getAndBitwiseXor(ValueLayout.OfInt layout, long address, int mask) {
    long at = beginStore(address, layout);
    try {
      return (int) handle(layout).getAndBitwiseXor(Native.ALL, at, mask);
    } finally {
      tlb.withdraw();
    }
  }

  // ---- long ----

  /**
   * Sets a long if it has an expected value, with volatile semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @param expected the value that must be there
   * @param value the value to store
   * @return true if it was stored
   */
  public boolean compareAndSet(ValueLayout.OfLong layout, long address, long expected, long value) {
    long at = beginStore(address, layout);
    try {
      return handle(layout).compareAndSet(Native.ALL, at, expected, value);
    } finally {
      tlb.withdraw();
    }
  }

  /**
   * Sets a long if it has an expected value, with volatile semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @param expected the value that must be there
   * @param value the value to store
   * @return the value that was there; if it equals the expected one, the new one was stored
   */
  public long compareAndExchange(
      ValueLayout.OfLong layout, long address, long expected, long value) {
    long at = beginStore(address, layout);
    try {
      return (long) handle(layout).compareAndExchange(Native.ALL, at, expected, value);
    } finally {
      tlb.withdraw();
    }
  }

  /**
   * Replaces a long, atomically, with volatile semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @param value the operand
   * @return the value that was there before
   */
  public long getAndSet(ValueLayout.OfLong layout, long address, long value) {
    long at = beginStore(address, layout);
    try {
      return (long) handle(layout).getAndSet(Native.ALL, at, value);
    } finally {
      tlb.withdraw();
    }
  }

  /**
   * Adds to a long, atomically, with volatile semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @param delta the operand
   * @return the value that was there before
   */
  public long getAndAdd(ValueLayout.OfLong layout, long address, long delta) {
    long at = beginStore(address, layout);
    try {
      return (long) handle(layout).getAndAdd(Native.ALL, at, delta);
    } finally {
      tlb.withdraw();
    }
  }

  /**
   * Ands a long, atomically, with volatile semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @param mask the operand
   * @return the value that was there before
   */
  public long getAndBitwiseAnd(ValueLayout.OfLong layout, long address, long mask) {
    long at = beginStore(address, layout);
    try {
      return (long) handle(layout).getAndBitwiseAnd(Native.ALL, at, mask);
    } finally {
      tlb.withdraw();
    }
  }

  /**
   * Ors a long, atomically, with volatile semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @param mask the operand
   * @return the value that was there before
   */
  public long getAndBitwiseOr(ValueLayout.OfLong layout, long address, long mask) {
    long at = beginStore(address, layout);
    try {
      return (long) handle(layout).getAndBitwiseOr(Native.ALL, at, mask);
    } finally {
      tlb.withdraw();
    }
  }

  /**
   * Xors a long, atomically, with volatile semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @param mask the operand
   * @return the value that was there before
   */
  public long getAndBitwiseXor(ValueLayout.OfLong layout, long address, long mask) {
    long at = beginStore(address, layout);
    try {
      return (long) handle(layout).getAndBitwiseXor(Native.ALL, at, mask);
    } finally {
      tlb.withdraw();
    }
  }
}
