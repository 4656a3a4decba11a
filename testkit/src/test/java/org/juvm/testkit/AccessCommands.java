package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_CHAR_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.juvm.testkit.Ground.same;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
import org.juvm.Cpu;
import org.juvm.base.Access;

/** Accesses of processors, and of debuggers, to single values and to ranges of bytes. */
final class AccessCommands {
  private final Ground ground;

  AccessCommands(Ground ground) {
    this.ground = ground;
  }

  void run(Pair pair, Cpu cpu, Command command) {
    long at = ground.address(pair, command.page()) + ground.offset(command);
    long to = ground.address(pair, command.target()) + ground.offset(command) / 2;
    int length = Ground.bytes(command);
    ModelBytes bytesOf = ground.bytesOf(pair);
    switch (command.kind()) {
      case GET -> get(bytesOf, cpu, at, command.option());
      case SET -> set(bytesOf, cpu, at, command.option(), command.value());
      case ATOMIC -> atomic(bytesOf, cpu, at & -8, command);
      case READ -> {
        byte[] found = new byte[length + 2];
        String outcome = ground.outcome(() -> cpu.bulk().read(at, found, 1, length));
        byte[] expected = new byte[length + 2];
        same(bytesOf.load(at, expected, 1, length), outcome);
        same(Arrays.toString(expected), Arrays.toString(found));
      }
      case WRITE -> {
        byte[] bytes = new byte[length + 2];
        new Choices(command.value()).bytes(bytes);
        same(
            bytesOf.store(at, bytes, 1, length),
            ground.outcome(() -> cpu.bulk().write(at, bytes, 1, length)));
      }
      case FILL -> {
        byte value = (byte) command.option();
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, value);
        same(
            bytesOf.store(at, bytes, 0, length),
            ground.outcome(() -> cpu.bulk().fill(at, length, value)));
      }
      case COPY -> {
        // Every other copy overlaps.
        long target = command.option() % 2 == 0 ? to : at - 100 + command.offset() % 200;
        same(
            bytesOf.copy(at, target, length),
            ground.outcome(() -> cpu.bulk().copy(at, target, length)));
      }
      case DEBUG_READ -> {
        byte[] found = new byte[length];
        String outcome =
            ground.outcome(
                () -> pair.real().debug().read(at, MemorySegment.ofArray(found), 0, length));
        byte[] expected = new byte[length];
        same(bytesOf.pastProtection().load(at, expected, 0, length), outcome);
        same(Arrays.toString(expected), Arrays.toString(found));
      }
      case DEBUG_WRITE -> {
        byte[] bytes = new byte[length];
        new Choices(command.value()).bytes(bytes);
        same(
            bytesOf.pastProtection().store(at, bytes, 0, length),
            ground.outcome(
                () -> pair.real().debug().write(at, MemorySegment.ofArray(bytes), 0, length)));
      }
      default -> mismatch(bytesOf, cpu, at, length, command);
    }
  }

  private static final ByteOrder[] ORDERS = {ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN};

  private static int size(int layout) {
    return switch (layout % 7) {
      case 0 -> 1;
      case 1, 2 -> 2;
      case 3, 4 -> 4;
      default -> 8;
    };
  }

  private void get(ModelBytes bytesOf, Cpu cpu, long at, int layout) {
    ByteOrder order = ORDERS[layout / 7 % 2];
    byte[] bytes = new byte[size(layout)];
    String fault = bytesOf.load(at, bytes, 0, bytes.length);
    String expected = fault.isEmpty() ? String.valueOf(value(bytes, order)) : fault;
    same(
        expected,
        ground.outcome(
            () ->
                switch (layout % 7) {
                  case 0 -> (long) cpu.get(JAVA_BYTE, at);
                  case 1 -> (long) cpu.get(JAVA_SHORT_UNALIGNED.withOrder(order), at);
                  case 2 -> (long) (short) cpu.get(JAVA_CHAR_UNALIGNED.withOrder(order), at);
                  case 3 -> (long) cpu.get(JAVA_INT_UNALIGNED.withOrder(order), at);
                  case 4 ->
                      (long)
                          Float.floatToRawIntBits(
                              cpu.get(JAVA_FLOAT_UNALIGNED.withOrder(order), at));
                  case 5 -> cpu.get(JAVA_LONG_UNALIGNED.withOrder(order), at);
                  default ->
                      Double.doubleToRawLongBits(
                          cpu.get(JAVA_DOUBLE_UNALIGNED.withOrder(order), at));
                }));
  }

  private void set(ModelBytes bytesOf, Cpu cpu, long at, int layout, long value) {
    ByteOrder order = ORDERS[layout / 7 % 2];
    byte[] bytes = bytes(value, size(layout), order);
    // All or nothing, even across pages.
    String fault = bytesOf.refused(at, Access.WRITE);
    if (fault == null) {
      fault = bytesOf.refused(at + bytes.length - 1, Access.WRITE);
      if (fault == null) {
        bytesOf.store(at, bytes, 0, bytes.length);
      } else {
        bytesOf.touch(at);
      }
    }
    same(
        fault == null ? "" : fault,
        ground.outcome(
            () -> {
              switch (layout % 7) {
                case 0 -> cpu.set(JAVA_BYTE, at, (byte) value);
                case 1 -> cpu.set(JAVA_SHORT_UNALIGNED.withOrder(order), at, (short) value);
                case 2 -> cpu.set(JAVA_CHAR_UNALIGNED.withOrder(order), at, (char) value);
                case 3 -> cpu.set(JAVA_INT_UNALIGNED.withOrder(order), at, (int) value);
                case 4 ->
                    cpu.set(
                        JAVA_FLOAT_UNALIGNED.withOrder(order),
                        at,
                        Float.intBitsToFloat((int) value));
                case 5 -> cpu.set(JAVA_LONG_UNALIGNED.withOrder(order), at, value);
                default ->
                    cpu.set(
                        JAVA_DOUBLE_UNALIGNED.withOrder(order), at, Double.longBitsToDouble(value));
              }
            }));
  }

  /** As a signed number. */
  private static long value(byte[] bytes, ByteOrder order) {
    long value = order == ByteOrder.BIG_ENDIAN ? bytes[0] : bytes[bytes.length - 1];
    for (int i = 1; i < bytes.length; i++) {
      int next = order == ByteOrder.BIG_ENDIAN ? i : bytes.length - 1 - i;
      value = value << 8 | (bytes[next] & 0xff);
    }
    return value;
  }

  private static byte[] bytes(long value, int size, ByteOrder order) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[order == ByteOrder.LITTLE_ENDIAN ? i : size - 1 - i] = (byte) (value >>> (8 * i));
    }
    return bytes;
  }

  private void atomic(ModelBytes bytesOf, Cpu cpu, long at, Command command) {
    boolean wide = command.option() % 2 == 0;
    int operation = command.option() / 2 % 7;
    Access access = operation == 0 ? Access.READ : Access.WRITE;
    String fault = bytesOf.refused(at, access);
    long operand = wide ? command.value() : (int) command.value();
    String expected = fault;
    if (fault == null) {
      byte[] bytes = new byte[wide ? 8 : 4];
      String loaded = bytesOf.load(at, bytes, 0, bytes.length);
      assert loaded.isEmpty() : loaded;
      ByteOrder order = ByteOrder.nativeOrder();
      long old = value(bytes, order);
      expected = String.valueOf(old);
      if (operation != 0) {
        long changed =
            switch (operation) {
              case 1 -> old + operand;
              case 2 -> old & operand;
              case 3 -> old | operand;
              case 4 -> old ^ operand;
              case 5 -> operand;
              default -> old == 0 ? operand : old;
            };
        bytesOf.store(at, bytes(changed, bytes.length, order), 0, bytes.length);
      }
    }
    same(
        Objects.requireNonNull(expected),
        ground.outcome(
            () ->
                wide
                    ? atomicLong(cpu, at, operation, operand)
                    : atomicInt(cpu, at, operation, (int) operand)));
  }

  private static long atomicLong(Cpu cpu, long at, int operation, long operand) {
    return switch (operation) {
      case 0 -> cpu.atomics().getVolatile(JAVA_LONG, at);
      case 1 -> cpu.atomics().getAndAdd(JAVA_LONG, at, operand);
      case 2 -> cpu.atomics().getAndBitwiseAnd(JAVA_LONG, at, operand);
      case 3 -> cpu.atomics().getAndBitwiseOr(JAVA_LONG, at, operand);
      case 4 -> cpu.atomics().getAndBitwiseXor(JAVA_LONG, at, operand);
      case 5 -> cpu.atomics().getAndSet(JAVA_LONG, at, operand);
      default -> cpu.atomics().compareAndExchange(JAVA_LONG, at, 0, operand);
    };
  }

  private static long atomicInt(Cpu cpu, long at, int operation, int operand) {
    return switch (operation) {
      case 0 -> cpu.atomics().getAcquire(JAVA_INT, at);
      case 1 -> cpu.atomics().getAndAdd(JAVA_INT, at, operand);
      case 2 -> cpu.atomics().getAndBitwiseAnd(JAVA_INT, at, operand);
      case 3 -> cpu.atomics().getAndBitwiseOr(JAVA_INT, at, operand);
      case 4 -> cpu.atomics().getAndBitwiseXor(JAVA_INT, at, operand);
      case 5 -> cpu.atomics().getAndSet(JAVA_INT, at, operand);
      default -> cpu.atomics().compareAndExchange(JAVA_INT, at, 0, operand);
    };
  }

  private void mismatch(ModelBytes bytesOf, Cpu cpu, long at, int length, Command command) {
    byte[] bytes = new byte[length];
    boolean differs = length > 0 && command.option() % 3 != 0;
    int different = differs ? command.target() % length : length;
    // What lies behind the difference is not looked at.
    String expected = bytesOf.load(at, bytes, 0, Math.min(length, different + 1));
    if (expected.isEmpty()) {
      expected = "-1";
      if (differs) {
        bytes[different]++;
        expected = String.valueOf(different);
      }
    }
    MemorySegment other = MemorySegment.ofArray(bytes);
    same(expected, ground.outcome(() -> cpu.bulk().mismatch(at, other, 0, length)));
  }
}
