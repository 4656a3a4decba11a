package org.juvm;

import java.lang.foreign.ValueLayout;
import org.juvm.base.Access;
import org.juvm.pmap.Tlb;
import org.juvm.ram.Native;

/**
 * Ordered and atomic access to ints and longs, between all cpus of all address spaces that share
 * the memory. A view of a {@link Cpu}, under the same rules.
 *
 * <p>Addresses must be multiples of the size, whatever the layout says. An access that cannot be
 * done throws {@link MemoryFault}; a misaligned one {@link IllegalArgumentException}.
 */
public final class Atomics {
  private final Processor processor;
  private final Tlb tlb;

  Atomics(Processor processor) {
    this.processor = processor;
    tlb = processor.tlb;
  }

  private void missedLoad(long address, ValueLayout layout) {
    checkAligned(address, layout);
    processor.miss(address, Access.READ);
  }

  /** Announces a store that will succeed; the caller must end it. */
  private long beginStore(long address, ValueLayout layout) {
    checkAligned(address, layout);
    int last = (int) layout.byteSize() - 1;
    long at = tlb.beginStore(address, last);
    while (at == Tlb.MISS) {
      processor.miss(address, Access.WRITE);
      at = tlb.beginStore(address, last);
    }
    return at;
  }

  private static void checkAligned(long address, ValueLayout layout) {
    if ((address & layout.byteSize() - 1) != 0) {
      throw new IllegalArgumentException(
          "misaligned atomic access: address=0x"
              + Long.toHexString(address)
              + ", layout="
              + layout);
    }
  }

  // ---- int ----

  /**
   * Loads an int with opaque semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @return the value
   */
  public int getOpaque(ValueLayout.OfInt layout, long address) {
    while (true) {
      long at = tlb.loadAddress(address, Integer.BYTES - 1);
      if (at != Tlb.MISS) {
        int value = (int) layout.varHandle().getOpaque(Native.ALL, at);
        if (tlb.isLoadValid(address)) {
          return value;
        }
      }
      missedLoad(address, layout);
    }
  }

  /**
   * Loads an int with acquire semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @return the value
   */
  public int getAcquire(ValueLayout.OfInt layout, long address) {
    while (true) {
      long at = tlb.loadAddress(address, Integer.BYTES - 1);
      if (at != Tlb.MISS) {
        int value = (int) layout.varHandle().getAcquire(Native.ALL, at);
        if (tlb.isLoadValid(address)) {
          return value;
        }
      }
      missedLoad(address, layout);
    }
  }

  /**
   * Loads an int with volatile semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @return the value
   */
  public int getVolatile(ValueLayout.OfInt layout, long address) {
    while (true) {
      long at = tlb.loadAddress(address, Integer.BYTES - 1);
      if (at != Tlb.MISS) {
        int value = (int) layout.varHandle().getVolatile(Native.ALL, at);
        if (tlb.isLoadValid(address)) {
          return value;
        }
      }
      missedLoad(address, layout);
    }
  }

  /**
   * Stores an int with opaque semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @param value the value
   */
  public void setOpaque(ValueLayout.OfInt layout, long address, int value) {
    long at = beginStore(address, layout);
    try {
      layout.varHandle().setOpaque(Native.ALL, at, value);
    } finally {
      tlb.endStore();
    }
  }

  /**
   * Stores an int with release semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @param value the value
   */
  public void setRelease(ValueLayout.OfInt layout, long address, int value) {
    long at = beginStore(address, layout);
    try {
      layout.varHandle().setRelease(Native.ALL, at, value);
    } finally {
      tlb.endStore();
    }
  }

  /**
   * Stores an int with volatile semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @param value the value
   */
  public void setVolatile(ValueLayout.OfInt layout, long address, int value) {
    long at = beginStore(address, layout);
    try {
      layout.varHandle().setVolatile(Native.ALL, at, value);
    } finally {
      tlb.endStore();
    }
  }

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
      return layout.varHandle().compareAndSet(Native.ALL, at, expected, value);
    } finally {
      tlb.endStore();
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
      return (int) layout.varHandle().compareAndExchange(Native.ALL, at, expected, value);
    } finally {
      tlb.endStore();
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
      return (int) layout.varHandle().getAndSet(Native.ALL, at, value);
    } finally {
      tlb.endStore();
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
      return (int) layout.varHandle().getAndAdd(Native.ALL, at, delta);
    } finally {
      tlb.endStore();
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
      return (int) layout.varHandle().getAndBitwiseAnd(Native.ALL, at, mask);
    } finally {
      tlb.endStore();
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
      return (int) layout.varHandle().getAndBitwiseOr(Native.ALL, at, mask);
    } finally {
      tlb.endStore();
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
      return (int) layout.varHandle().getAndBitwiseXor(Native.ALL, at, mask);
    } finally {
      tlb.endStore();
    }
  }

  // ---- long ----

  /**
   * Loads a long with opaque semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @return the value
   */
  public long getOpaque(ValueLayout.OfLong layout, long address) {
    while (true) {
      long at = tlb.loadAddress(address, Long.BYTES - 1);
      if (at != Tlb.MISS) {
        long value = (long) layout.varHandle().getOpaque(Native.ALL, at);
        if (tlb.isLoadValid(address)) {
          return value;
        }
      }
      missedLoad(address, layout);
    }
  }

  /**
   * Loads a long with acquire semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @return the value
   */
  public long getAcquire(ValueLayout.OfLong layout, long address) {
    while (true) {
      long at = tlb.loadAddress(address, Long.BYTES - 1);
      if (at != Tlb.MISS) {
        long value = (long) layout.varHandle().getAcquire(Native.ALL, at);
        if (tlb.isLoadValid(address)) {
          return value;
        }
      }
      missedLoad(address, layout);
    }
  }

  /**
   * Loads a long with volatile semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @return the value
   */
  public long getVolatile(ValueLayout.OfLong layout, long address) {
    while (true) {
      long at = tlb.loadAddress(address, Long.BYTES - 1);
      if (at != Tlb.MISS) {
        long value = (long) layout.varHandle().getVolatile(Native.ALL, at);
        if (tlb.isLoadValid(address)) {
          return value;
        }
      }
      missedLoad(address, layout);
    }
  }

  /**
   * Stores a long with opaque semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @param value the value
   */
  public void setOpaque(ValueLayout.OfLong layout, long address, long value) {
    long at = beginStore(address, layout);
    try {
      layout.varHandle().setOpaque(Native.ALL, at, value);
    } finally {
      tlb.endStore();
    }
  }

  /**
   * Stores a long with release semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @param value the value
   */
  public void setRelease(ValueLayout.OfLong layout, long address, long value) {
    long at = beginStore(address, layout);
    try {
      layout.varHandle().setRelease(Native.ALL, at, value);
    } finally {
      tlb.endStore();
    }
  }

  /**
   * Stores a long with volatile semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @param value the value
   */
  public void setVolatile(ValueLayout.OfLong layout, long address, long value) {
    long at = beginStore(address, layout);
    try {
      layout.varHandle().setVolatile(Native.ALL, at, value);
    } finally {
      tlb.endStore();
    }
  }

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
      return layout.varHandle().compareAndSet(Native.ALL, at, expected, value);
    } finally {
      tlb.endStore();
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
      return (long) layout.varHandle().compareAndExchange(Native.ALL, at, expected, value);
    } finally {
      tlb.endStore();
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
      return (long) layout.varHandle().getAndSet(Native.ALL, at, value);
    } finally {
      tlb.endStore();
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
      return (long) layout.varHandle().getAndAdd(Native.ALL, at, delta);
    } finally {
      tlb.endStore();
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
      return (long) layout.varHandle().getAndBitwiseAnd(Native.ALL, at, mask);
    } finally {
      tlb.endStore();
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
      return (long) layout.varHandle().getAndBitwiseOr(Native.ALL, at, mask);
    } finally {
      tlb.endStore();
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
      return (long) layout.varHandle().getAndBitwiseXor(Native.ALL, at, mask);
    } finally {
      tlb.endStore();
    }
  }
}
