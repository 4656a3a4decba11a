package org.juvm.fault;

import org.jspecify.annotations.Nullable;
import org.juvm.anon.Amap;
import org.juvm.anon.AnonTable;
import org.juvm.map.Machine;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;

/**
 * Makes the pages of the upper layer: copies of others, or zeros.
 *
 * <p>Source: {@code uvmfault_promote}.
 */
final class NewPages {
  /** Result of {@link #make}. */
  private static final int NO_BOOKKEEPING = -2;

  private final Machine machine;
  private final FrameAllocator allocator;
  private final AnonTable anons;

  NewPages(Machine machine) {
    this.machine = machine;
    allocator = machine.allocator();
    anons = machine.anons();
  }

  /**
   * Puts a new anon into a slot, with a copy of a frame or with zeros. Locked: map (read), amap,
   * and the object of the frame if it has one.
   *
   * @param source the frame to copy, or NONE for zeros
   * @return the new frame; less than 0 if there is none, for {@link #none}: then nothing has
   *     changed
   */
  int make(Fault fault, Amap amap, long slot, int source) {
    boolean zeroed = source == FrameTable.NONE;
    if (!amap.hasRoom()) {
      return NO_BOOKKEEPING;
    }
    int frame = allocator.allocate(fault.processor, zeroed, FrameAllocator.Reserve.NONE);
    if (frame == FrameTable.NONE) {
      return FrameTable.NONE;
    }
    int anon = anons.allocate(fault.magazine, frame, amap);
    if (anon == 0) {
      allocator.free(fault.processor, frame);
      return NO_BOOKKEEPING;
    }
    if (!zeroed) {
      machine.ram().copy(source, frame);
      if (amap.isShared()) {
        // The other maps that share the amap must see the new page, too.
        machine.pmaps().removeFrame(source);
      }
    }
    amap.put(slot, anon);
    return frame;
  }

  /**
   * What it means that there is no new page.
   *
   * @param why NONE if no frame is free, or the result of {@link #make}
   * @return null if the obstacle says how to go on
   */
  static @Nullable FaultOutcome none(Fault fault, int why) {
    if (why == NO_BOOKKEEPING) {
      return FaultOutcome.OUT_OF_MEMORY;
    }
    fault.obstacle = Fault.Obstacle.NO_FRAME;
    fault.depth = FrameAllocator.Reserve.NONE;
    return null;
  }
}
