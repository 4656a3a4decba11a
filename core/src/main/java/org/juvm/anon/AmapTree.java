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

  /** Trees of so many levels hold more slots than an address space has pages. */
  static final int MAXIMUM_LEVELS = 7;

  private static final int SLOTS_OFFSET = 8;
  private static final int NODE_BYTES = 320;
  private static final int MINIMUM_NODES = 1 << 20;
  private static final int NODES_PER_FRAME = 8;

  /** Nodes that must be left when an operation starts, for those of other threads. */
  private static final int SLACK = 1024;

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
    this.anons = anons;
    long wanted = Math.max(MINIMUM_NODES, (long) frames * NODES_PER_FRAME);
    int nodes = (int) Math.min(wanted, Integer.MAX_VALUE - 8);
    pool = new BlockPool(NODE_BYTES, nodes, hugePages);
    references = new IntTable(nodes + 1L, hugePages);
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
  private static long span(int level) {
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

  /** Makes a tree higher so that it covers a slot. Returns the new root. */
  int raise(int root, int levels, int newLevels) {
    int top = root;
    for (int level = levels; top != 0 && level < newLevels; level++) {
      int node = newNode(true);
      setSlot(node, 0, top);
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
   * inside the range are shared, not copied.
   *
   * @return its root, for the same number of levels; 0 if there is nothing in the range
   */
  int share(int root, int levels, long start, long end) {
    return root == 0 ? 0 : share(root, levels - 1, 0, start, end);
  }

  private int share(int node, int level, long first, long start, long end) {
    long span = span(level);
    if (start <= first && first + span * SLOTS <= end) {
      setReferences(node, references(node) + 1);
      return node;
    }
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

  /**
   * Empties the slots from start to end. Shared subtrees that are only partly in the range are
   * copied first.
   *
   * @return the root, which may be new, or 0 if the tree is empty
   */
  int clear(int root, int levels, long start, long end, DeadAnons dead) {
    return root == 0 ? 0 : clear(root, levels - 1, 0, start, end, dead);
  }

  private int clear(int node, int level, long first, long start, long end, DeadAnons dead) {
    long span = span(level);
    if (start <= first && first + span * SLOTS <= end) {
      release(node, level, dead);
      return 0;
    }
    if (!hasAnyIn(node, level, first, start, end)) {
      return node;
    }
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
      long at = first + Long.numberOfTrailingZeros(rest) * span;
      if (at < end && at + span > start) {
        return true;
      }
    }
    return false;
  }

  /** Drops one reference to a node, and with the last one everything below that it kept. */
  private void release(int node, int level, DeadAnons dead) {
    int left = references(node) - 1;
    setReferences(node, left);
    if (left > 0) {
      return;
    }
    for (long rest = used(node); rest != 0; rest &= rest - 1) {
      int child = slot(node, Long.numberOfTrailingZeros(rest));
      if (level == 0) {
        anons.dereference(child, dead);
      } else {
        release(child, level - 1, dead);
      }
    }
    pool.free(node);
  }

  /** Drops a whole tree. */
  void drop(int root, int levels, DeadAnons dead) {
    if (root != 0) {
      release(root, levels - 1, dead);
    }
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
