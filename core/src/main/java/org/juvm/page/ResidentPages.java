package org.juvm.page;

import org.juvm.base.VmPanic;
import org.juvm.ram.BlockPool;
import org.juvm.ram.Native;

/**
 * The resident pages of one memory object: which frame holds the page with an index. A radix tree
 * of 64-way nodes, as deep as the highest index so far needs.
 *
 * <pre>
 * node, 264 bytes   | 0 used: a bit per slot | 8 slots: 64 ints ... |
 * </pre>
 *
 * On level 0 a slot holds one more than a frame number, above it a node of the next lower level;
 * zero is empty.
 *
 * <p>Guarded by the lock of the object. The pool has its own lock.
 */
public final class ResidentPages {
  private static final int SLOT_BITS = 6;
  private static final int SLOTS = 1 << SLOT_BITS;
  private static final int MAXIMUM_LEVELS = 7;
  private static final int SLOTS_OFFSET = 8;
  private static final int NODE_BYTES = SLOTS_OFFSET + SLOTS * Integer.BYTES;
  private static final int NODES_PER_FRAME = 8;
  private static final int MINIMUM_NODES = 1 << 16;

  /** Nodes that must be left when a page is put, for those of other threads. */
  private static final int SLACK = 256;

  /** Index of a page that no tree has. */
  public static final long MAXIMUM_PAGES = 1L << 40;

  private final BlockPool pool;
  private int root;
  private int levels;
  private long count;

  /** Receives pages. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * Called for each page.
     *
     * @param index the page's index in its object
     * @param frame the frame that holds it
     * @return true to take the page out
     */
    boolean visit(long index, int frame);
  }

  /**
   * No pages.
   *
   * @param pool where nodes come from; see {@link #newPool}
   */
  public ResidentPages(BlockPool pool) {
    this.pool = pool;
  }

  /**
   * A pool of nodes for all objects of a system.
   *
   * @param frames number of frames of the system
   * @param hugePages whether to ask the host for large pages
   * @return the pool
   */
  public static BlockPool newPool(int frames, boolean hugePages) {
    long wanted = Math.max(MINIMUM_NODES, (long) frames * NODES_PER_FRAME);
    return new BlockPool(NODE_BYTES, (int) Math.min(wanted, Integer.MAX_VALUE - 8), hugePages);
  }

  private static int index(long page, int level) {
    return (int) (page >>> (level * SLOT_BITS)) & (SLOTS - 1);
  }

  private static boolean covers(int levels, long page) {
    return levels != 0 && page >>> (levels * SLOT_BITS) == 0;
  }

  private int slot(int node, int i) {
    return Native.getInt(pool.address(node) + SLOTS_OFFSET + ((long) i << 2));
  }

  private void setSlot(int node, int i, int value) {
    long at = pool.address(node);
    Native.setInt(at + SLOTS_OFFSET + ((long) i << 2), value);
    long bit = 1L << i;
    long used = Native.getLong(at);
    Native.setLong(at, value == 0 ? used & ~bit : used | bit);
  }

  private long used(int node) {
    return Native.getLong(pool.address(node));
  }

  /**
   * How many pages there are.
   *
   * @return pages
   */
  public long count() {
    return count;
  }

  /**
   * The frame of a page.
   *
   * @param page index
   * @return frame number, or {@link FrameTable#NONE}
   */
  public int find(long page) {
    if (!covers(levels, page)) {
      return FrameTable.NONE;
    }
    int node = root;
    for (int level = levels - 1; node != 0 && level >= 0; level--) {
      node = slot(node, index(page, level));
    }
    return node - 1;
  }

  /**
   * Whether {@link #put} will find the memory that it needs.
   *
   * @return true if so
   */
  public boolean hasRoom() {
    return pool.has(SLACK + 2 * MAXIMUM_LEVELS);
  }

  /**
   * Adds a page that is not there.
   *
   * @param page index
   * @param frame its frame
   */
  public void put(long page, int frame) {
    assert page < MAXIMUM_PAGES && find(page) == FrameTable.NONE : page;
    if (root == 0) {
      levels = 0;
    }
    while (!covers(levels, page)) {
      if (root != 0) {
        int top = newNode();
        setSlot(top, 0, root);
        root = top;
      }
      levels++;
    }
    if (root == 0) {
      root = newNode();
    }
    int node = root;
    for (int level = levels - 1; level > 0; level--) {
      int i = index(page, level);
      int below = slot(node, i);
      if (below == 0) {
        below = newNode();
        setSlot(node, i, below);
      }
      node = below;
    }
    setSlot(node, index(page, 0), frame + 1);
    count++;
  }

  private int newNode() {
    int node = pool.allocate(true);
    if (node == 0) {
      throw new VmPanic("nodes of memory objects exhausted");
    }
    return node;
  }

  /**
   * Shows the pages of a range in ascending order, and takes out those that the visitor says.
   *
   * @param start first index
   * @param end the index after the last
   * @param visitor called for each; must not change this object
   */
  public void forEach(long start, long end, Visitor visitor) {
    if (root != 0 && forEachIn(root, levels - 1, 0, start, end, visitor)) {
      pool.free(root);
      root = 0;
      levels = 0;
    }
  }

  /** Returns true if the node is empty now. */
  private boolean forEachIn(
      int node, int level, long first, long start, long end, Visitor visitor) {
    long span = 1L << (level * SLOT_BITS);
    for (long rest = used(node); rest != 0; rest &= rest - 1) {
      int i = Long.numberOfTrailingZeros(rest);
      long at = first + i * span;
      if (at >= end || at + span <= start) {
        continue;
      }
      int below = slot(node, i);
      if (level == 0) {
        if (visitor.visit(at, below - 1)) {
          setSlot(node, i, 0);
          count--;
        }
      } else if (forEachIn(below, level - 1, at, start, end, visitor)) {
        pool.free(below);
        setSlot(node, i, 0);
      }
    }
    return used(node) == 0;
  }
}
