package org.juvm.ram;

import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * An allocator of equal blocks of native memory, numbered from one; zero is no block. Blocks that
 * were never used cost no memory. Thread-safe.
 */
public final class BlockPool {
  /** Keeps the addresses valid. */
  @SuppressWarnings("UnusedVariable") // being reachable is its use
  private final Reservation reservation;

  private final long base;
  private final int blockBytes;
  private final int capacity;

  private final RankedLock lock = new RankedLock(LockRank.POOL);

  /** Blocks that were used and freed; each holds the number of the next. Guarded by lock. */
  private int firstFree;

  /** Blocks from this number on were never used and are zero. Guarded by lock. */
  private int firstVirgin = 1;

  /** Blocks handed out. Written with the lock held; anybody reads it. */
  private volatile int inUse;

  /**
   * A pool with all blocks free.
   *
   * @param blockBytes size of a block, a multiple of 8
   * @param capacity number of blocks
   * @param hugePages whether to ask the host for large pages
   */
  public BlockPool(int blockBytes, int capacity, boolean hugePages) {
    this.blockBytes = blockBytes;
    this.capacity = capacity;
    reservation = Reservation.of((long) blockBytes * (capacity + 1L), hugePages);
    base = reservation.address();
  }

  /**
   * Hands out a block.
   *
   * @param zeroed true if it must hold zeros; else its bytes are undefined
   * @return its number, or 0 if none is left
   */
  public int allocate(boolean zeroed) {
    int block;
    lock.lock();
    try {
      block = firstFree;
      if (block == 0) {
        if (firstVirgin > capacity) {
          return 0;
        }
        setInUse(inUse + 1);
        return firstVirgin++;
      }
      firstFree = Native.getInt(address(block));
      setInUse(inUse + 1);
    } finally {
      lock.unlock();
    }
    if (zeroed) {
      Native.zero(address(block), blockBytes);
    }
    return block;
  }

  /**
   * Takes a block back.
   *
   * @param block its number; nobody uses it any more
   */
  public void free(int block) {
    lock.lock();
    try {
      Native.setInt(address(block), firstFree);
      firstFree = block;
      setInUse(inUse - 1);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Where a block is.
   *
   * @param block its number
   * @return absolute address
   */
  public long address(int block) {
    assert block > 0 && block <= capacity : block;
    return base + (long) block * blockBytes;
  }

  /**
   * The block at an address.
   *
   * @param address absolute address of the block's first byte
   * @return its number
   */
  public int block(long address) {
    return (int) ((address - base) / blockBytes);
  }

  /**
   * The number of blocks handed out.
   *
   * @return blocks
   */
  public int inUse() {
    return inUse;
  }

  private void setInUse(int blocks) {
    assert lock.isHeld();
    inUse = blocks;
  }

  /**
   * Whether so many blocks can be handed out now.
   *
   * @param blocks how many
   * @return true if they are there; another thread may take them
   */
  public boolean has(int blocks) {
    return capacity - inUse >= blocks;
  }
}
