package org.juvm.pmap;

import java.util.Arrays;

/**
 * The translation caches that are attached to one pmap, and the number of its pages, of which each
 * cache counts those that its owner has entered: so that entering a page writes to nothing that
 * several processors use.
 *
 * <p>Guarded by the pmap's lock.
 */
final class TlbSet {
  private static final Tlb[] NONE = {};

  /** Replaced, never changed. */
  private Tlb[] tlbs = NONE;

  /** Pages mapped, less those that attached caches have counted. */
  private long otherPages;

  /**
   * The largest number of pages, up to when it was last looked at: before each decrease and at each
   * reading. The number only grows in between, so nothing is missed.
   */
  private long peakPages;

  void add(Tlb tlb) {
    Tlb[] more = Arrays.copyOf(tlbs, tlbs.length + 1);
    more[tlbs.length] = tlb;
    tlbs = more;
  }

  /** Takes a cache out; its owner is not entering anything. */
  void remove(Tlb tlb) {
    Tlb[] fewer = tlbs.length == 1 ? NONE : new Tlb[tlbs.length - 1];
    int n = 0;
    for (Tlb other : tlbs) {
      if (other != tlb) {
        fewer[n++] = other;
      }
    }
    tlbs = fewer;
    otherPages += tlb.entered();
  }

  /** All of them. The array does not change. */
  Tlb[] tlbs() {
    return tlbs;
  }

  /** The number of pages at some moment during the call. */
  long pages() {
    long pages = otherPages;
    for (Tlb tlb : tlbs) {
      pages += tlb.entered();
    }
    return pages;
  }

  long peakPages() {
    notePeak();
    return peakPages;
  }

  /** To be called before pages go, once for any number of them. */
  void notePeak() {
    peakPages = Math.max(peakPages, pages());
  }

  /** Counts a page that came, and not by an attached processor. */
  void pageEntered() {
    otherPages++;
  }

  /** Counts a page that went. */
  void pageGone() {
    otherPages--;
  }
}
