package org.juvm.anon;

import java.io.IOException;
import org.juvm.page.BusyFrames;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.page.PageOwner;
import org.juvm.swap.SwapSpace;

/**
 * Brings pages of anons back from swap, in two steps: with the amap locked a busy frame is put into
 * place, so that all others who want the page wait; then, without locks, the page is read.
 * Thread-safe, no state.
 *
 * <p>Source: {@code uvmfault_anonget}, {@code uvm_anon_pagein}.
 */
public final class AnonPageIn {
  private final FrameAllocator allocator;
  private final FrameTable frames;
  private final BusyFrames busy;
  private final AnonTable anons;
  private final SwapSpace swap;

  /**
   * Page-ins of one system.
   *
   * @param allocator where frames come from
   * @param frames their descriptors
   * @param busy those on their way in
   * @param anons whose pages
   * @param swap where they are
   */
  public AnonPageIn(
      FrameAllocator allocator,
      FrameTable frames,
      BusyFrames busy,
      AnonTable anons,
      SwapSpace swap) {
    this.allocator = allocator;
    this.frames = frames;
    this.busy = busy;
    this.anons = anons;
    this.swap = swap;
  }

  /**
   * Prepares to read a page.
   *
   * @param processor any number that differs between concurrent callers
   * @param amap an amap that has the anon, locked
   * @param anon an anon whose page is in swap
   * @return the frame to {@link #read} into, or {@link FrameTable#NONE} if none is free
   */
  public int begin(int processor, Amap amap, int anon) {
    int frame = allocator.allocateBusy(processor);
    if (frame != FrameTable.NONE) {
      anons.comesIn(anon, frame, amap);
    }
    return frame;
  }

  /**
   * Reads a page. Called without locks. If it cannot be read, its slot is bad from now on; and if
   * its anon still lives, all that is left of the page is that it is lost.
   *
   * @param processor any number that differs between concurrent callers
   * @param owner the owner of the frame, which was locked in {@link #begin}
   * @param frame what that returned
   * @param keepSlot whether the page may stay in swap, too; else its slot is free afterwards
   * @return false if the page could not be read
   */
  public boolean read(int processor, PageOwner owner, int frame, boolean keepSlot) {
    int slot = frames.slot(frame);
    try {
      swap.read(slot, frame);
    } catch (IOException e) {
      swap.markBad(slot);
      lost(processor, owner, frame, slot);
      return false;
    }
    if (keepSlot) {
      busy.endClean(processor, frame);
    } else {
      frames.setSlot(frame, 0);
      swap.free(slot);
      busy.end(processor, frame);
    }
    return true;
  }

  private void lost(int processor, PageOwner owner, int frame, int slot) {
    boolean alive;
    owner.lock();
    try {
      alive = anons.isLost(frame);
    } finally {
      owner.unlock();
    }
    if (alive) {
      swap.free(slot);
      busy.endFree(processor, frame);
    } else {
      busy.end(processor, frame);
    }
  }
}
