package org.juvm.ram;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.TreeMap;
import org.juvm.base.PageSize;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * Frames of memory that clients own. Their numbers follow those of the frames of {@link Ram}, and
 * each has an address of its own. Thread-safe.
 *
 * <p>Source: the physical pages behind {@code cdev_mmap}, which {@code uvm_device.c} maps.
 */
public final class DeviceFrames {
  /** The most frames that clients' memory can have together. */
  static final int MAXIMUM = 1 << 24;

  private final int firstNumber;
  private final PageSize pageSize;

  /** By number: the address. Written before any page table names the frame. */
  private final LongTable addresses;

  private final RankedLock lock = new RankedLock(LockRank.POOL);

  /** By first number, so that the segments stay reachable. Guarded by lock. */
  private final TreeMap<Integer, MemorySegment> ranges = new TreeMap<>();

  DeviceFrames(int firstNumber, PageSize pageSize) {
    this.firstNumber = firstNumber;
    this.pageSize = pageSize;
    addresses = new LongTable(MAXIMUM, false);
  }

  long address(int frame) {
    return addresses.get(frame - firstNumber);
  }

  private int frames(MemorySegment segment) {
    return (int) pageSize.vpn(segment.byteSize());
  }

  /**
   * Gives numbers to the pages of a segment.
   *
   * @param segment native memory, whole pages
   * @return the number of the first page, which those of the others follow; -1 if there are no such
   *     numbers left
   */
  public int add(MemorySegment segment) {
    if (pageSize.vpn(segment.byteSize()) > MAXIMUM) {
      return -1;
    }
    lock.lock();
    try {
      int first = findRoom(frames(segment));
      if (first >= 0) {
        ranges.put(first, segment);
        for (int i = 0; i < frames(segment); i++) {
          addresses.set(first - firstNumber + i, segment.address() + pageSize.address(i));
        }
      }
      return first;
    } finally {
      lock.unlock();
    }
  }

  private int findRoom(int frames) {
    int first = firstNumber;
    for (Map.Entry<Integer, MemorySegment> range : ranges.entrySet()) {
      if (range.getKey() - first >= frames) {
        return first;
      }
      first = range.getKey() + frames(range.getValue());
    }
    return firstNumber + MAXIMUM - first >= frames ? first : -1;
  }

  /**
   * Takes numbers back. No page table names any of them, and no processor uses them.
   *
   * @param first what {@link #add} returned
   */
  public void remove(int first) {
    lock.lock();
    try {
      ranges.remove(first);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Whether the client still has the memory.
   *
   * @param first what {@link #add} returned
   * @return false if its arena was closed
   */
  public boolean isAlive(int first) {
    lock.lock();
    try {
      MemorySegment segment = ranges.get(first);
      return segment != null && segment.scope().isAlive();
    } finally {
      lock.unlock();
    }
  }
}
