package org.juvm.pmap;

import org.juvm.ram.Native;

/**
 * What is done in one pmap to mappings that were found by their frames: by the page daemon, by
 * loans, and when pages are written to where they belong. The frames come from the reverse map, and
 * a mapping may have gone since; each is looked at again under the pmap's lock.
 *
 * <p>Thread-safe. Source: {@code pmap_page_protect}, {@code pmap_clear_reference}, {@code
 * pmap_is_modified}.
 */
final class FrameMappings {
  private final Pmap pmap;

  FrameMappings(Pmap pmap) {
    this.pmap = pmap;
  }

  /**
   * Removes mappings of frames that are busy, with one shootdown for all.
   *
   * @param mappings sorted by page
   * @param start the first of this pmap
   * @param end the one after the last
   */
  void removeAllMapped(Pmaps.Scratch mappings, int start, int end) {
    pmap.lock.lock();
    try {
      pmap.attached.notePeak();
      boolean any = false;
      boolean stores = false;
      for (int i = start; i < end; i++) {
        long at = entryOf(ReverseMap.vpn(mappings.mapping(i)), mappings.frame(i));
        if (at != 0) {
          long entry = Native.getLong(at);
          while (!Native.compareAndSetLong(at, entry, entry & ~Pte.RIGHTS)) {
            entry = Native.getLong(at);
          }
          any = true;
          stores |= (entry & Pte.WRITE) != 0;
        }
      }
      if (!any) {
        return;
      }
      pmap.revokePages(mappings, start, end, stores);
      for (int i = start; i < end; i++) {
        long vpn = ReverseMap.vpn(mappings.mapping(i));
        long at = entryOf(vpn, mappings.frame(i));
        if (at != 0) {
          pmap.forget(vpn, at, Native.getLong(at));
        }
      }
    } finally {
      pmap.lock.unlock();
    }
  }

  /**
   * Takes the right to write from mappings of frames, with one shootdown for all.
   *
   * @param mappings sorted by page
   * @param start the first of this pmap
   * @param end the one after the last
   */
  void protectAllMapped(Pmaps.Scratch mappings, int start, int end) {
    pmap.lock.lock();
    try {
      boolean any = false;
      for (int i = start; i < end; i++) {
        long at = entryOf(ReverseMap.vpn(mappings.mapping(i)), mappings.frame(i));
        any |= at != 0 && Pmap.protect(at, Native.getLong(at));
      }
      if (any) {
        long first = ReverseMap.vpn(mappings.mapping(start));
        pmap.revoke(first, ReverseMap.vpn(mappings.mapping(end - 1)) + 1, true, true);
      }
    } finally {
      pmap.lock.unlock();
    }
  }

  /** Where the entry of a page is if it is one of a frame, else 0. Caller holds the pmap.lock. */
  private long entryOf(long vpn, int frame) {
    long at = pmap.tables.find(vpn) & ~Pte.WRITE_PROTECT;
    long pte = at == 0 ? 0 : Native.getLongAcquire(at);
    return pte != 0 && Pte.frame(pte) == frame ? at : 0;
  }

  /** Forgets that a page was used through this pmap; says whether it was. */
  boolean clearReferenced(long vpn, int frame) {
    pmap.lock.lock();
    try {
      long at = entryOf(vpn, frame);
      if (at == 0) {
        return false;
      }
      long entry = Native.getLong(at);
      while ((entry & Pte.REFERENCED) != 0
          && !Native.compareAndSetLong(at, entry, entry & ~Pte.REFERENCED)) {
        entry = Native.getLong(at);
      }
      for (Tlb tlb : pmap.attached.tlbs()) {
        tlb.invalidate(vpn, vpn + 1, false);
      }
      return (entry & Pte.REFERENCED) != 0;
    } finally {
      pmap.lock.unlock();
    }
  }

  /** Whether a page was used through this pmap. */
  boolean isReferenced(long vpn, int frame) {
    pmap.lock.lock();
    try {
      long at = entryOf(vpn, frame);
      return at != 0 && (Native.getLong(at) & Pte.REFERENCED) != 0;
    } finally {
      pmap.lock.unlock();
    }
  }

  /** Whether a page was modified through this pmap since it was entered. */
  boolean isModified(long vpn, int frame) {
    pmap.lock.lock();
    try {
      long at = entryOf(vpn, frame);
      return at != 0 && (Native.getLong(at) & Pte.MODIFIED) != 0;
    } finally {
      pmap.lock.unlock();
    }
  }
}
