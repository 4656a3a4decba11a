package org.juvm.map;

import java.util.Arrays;
import org.juvm.anon.Amap;
import org.juvm.anon.AnonTable;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;

/**
 * Copies pages ahead of any write, for operations that must not fail half-way: the frames are set
 * aside before anything changes. For one thread and one operation.
 */
final class PageCopier {
  private final Machine machine;
  private final AnonTable.Magazine magazine = new AnonTable.Magazine();
  private int[] frames = {};
  private int left;

  PageCopier(Machine machine) {
    this.machine = machine;
  }

  /**
   * Sets frames aside. Returns false if there are not so many; those that there are stay aside, so
   * that it can be tried again.
   */
  boolean reserve(int count) {
    frames = Arrays.copyOf(frames, Math.max(count, left));
    while (left < count) {
      int frame = machine.allocator().allocate(0, false, FrameAllocator.Reserve.NONE);
      if (frame == FrameTable.NONE) {
        return false;
      }
      frames[left++] = frame;
    }
    return true;
  }

  /**
   * Puts a copy of a frame into a slot of an amap that is locked. What else refers to the anon that
   * is there keeps it.
   *
   * @return the new frame, or NONE if there was no memory after all
   */
  int copy(int from, Amap amap, long slot) {
    if (!amap.hasRoom()) {
      return FrameTable.NONE;
    }
    int frame =
        left > 0
            ? frames[--left]
            : machine.allocator().allocate(0, false, FrameAllocator.Reserve.KERNEL);
    if (frame == FrameTable.NONE) {
      return frame;
    }
    int anon = machine.anons().allocate(magazine, frame, amap);
    if (anon == 0) {
      machine.allocator().free(0, frame);
      return FrameTable.NONE;
    }
    machine.ram().copy(from, frame);
    amap.put(slot, anon);
    return frame;
  }

  /** Gives back what was not used. */
  void close() {
    machine.allocator().free(0, Arrays.copyOf(frames, left), left);
    left = 0;
    machine.anons().empty(magazine);
  }
}
