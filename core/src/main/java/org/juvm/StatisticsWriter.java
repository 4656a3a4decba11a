package org.juvm;

import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import org.juvm.map.Machine;
import org.juvm.ram.Native;
import org.juvm.trace.Counter;
import org.juvm.trace.Counters;

/** Writes a statistics page. For one thread at a time. */
final class StatisticsWriter {
  /** What the clock should keep to. */
  static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  private static final StatisticsField[] FIELDS = StatisticsField.values();

  private final Vm vm;
  private final BootTime booted;

  /** Absolute address of the page. */
  private final long page;

  private final Counters counted = new Counters();
  private final long[] values = new long[FIELDS.length];

  /** What SEQUENCE is; odd only if a write did not come to its end. */
  private long sequence;

  private long ticks;

  /** When a system was booted, by the host's clock and by the one that never goes back. */
  record BootTime(long millis, long nanos) {
    static BootTime now(InstantSource clock) {
      return new BootTime(clock.millis(), System.nanoTime());
    }
  }

  /**
   * A writer.
   *
   * @param page absolute address of a page of zeros, which nobody else writes
   */
  StatisticsWriter(Vm vm, BootTime booted, long page) {
    this.vm = vm;
    this.booted = booted;
    this.page = page;
  }

  /** A tick of the clock: writes everything. Called without locks. */
  void tick() {
    gather();
    write();
  }

  private void gather() {
    Machine machine = vm.machine();
    vm.cpus().count(counted);
    for (StatisticsField field : FIELDS) {
      Counter counter = field.counter();
      if (counter != null) {
        set(field, counted.value(counter));
      }
    }
    set(StatisticsField.MAGIC, StatisticsField.MAGIC_NUMBER);
    set(StatisticsField.VERSION, StatisticsField.CURRENT_VERSION);
    set(StatisticsField.LENGTH, (long) FIELDS.length * Long.BYTES);
    set(StatisticsField.PAGE_SIZE, machine.pageSize().bytes());
    set(StatisticsField.MEMORY, machine.ram().frames());
    set(StatisticsField.BOOT_TIME, booted.millis());
    set(StatisticsField.UPTIME, System.nanoTime() - booted.nanos());
    set(StatisticsField.TICKS, ++ticks);
    set(StatisticsField.TICK_LENGTH, TICK_NANOS);
    set(StatisticsField.FREE, machine.allocator().freeFrames());
    set(StatisticsField.SWAP, machine.swap().slots());
    set(StatisticsField.SWAP_IN_USE, machine.swap().slotsInUse());
  }

  private void set(StatisticsField field, long value) {
    values[field.ordinal()] = value;
  }

  /** In the orders that {@link StatisticsReading#read} relies on. */
  private void write() {
    // After a write that was cut short the number stays odd, and grows.
    sequence = (sequence + 1) | 1;
    store(StatisticsField.SEQUENCE, sequence);
    for (StatisticsField field : FIELDS) {
      if (field != StatisticsField.SEQUENCE) {
        store(field, values[field.ordinal()]);
      }
    }
    sequence++;
    store(StatisticsField.SEQUENCE, sequence);
  }

  private void store(StatisticsField field, long value) {
    Native.setLongRelease(page + field.offset(), value);
  }
}
