package org.juvm.swap;

import java.util.Arrays;
import java.util.BitSet;
import org.juvm.base.VmPanic;
import org.juvm.ram.LongTable;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * The slots of one swap area, numbered from zero: which are in use, and where long runs of free
 * ones are. One bit a slot, one word per 4096 slots, and one more bit a slot once some are bad.
 *
 * <p>The word of each block of 4096 slots has the lengths of three runs of free slots: the longest,
 * the one at the start and the one at the end. A search adds them up and looks at single slots only
 * in the block where it has found what it wants. Slots that are taken or freed make the word stale;
 * the next search that comes by computes it again.
 *
 * <p>Thread-safe. All is guarded by the lock, of rank {@code POOL}; the counts are written with the
 * lock held and read by anybody.
 */
final class SlotMap {
  private static final int BLOCK_SHIFT = 12;
  private static final int BLOCK_SLOTS = 1 << BLOCK_SHIFT;
  private static final int WORD_SHIFT = 6;

  // A block's word: three lengths of 16 bits each. No word of a block is STALE by itself.
  private static final long STALE = -1;
  private static final int START_SHIFT = 16;
  private static final int END_SHIFT = 32;
  private static final int LENGTH_MASK = 0xffff;

  private final RankedLock lock = new RankedLock(LockRank.POOL);
  private final int slots;

  /** A bit is set if its slot cannot be given out: in use, bad, or beyond the last one. */
  private final LongTable taken;

  /** Runs in each block, or STALE. */
  private final long[] blocks;

  /** Slots that failed. Their bits in {@link #taken} are set for good. */
  private final BitSet bad = new BitSet();

  /** Where the last run ended: the next one is first sought there. */
  private int cursor;

  /** Whether slots are given out. Written with the lock held, read by anybody. */
  private volatile boolean open = true;

  /** Whether the area is gone: it is never open again. */
  private boolean retired;

  private volatile int inUse;
  private volatile int badSlots;

  SlotMap(int slots) {
    this.slots = slots;
    int blockCount = (int) (((long) slots + BLOCK_SLOTS - 1) >>> BLOCK_SHIFT);
    taken = new LongTable((long) blockCount << (BLOCK_SHIFT - WORD_SHIFT), false);
    blocks = new long[blockCount];
    Arrays.fill(blocks, pack(BLOCK_SLOTS, BLOCK_SLOTS, BLOCK_SLOTS));
    for (long slot = slots; slot < (long) blockCount << BLOCK_SHIFT; slot++) {
      setTaken(slot);
    }
  }

  int slots() {
    return slots;
  }

  /** Slots that are in use and good. */
  int inUse() {
    return inUse;
  }

  int badSlots() {
    return badSlots;
  }

  /**
   * Takes a run of free slots: the next one that is as long as wanted, else the longest.
   *
   * @param minimum nothing shorter is taken
   * @param wanted nothing longer is taken
   * @return first slot in the upper half, number of slots in the lower; 0 if there is no such run
   */
  long allocate(int minimum, int wanted) {
    lock.lock();
    try {
      if (available() < minimum) {
        return 0;
      }
      int length = freeFrom(cursor, wanted);
      long run = length == wanted ? run(cursor, wanted) : search(wanted);
      int count = (int) run;
      if (count < minimum) {
        return 0;
      }
      int first = (int) (run >>> 32);
      for (int slot = first; slot < first + count; slot++) {
        setTaken(slot);
      }
      cursor = first + count;
      setInUse(inUse + count);
      return run;
    } finally {
      lock.unlock();
    }
  }

  /** Frees slots; bad ones stay out of use. */
  void free(int first, int count) {
    lock.lock();
    try {
      int good = 0;
      for (int slot = first; slot < first + count; slot++) {
        if (!bad.get(slot)) {
          if (!isTaken(slot)) {
            throw new VmPanic("a free swap slot was freed: slot=%d of its area".formatted(slot));
          }
          clearTaken(slot);
          good++;
        }
      }
      setInUse(inUse - good);
    } finally {
      lock.unlock();
    }
  }

  /** Takes a slot out of use for good, whether it is in use or free. */
  void markBad(int slot) {
    lock.lock();
    try {
      if (bad.get(slot)) {
        return;
      }
      bad.set(slot);
      setBadSlots(badSlots + 1);
      if (isTaken(slot)) {
        setInUse(inUse - 1);
      } else {
        setTaken(slot);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Whether one of some slots is bad. */
  boolean hasBad(int first, int count) {
    if (badSlots == 0) {
      return false;
    }
    lock.lock();
    try {
      int next = bad.nextSetBit(first);
      return next >= 0 && next < first + count;
    } finally {
      lock.unlock();
    }
  }

  /** Whether slots are given out; once this has returned, no thread gets one against it. */
  void setOpen(boolean isOpen) {
    lock.lock();
    try {
      open = isOpen && !retired;
    } finally {
      lock.unlock();
    }
  }

  /** Whether slots are given out. */
  boolean isOpen() {
    return open;
  }

  /** How many slots could be given out now. */
  int available() {
    return open ? slots - inUse - badSlots : 0;
  }

  /** Ends giving out slots for good. */
  void shut() {
    lock.lock();
    try {
      setShut();
    } finally {
      lock.unlock();
    }
  }

  /** Ends giving out slots for good, unless good ones are in use; returns whether it did. */
  boolean retire() {
    lock.lock();
    try {
      if (inUse > 0 || retired) {
        return false;
      }
      setShut();
      return true;
    } finally {
      lock.unlock();
    }
  }

  private void setShut() {
    assert lock.isHeld();
    open = false;
    retired = true;
  }

  /** The first run that is as long as wanted, from the cursor's block on; else the longest. */
  private long search(int wanted) {
    int block = Math.min(cursor >>> BLOCK_SHIFT, blocks.length - 1);
    long run = search(block, wanted);
    return (int) run == wanted || block == 0 ? run : search(0, wanted);
  }

  /** The first run from a block on that is as long as wanted, else the longest from there on. */
  private long search(int firstBlock, int wanted) {
    long longest = 0;
    // Free slots before the block that is looked at, without a gap.
    int before = 0;
    for (int block = firstBlock; block < blocks.length; block++) {
      int start = block << BLOCK_SHIFT;
      long runs = runs(block);
      int reaching = before + (int) (runs >>> START_SHIFT & LENGTH_MASK);
      if (reaching >= wanted) {
        return run(start - before, wanted);
      }
      if (reaching > (int) longest) {
        longest = run(start - before, reaching);
      }
      int inside = (int) (runs & LENGTH_MASK);
      if (inside >= wanted) {
        return run(find(start, wanted), wanted);
      }
      if (inside > (int) longest) {
        longest = run(find(start, inside), inside);
      }
      int atEnd = (int) (runs >>> END_SHIFT & LENGTH_MASK);
      before = atEnd == BLOCK_SLOTS ? before + atEnd : atEnd;
    }
    return longest;
  }

  /** The first slot of a block's first run of some length; there is one. */
  private int find(int start, int length) {
    int run = 0;
    for (int slot = start; ; slot += Long.SIZE) {
      long word = taken.get(slot >>> WORD_SHIFT);
      if (word != 0) {
        if (run + Long.numberOfTrailingZeros(word) >= length) {
          return slot - run;
        }
        long inside = length <= Long.SIZE ? runsOf(~word, length) : 0;
        if (inside != 0) {
          return slot + Long.numberOfTrailingZeros(inside);
        }
        run = Long.numberOfLeadingZeros(word);
      } else {
        if (run + Long.SIZE >= length) {
          return slot - run;
        }
        run += Long.SIZE;
      }
    }
  }

  /** The runs of a block, computed if they are not known. */
  private long runs(int block) {
    if (blocks[block] != STALE) {
      return blocks[block];
    }
    int run = 0;
    int longest = 0;
    int atStart = -1;
    long firstWord = (long) block << (BLOCK_SHIFT - WORD_SHIFT);
    for (int i = 0; i < BLOCK_SLOTS >>> WORD_SHIFT; i++) {
      long word = taken.get(firstWord + i);
      if (word == 0) {
        run += Long.SIZE;
        continue;
      }
      run += Long.numberOfTrailingZeros(word);
      if (atStart < 0) {
        atStart = run;
      }
      longest = Math.max(longest, run);
      while (longest < Long.SIZE && runsOf(~word, longest + 1) != 0) {
        longest++;
      }
      run = Long.numberOfLeadingZeros(word);
    }
    blocks[block] = pack(Math.max(longest, run), atStart < 0 ? run : atStart, run);
    return blocks[block];
  }

  private static long pack(int longest, int atStart, int atEnd) {
    return (long) atEnd << END_SHIFT | (long) atStart << START_SHIFT | longest;
  }

  /** A bit is set where a run of set bits of some length, 1 to 64, begins. */
  private static long runsOf(long bits, int length) {
    long begins = bits;
    int have = 1;
    while (have < length) {
      int step = Math.min(have, length - have);
      begins &= begins >>> step;
      have += step;
    }
    return begins;
  }

  /** How many slots are free from one on, counted up to a limit. */
  private int freeFrom(int slot, int limit) {
    int free = 0;
    while (free < limit && (long) slot + free < slots) {
      int next = slot + free;
      long word = taken.get(next >>> WORD_SHIFT) >>> next;
      if (word != 0) {
        return Math.min(limit, free + Long.numberOfTrailingZeros(word));
      }
      free += Long.SIZE - (next & (Long.SIZE - 1));
    }
    return Math.min(free, Math.min(limit, slots - slot));
  }

  private static long run(int first, int count) {
    return (long) first << 32 | count;
  }

  private boolean isTaken(long slot) {
    return (taken.get(slot >>> WORD_SHIFT) >>> slot & 1) != 0;
  }

  private void setTaken(long slot) {
    taken.set(slot >>> WORD_SHIFT, taken.get(slot >>> WORD_SHIFT) | 1L << slot);
    blocks[(int) (slot >>> BLOCK_SHIFT)] = STALE;
  }

  private void clearTaken(long slot) {
    taken.set(slot >>> WORD_SHIFT, taken.get(slot >>> WORD_SHIFT) & ~(1L << slot));
    blocks[(int) (slot >>> BLOCK_SHIFT)] = STALE;
  }

  private void setInUse(int count) {
    assert lock.isHeld();
    inUse = count;
  }

  private void setBadSlots(int count) {
    assert lock.isHeld();
    badSlots = count;
  }
}
