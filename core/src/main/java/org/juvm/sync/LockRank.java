package org.juvm.sync;

/**
 * The order in which locks are taken, outermost first. A thread that holds a lock takes only locks
 * of later ranks; two locks of one rank are never held together.
 *
 * <p>The one lock that is not here is the per-frame bit lock of the reverse map: it is held for a
 * few instructions, inside {@code AMAP} and perhaps {@code PMAP}, and outside {@code POOL} only.
 */
public enum LockRank {
  /** The lists of vmspaces and processors of one system. */
  SYSTEM,
  /** A map: its entries and their attributes. */
  MAP,
  /** A family of amaps that share anons: amaps, their trees, their anons and those anons' pages. */
  AMAP,
  /** A memory object: its pages and its size. */
  OBJECT,
  /** The order in which a replacement policy will take pages. */
  PAGE_QUEUE,
  /** What a page table loses, and the list of processors that use it. */
  PMAP,
  /** The table of page tables. */
  PMAP_REGISTRY,
  /** A processor's cache of free frames. */
  FRAME_CACHE,
  /** The free list of frames. */
  FREE_LIST,
  /** A stripe of an allocator of kernel memory: the magazines of a thread. */
  STRIPE,
  /** Free lists of table blocks, anons and other bookkeeping. */
  POOL
}
