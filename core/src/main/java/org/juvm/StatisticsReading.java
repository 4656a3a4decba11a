package org.juvm;

import java.lang.invoke.VarHandle;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/**
 * What stood on a statistics page at one moment: all values are from one tick of the clock.
 *
 * @param values the value of each field
 */
public record StatisticsReading(Map<StatisticsField, Long> values) {
  private static final StatisticsField[] FIELDS = StatisticsField.values();

  /**
   * A reading.
   *
   * @param values the value of each field; copied
   */
  public StatisticsReading {
    values = Collections.unmodifiableMap(new EnumMap<>(values));
  }

  /**
   * Reads a page through a processor, as a program would, from where its address space maps it.
   *
   * @param cpu an attached processor
   * @param address where the page is mapped
   * @return what is there, from one tick
   * @throws MemoryFault if nothing can be read there
   * @throws IllegalArgumentException if it is no statistics page
   * @throws IllegalStateException if the processor is detached or the system is closed
   */
  public static StatisticsReading read(Cpu cpu, long address) {
    Atomics atomics = cpu.atomics();
    // The writer stores, each with release order: an odd number; the fields; the next even number.
    // Let both loads of the sequence give s, which is even. The first one acquires what the end of
    // write s released, so no field is older. Had a field been stored by a later write, its load
    // would have acquired what came before that store: an odd number greater than s. The second
    // load of the sequence, which cannot move before a load that acquires, would give that or more.
    long[] read = new long[FIELDS.length];
    while (true) {
      // Again each time: of a page that was replaced the number could be odd for ever.
      if (load(atomics, address, StatisticsField.MAGIC) != StatisticsField.MAGIC_NUMBER) {
        throw new IllegalArgumentException(
            "no statistics page: address=0x" + Long.toHexString(address));
      }
      long sequence = load(atomics, address, StatisticsField.SEQUENCE);
      if ((sequence & 1) == 0) {
        for (int i = 0; i < read.length; i++) {
          read[i] = load(atomics, address, FIELDS[i]);
        }
        if (load(atomics, address, StatisticsField.SEQUENCE) == sequence) {
          return new StatisticsReading(byField(read));
        }
      }
      Thread.onSpinWait();
    }
  }

  private static Map<StatisticsField, Long> byField(long[] read) {
    EnumMap<StatisticsField, Long> values = new EnumMap<>(StatisticsField.class);
    for (int i = 0; i < read.length; i++) {
      values.put(FIELDS[i], read[i]);
    }
    return values;
  }

  /** With the order of {@link VarHandle#getAcquire}. */
  private static long load(Atomics atomics, long address, StatisticsField field) {
    return atomics.getAcquire(StatisticsField.LAYOUT, address + field.offset());
  }

  /**
   * The value of a field.
   *
   * @param field which
   * @return its value
   */
  public long value(StatisticsField field) {
    return values.getOrDefault(field, 0L);
  }
}
