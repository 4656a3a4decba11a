package org.juvm.fault;

import org.jspecify.annotations.Nullable;
import org.juvm.anon.Amap;
import org.juvm.anon.AnonTable;
import org.juvm.anon.DeadAnons;
import org.juvm.base.Access;
import org.juvm.base.VmPanic;
import org.juvm.page.FrameTable;
import org.juvm.pmap.Tlb;
import org.juvm.trace.Counters;

/**
 * A page fault of one processor: what it wants, what it works with, and what came of it. One object
 * serves all faults of its processor, so that a fault allocates nothing. For one thread.
 */
public final class Fault {
  /** Differs between processors; selects stripes of locks and caches. */
  final int processor;

  final Tlb tlb;
  final Counters counters;

  /** Free anons of this processor. */
  final AnonTable.Magazine magazine = new AnonTable.Magazine();

  /** Anons that died while this fault was handled. Empty between faults. */
  final DeadAnons dead = new DeadAnons();

  /** Address of the access. */
  long address;

  @SuppressWarnings("unused") // keeps the next object out of this one's cache lines
  private long pad0, pad1, pad2, pad3, pad4, pad5, pad6, pad7;
  @SuppressWarnings("unused")
  private long pad8, pad9, pad10, pad11, pad12, pad13, pad14, pad15;

  Access access = Access.READ;

  /** How many pages are to be wired at most, from the one that faults; 0 for none. */
  int pagesToWire;

  // Valid after RESOLVED with pages to wire: what was wired.

  @Nullable Amap amap;
  int frame = FrameTable.NONE;
  int wired;

  /**
   * A processor's fault.
   *
   * @param processor number of the processor
   * @param tlb its translation cache
   * @param counters its counters
   */
  public Fault(int processor, Tlb tlb, Counters counters) {
    this.processor = processor;
    this.tlb = tlb;
    this.counters = counters;
  }

  /**
   * Free anons that wait in this processor.
   *
   * @return the magazine
   */
  public AnonTable.Magazine magazine() {
    return magazine;
  }

  /**
   * The first frame that the last wiring fault wired.
   *
   * @return frame number
   */
  public int frame() {
    return frame;
  }

  /**
   * How many frames the last wiring fault wired; their numbers follow one another.
   *
   * @return frames
   */
  public int wired() {
    return wired;
  }

  /**
   * The amap through which the last wiring fault wired.
   *
   * @return the amap
   */
  public Amap amap() {
    Amap found = amap;
    if (found == null) {
      throw new VmPanic("the last fault wired nothing");
    }
    return found;
  }
}
