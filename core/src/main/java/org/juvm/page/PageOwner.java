package org.juvm.page;

import java.io.IOException;

/**
 * What pages belong to, as the page daemon and page-ins see it: anonymous memory under one lock, or
 * a memory object.
 *
 * <p>Source: the roles of {@code uvmpd_trylockowner} and of the pager operations in {@code
 * uvm_pdaemon.c}.
 */
public interface PageOwner {
  /** Takes the lock that guards its pages. */
  void lock();

  /** Releases the lock. */
  void unlock();

  /**
   * Whether a frame holds a page of this owner. The lock is held and the frame is busy, so it is
   * allocated and belongs to one owner all the time.
   *
   * @param frame a frame whose holder is this owner
   * @return false if the page is being given up
   */
  boolean owns(int frame);

  /**
   * Whether pages go to swap when they leave memory; else they go where this owner says.
   *
   * @return true for anonymous memory
   */
  boolean isAnonymous();

  /**
   * Whether pages may leave memory at all.
   *
   * @return false if they stay until they are given up
   */
  default boolean isPageable() {
    return true;
  }

  /**
   * Takes a page out of memory: its bytes are in its swap slot, or where this owner puts them. The
   * lock is held, the frame is busy and clean, no page table maps it, and {@link #owns} says true.
   * The frame belongs to nobody afterwards.
   *
   * @param frame the frame
   */
  void evict(int frame);

  /**
   * Writes pages of this owner to where they belong. Not for anonymous memory. Called without
   * locks; the frames are busy and no page table maps them, so their bytes do not change.
   *
   * @param busy the frames
   * @param count how many of them
   * @throws IOException if one could not be written; then none is known to be
   */
  void write(int[] busy, int count) throws IOException;

  /**
   * A number that tells a page from all others while it is in memory and while it is away.
   *
   * @param frame a frame with a page of this owner
   * @return its identity
   */
  long identity(int frame);
}
