package org.juvm.swap;

import java.util.concurrent.atomic.LongAdder;
import org.juvm.store.Store;

/**
 * One swap device: a store behind a range of the drum. Thread-safe; what it reports is correct when
 * nobody uses the area, and nearly so else.
 */
public final class SwapArea {
  private final String name;

  /** What was added; {@link #store} is that, or encrypts for it. */
  private final Store device;

  private final Store store;

  /** Number of the area's first slot on the drum. */
  private final int first;

  private final SlotMap map;

  /** Written with the lock of the space held. */
  private volatile int priority;

  private final LongAdder reads = new LongAdder();
  private final LongAdder writes = new LongAdder();
  private final LongAdder bytesRead = new LongAdder();
  private final LongAdder bytesWritten = new LongAdder();
  private final LongAdder errors = new LongAdder();

  SwapArea(String name, Store device, Store store, int first, int slots, int priority) {
    this.name = name;
    this.device = device;
    this.store = store;
    this.first = first;
    this.priority = priority;
    map = new SlotMap(slots);
  }

  public Store device() {
    return device;
  }

  /** Where the pages go. */
  Store store() {
    return store;
  }

  SlotMap map() {
    return map;
  }

  /** The number of a slot in its area, which is the number of its page in the store. */
  int indexOf(int slot) {
    return slot - first;
  }

  boolean contains(int slot) {
    return slot >= first && slot - first < map.slots();
  }

  void setPriority(int newPriority) {
    priority = newPriority;
  }

  void countRead(long bytes) {
    reads.increment();
    bytesRead.add(bytes);
  }

  void countWrite(long bytes) {
    writes.increment();
    bytesWritten.add(bytes);
  }

  void countError() {
    errors.increment();
  }

  /**
   * What it was named when it was added.
   *
   * @return the name
   */
  public String name() {
    return name;
  }

  /**
   * Its place among the areas: the lowest number is used first.
   *
   * @return the priority
   */
  public int priority() {
    return priority;
  }

  /**
   * Whether its store holds pages encrypted.
   *
   * @return true if it does
   */
  public boolean isEncrypted() {
    return !store.equals(device);
  }

  /**
   * Whether it gives out slots.
   *
   * @return false if it was disabled or removed
   */
  public boolean isEnabled() {
    return map.isOpen();
  }

  /**
   * The number of its first slot on the drum.
   *
   * @return a slot
   */
  public int firstSlot() {
    return first;
  }

  /**
   * How large it is.
   *
   * @return slots, each for one page
   */
  public int slots() {
    return map.slots();
  }

  /**
   * How many of its slots hold pages.
   *
   * @return slots that were given out and not freed, without bad ones
   */
  public int slotsInUse() {
    return map.inUse();
  }

  /**
   * How many of its slots failed.
   *
   * @return slots that are not used any more
   */
  public int slotsBad() {
    return map.badSlots();
  }

  /**
   * How often its store was read without an error.
   *
   * @return operations, each for one or more pages
   */
  public long reads() {
    return reads.sum();
  }

  /**
   * How often its store was written without an error.
   *
   * @return operations, each for one or more pages
   */
  public long writes() {
    return writes.sum();
  }

  /**
   * How much was read from its store.
   *
   * @return bytes
   */
  public long bytesRead() {
    return bytesRead.sum();
  }

  /**
   * How much was written to its store.
   *
   * @return bytes
   */
  public long bytesWritten() {
    return bytesWritten.sum();
  }

  /**
   * How often its store failed.
   *
   * @return reads and writes that ended with an error
   */
  public long errors() {
    return errors.sum();
  }

  /**
   * The area in one line.
   *
   * @return name, priority, use and state
   */
  @Override
  public String toString() {
    return "%s: priority %d, %d slots, %d in use, %d bad%s%s"
        .formatted(
            name,
            priority,
            slots(),
            slotsInUse(),
            slotsBad(),
            isEncrypted() ? ", encrypted" : "",
            isEnabled() ? "" : ", disabled");
  }
}
