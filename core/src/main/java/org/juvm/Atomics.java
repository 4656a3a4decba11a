package org.juvm;

import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
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
  private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
  private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
  private static final VarHandle INT_REVERSED =
      ValueLayout.JAVA_INT.withOrder(reversedOrder()).varHandle();
  private static final VarHandle LONG_REVERSED =
      ValueLayout.JAVA_LONG.withOrder(reversedOrder()).varHandle();

  private final Processor processor;
  private final Tlb tlb;

  Atomics(Processor processor) {
    this.processor = processor;
    tlb = processor.tlb;
  }

  private static ByteOrder reversedOrder() {
    return ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN
        ? ByteOrder.BIG_ENDIAN
        : ByteOrder.LITTLE_ENDIAN;
  }

  private static VarHandle handle(ValueLayout.OfInt layout) {
    return layout.order() == ByteOrder.nativeOrder() ? INT : INT_REVERSED;
  }

  private static VarHandle handle(ValueLayout.OfLong layout) {
    return layout.order() == ByteOrder.nativeOrder() ? LONG : LONG_REVERSED;
  }

  /** Announces a store and translates it; the caller withdraws. */
  private long beginStore(long address, ValueLayout layout) {
    checkAligned(address, layout);
    while (true) {
      tlb.announce(address);
      long[] words = tlb.words();
      int i = tlb.index(words, address);
      if (Tlb.stores(words, i, tlb.page(address))) {
        return Tlb.translate(words, i, address);
      }
      tlb.withdraw();
      processor.miss(address, Access.WRITE);
    }
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
    checkAligned(address, layout);
    while (true) {
      long[] words = tlb.words();
      int i = tlb.index(words, address);
      long page = tlb.page(address);
      if (Tlb.loads(words, i, page)) {
        int value = (int) handle(layout).getOpaque(Native.ALL, Tlb.translate(words, i, address));
        if (Tlb.stillLoads(words, i, page)) {
          return value;
        }
      }
      processor.miss(address, Access.READ);
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
    checkAligned(address, layout);
    while (true) {
      long[] words = tlb.words();
      int i = tlb.index(words, address);
      long page = tlb.page(address);
      if (Tlb.loads(words, i, page)) {
        int value = (int) handle(layout).getAcquire(Native.ALL, Tlb.translate(words, i, address));
        if (Tlb.stillLoads(words, i, page)) {
          return value;
        }
      }
      processor.miss(address, Access.READ);
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
    checkAligned(address, layout);
    while (true) {
      long[] words = tlb.words();
      int i = tlb.index(words, address);
      long page = tlb.page(address);
      if (Tlb.loads(words, i, page)) {
        int value = (int) handle(layout).getVolatile(Native.ALL, Tlb.translate(words, i, address));
        if (Tlb.stillLoads(words, i, page)) {
          return value;
        }
      }
      processor.miss(address, Access.READ);
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
      handle(layout).setOpaque(Native.ALL, at, value);
    } finally {
      tlb.withdraw();
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
      handle(layout).setRelease(Native.ALL, at, value);
    } finally {
      tlb.withdraw();
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
      handle(layout).setVolatile(Native.ALL, at, value);
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
   * Loads a long with opaque semantics.
   *
   * @param layout alignment and byte order
   * @param address where, aligned
   * @return the value
   */
  public long getOpaque(ValueLayout.OfLong layout, long address) {
    checkAligned(address, layout);
    while (true) {
      long[] words = tlb.words();
      int i = tlb.index(words, address);
      long page = tlb.page(address);
      if (Tlb.loads(words, i, page)) {
        long value = (long) handle(layout).getOpaque(Native.ALL, Tlb.translate(words, i, address));
        if (Tlb.stillLoads(words, i, page)) {
          return value;
        }
      }
      processor.miss(address, Access.READ);
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
    checkAligned(address, layout);
    while (true) {
      long[] words = tlb.words();
      int i = tlb.index(words, address);
      long page = tlb.page(address);
      if (Tlb.loads(words, i, page)) {
        long value = (long) handle(layout).getAcquire(Native.ALL, Tlb.translate(words, i, address));
        if (Tlb.stillLoads(words, i, page)) {
          return value;
        }
      }
      processor.miss(address, Access.READ);
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
    checkAligned(address, layout);
    while (true) {
      long[] words = tlb.words();
      int i = tlb.index(words, address);
      long page = tlb.page(address);
      if (Tlb.loads(words, i, page)) {
        long value =
            (long) handle(layout).getVolatile(Native.ALL, Tlb.translate(words, i, address));
        if (Tlb.stillLoads(words, i, page)) {
          return value;
        }
      }
      processor.miss(address, Access.READ);
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
      handle(layout).setOpaque(Native.ALL, at, value);
    } finally {
      tlb.withdraw();
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
      handle(layout).setRelease(Native.ALL, at, value);
    } finally {
      tlb.withdraw();
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
      handle(layout).setVolatile(Native.ALL, at, value);
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
