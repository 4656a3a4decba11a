package org.juvm.page;

import org.juvm.base.VmPanic;
import org.juvm.ram.BlockPool;
import org.juvm.ram.Native;

/**
 * Where the pages of one memory object are: in which frame, or in which swap slot. A radix tree of
 * 64-way nodes, as deep as the highest index so far needs.
 *
 * <pre>
 * node, 264 bytes   | 0 used: a bit per slot | 8 slots: 64 ints ... |
 * </pre>
 *
 * On level 0 a slot holds a place: one more than a frame number, or a swap slot with its sign
 * changed; above it a node of the next lower level. Zero is empty.
 *
 * <p>One tree for both takes the place of the BSDs' tree of pages with an array, or a hash of
 * clusters, of swap slots beside it: a page that is swapped out costs what a resident one does, and
 * there is nothing to convert when an object grows or shrinks.
 *
 * <p>Guarded by the lock of the object. The pool has its own lock.
 */
public final class ObjectPages {
  private static final int SLOT_BITS = 6;
  private static final int SLOTS = 1 << SLOT_BITS;
  private static final int MAXIMUM_LEVELS = 7;
  private static final int SLOTS_OFFSET = 8;
  private static final int NODE_BYTES = SLOTS_OFFSET + SLOTS * Integer.BYTES;
  private static final int NODES_PER_FRAME = 8;
  private static final int MINIMUM_NODES = 1 << 20;

  /** Nodes that must be left when a page is put, for those of other threads. */
  private static final int SLACK = 256;

  /** Index of a page that no tree has. */
  public static final long MAXIMUM_PAGES = 1L << 40;

  private final BlockPool pool;
  private int root;
  private int levels;
  private long resident;
  private long swapped;

  /** Place of a page that is lost: its swap slot could not be read. */
  public static final int LOST = Integer.MIN_VALUE;

  /** Place of a page that is not there. */
  public static final int ABSENT = 0;

  /** Receives pages. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * Called for each page.
     *
     * @param index the page's index in its object
     * @param place where it is
     * @return true to take the page out
     */
    boolean visit(long index, int place);
  }

  /**
   * No pages.
   *
   * @param pool where nodes come from; see {@link #newPool}
   */
  public ObjectPages(BlockPool pool) {
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
   * The place that is a frame.
   *
   * @param frame frame number
   * @return place
   */
  public static int inFrame(int frame) {
    return frame + 1;
  }

  /**
   * The place that is a swap slot.
   *
   * @param slot slot, greater than 0
   * @return place
   */
  public static int inSlot(int slot) {
    return -slot;
  }

  /**
   * Whether a place is a frame.
   *
   * @param place where a page is
   * @return true if {@link #frame} says which
   */
  public static boolean isFrame(int place) {
    return place > 0;
  }

  /**
   * The frame that a place is.
   *
   * @param place a place
   * @return frame number, or {@link FrameTable#NONE} if it is none
   */
  public static int frame(int place) {
    return place > 0 ? place - 1 : FrameTable.NONE;
  }

  /**
   * The swap slot that a place is.
   *
   * @param place a place
   * @return slot, or 0 if it is none
   */
  public static int slotOf(int place) {
    return place < 0 && place != LOST ? -place : 0;
  }

  /**
   * A bound of the indexes of pages that there are.
   *
   * @return greater than every index
   */
  public long limit() {
    return root == 0 ? 0 : 1L << (levels * SLOT_BITS);
  }

  /**
   * How many pages are resident.
   *
   * @return pages
   */
  public long resident() {
    return resident;
  }

  /**
   * How many pages are in swap, or lost.
   *
   * @return pages
   */
  public long swapped() {
    return swapped;
  }

  /**
   * Where a page is.
   *
   * @param page index
   * @return its place, or ABSENT
   */
  public int find(long page) {
    if (!covers(levels, page)) {
      return ABSENT;
    }
    int node = root;
    for (int level = levels - 1; node != 0 && level >= 0; level--) {
      node = slot(node, index(page, level));
    }
    return node;
  }

  /**
   * The first page from an index on, wherever it is.
   *
   * @param page index
   * @return its index, or -1 if there is none
   */
  public long firstFrom(long page) {
    return root == 0 ? -1 : firstIn(root, levels - 1, 0, page);
  }

  private long firstIn(int node, int level, long first, long from) {
    long span = 1L << (level * SLOT_BITS);
    for (long rest = used(node); rest != 0; rest &= rest - 1) {
      int i = Long.numberOfTrailingZeros(rest);
      long at = first + i * span;
      if (at + span > from) {
        long found = level == 0 ? at : firstIn(slot(node, i), level - 1, at, from);
        if (found >= 0) {
          return found;
        }
      }
    }
    return -1;
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
   * Adds a page that is not there, or says where one that is there is now. Only adding takes
   * memory.
   *
   * @param page index
   * @param place where it is, not ABSENT
   */
  public void put(long page, int place) {
    assert page < MAXIMUM_PAGES && place != ABSENT : page;
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
    count(slot(node, index(page, 0)), -1);
    setSlot(node, index(page, 0), place);
    count(place, 1);
  }

  private void count(int place, int pages) {
    if (place > 0) {
      resident += pages;
    } else if (place < 0) {
      swapped += pages;
    }
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
        if (visitor.visit(at, below)) {
          setSlot(node, i, ABSENT);
          count(below, -1);
        }
      } else if (forEachIn(below, level - 1, at, start, end, visitor)) {
        pool.free(below);
        setSlot(node, i, 0);
      }
    }
    return used(node) == 0;
  }
}
