package org.juvm.base;

/** How memory of the kernel is to be allocated. ({@code UVM_KMF_*} of {@code uvm_km.c}) */
public enum KernelFlag {
  /** Wired memory is to hold zeros. Memory that is made on demand always does. */
  ZERO,
  /** Wired memory is to lie in frames that follow one another. Such memory always holds zeros. */
  CONTIGUOUS,
  /** Fail rather than wait for memory. What was allocated until then is given back. */
  NO_WAIT,
  /**
   * Fail rather than wait for another thread that changes the same map, when addresses are found.
   */
  TRY_LOCK,
  /** Wait for addresses if there are not enough; but not if there never can be. */
  WAIT_FOR_SPACE
}
