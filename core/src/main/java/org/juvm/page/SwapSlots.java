package org.juvm.page;

/** Takes swap slots back from pages that are gone. */
@FunctionalInterface
public interface SwapSlots {
  /**
   * Frees a slot. Locks of ranks before POOL may be held.
   *
   * @param slot a slot, not 0
   */
  void free(int slot);
}
