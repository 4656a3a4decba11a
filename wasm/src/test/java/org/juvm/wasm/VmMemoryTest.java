package org.juvm.wasm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.ObjIntConsumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.juvm.MemoryFault;
import org.juvm.Vm;
import run.endive.runtime.Memory;
import run.endive.runtime.WasmRuntimeException;
import run.endive.wasm.types.MemoryLimits;

class VmMemoryTest extends WithVm {
  private static final int WASM_PAGE = Memory.PAGE_SIZE;
  private static final int VM_PAGE = 4096;

  private final VmMemory memory = VmMemory.allocate(vm, new MemoryLimits(2, 5));

  /** Every kind of access to a single value, with the bits of a value of its width. */
  @SuppressWarnings("ImmutableEnumChecker") // the functions have no state
  enum Width {
    BYTE(1, Memory::read, (m, at) -> m.writeByte(at, (byte) 0x91)),
    SHORT(2, Memory::readShort, (m, at) -> m.writeShort(at, (short) 0x9182)),
    UNSIGNED_SHORT(2, Memory::readU16, (m, at) -> m.writeShort(at, (short) 0x9182)),
    INT(4, Memory::readInt, (m, at) -> m.writeI32(at, 0x91827364)),
    LONG(8, Memory::readLong, (m, at) -> m.writeLong(at, 0x9182736455463728L)),
    FLOAT(
        4,
        (m, at) -> Float.floatToRawIntBits(m.readFloat(at)),
        (m, at) -> m.writeF32(at, Float.intBitsToFloat(0x91827364))),
    FLOAT_BITS(4, Memory::readF32, (m, at) -> m.writeF32(at, Float.intBitsToFloat(0x91827364))),
    DOUBLE(
        8,
        (m, at) -> Double.doubleToRawLongBits(m.readDouble(at)),
        (m, at) -> m.writeF64(at, Double.longBitsToDouble(0x9182736455463728L))),
    DOUBLE_BITS(
        8,
        Memory::readF64,
        (m, at) -> m.writeF64(at, Double.longBitsToDouble(0x9182736455463728L)));

    /** Reads a value and returns its bits. */
    interface Reader {
      long read(Memory memory, int address);
    }

    private static final long BITS = 0x9182736455463728L;

    final int size;
    final Reader reader;
    final ObjIntConsumer<Memory> writer;

    Width(int size, Reader reader, ObjIntConsumer<Memory> writer) {
      this.size = size;
      this.reader = reader;
      this.writer = writer;
    }

    long bits() {
      return BITS >>> (64 - 8 * size);
    }

    long mask() {
      return -1L >>> (64 - 8 * size);
    }

    byte[] bytes() {
      var all = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(bits()).array();
      return Arrays.copyOf(all, size);
    }
  }

  @AfterEach
  void close() {
    memory.close();
  }

  private static void assertTraps(ThrowingCallable access) {
    assertThatThrownBy(access)
        .isInstanceOf(WasmRuntimeException.class)
        .hasMessageStartingWith("out of bounds memory access");
  }

  @ParameterizedTest
  @EnumSource
  void aValueIsLittleEndianWhereverItBeginsInAPage(Width width) {
    for (int page : new int[] {VM_PAGE, WASM_PAGE}) {
      for (int at = page - width.size; at <= page; at++) {
        memory.fill((byte) 0x55, page - 16, page + 16);
        width.writer.accept(memory, at);
        assertThat(memory.readBytes(at, width.size)).isEqualTo(width.bytes());
        assertThat(memory.read(at - 1)).isEqualTo((byte) 0x55);
        assertThat(memory.read(at + width.size)).isEqualTo((byte) 0x55);
        assertThat(width.reader.read(memory, at) & width.mask()).isEqualTo(width.bits());
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void theLastValueCanBeAccessedAndNoneBehindIt(Width width) {
    int end = 2 * WASM_PAGE;
    width.writer.accept(memory, end - width.size);
    assertThat(width.reader.read(memory, end - width.size) & width.mask()).isEqualTo(width.bits());
    for (int at = end - width.size + 1; at <= end; at++) {
      int address = at;
      var before = memory.readBytes(end - 8, 8);
      assertTraps(() -> width.reader.read(memory, address));
      assertTraps(() -> width.writer.accept(memory, address));
      assertThat(memory.readBytes(end - 8, 8)).isEqualTo(before);
    }
  }

  @ParameterizedTest
  @EnumSource
  void addressesThatAreNegativeOrNearTwoGigabytesTrap(Width width) {
    for (int address :
        new int[] {
          -1,
          -width.size,
          -WASM_PAGE,
          Integer.MIN_VALUE,
          Integer.MAX_VALUE,
          0x7fffff00,
          3 * WASM_PAGE
        }) {
      assertTraps(() -> width.reader.read(memory, address));
      assertTraps(() -> width.writer.accept(memory, address));
    }
  }

  @Test
  void aNewMemoryIsZeroAndCostsNothing() {
    assertThat(memory.readLong(WASM_PAGE)).isZero();
    assertThat(memory.readBytes(0, 100)).containsOnly(0);
    assertThat(vm.statistics().usedFrames()).isLessThan(4);
  }

  @Test
  void growthAddsZerosUpToTheMaximum() {
    memory.writeLong(2 * WASM_PAGE - 8, -1);
    assertThat(memory.grow(0)).isEqualTo(2);
    assertThat(memory.grow(2)).isEqualTo(2);
    assertThat(memory.pages()).isEqualTo(4);
    assertThat(memory.readLong(2 * WASM_PAGE - 4)).isEqualTo(0xffff_ffffL);
    memory.writeLong(4 * WASM_PAGE - 8, 7);
    assertTraps(() -> memory.read(4 * WASM_PAGE));
    assertThat(memory.grow(2)).isEqualTo(-1);
    assertThat(memory.grow(-1)).isEqualTo(-1);
    assertThat(memory.grow(Integer.MAX_VALUE)).isEqualTo(-1);
    assertThat(memory.pages()).isEqualTo(4);
    assertThat(memory.grow(1)).isEqualTo(4);
  }

  @Test
  void theLargestMemoryEndsBelowTwoGigabytes() {
    try (var large = VmMemory.allocate(vm, new MemoryLimits(1))) {
      assertThat(large.maximumPages()).isEqualTo(Memory.RUNTIME_MAX_PAGES);
      assertThat(large.grow(Memory.RUNTIME_MAX_PAGES - 1)).isEqualTo(1);
      int end = Memory.RUNTIME_MAX_PAGES * WASM_PAGE;
      large.writeLong(end - 8, 42);
      assertThat(large.readLong(end - 8)).isEqualTo(42);
      assertTraps(() -> large.read(end));
      assertTraps(() -> large.read(Integer.MAX_VALUE));
      assertTraps(() -> large.readLong(end - 7));
      assertThat(large.grow(1)).isEqualTo(-1);
    }
  }

  @Test
  void aMemoryMayBeEmpty() {
    try (var empty = VmMemory.allocate(vm, new MemoryLimits(0, 1))) {
      assertTraps(() -> empty.read(0));
      assertThat(empty.readBytes(0, 0)).isEmpty();
      assertThat(empty.grow(1)).isZero();
      assertThat(empty.read(0)).isZero();
    }
  }

  @Test
  void bulkOperationsCrossPages() {
    var pattern = new byte[3 * VM_PAGE + 5];
    for (int i = 0; i < pattern.length; i++) {
      pattern[i] = (byte) (i * 31);
    }
    memory.write(VM_PAGE - 3, pattern, 2, pattern.length - 2);
    assertThat(memory.readBytes(VM_PAGE - 3, pattern.length - 2))
        .isEqualTo(Arrays.copyOfRange(pattern, 2, pattern.length));
    memory.copy(WASM_PAGE - 7, VM_PAGE - 3, pattern.length - 2);
    assertThat(memory.readBytes(WASM_PAGE - 7, pattern.length - 2))
        .isEqualTo(Arrays.copyOfRange(pattern, 2, pattern.length));
    memory.fill((byte) 9, VM_PAGE - 1, 2 * VM_PAGE + 1);
    assertThat(memory.readBytes(VM_PAGE - 1, VM_PAGE + 2)).containsOnly(9);
    assertThat(memory.read(2 * VM_PAGE + 1)).isEqualTo(pattern[2 + VM_PAGE + 4]);
  }

  @ParameterizedTest
  @ValueSource(ints = {-5000, -1, 0, 1, 5000})
  void copyingOverItselfKeepsTheBytes(int distance) {
    var bytes = new byte[3 * VM_PAGE];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (i ^ (i >> 8));
    }
    int from = WASM_PAGE / 2;
    memory.write(from, bytes);
    memory.copy(from + distance, from, bytes.length);
    assertThat(memory.readBytes(from + distance, bytes.length)).isEqualTo(bytes);
  }

  @Test
  void aBulkOperationThatLeavesTheMemoryTrapsBeforeItChangesAnything() {
    int end = 2 * WASM_PAGE;
    memory.fill((byte) 1, 0, end);
    var bytes = new byte[VM_PAGE];
    assertTraps(() -> memory.write(end - VM_PAGE + 1, bytes, 0, VM_PAGE));
    assertTraps(() -> memory.write(0, bytes, 1, VM_PAGE));
    assertTraps(() -> memory.write(-1, bytes, 0, 2));
    assertTraps(() -> memory.fill((byte) 2, end - VM_PAGE, end + 1));
    assertTraps(() -> memory.fill((byte) 2, -8, 8));
    assertTraps(() -> memory.copy(end - 10, 0, 11));
    assertTraps(() -> memory.copy(0, end - 10, 11));
    assertTraps(() -> memory.copy(0, 0, -1));
    assertTraps(() -> memory.readBytes(end - 1, 2));
    assertTraps(() -> memory.readBytes(0, -1));
    assertTraps(() -> memory.writeCString(end - 3, "abc"));
    assertThat(memory.readBytes(0, end)).containsOnly(1);
  }

  @Test
  void nothingAtTheEndIsInsideAndNothingBehindItIsNot() {
    int end = 2 * WASM_PAGE;
    memory.write(end, new byte[0], 0, 0);
    memory.fill((byte) 1, end, end);
    memory.copy(end, end, 0);
    assertThat(memory.readBytes(end, 0)).isEmpty();
    assertTraps(() -> memory.write(end + 1, new byte[0], 0, 0));
    assertTraps(() -> memory.copy(0, end + 1, 0));
    assertTraps(() -> memory.fill((byte) 1, end + 1, end + 1));
  }

  @Test
  void stringsEndAtAZeroByte() {
    int at = VM_PAGE - 4;
    memory.writeCString(at, "größer als eine Seite");
    assertThat(memory.readCString(at)).isEqualTo("größer als eine Seite");
    assertThat(memory.readCString(at, StandardCharsets.ISO_8859_1)).startsWith("gr\u00c3");
    memory.fill((byte) 'x', 0, 2 * WASM_PAGE);
    assertTraps(() -> memory.readCString(WASM_PAGE));
    assertTraps(() -> memory.readCString(-4));
  }

  @Test
  void zeroingForgetsAllBytes() {
    memory.fill((byte) 3, 0, 2 * WASM_PAGE);
    memory.zero();
    assertThat(memory.readBytes(0, 2 * WASM_PAGE)).containsOnly(0);
    assertThat(memory.pages()).isEqualTo(2);
  }

  @Test
  void aVmWithoutFreePagesIsNotATrap() {
    try (var small = Vm.builder().memory(1 << 20).boot();
        var large = VmMemory.allocate(small, new MemoryLimits(100))) {
      assertThatThrownBy(() -> large.fill((byte) 1, 0, 100 * WASM_PAGE))
          .isInstanceOfSatisfying(
              MemoryFault.class,
              fault -> assertThat(fault.reason()).isEqualTo(MemoryFault.Reason.OUT_OF_MEMORY));
      assertThat(small.audit()).isEmpty();
    }
  }

  @Test
  void anotherThreadMayTakeOver() {
    memory.writeI32(0, 1);
    onLargeStack(
        () -> {
          memory.writeI32(0, memory.readInt(0) + 1);
          memory.writeI32(2 * VM_PAGE, 5);
          return null;
        });
    assertThat(memory.readInt(0)).isEqualTo(2);
    assertThat(memory.readInt(2 * VM_PAGE)).isEqualTo(5);
  }

  @Test
  void forksDoNotSeeEachOther() {
    memory.writeLong(VM_PAGE - 4, 1);
    try (var child = memory.fork();
        var grandchild = child.fork()) {
      memory.writeLong(VM_PAGE - 4, 2);
      child.writeLong(VM_PAGE - 4, 3);
      grandchild.writeLong(VM_PAGE - 4, 4);
      grandchild.writeI32(WASM_PAGE, 5);
      assertThat(List.of(memory, child, grandchild))
          .extracting(each -> each.readLong(VM_PAGE - 4))
          .containsExactly(2L, 3L, 4L);
      assertThat(memory.readInt(WASM_PAGE)).isZero();
      assertThat(child.readInt(WASM_PAGE)).isZero();
    }
    assertThat(memory.readLong(VM_PAGE - 4)).isEqualTo(2);
  }

  @Test
  void forksGrowOnTheirOwn() {
    try (var child = memory.fork()) {
      assertThat(child.grow(3)).isEqualTo(2);
      child.writeI32(5 * WASM_PAGE - 4, 1);
      assertTraps(() -> memory.read(2 * WASM_PAGE));
      assertThat(memory.grow(1)).isEqualTo(2);
      assertThat(memory.readInt(3 * WASM_PAGE - 4)).isZero();
    }
  }

  @Test
  void aForkCopiesOnlyThePagesThatAreWritten() {
    memory.fill((byte) 1, 0, 2 * WASM_PAGE);
    long before = vm.statistics().usedFrames();
    try (var child = memory.fork()) {
      assertThat(child.readBytes(0, 2 * WASM_PAGE)).containsOnly(1);
      assertThat(vm.statistics().usedFrames()).isEqualTo(before);
      child.writeByte(0, (byte) 2);
      memory.writeByte(WASM_PAGE, (byte) 2);
      assertThat(vm.statistics().usedFrames()).isEqualTo(before + 2);
    }
  }
}
