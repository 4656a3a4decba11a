package org.juvm.pageout;

import org.juvm.ram.IntTable;

/** Which pages were offered in the scan that is going on and could not be taken. */
final class KeptPages {
  /** Per frame: the scan in which its page was last kept, or 0. Guard: the policy's lock. */
  private final IntTable lastKept;

  /** Number of the current scan. Guard: the policy's lock. */
  private int scan = 1;

  KeptPages(int frames) {
    lastKept = new IntTable(frames, false);
  }

  void beginScan() {
    scan++;
  }

  void keep(int frame) {
    lastKept.set(frame, scan);
  }

  /** Another page may be in the frame. */
  void forget(int frame) {
    lastKept.set(frame, 0);
  }

  boolean isKept(int frame) {
    return lastKept.get(frame) == scan;
  }
}
