package org.juvm.pmap;

import org.juvm.base.VmPanic;
import org.juvm.ram.IntTable;
import org.juvm.ram.LongTable;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * For each frame, the page table entries that map it.
 *
 * <p>The first mapping of a frame stands in the frame's own word; further ones are records in a
 * doubly linked list. A page table entry remembers the number of its record, or zero if it is the
 * one in the frame's word, so that removal takes constant time however many mappings there are.
 *
 * <pre>
 * mapping   | 63 lock | 62..40 pmap number | 39..0 virtual page number |      0: none
 * </pre>
 *
 * The lock bit of the frame's word guards that word and the frame's list. It is held for a few
 * instructions; of other locks only that of the pool of records is taken inside.
 */
final class ReverseMap {
  /** No record could be had. */
  static final int FULL = -1;

  private static final long LOCK = 1L << 63;
  private static final int PMAP_SHIFT = 40;
  private static final long VPN_MASK = (1L << PMAP_SHIFT) - 1;

  /** One more than the largest pmap number that fits. */
  static final int PMAP_LIMIT = 1 << 23;

  private static final int MAXIMUM_RECORDS = Pte.LIMIT - 1;
  private static final int MINIMUM_RECORDS = 1 << 20;
  private static final int RECORDS_PER_FRAME = 32;

  /** Per frame: its first mapping and the lock bit. */
  private final LongTable first;

  /** Per frame: its first record, or 0. Guarded by the frame's lock bit. */
  private final IntTable head;

  // Records, numbered from one. Guarded by the lock bit of the frame that they belong to.
  private final LongTable mapping;
  private final IntTable next;
  private final IntTable previous;

  private final RankedLock poolLock = new RankedLock(LockRank.POOL);

  /** First free record; they are linked by next. Guarded by poolLock. */
  private int firstFree;

  /** Records from this number on were never used. Guarded by poolLock. */
  private int firstVirgin = 1;

  private final int records;

  ReverseMap(int numbers, int frames, boolean hugePages) {
    records =
        (int)
            Math.min(MAXIMUM_RECORDS, Math.max(MINIMUM_RECORDS, (long) frames * RECORDS_PER_FRAME));
    first = new LongTable(numbers, hugePages);
    head = new IntTable(numbers, hugePages);
    mapping = new LongTable(records + 1L, hugePages);
    next = new IntTable(records + 1L, hugePages);
    previous = new IntTable(records + 1L, hugePages);
  }

  static long mapping(int pmap, long vpn) {
    return (long) pmap << PMAP_SHIFT | vpn;
  }

  static int pmap(long mapping) {
    return (int) (mapping >>> PMAP_SHIFT);
  }

  static long vpn(long mapping) {
    return mapping & VPN_MASK;
  }

  /**
   * Adds a mapping. The caller holds the lock of the frame's owner, so nobody else adds one. Where
   * there is none the bit lock is not taken; somebody who looks at the frame without its owner's
   * lock may hold it, which the compare-and-set finds.
   *
   * @return the number for the page table entry, or FULL
   */
  int add(int frame, long added) {
    if (head.get(frame) == 0 && first.compareAndSet(frame, 0, added)) {
      return 0;
    }
    long word = lock(frame);
    if (word == 0) {
      first.setRelease(frame, added);
      return 0;
    }
    int record = allocate();
    if (record != 0) {
      mapping.set(record, added);
      int second = head.get(frame);
      next.set(record, second);
      previous.set(record, 0);
      if (second != 0) {
        previous.set(second, record);
      }
      head.set(frame, record);
    }
    first.setRelease(frame, word);
    return record == 0 ? FULL : record;
  }

  /** Removes the mapping that has this number. */
  void remove(int frame, int record, long removed) {
    long word = lock(frame);
    if (record == 0) {
      if (word != removed) {
        throw new VmPanic(
            "reverse map: frame=" + frame + " has " + word + " instead of " + removed);
      }
      first.setRelease(frame, 0);
      return;
    }
    assert mapping.get(record) == removed : record;
    int after = next.get(record);
    int before = previous.get(record);
    if (after != 0) {
      previous.set(after, before);
    }
    if (before != 0) {
      next.set(before, after);
    } else {
      head.set(frame, after);
    }
    first.setRelease(frame, word);
    release(record);
  }

  /** Some mapping of the frame, or 0 if there is none. */
  long any(int frame) {
    long word = lock(frame);
    int record = head.get(frame);
    long found = word != 0 || record == 0 ? word : mapping.get(record);
    first.setRelease(frame, word);
    return found;
  }

  /** Adds all mappings of a frame to a list; of those that go meanwhile, perhaps not all. */
  void collect(int frame, Pmaps.Scratch into) {
    long word = first.getAcquire(frame);
    // A mapping never changes between word and list, so the lock is needed for the list only.
    if (word >= 0 && head.get(frame) == 0) {
      if (word != 0) {
        into.add(word, frame);
      }
      return;
    }
    word = lock(frame);
    if (word != 0) {
      into.add(word, frame);
    }
    for (int record = head.get(frame); record != 0; record = next.get(record)) {
      into.add(mapping.get(record), frame);
    }
    first.setRelease(frame, word);
  }

  /** The number of mappings of a frame. Walks the list. */
  int count(int frame) {
    long word = lock(frame);
    int count = word == 0 ? 0 : 1;
    for (int record = head.get(frame); record != 0; record = next.get(record)) {
      count++;
    }
    first.setRelease(frame, word);
    return count;
  }

  private long lock(int frame) {
    while (true) {
      long word = first.getAcquire(frame);
      if (word >= 0 && first.compareAndSet(frame, word, word | LOCK)) {
        return word;
      }
      Thread.onSpinWait();
    }
  }

  private int allocate() {
    poolLock.lock();
    try {
      int record = firstFree;
      if (record != 0) {
        firstFree = next.get(record);
      } else if (firstVirgin <= records) {
        record = firstVirgin++;
      }
      return record;
    } finally {
      poolLock.unlock();
    }
  }

  private void release(int record) {
    poolLock.lock();
    try {
      next.set(record, firstFree);
      firstFree = record;
    } finally {
      poolLock.unlock();
    }
  }
}
