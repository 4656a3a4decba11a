package org.juvm.page;

/**
 * Makes memory free when there is too little; the page daemon registers itself as one.
 *
 * <p>Source: {@code uvm_kick_pdaemon}, {@code uvm_wait} and {@code uvm_reclaimable}.
 */
public interface Reclaimer {
  /** Nothing can be reclaimed. */
  Reclaimer NONE =
      new Reclaimer() {
        @Override
        public boolean isAble() {
          return false;
        }

        @Override
        public void kick() {}

        @Override
        public boolean await(FrameAllocator.Reserve depth) {
          return false;
        }

        @Override
        public void freed() {}
      };

  /**
   * Whether pages can leave memory at all.
   *
   * @return true if there is a place that some could go to
   */
  boolean isAble();

  /** Says that free memory is running low. Any lock may be held; returns at once. */
  void kick();

  /**
   * Waits until there is free memory. Called without locks, when an allocation has failed.
   *
   * @param depth how deep the allocation could go
   * @return true if the caller should try again; false if no memory can be made free: everything is
   *     wired, or swap is full
   */
  boolean await(FrameAllocator.Reserve depth);

  /** Says that somebody has given memory up. Any lock may be held; returns at once. */
  void freed();
}
