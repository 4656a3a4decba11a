package org.juvm.testkit;

import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * Lets devices fail in all ways but for good while others use them: errors, short reads, writes
 * that find no room, operations that take their time.
 */
final class Torment {
  /** So often nothing may happen before it is somebody else's turn. */
  private static final int MAXIMUM_IDLE = 20;

  private static final int SPINS = 2000;

  private final List<FaultyStore> devices;
  private final LongSupplier progress;
  private final BooleanSupplier isOver;

  /**
   * A torment of some devices.
   *
   * @param devices which
   * @param progress grows as long as their users come on
   * @param isOver whether they are done
   */
  Torment(List<FaultyStore> devices, LongSupplier progress, BooleanSupplier isOver) {
    this.devices = devices;
    this.progress = progress;
    this.isOver = isOver;
  }

  /** Goes on until it is over. No fault is left then. */
  void run(Choices choices) {
    while (!isOver.getAsBoolean()) {
      FaultyStore device = choices.pick(devices);
      switch (choices.below(7)) {
        case 0, 1 -> device.failNext(FaultyStore.Operation.READ, choices.between(1, 2));
        case 2 -> device.failNext(FaultyStore.Operation.WRITE, choices.between(1, 5));
        case 3 -> device.shortenNextReads(1);
        case 4 -> {
          device.setFull(true);
          await(device, FaultyStore.Operation.WRITE, choices.below(3));
          device.setFull(false);
        }
        default -> {
          FaultyStore.Operation kind =
              choices.oneIn(2) ? FaultyStore.Operation.READ : FaultyStore.Operation.WRITE;
          FaultyStore.Hold hold = device.hold(kind);
          await(device, kind, choices.below(4));
          hold.release();
        }
      }
      await(device, FaultyStore.Operation.READ, choices.below(200));
    }
    devices.forEach(FaultyStore::heal);
  }

  /** Until so many operations more have come, or it is over, or nothing happens. */
  private void await(FaultyStore device, FaultyStore.Operation kind, int operations) {
    long until = device.operations(kind) + operations;
    long before = -1;
    int idle = 0;
    while (device.operations(kind) < until && idle < MAXIMUM_IDLE && !isOver.getAsBoolean()) {
      long now = progress.getAsLong();
      idle = now == before ? idle + 1 : 0;
      before = now;
      for (int i = 0; i < SPINS; i++) {
        Thread.onSpinWait();
      }
    }
  }
}
