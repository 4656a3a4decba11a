package org.juvm.wasm;

import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.function.IntBinaryOperator;
import org.juvm.Atomics;
import org.juvm.Cpu;
import run.endive.runtime.Memory;
import run.endive.runtime.TrapException;
import run.endive.runtime.WasmRuntimeException;
import run.endive.wasm.InvalidException;

/**
 * The threads proposal of WebAssembly on a vmspace: atomic loads, stores and updates, wait and
 * notify.
 *
 * <p>Every access here is sequentially consistent. Eight and sixteen bits have no atomic of their
 * own in a {@link Cpu}; they are a field of the aligned word around them, which is always inside
 * the memory since its size is a multiple of 64 KiB.
 */
abstract sealed class AtomicMemory implements Memory permits VmMemory {
  /** Where the guest's address 0 is in the vmspace, in bytes. */
  public static final long BASE = 0x1_0000_0000L;

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int BYTE_MASK = 0xff;
  private static final int SHORT_MASK = 0xffff;

  private final ParkingTable parking = new ParkingTable();

  /** A window into the vmspace that belongs to the calling thread. */
  abstract Cpu ownCpu();

  /**
   * Whether some of the bytes from {@code address} lie outside; an address of 2 GiB and more is
   * negative.
   */
  final boolean isOutside(int address, int size) {
    return address < 0 || size < 0 || (long) address + size > (long) pages() * PAGE_SIZE;
  }

  /** Throws the trap of an access outside the memory. */
  final void requireInside(int address, int size) {
    if (isOutside(address, size)) {
      throw outOfBounds(address, size);
    }
  }

  final WasmRuntimeException outOfBounds(int address, int size) {
    return new WasmRuntimeException(
        "out of bounds memory access: %d bytes at %d of %d"
            .formatted(
                Integer.toUnsignedLong(size),
                Integer.toUnsignedLong(address),
                (long) pages() * PAGE_SIZE));
  }

  private Atomics atomics() {
    return ownCpu().atomics();
  }

  /** The address of an aligned value in the vmspace. */
  private long aligned(int address, int size) {
    if ((address & (size - 1)) != 0) {
      throw new InvalidException("unaligned atomic");
    }
    requireInside(address, size);
    return BASE + address;
  }

  @Override
  public final void atomicFence() {
    VarHandle.fullFence();
  }

  // 32 bits.

  @Override
  public final int atomicReadInt(int address) {
    return atomics().getVolatile(INT, aligned(address, Integer.BYTES));
  }

  @Override
  public final void atomicWriteInt(int address, int value) {
    atomics().setVolatile(INT, aligned(address, Integer.BYTES), value);
  }

  @Override
  public final int atomicAddInt(int address, int delta) {
    return atomics().getAndAdd(INT, aligned(address, Integer.BYTES), delta);
  }

  @Override
  public final int atomicAndInt(int address, int mask) {
    return atomics().getAndBitwiseAnd(INT, aligned(address, Integer.BYTES), mask);
  }

  @Override
  public final int atomicOrInt(int address, int mask) {
    return atomics().getAndBitwiseOr(INT, aligned(address, Integer.BYTES), mask);
  }

  @Override
  public final int atomicXorInt(int address, int mask) {
    return atomics().getAndBitwiseXor(INT, aligned(address, Integer.BYTES), mask);
  }

  @Override
  public final int atomicXchgInt(int address, int value) {
    return atomics().getAndSet(INT, aligned(address, Integer.BYTES), value);
  }

  @Override
  public final int atomicCmpxchgInt(int address, int expected, int replacement) {
    return atomics()
        .compareAndExchange(INT, aligned(address, Integer.BYTES), expected, replacement);
  }

  // 64 bits.

  @Override
  public final long atomicReadLong(int address) {
    return atomics().getVolatile(LONG, aligned(address, Long.BYTES));
  }

  @Override
  public final void atomicWriteLong(int address, long value) {
    atomics().setVolatile(LONG, aligned(address, Long.BYTES), value);
  }

  @Override
  public final long atomicAddLong(int address, long delta) {
    return atomics().getAndAdd(LONG, aligned(address, Long.BYTES), delta);
  }

  @Override
  public final long atomicAndLong(int address, long mask) {
    return atomics().getAndBitwiseAnd(LONG, aligned(address, Long.BYTES), mask);
  }

  @Override
  public final long atomicOrLong(int address, long mask) {
    return atomics().getAndBitwiseOr(LONG, aligned(address, Long.BYTES), mask);
  }

  @Override
  public final long atomicXorLong(int address, long mask) {
    return atomics().getAndBitwiseXor(LONG, aligned(address, Long.BYTES), mask);
  }

  @Override
  public final long atomicXchgLong(int address, long value) {
    return atomics().getAndSet(LONG, aligned(address, Long.BYTES), value);
  }

  @Override
  public final long atomicCmpxchgLong(int address, long expected, long replacement) {
    return atomics().compareAndExchange(LONG, aligned(address, Long.BYTES), expected, replacement);
  }

  // 16 bits.

  @Override
  public final short atomicReadShort(int address) {
    aligned(address, Short.BYTES);
    return (short) readField(address);
  }

  @Override
  public final void atomicWriteShort(int address, short value) {
    atomicXchgShort(address, value);
  }

  @Override
  public final short atomicAddShort(int address, short delta) {
    return updateShort(address, delta, Integer::sum);
  }

  @Override
  public final short atomicAndShort(int address, short mask) {
    return updateShort(address, mask, (old, bits) -> old & bits);
  }

  @Override
  public final short atomicOrShort(int address, short mask) {
    return updateShort(address, mask, (old, bits) -> old | bits);
  }

  @Override
  public final short atomicXorShort(int address, short mask) {
    return updateShort(address, mask, (old, bits) -> old ^ bits);
  }

  @Override
  public final short atomicXchgShort(int address, short value) {
    return updateShort(address, value, (old, replacement) -> replacement);
  }

  @Override
  public final short atomicCmpxchgShort(int address, short expected, short replacement) {
    aligned(address, Short.BYTES);
    return (short) exchangeField(address, SHORT_MASK, expected, replacement);
  }

  private short updateShort(int address, short operand, IntBinaryOperator update) {
    aligned(address, Short.BYTES);
    return (short) updateField(address, SHORT_MASK, operand, update);
  }

  // 8 bits.

  @Override
  public final byte atomicReadByte(int address) {
    requireInside(address, Byte.BYTES);
    return (byte) readField(address);
  }

  @Override
  public final void atomicWriteByte(int address, byte value) {
    atomicXchgByte(address, value);
  }

  @Override
  public final byte atomicAddByte(int address, byte delta) {
    return updateByte(address, delta, Integer::sum);
  }

  @Override
  public final byte atomicAndByte(int address, byte mask) {
    return updateByte(address, mask, (old, bits) -> old & bits);
  }

  @Override
  public final byte atomicOrByte(int address, byte mask) {
    return updateByte(address, mask, (old, bits) -> old | bits);
  }

  @Override
  public final byte atomicXorByte(int address, byte mask) {
    return updateByte(address, mask, (old, bits) -> old ^ bits);
  }

  @Override
  public final byte atomicXchgByte(int address, byte value) {
    return updateByte(address, value, (old, replacement) -> replacement);
  }

  @Override
  public final byte atomicCmpxchgByte(int address, byte expected, byte replacement) {
    requireInside(address, Byte.BYTES);
    return (byte) exchangeField(address, BYTE_MASK, expected, replacement);
  }

  private byte updateByte(int address, byte operand, IntBinaryOperator update) {
    requireInside(address, Byte.BYTES);
    return (byte) updateField(address, BYTE_MASK, operand, update);
  }

  // A field of 8 or 16 bits in its aligned word.

  private static long wordOf(int address) {
    return BASE + (address & -Integer.BYTES);
  }

  private static int shiftOf(int address) {
    return (address & (Integer.BYTES - 1)) * Byte.SIZE;
  }

  /** The field in the low bits; what is above it is not cleared. */
  private int readField(int address) {
    return atomics().getVolatile(INT, wordOf(address)) >>> shiftOf(address);
  }

  /** Replaces the field by an update of its old value, which is returned. */
  private int updateField(int address, int mask, int operand, IntBinaryOperator update) {
    var atomics = atomics();
    long word = wordOf(address);
    int shift = shiftOf(address);
    while (true) {
      int before = atomics.getVolatile(INT, word);
      int old = (before >>> shift) & mask;
      int field = update.applyAsInt(old, operand) & mask;
      int after = (before & ~(mask << shift)) | (field << shift);
      if (atomics.compareAndSet(INT, word, before, after)) {
        return old;
      }
    }
  }

  /** Replaces the field if it is as expected; returns what it was. */
  private int exchangeField(int address, int mask, int expected, int replacement) {
    var atomics = atomics();
    long word = wordOf(address);
    int shift = shiftOf(address);
    while (true) {
      int before = atomics.getVolatile(INT, word);
      int old = (before >>> shift) & mask;
      int after = (before & ~(mask << shift)) | ((replacement & mask) << shift);
      if (old != (expected & mask) || atomics.compareAndSet(INT, word, before, after)) {
        return old;
      }
    }
  }

  // Waiting.

  @Override
  public final int atomicWait(int address, int expected, long timeoutNanos) {
    requireShared();
    aligned(address, Integer.BYTES);
    return parking.park(address, () -> atomicReadInt(address) == expected, timeoutNanos);
  }

  @Override
  public final int atomicWait(int address, long expected, long timeoutNanos) {
    requireShared();
    aligned(address, Long.BYTES);
    return parking.park(address, () -> atomicReadLong(address) == expected, timeoutNanos);
  }

  @Override
  public final int atomicNotify(int address, int maximum) {
    aligned(address, Integer.BYTES);
    return parking.unpark(address, Integer.toUnsignedLong(maximum));
  }

  private void requireShared() {
    if (!shared()) {
      throw new TrapException("expected shared memory");
    }
  }

  // Names under which code that older compilers made ahead of time asks for the same things.

  @Override
  @SuppressWarnings("removal")
  public final int waitOn(int address, int expected, long timeoutNanos) {
    return atomicWait(address, expected, timeoutNanos);
  }

  @Override
  @SuppressWarnings("removal")
  public final int waitOn(int address, long expected, long timeoutNanos) {
    return atomicWait(address, expected, timeoutNanos);
  }

  @Override
  @SuppressWarnings("removal")
  public final int notify(int address, int maximum) {
    return atomicNotify(address, maximum);
  }

  /** Older compilers make an atomic of a lock and two plain accesses; one lock serves them all. */
  @Override
  @SuppressWarnings("removal")
  public final Object lock(int address) {
    return parking;
  }
}
