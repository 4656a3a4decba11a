package org.juvm.posix;

import org.juvm.base.Protection;

/** What the PROT bits of a call mean. */
final class Rights {
  private Rights() {}

  /**
   * The protection with at least the rights of these bits; other bits say nothing. Stores and
   * instruction fetches imply loads, as on every machine whose page tables are imitated.
   */
  static Protection of(int prot) {
    boolean write = (prot & Mman.PROT_WRITE) != 0;
    boolean execute = (prot & Mman.PROT_EXEC) != 0;
    if (write) {
      return execute ? Protection.READ_WRITE_EXECUTE : Protection.READ_WRITE;
    }
    if (execute) {
      return Protection.READ_EXECUTE;
    }
    return (prot & Mman.PROT_READ) != 0 ? Protection.READ : Protection.NONE;
  }
}
