package org.juvm.map;

import org.juvm.base.PageSize;
import org.juvm.base.VirtualPte;
import org.juvm.object.MemoryObject;
import org.juvm.object.PageRequest;
import org.juvm.page.FrameTable;
import org.juvm.ram.Native;

/**
 * Looks where virtual page tables lead, as far as they are in memory, and leaves no mark in them:
 * for questions, not for accesses.
 */
final class PageTableLook {
  private PageTableLook() {}

  /**
   * The frame behind a page. Locked: map (in any way), object.
   *
   * @param entry an entry that has page tables
   * @param object its object
   * @param page which page of the entry
   * @return frame number, or NONE if there is none, or a table on the way is not in memory
   */
  static int frame(Machine machine, MapEntry entry, MemoryObject object, long page) {
    PageSize pageSize = machine.pageSize();
    long address = pageSize.address(entry.offset + page);
    if (address >>> VirtualPte.ADDRESS_BITS != 0) {
      return FrameTable.NONE;
    }
    long pte = entry.root;
    int level = VirtualPte.levels(pageSize);
    while ((pte & VirtualPte.VALID) != 0) {
      long behind = address & ((1L << VirtualPte.shift(level, pageSize)) - 1);
      boolean isData = level == 0 || (pte & VirtualPte.LARGE) != 0;
      long index = VirtualPte.page(pte, pageSize) + (isData ? pageSize.vpn(behind) : 0);
      int frame = residentFrame(object, index);
      if (isData || frame == FrameTable.NONE || machine.frames().isBusy(frame)) {
        return isData ? frame : FrameTable.NONE;
      }
      level--;
      long at = machine.ram().address(frame) + VirtualPte.position(address, level, pageSize);
      pte = Native.getLongAcquire(at);
    }
    return FrameTable.NONE;
  }

  private static int residentFrame(MemoryObject object, long page) {
    if (!object.contains(page)) {
      return FrameTable.NONE;
    }
    if (object.isDevice()) {
      // It never has to bring a page in, and knows whether its client still has the memory.
      PageRequest request = new PageRequest(0);
      object.get(request, page);
      return request.status() == PageRequest.Status.RESIDENT ? request.frame() : FrameTable.NONE;
    }
    return object.find(page);
  }
}
