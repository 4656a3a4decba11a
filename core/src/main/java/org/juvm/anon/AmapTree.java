package org.juvm.anon;

import org.juvm.base.VmPanic;
import org.juvm.ram.BlockPool;
import org.juvm.ram.IntTable;
import org.juvm.ram.Native;

/**
 * The nodes of all amaps' trees: 64 slots each, shared between trees and counted.
 *
 * <pre>
 * node, 320 bytes   | 0 used: a bit per slot | 8 slots: 64 ints ... | 264 nothing |
 * references        an int per node, in a table of its own, so that the copy of an inner node,
 *                   which counts up all its children, finds the counts close together
 * </pre>
 *
 * The length is one of whole cache lines, since a node's neighbours may belong to other threads.
 *
 * <p>On level 0 a slot holds an anon, above it a node of the next lower level; zero is empty. A
 * reference from a node counts once, however many trees contain that node. A tree is given by its
 * root and its number of levels; zero is the empty tree.
 *
 * <p>Guard: nodes by the lock of the amaps whose trees contain them. The pool has its own lock.
 */
public final class AmapTree {
  static final int SLOT_BITS = 6;
  static final int SLOTS = 1 << SLOT_BITS;

  /** Trees of so many levels hold {@link #MAXIMUM_SLOTS}, wherever the first of them is. */
  static final int MAXIMUM_LEVELS = 7;

  /** No amap has more slots: several times the pages of an address space. */
  static final long MAXIMUM_SLOTS = 1L << 40;

  private static final int SLOTS_OFFSET = 8;
  private static final int NODE_BYTES = 320;
  private static final int MINIMUM_NODES = 1 << 22;
  private static final int NODES_PER_FRAME = 8;

  /** Nodes that must be left when an operation starts, for those of other threads. */
  private static final int SLACK = 1024;

  /** Bounds the time that a lock is held to take dead nodes apart: no more anons than a list. */
  private static final int RECLAIMED_AT_ONCE = DeadAnons.MANY / SLOTS;

  private final BlockPool pool;
  private final IntTable references;
  private final AnonTable anons;

  /**
   * No nodes yet.
   *
   * @param anons the anons that slots hold
   * @param frames number of frames of the system
   * @param hugePages whether to ask the host for large pages
   */
  public AmapTree(AnonTable anons, int frames, boolean hugePages) {
    this(
        anons,
        hugePages,
        (int)
            Math.min(
                Math.max(MINIMUM_NODES, (long) frames * NODES_PER_FRAME), Integer.MAX_VALUE - 8));
  }

  /** A pool of so many nodes, {@link #SLACK} of them for the last need. */
  AmapTree(AnonTable anons, boolean hugePages, int nodes) {
    this.anons = anons;
    pool = new BlockPool(NODE_BYTES, nodes, hugePages);
    references = new IntTable(nodes + 1L, hugePages);
  }

  AnonTable anons() {
    return anons;
  }

  // ---- one node ----

  private long used(int node) {
    return Native.getLong(pool.address(node));
  }

  private void setUsed(int node, long used) {
    Native.setLong(pool.address(node), used);
  }

  private int references(int node) {
    return references.get(node);
  }

  private void setReferences(int node, int count) {
    references.set(node, count);
  }

  private int slot(int node, int i) {
    return Native.getInt(pool.address(node) + SLOTS_OFFSET + ((long) i << 2));
  }

  private void setSlot(int node, int i, int value) {
    Native.setInt(pool.address(node) + SLOTS_OFFSET + ((long) i << 2), value);
    long bit = 1L << i;
    setUsed(node, value == 0 ? used(node) & ~bit : used(node) | bit);
  }

  private static int index(long slot, int level) {
    return (int) (slot >>> (level * SLOT_BITS)) & (SLOTS - 1);
  }

  /** Number of slots below one slot of a node on this level. */
  static long span(int level) {
    return 1L << (level * SLOT_BITS);
  }

  /** Whether a tree of so many levels has room for a slot. */
  static boolean covers(int levels, long slot) {
    return levels != 0 && slot >>> (levels * SLOT_BITS) == 0;
  }

  private int newNode(boolean zeroed) {
    int node = pool.allocate(zeroed);
    if (node == 0) {
      // Callers make sure by hasRoom that this cannot be.
      throw new VmPanic("amap nodes exhausted");
    }
    setReferences(node, 1);
    return node;
  }

  /**
   * Whether enough nodes are left for an operation that copies so many paths of trees. Asked before
   * an operation changes anything, so that it cannot fail half-way; other threads may ask at the
   * same time, which the slack is for.
   *
   * @param paths number of paths
   * @return true if so
   */
  public boolean hasRoom(int paths) {
    return pool.has(SLACK + paths * 2 * MAXIMUM_LEVELS);
  }

  /** Whether nodes are left for what gives memory back and does not ask for room. */
  boolean hasReserve() {
    return pool.has(SLACK / 2);
  }

  // ---- a tree ----

  /** The anon in a slot, or 0. */
  int find(int root, int levels, long slot) {
    if (!covers(levels, slot)) {
      return 0;
    }
    int node = root;
    for (int level = levels - 1; node != 0 && level >= 0; level--) {
      node = slot(node, index(slot, level));
    }
    return node;
  }

  /** Whether no other tree contains any node on the path to a slot. */
  boolean isPathExclusive(int root, int levels, long slot) {
    int node = root;
    for (int level = levels - 1; node != 0 && level >= 0; level--) {
      if (references(node) != 1) {
        return false;
      }
      node = slot(node, index(slot, level));
    }
    return true;
  }

  /** The number of levels, no less than given, of a tree that covers a slot. */
  static int levelsFor(long slot, int levels) {
    int needed = levels;
    while (!covers(needed, slot)) {
      needed++;
    }
    return needed;
  }

  /**
   * Makes a tree a part of a higher one. Its nodes stay as they are, so other trees may have them.
   *
   * @param at the number that its slot 0 gets; a multiple of the slots that it covers
   * @return the new root, to which the caller's reference passes
   */
  int raise(int root, int levels, int newLevels, long at) {
    int top = root;
    for (int level = levels; top != 0 && level < newLevels; level++) {
      int node = newNode(true);
      setSlot(node, index(at, level), top);
      top = node;
    }
    return top;
  }

  /**
   * Puts an anon into a slot, copying the nodes on the path that other trees contain too. The
   * reference that the caller has to the anon passes to the slot; an anon that was there loses one,
   * and keeps at least one.
   *
   * @return the root of the tree, which may be new
   */
  int put(int root, int levels, long slot, int anon) {
    assert covers(levels, slot);
    int top = own(root, levels - 1);
    int node = top;
    for (int level = levels - 1; level > 0; level--) {
      int i = index(slot, level);
      int child = slot(node, i);
      int below = own(child, level - 1);
      if (below != child) {
        setSlot(node, i, below);
      }
      node = below;
    }
    int i = index(slot, 0);
    int old = slot(node, i);
    if (old != 0) {
      anons.replaced(old);
    }
    setSlot(node, i, anon);
    return top;
  }

  /** A node that only the caller refers to, with the same contents: itself, or a copy. */
  private int own(int node, int level) {
    if (node == 0) {
      return newNode(true);
    }
    int count = references(node);
    if (count == 1) {
      return node;
    }
    int copy = newNode(false);
    Native.copy(
        pool.address(node) + SLOTS_OFFSET,
        pool.address(copy) + SLOTS_OFFSET,
        (long) SLOTS * Integer.BYTES);
    long used = used(node);
    setUsed(copy, used);
    setReferences(node, count - 1);
    for (long rest = used; rest != 0; rest &= rest - 1) {
      reference(slot(node, Long.numberOfTrailingZeros(rest)), level);
    }
    return copy;
  }

  private void reference(int child, int level) {
    if (level == 0) {
      anons.reference(child);
    } else {
      setReferences(child, references(child) + 1);
    }
  }

  /**
   * Makes a tree of the slots from start to end of another one, with the same numbers. Subtrees
   * without used slots outside the range are shared, not copied.
   *
   * @return its root, for the same number of levels; 0 if there is nothing in the range
   */
  int share(int root, int levels, long start, long end) {
    return root == 0 ? 0 : share(root, levels - 1, 0, start, end);
  }

  private int share(int node, int level, long first, long start, long end) {
    if (isWithin(node, level, first, start, end)) {
      setReferences(node, references(node) + 1);
      return node;
    }
    long span = span(level);
    int copy = 0;
    for (long rest = used(node); rest != 0; rest &= rest - 1) {
      int i = Long.numberOfTrailingZeros(rest);
      long at = first + i * span;
      if (at >= end || at + span <= start) {
        continue;
      }
      int child = slot(node, i);
      int shared = child;
      if (level == 0) {
        anons.reference(child);
      } else {
        shared = share(child, level - 1, at, start, end);
      }
      if (shared != 0) {
        copy = copy == 0 ? newNode(true) : copy;
        setSlot(copy, i, shared);
      }
    }
    return copy;
  }

  /** Whether all used slots below a node are in a range. */
  private boolean isWithin(int node, int level, long first, long start, long end) {
    if (start <= first && first + span(level + 1) <= end) {
      return true;
    }
    long lowest = first;
    long highest = first;
    int low = node;
    int high = node;
    for (int l = level; l >= 0; l--) {
      int i = Long.numberOfTrailingZeros(used(low));
      lowest += i * span(l);
      low = slot(low, i);
      int j = 63 - Long.numberOfLeadingZeros(used(high));
      highest += j * span(l);
      high = slot(high, j);
    }
    return lowest >= start && highest < end;
  }

  /**
   * Empties the slots from start to end. Shared nodes with used slots inside and outside the range
   * are copied first.
   *
   * @param dead receives anons and nodes that are not referenced any more; see {@link #reclaim}
   * @return the root, which may be new, or 0 if the tree is empty
   */
  int clear(int root, int levels, long start, long end, DeadAnons dead) {
    return root == 0 ? 0 : clear(root, levels - 1, 0, start, end, dead);
  }

  private int clear(int node, int level, long first, long start, long end, DeadAnons dead) {
    if (isWithin(node, level, first, start, end)) {
      release(node, level, dead);
      return 0;
    }
    if (!hasAnyIn(node, level, first, start, end)) {
      return node;
    }
    long span = span(level);
    int mine = own(node, level);
    for (long rest = used(mine); rest != 0; rest &= rest - 1) {
      int i = Long.numberOfTrailingZeros(rest);
      long at = first + i * span;
      if (at >= end || at + span <= start) {
        continue;
      }
      int child = slot(mine, i);
      if (level == 0) {
        anons.dereference(child, dead);
        setSlot(mine, i, 0);
      } else {
        setSlot(mine, i, clear(child, level - 1, at, start, end, dead));
      }
    }
    if (used(mine) == 0) {
      pool.free(mine);
      return 0;
    }
    return mine;
  }

  private boolean hasAnyIn(int node, int level, long first, long start, long end) {
    long span = span(level);
    for (long rest = used(node); rest != 0; rest &= rest - 1) {
      int i = Long.numberOfTrailingZeros(rest);
      long at = first + i * span;
      if (at >= end || at + span <= start) {
        continue;
      }
      if ((at >= start && at + span <= end) || hasAnyIn(slot(node, i), level - 1, at, start, end)) {
        return true;
      }
    }
    return false;
  }

  /** Drops one reference to a node. What is below is released later, by {@link #reclaim}. */
  private void release(int node, int level, DeadAnons dead) {
    int left = references(node) - 1;
    if (left < 0) {
      throw new VmPanic("amap node freed twice: node=" + node);
    }
    setReferences(node, left);
    if (left == 0) {
      dead.addNode(node, level);
    }
  }

  /** Drops a whole tree. */
  void drop(int root, int levels, DeadAnons dead) {
    if (root != 0) {
      release(root, levels - 1, dead);
    }
  }

  /**
   * Takes dead nodes apart, a bounded number of them. Until then they count as references to what
   * is below them, so that writers make copies they might have done without, and nothing else is
   * different for anybody. The lock that guarded the tree is held; it may be released between
   * calls.
   *
   * @param dead the nodes; receives anons that are not referenced any more
   * @return true if there are more, for which the list is to be made empty by {@link #free}
   */
  boolean reclaim(DeadAnons dead) {
    for (int i = 0; i < RECLAIMED_AT_ONCE && dead.hasNodes() && dead.hasRoom(SLOTS); i++) {
      int node = dead.lastNode();
      int level = dead.lastLevel();
      dead.removeLast();
      // Descending, because the node that was added last is the next: anons die in ascending order.
      for (long rest = used(node); level > 0 && rest != 0; rest ^= Long.highestOneBit(rest)) {
        release(slot(node, 63 - Long.numberOfLeadingZeros(rest)), level - 1, dead);
      }
      for (long rest = used(node); level == 0 && rest != 0; rest &= rest - 1) {
        anons.dereference(slot(node, Long.numberOfTrailingZeros(rest)), dead);
      }
      pool.free(node);
    }
    return dead.hasNodes();
  }

  /** Frees dead anons. Called without the amap's lock. */
  void free(DeadAnons dead) {
    anons.free(dead, 0);
  }

  /** Receives the anons of a tree. */
  @FunctionalInterface
  public interface SlotVisitor {
    /**
     * Called for each used slot.
     *
     * @param slot slot number
     * @param anon the anon in it
     */
    void visit(long slot, int anon);
  }

  /** Shows the used slots of a range in ascending order. The tree must not change meanwhile. */
  void forEach(int root, int levels, long start, long end, SlotVisitor visitor) {
    if (root != 0) {
      forEachIn(root, levels - 1, 0, start, end, visitor);
    }
  }

  private void forEachIn(
      int node, int level, long first, long start, long end, SlotVisitor visitor) {
    long span = span(level);
    for (long rest = used(node); rest != 0; rest &= rest - 1) {
      int i = Long.numberOfTrailingZeros(rest);
      long at = first + i * span;
      if (at >= end || at + span <= start) {
        continue;
      }
      if (level == 0) {
        visitor.visit(at, slot(node, i));
      } else {
        forEachIn(slot(node, i), level - 1, at, start, end, visitor);
      }
    }
  }

  /** Receives the nodes of a tree, for audits. */
  @FunctionalInterface
  public interface NodeVisitor {
    /**
     * Called for each reference to a node, or to an anon.
     *
     * @param level level of the node that is referred to; -1 for an anon
     * @param number node or anon
     * @param references the count that it has
     * @return true to go on below it
     */
    boolean visit(int level, int number, int references);
  }

  /** Shows every reference in a tree, from the root down. */
  void walk(int root, int levels, NodeVisitor visitor) {
    if (root != 0) {
      walkFrom(root, levels - 1, visitor);
    }
  }

  private void walkFrom(int node, int level, NodeVisitor visitor) {
    if (!visitor.visit(level, node, references(node))) {
      return;
    }
    for (long rest = used(node); rest != 0; rest &= rest - 1) {
      int child = slot(node, Long.numberOfTrailingZeros(rest));
      if (level == 0) {
        visitor.visit(-1, child, anons.references(child));
      } else {
        walkFrom(child, level - 1, visitor);
      }
    }
  }

  /**
   * The number of nodes in use.
   *
   * @return nodes
   */
  public int nodesInUse() {
    return pool.inUse();
  }
}
