package org.juvm;

import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.juvm.base.Access;
import org.juvm.pmap.Tlb;
import org.juvm.ram.Native;

/**
 * Loads and stores of ints and longs with the orders of {@link VarHandle}: opaque, acquire and
 * release, volatile. The half of {@link Atomics} that does not read and write at once.
 */
public abstract sealed class OrderedAccess permits Atomics {
  private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
  private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
  private static final VarHandle INT_REVERSED =
      ValueLayout.JAVA_INT.withOrder(reversedOrder()).varHandle();
  private static final VarHandle LONG_REVERSED =
      ValueLayout.JAVA_LONG.withOrder(reversedOrder()).varHandle();

  private final Processor processor;
  final Tlb tlb;

  OrderedAccess(Processor processor) {
    this.processor = processor;
    tlb = processor.tlb;
  }

  private static ByteOrder reversedOrder() {
    return ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN
        ? ByteOrder.BIG_ENDIAN
        : ByteOrder.LITTLE_ENDIAN;
  }

  static VarHandle handle(ValueLayout.OfInt layout) {
    return layout.order() == ByteOrder.nativeOrder() ? INT : INT_REVERSED;
  }

  static VarHandle handle(ValueLayout.OfLong layout) {
    return layout.order() == ByteOrder.nativeOrder() ? LONG : LONG_REVERSED;
  }

  /** Announces a store and translates it; the caller withdraws. */
  long beginStore(long address, ValueLayout layout) {
    checkAligned(address, layout);
    while (true) {
      tlb.announce(address);
      long[] words = tlb.words();
      int i = Tlb.index(address, tlb.indexShift());
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
      int i = Tlb.index(address, tlb.indexShift());
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
      int i = Tlb.index(address, tlb.indexShift());
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
      int i = Tlb.index(address, tlb.indexShift());
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
      int i = Tlb.index(address, tlb.indexShift());
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
      int i = Tlb.index(address, tlb.indexShift());
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
      int i = Tlb.index(address, tlb.indexShift());
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
}
