package org.juvm;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;
import org.juvm.anon.AnonTable;
import org.juvm.pmap.Tlb;
import org.juvm.ram.Native;
import org.juvm.trace.Counters;

/**
 * A thread's window into one address space at a time, as a processor runs one process at a time.
 *
 * <p>Accessors have the shape of those of {@link java.lang.foreign.MemorySegment}, with addresses
 * instead of offsets. Here are plain loads and stores of single values; {@link #atomics} has the
 * ordered and atomic ones, {@link #bulk} works on ranges. A layout should be a constant: that is
 * what makes an access fast. With an unaligned layout a value may lie across pages; the access is
 * then not atomic, but still happens as a whole or not at all.
 *
 * <p>Not thread-safe: a cpu is used by the thread that attached it. That thread may change when the
 * next one calls {@link #attach} again and the two do not overlap. An access from another thread
 * that needs more than the cached translations throws {@link WrongThreadException}.
 *
 * <p>Every access throws {@link MemoryFault} if it cannot be done, {@link IllegalArgumentException}
 * if the address is not aligned as the layout says, and {@link IllegalStateException} if the cpu is
 * detached or the system is closed.
 */
public final class Cpu implements AutoCloseable {
  private final Vm vm;
  private final Processor processor;

  // The processor's, here because every access uses them.
  private final Tlb tlb;
  private final long[] words;
  private final int indexShift;
  private final int shift;

  private final Atomics atomics;
  private final Bulk bulk;

  Cpu(Vm vm, int number) {
    this.vm = vm;
    processor = new Processor(vm, number);
    tlb = processor.tlb;
    words = tlb.words();
    indexShift = tlb.indexShift();
    shift = processor.pageSize().shift();
    atomics = new Atomics(processor);
    bulk = new Bulk(processor);
  }

  /**
   * Uses an address space from now on, with the calling thread. The one used before is left.
   *
   * @param vmspace an address space of the same system; the same as before is fine
   * @throws IllegalArgumentException if it belongs to another system
   * @throws IllegalStateException if the system is closed
   */
  public void attach(Vmspace vmspace) {
    processor.attach(vmspace);
  }

  /**
   * Uses the kernel's address space from now on, with the calling thread.
   *
   * @param kernel a map of the same system's kernel; whichever it is, all kernel addresses can be
   *     used
   * @throws IllegalArgumentException if it belongs to another system
   * @throws IllegalStateException if the system is closed
   */
  public void attach(KernelMap kernel) {
    processor.attach(kernel.vm(), kernel.vm().kernel().map(), KernelMap.KERNEL_ID);
  }

  /** Leaves the address space. Harmless if there is none. */
  public void detach() {
    processor.detach();
  }

  /**
   * The address space that is used.
   *
   * @return the vmspace, or null when detached or in the kernel
   */
  public @Nullable Vmspace vmspace() {
    return processor.vmspace();
  }

  /** Detaches and gives back what the processor keeps for itself. Closing twice does nothing. */
  @Override
  public void close() {
    processor.detach();
    if (!vm.isClosed()) {
      vm.machine().anons().empty(processor.fault.magazine());
    }
    vm.cpus().unregister(this);
  }

  /**
   * Ordered and atomic access.
   *
   * @return a view of this cpu, always the same
   */
  public Atomics atomics() {
    return atomics;
  }

  /**
   * Access to ranges.
   *
   * @return a view of this cpu, always the same
   */
  public Bulk bulk() {
    return bulk;
  }

  int number() {
    return processor.number;
  }

  /** The thread that has attached this, or null. */
  @Nullable Thread owner() {
    return processor.tlb.owner();
  }

  Counters counters() {
    return processor.counters;
  }

  AnonTable.Magazine magazine() {
    return processor.fault.magazine();
  }

  // ---- byte order of values that took the slow way ----

  private static short order(ValueLayout layout, short value) {
    return layout.order() == ByteOrder.nativeOrder() ? value : Short.reverseBytes(value);
  }

  private static int order(ValueLayout layout, int value) {
    return layout.order() == ByteOrder.nativeOrder() ? value : Integer.reverseBytes(value);
  }

  private static long order(ValueLayout layout, long value) {
    return layout.order() == ByteOrder.nativeOrder() ? value : Long.reverseBytes(value);
  }

  // ---- loads ----

  /**
   * Loads a byte.
   *
   * @param layout size, alignment and byte order
   * @param address where
   * @return the value
   * @throws MemoryFault if it cannot be loaded
   */
  public byte get(ValueLayout.OfByte layout, long address) {
    long[] words = this.words;
    int i = Tlb.index(address, indexShift);
    long page = (address + Byte.BYTES - 1) >>> shift;
    if (Tlb.loads(words, i, page)) {
      byte value = Native.ALL.get(layout, Tlb.translate(words, i, address));
      if (Tlb.stillLoads(words, i, page)) {
        return value;
      }
    }
    long bits = processor.load(address, Byte.BYTES, layout.byteAlignment());
    return (byte) bits;
  }

  /**
   * Loads a short.
   *
   * @param layout size, alignment and byte order
   * @param address where
   * @return the value
   * @throws MemoryFault if it cannot be loaded
   */
  public short get(ValueLayout.OfShort layout, long address) {
    long[] words = this.words;
    int i = Tlb.index(address, indexShift);
    long page = (address + Short.BYTES - 1) >>> shift;
    if (Tlb.loads(words, i, page)) {
      short value = Native.ALL.get(layout, Tlb.translate(words, i, address));
      if (Tlb.stillLoads(words, i, page)) {
        return value;
      }
    }
    long bits = processor.load(address, Short.BYTES, layout.byteAlignment());
    return order(layout, (short) bits);
  }

  /**
   * Loads a char.
   *
   * @param layout size, alignment and byte order
   * @param address where
   * @return the value
   * @throws MemoryFault if it cannot be loaded
   */
  public char get(ValueLayout.OfChar layout, long address) {
    long[] words = this.words;
    int i = Tlb.index(address, indexShift);
    long page = (address + Character.BYTES - 1) >>> shift;
    if (Tlb.loads(words, i, page)) {
      char value = Native.ALL.get(layout, Tlb.translate(words, i, address));
      if (Tlb.stillLoads(words, i, page)) {
        return value;
      }
    }
    long bits = processor.load(address, Character.BYTES, layout.byteAlignment());
    return (char) order(layout, (short) bits);
  }

  /**
   * Loads an int.
   *
   * @param layout size, alignment and byte order
   * @param address where
   * @return the value
   * @throws MemoryFault if it cannot be loaded
   */
  public int get(ValueLayout.OfInt layout, long address) {
    long[] words = this.words;
    int i = Tlb.index(address, indexShift);
    long page = (address + Integer.BYTES - 1) >>> shift;
    if (Tlb.loads(words, i, page)) {
      int value = Native.ALL.get(layout, Tlb.translate(words, i, address));
      if (Tlb.stillLoads(words, i, page)) {
        return value;
      }
    }
    long bits = processor.load(address, Integer.BYTES, layout.byteAlignment());
    return order(layout, (int) bits);
  }

  /**
   * Loads a long.
   *
   * @param layout size, alignment and byte order
   * @param address where
   * @return the value
   * @throws MemoryFault if it cannot be loaded
   */
  public long get(ValueLayout.OfLong layout, long address) {
    long[] words = this.words;
    int i = Tlb.index(address, indexShift);
    long page = (address + Long.BYTES - 1) >>> shift;
    if (Tlb.loads(words, i, page)) {
      long value = Native.ALL.get(layout, Tlb.translate(words, i, address));
      if (Tlb.stillLoads(words, i, page)) {
        return value;
      }
    }
    long bits = processor.load(address, Long.BYTES, layout.byteAlignment());
    return order(layout, bits);
  }

  /**
   * Loads a float.
   *
   * @param layout size, alignment and byte order
   * @param address where
   * @return the value
   * @throws MemoryFault if it cannot be loaded
   */
  public float get(ValueLayout.OfFloat layout, long address) {
    long[] words = this.words;
    int i = Tlb.index(address, indexShift);
    long page = (address + Float.BYTES - 1) >>> shift;
    if (Tlb.loads(words, i, page)) {
      float value = Native.ALL.get(layout, Tlb.translate(words, i, address));
      if (Tlb.stillLoads(words, i, page)) {
        return value;
      }
    }
    long bits = processor.load(address, Float.BYTES, layout.byteAlignment());
    return Float.intBitsToFloat(order(layout, (int) bits));
  }

  /**
   * Loads a double.
   *
   * @param layout size, alignment and byte order
   * @param address where
   * @return the value
   * @throws MemoryFault if it cannot be loaded
   */
  public double get(ValueLayout.OfDouble layout, long address) {
    long[] words = this.words;
    int i = Tlb.index(address, indexShift);
    long page = (address + Double.BYTES - 1) >>> shift;
    if (Tlb.loads(words, i, page)) {
      double value = Native.ALL.get(layout, Tlb.translate(words, i, address));
      if (Tlb.stillLoads(words, i, page)) {
        return value;
      }
    }
    long bits = processor.load(address, Double.BYTES, layout.byteAlignment());
    return Double.longBitsToDouble(order(layout, bits));
  }

  // ---- stores ----

  /**
   * Stores a byte.
   *
   * @param layout size, alignment and byte order
   * @param address where
   * @param value the value
   * @throws MemoryFault if it cannot be stored; then no byte has changed
   */
  public void set(ValueLayout.OfByte layout, long address, byte value) {
    long[] words = this.words;
    int i = Tlb.index(address, indexShift);
    long page = (address + Byte.BYTES - 1) >>> shift;
    tlb.announce(address);
    try {
      if (Tlb.stores(words, i, page)) {
        Native.ALL.set(layout, Tlb.translate(words, i, address), value);
        return;
      }
    } finally {
      tlb.withdraw();
    }
    processor.store(address, Byte.BYTES, layout.byteAlignment(), value);
  }

  /**
   * Stores a short.
   *
   * @param layout size, alignment and byte order
   * @param address where
   * @param value the value
   * @throws MemoryFault if it cannot be stored; then no byte has changed
   */
  public void set(ValueLayout.OfShort layout, long address, short value) {
    long[] words = this.words;
    int i = Tlb.index(address, indexShift);
    long page = (address + Short.BYTES - 1) >>> shift;
    tlb.announce(address);
    try {
      if (Tlb.stores(words, i, page)) {
        Native.ALL.set(layout, Tlb.translate(words, i, address), value);
        return;
      }
    } finally {
      tlb.withdraw();
    }
    processor.store(address, Short.BYTES, layout.byteAlignment(), order(layout, value));
  }

  /**
   * Stores a char.
   *
   * @param layout size, alignment and byte order
   * @param address where
   * @param value the value
   * @throws MemoryFault if it cannot be stored; then no byte has changed
   */
  public void set(ValueLayout.OfChar layout, long address, char value) {
    long[] words = this.words;
    int i = Tlb.index(address, indexShift);
    long page = (address + Character.BYTES - 1) >>> shift;
    tlb.announce(address);
    try {
      if (Tlb.stores(words, i, page)) {
        Native.ALL.set(layout, Tlb.translate(words, i, address), value);
        return;
      }
    } finally {
      tlb.withdraw();
    }
    processor.store(address, Character.BYTES, layout.byteAlignment(), order(layout, (short) value));
  }

  /**
   * Stores an int.
   *
   * @param layout size, alignment and byte order
   * @param address where
   * @param value the value
   * @throws MemoryFault if it cannot be stored; then no byte has changed
   */
  public void set(ValueLayout.OfInt layout, long address, int value) {
    long[] words = this.words;
    int i = Tlb.index(address, indexShift);
    long page = (address + Integer.BYTES - 1) >>> shift;
    tlb.announce(address);
    try {
      if (Tlb.stores(words, i, page)) {
        Native.ALL.set(layout, Tlb.translate(words, i, address), value);
        return;
      }
    } finally {
      tlb.withdraw();
    }
    processor.store(address, Integer.BYTES, layout.byteAlignment(), order(layout, value));
  }

  /**
   * Stores a long.
   *
   * @param layout size, alignment and byte order
   * @param address where
   * @param value the value
   * @throws MemoryFault if it cannot be stored; then no byte has changed
   */
  public void set(ValueLayout.OfLong layout, long address, long value) {
    long[] words = this.words;
    int i = Tlb.index(address, indexShift);
    long page = (address + Long.BYTES - 1) >>> shift;
    tlb.announce(address);
    try {
      if (Tlb.stores(words, i, page)) {
        Native.ALL.set(layout, Tlb.translate(words, i, address), value);
        return;
      }
    } finally {
      tlb.withdraw();
    }
    processor.store(address, Long.BYTES, layout.byteAlignment(), order(layout, value));
  }

  /**
   * Stores a float.
   *
   * @param layout size, alignment and byte order
   * @param address where
   * @param value the value
   * @throws MemoryFault if it cannot be stored; then no byte has changed
   */
  public void set(ValueLayout.OfFloat layout, long address, float value) {
    long[] words = this.words;
    int i = Tlb.index(address, indexShift);
    long page = (address + Float.BYTES - 1) >>> shift;
    tlb.announce(address);
    try {
      if (Tlb.stores(words, i, page)) {
        Native.ALL.set(layout, Tlb.translate(words, i, address), value);
        return;
      }
    } finally {
      tlb.withdraw();
    }
    processor.store(
        address,
        Float.BYTES,
        layout.byteAlignment(),
        order(layout, Float.floatToRawIntBits(value)));
  }

  /**
   * Stores a double.
   *
   * @param layout size, alignment and byte order
   * @param address where
   * @param value the value
   * @throws MemoryFault if it cannot be stored; then no byte has changed
   */
  public void set(ValueLayout.OfDouble layout, long address, double value) {
    long[] words = this.words;
    int i = Tlb.index(address, indexShift);
    long page = (address + Double.BYTES - 1) >>> shift;
    tlb.announce(address);
    try {
      if (Tlb.stores(words, i, page)) {
        Native.ALL.set(layout, Tlb.translate(words, i, address), value);
        return;
      }
    } finally {
      tlb.withdraw();
    }
    processor.store(
        address,
        Double.BYTES,
        layout.byteAlignment(),
        order(layout, Double.doubleToRawLongBits(value)));
  }
}
