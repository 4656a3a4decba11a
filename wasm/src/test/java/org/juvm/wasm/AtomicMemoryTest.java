package org.juvm.wasm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import run.endive.runtime.Memory;
import run.endive.runtime.TrapException;
import run.endive.runtime.WasmInterruptedException;
import run.endive.runtime.WasmRuntimeException;
import run.endive.wasm.InvalidException;
import run.endive.wasm.types.MemoryLimits;

class AtomicMemoryTest extends WithVm {
  private static final int WASM_PAGE = Memory.PAGE_SIZE;
  private static final int ROUNDS = 20_000;
  private static final long FOREVER = -1;

  private final VmMemory memory = VmMemory.allocate(vm, new MemoryLimits(1, 2, true));

  @AfterEach
  void close() {
    memory.close();
  }

  /** Runs the same thing on several threads at once. */
  private static void together(int threads, Callable<?> action)
      throws ExecutionException, InterruptedException {
    try (var executor = Executors.newFixedThreadPool(threads)) {
      var futures = new ArrayList<Future<?>>();
      for (int i = 0; i < threads; i++) {
        futures.add(executor.submit(action));
      }
      for (var future : futures) {
        future.get();
      }
    }
  }

  @Test
  void additionsOfAllWidthsLoseNothing() throws Exception {
    together(
        2,
        () -> {
          for (int i = 0; i < ROUNDS; i++) {
            memory.atomicAddByte(0, (byte) 1);
            memory.atomicAddByte(1, (byte) 3);
            memory.atomicAddShort(2, (short) 5);
            memory.atomicAddInt(4, 7);
            memory.atomicAddLong(8, 1L << 33);
          }
          return null;
        });
    assertThat(memory.atomicReadByte(0)).isEqualTo((byte) (2 * ROUNDS));
    assertThat(memory.atomicReadByte(1)).isEqualTo((byte) (6 * ROUNDS));
    assertThat(memory.atomicReadShort(2)).isEqualTo((short) (10 * ROUNDS));
    assertThat(memory.atomicReadInt(4)).isEqualTo(14 * ROUNDS);
    assertThat(memory.atomicReadLong(8)).isEqualTo((2L * ROUNDS) << 33);
  }

  @Test
  void exchangesMakeALock() throws Exception {
    together(
        2,
        () -> {
          for (int i = 0; i < ROUNDS; i++) {
            while (memory.atomicCmpxchgByte(3, (byte) 0, (byte) 1) != 0) {
              Thread.onSpinWait();
            }
            memory.writeI32(8, memory.readInt(8) + 1);
            memory.atomicWriteByte(3, (byte) 0);
          }
          return null;
        });
    assertThat(memory.atomicReadInt(8)).isEqualTo(2 * ROUNDS);
  }

  @Test
  void updatesReturnTheOldValueAndTouchOnlyTheirOwnBytes() {
    memory.writeI32(0, 0x44332211);
    assertThat(memory.atomicAndByte(1, (byte) 0x0f)).isEqualTo((byte) 0x22);
    assertThat(memory.atomicOrByte(2, (byte) 0xc0)).isEqualTo((byte) 0x33);
    assertThat(memory.atomicXorByte(3, (byte) 0xff)).isEqualTo((byte) 0x44);
    assertThat(memory.atomicXchgByte(0, (byte) 0x99)).isEqualTo((byte) 0x11);
    assertThat(memory.readInt(0)).isEqualTo(0xbbf30299);
    assertThat(memory.atomicAndShort(0, (short) 0xff0f)).isEqualTo((short) 0x0299);
    assertThat(memory.atomicOrShort(2, (short) 0x0408)).isEqualTo((short) 0xbbf3);
    assertThat(memory.atomicXorShort(2, (short) -1)).isEqualTo((short) 0xbffb);
    assertThat(memory.atomicXchgShort(0, (short) 0x1234)).isEqualTo((short) 0x0209);
    assertThat(memory.readInt(0)).isEqualTo(0x40041234);
    assertThat(memory.atomicAndInt(0, 0xff)).isEqualTo(0x40041234);
    assertThat(memory.atomicOrInt(0, 0x100)).isEqualTo(0x34);
    assertThat(memory.atomicXorInt(0, 0x1ff)).isEqualTo(0x134);
    assertThat(memory.atomicXchgInt(0, -1)).isEqualTo(0xcb);
    assertThat(memory.atomicAndLong(0, 0xf0f0)).isEqualTo(0xffff_ffffL);
    assertThat(memory.atomicOrLong(0, 1L << 40)).isEqualTo(0xf0f0);
    assertThat(memory.atomicXorLong(0, 0xf0f0)).isEqualTo(0xf0f0 | 1L << 40);
    assertThat(memory.atomicXchgLong(0, 5)).isEqualTo(1L << 40);
    assertThat(memory.atomicReadLong(0)).isEqualTo(5);
  }

  @Test
  void comparedValuesAreExchangedOnlyIfEqual() {
    memory.writeLong(0, 0x8877665544332211L);
    assertThat(memory.atomicCmpxchgByte(7, (byte) 0x88, (byte) 1)).isEqualTo((byte) 0x88);
    assertThat(memory.atomicCmpxchgByte(7, (byte) 0x88, (byte) 2)).isEqualTo((byte) 1);
    assertThat(memory.atomicCmpxchgShort(4, (short) 0x6655, (short) -2)).isEqualTo((short) 0x6655);
    assertThat(memory.atomicCmpxchgShort(4, (short) 0x6655, (short) -3)).isEqualTo((short) -2);
    assertThat(memory.atomicCmpxchgInt(0, 0x44332211, 6)).isEqualTo(0x44332211);
    assertThat(memory.atomicCmpxchgInt(0, 0, 7)).isEqualTo(6);
    assertThat(memory.atomicCmpxchgLong(0, 0x0177fffe00000006L, 8)).isEqualTo(0x0177fffe00000006L);
    assertThat(memory.atomicCmpxchgLong(0, 0, 9)).isEqualTo(8);
    memory.atomicWriteShort(2, (short) -1);
    memory.atomicWriteInt(4, 1);
    assertThat(memory.atomicReadLong(0)).isEqualTo(0x1_ffff_0008L);
    memory.atomicWriteLong(0, 3);
    assertThat(memory.readLong(0)).isEqualTo(3);
  }

  @Test
  void unalignedAtomicsTrap() {
    for (ThrowingCallable access :
        new ThrowingCallable[] {
          () -> memory.atomicReadShort(1),
          () -> memory.atomicAddInt(2, 1),
          () -> memory.atomicWriteLong(4, 1),
          () -> memory.atomicCmpxchgShort(3, (short) 0, (short) 0),
          () -> memory.atomicWait(2, 0, FOREVER),
          () -> memory.atomicWait(4, 0L, FOREVER),
          () -> memory.atomicNotify(1, 1)
        }) {
      assertThatThrownBy(access)
          .isInstanceOf(InvalidException.class)
          .hasMessage("unaligned atomic");
    }
  }

  @Test
  void atomicsOutsideTheMemoryTrap() {
    for (ThrowingCallable access :
        new ThrowingCallable[] {
          () -> memory.atomicReadByte(WASM_PAGE),
          () -> memory.atomicAddShort(-2, (short) 1),
          () -> memory.atomicReadInt(WASM_PAGE),
          () -> memory.atomicXchgLong(Integer.MIN_VALUE, 0),
          () -> memory.atomicWait(WASM_PAGE, 0, FOREVER),
          () -> memory.atomicNotify(WASM_PAGE, 1)
        }) {
      assertThatThrownBy(access)
          .isInstanceOf(WasmRuntimeException.class)
          .hasMessageStartingWith("out of bounds memory access");
    }
  }

  @Test
  void waitingComparesFirst() {
    memory.writeI32(0, 5);
    assertThat(memory.atomicWait(0, 4, FOREVER)).isEqualTo(ParkingTable.NOT_EQUAL);
    assertThat(memory.atomicWait(0, 4L, FOREVER)).isEqualTo(ParkingTable.NOT_EQUAL);
    assertThat(memory.atomicWait(0, 5, 0)).isEqualTo(ParkingTable.TIMED_OUT);
    assertThat(memory.atomicWait(0, 5L, 1)).isEqualTo(ParkingTable.TIMED_OUT);
    assertThat(memory.atomicNotify(0, 1)).isZero();
  }

  @Test
  void notifyingWakesAsManyAsAsked() throws Exception {
    try (var executor = Executors.newFixedThreadPool(3)) {
      var waiting = new ArrayList<Future<Integer>>();
      for (int i = 0; i < 3; i++) {
        waiting.add(executor.submit(() -> memory.atomicWait(8, 0L, FOREVER)));
      }
      assertThat(notifyUntil(8, 2, 2)).isEqualTo(2);
      assertThat(notifyUntil(8, -1, 1)).isEqualTo(1);
      for (var each : waiting) {
        assertThat(each.get()).isEqualTo(ParkingTable.WOKEN);
      }
    }
  }

  /** Notifies until so many were woken, for they may not be waiting yet. */
  private int notifyUntil(int address, int maximum, int expected) {
    int woken = 0;
    while (woken < expected) {
      woken += memory.atomicNotify(address, maximum < 0 ? maximum : maximum - woken);
      Thread.onSpinWait();
    }
    return woken;
  }

  @Test
  void messagesPassBetweenTwoWaitingThreads() throws Exception {
    try (var executor = Executors.newSingleThreadExecutor()) {
      var echo =
          executor.submit(
              () -> {
                for (int i = 1; i <= 1000; i += 2) {
                  awaitValue(i);
                  publish(i + 1);
                }
                return null;
              });
      for (int i = 1; i <= 1000; i += 2) {
        publish(i);
        awaitValue(i + 1);
      }
      echo.get();
    }
    assertThat(memory.atomicReadInt(0)).isEqualTo(1000);
  }

  private void publish(int value) {
    memory.atomicWriteInt(0, value);
    memory.atomicNotify(0, -1);
  }

  private void awaitValue(int value) {
    for (int seen = memory.atomicReadInt(0); seen != value; seen = memory.atomicReadInt(0)) {
      memory.atomicWait(0, seen, FOREVER);
    }
  }

  @Test
  void anInterruptEndsTheWait() {
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> memory.atomicWait(0, 0, FOREVER))
        .isInstanceOf(WasmInterruptedException.class);
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void anUnsharedMemoryHasAtomicsButNobodyToWaitFor() {
    try (var unshared = VmMemory.allocate(vm, new MemoryLimits(1))) {
      assertThat(unshared.shared()).isFalse();
      assertThat(unshared.atomicAddInt(0, 3)).isZero();
      assertThat(unshared.atomicReadInt(0)).isEqualTo(3);
      assertThat(unshared.atomicNotify(0, 1)).isZero();
      unshared.atomicFence();
      assertThatThrownBy(() -> unshared.atomicWait(0, 3, 0))
          .isInstanceOf(TrapException.class)
          .hasMessage("expected shared memory");
    }
  }

  @Test
  void threadsShareGrowth() throws Exception {
    assertThat(memory.grow(1)).isEqualTo(1);
    together(1, () -> memory.atomicAddInt(2 * WASM_PAGE - 4, 1));
    assertThat(memory.atomicReadInt(2 * WASM_PAGE - 4)).isEqualTo(1);
  }
}
