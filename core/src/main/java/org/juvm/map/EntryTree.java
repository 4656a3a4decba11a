package org.juvm.map;

import org.jspecify.annotations.Nullable;
import org.juvm.base.VmPanic;

/**
 * The entries of one map, ordered by address: an AVL tree whose nodes also know the largest gap in
 * front of any entry of their subtree, threaded with a list in both directions. Lookup, insertion,
 * removal and the search for space take time logarithmic in the number of entries. Guarded by the
 * lock of the map.
 *
 * <p>Source: the roles of the tree and of gaps are those of {@code uvm_map.c}; the balance is that
 * of G. Adelson-Velsky and E. Landis, 1962.
 */
final class EntryTree {
  /** No address. */
  static final long NOT_FOUND = -1;

  /** After so many holes that only the alignment makes useless a search becomes less picky. */
  private static final int MAXIMUM_UNFIT = 64;

  private final long minimum;
  private final long maximum;
  private @Nullable MapEntry root;
  private @Nullable MapEntry first;
  private @Nullable MapEntry last;
  private int size;

  /** Holes that were large enough, but not at the right alignment, during one search. */
  private int unfit;

  /** An empty tree for the addresses from minimum to before maximum. */
  EntryTree(long minimum, long maximum) {
    this.minimum = minimum;
    this.maximum = maximum;
  }

  int size() {
    return size;
  }

  @Nullable MapEntry first() {
    return first;
  }

  /** The entry that contains an address, or null. */
  @Nullable MapEntry find(long address) {
    MapEntry floor = floor(address);
    return floor != null && address < floor.end ? floor : null;
  }

  /** The first entry that ends after an address, or null. */
  @Nullable MapEntry firstEndingAfter(long address) {
    MapEntry floor = floor(address);
    if (floor == null) {
      return first;
    }
    return address < floor.end ? floor : floor.next;
  }

  /** The last entry that starts at or before an address, or null. */
  private @Nullable MapEntry floor(long address) {
    MapEntry found = null;
    for (MapEntry node = root; node != null; ) {
      if (node.start <= address) {
        found = node;
        node = node.right;
      } else {
        node = node.left;
      }
    }
    return found;
  }

  /** The address after the entry before this one: where the hole in front of it starts. */
  long holeBefore(@Nullable MapEntry entry) {
    MapEntry previous = entry == null ? last : entry.previous;
    return previous == null ? minimum : previous.end;
  }

  /** How much of the hole in front of an entry others may use: a stack reserves some of it. */
  private long gapBefore(MapEntry entry) {
    long hole = holeBefore(entry);
    StackReserve stack = entry.stack;
    long end = stack == null ? entry.start : Math.clamp(stack.low(), hole, entry.start);
    return end - hole;
  }

  // ---- changes ----

  void insert(MapEntry entry) {
    MapEntry before = floor(entry.start);
    MapEntry after = before == null ? first : before.next;
    if ((before != null && before.end > entry.start)
        || (after != null && after.start < entry.end)) {
      throw new VmPanic("map entries overlap: start=" + Long.toHexString(entry.start));
    }
    entry.previous = before;
    entry.next = after;
    if (before == null) {
      first = entry;
    } else {
      before.next = entry;
    }
    if (after == null) {
      last = entry;
    } else {
      after.previous = entry;
    }
    entry.left = null;
    entry.right = null;
    size++;
    entry.gap = gapBefore(entry);
    root = insert(root, entry);
    gapChanged(after);
  }

  private static MapEntry insert(@Nullable MapEntry node, MapEntry entry) {
    if (node == null) {
      update(entry);
      return entry;
    }
    if (entry.start < node.start) {
      node.left = insert(node.left, entry);
    } else {
      node.right = insert(node.right, entry);
    }
    return balance(node);
  }

  /**
   * Splits an entry in two. No hole changes, so that the way down to the new entry is all that is
   * touched.
   *
   * @param entry keeps what is below the start of the other one
   * @param rest the rest of it, in no tree yet
   */
  void split(MapEntry entry, MapEntry rest) {
    MapEntry after = entry.next;
    entry.end = rest.start;
    rest.previous = entry;
    rest.next = after;
    entry.next = rest;
    if (after == null) {
      last = rest;
    } else {
      after.previous = rest;
    }
    size++;
    rest.gap = 0;
    root = insert(root, rest);
  }

  /** Lets an entry swallow the next one, which begins where it ends. No hole changes. */
  void join(MapEntry entry, MapEntry next) {
    MapEntry after = next.next;
    root = remove(root, next);
    entry.end = next.end;
    entry.next = after;
    if (after == null) {
      last = entry;
    } else {
      after.previous = entry;
    }
    size--;
  }

  void remove(MapEntry entry) {
    MapEntry before = entry.previous;
    MapEntry after = entry.next;
    root = remove(root, entry);
    if (before == null) {
      first = after;
    } else {
      before.next = after;
    }
    if (after == null) {
      last = before;
    } else {
      after.previous = before;
    }
    size--;
    gapChanged(after);
  }

  private static @Nullable MapEntry remove(@Nullable MapEntry node, MapEntry entry) {
    if (node == null) {
      throw new VmPanic("map entry is not in its tree: start=" + Long.toHexString(entry.start));
    }
    if (node != entry) {
      if (entry.start < node.start) {
        node.left = remove(node.left, entry);
      } else {
        node.right = remove(node.right, entry);
      }
      return balance(node);
    }
    MapEntry left = node.left;
    MapEntry right = node.right;
    if (left == null) {
      return right;
    }
    if (right == null) {
      return left;
    }
    MapEntry successor = right;
    while (successor.left != null) {
      successor = successor.left;
    }
    successor.right = remove(right, successor);
    successor.left = left;
    return balance(successor);
  }

  /** Moves the ends of an entry, within the holes around it, or recomputes after other changes. */
  void resize(MapEntry entry, long start, long end) {
    entry.start = start;
    entry.end = end;
    gapChanged(entry);
    gapChanged(entry.next);
  }

  private void gapChanged(@Nullable MapEntry entry) {
    if (entry != null) {
      entry.gap = gapBefore(entry);
      refresh(root, entry);
    }
  }

  private static void refresh(@Nullable MapEntry node, MapEntry entry) {
    if (node != null && node != entry) {
      refresh(entry.start < node.start ? node.left : node.right, entry);
    }
    if (node != null) {
      update(node);
    }
  }

  // ---- balance ----

  private static int height(@Nullable MapEntry node) {
    return node == null ? 0 : node.height;
  }

  private static long maximumGap(@Nullable MapEntry node) {
    return node == null ? 0 : node.maximumGap;
  }

  private static void update(MapEntry node) {
    node.height = 1 + Math.max(height(node.left), height(node.right));
    node.maximumGap = Math.max(node.gap, Math.max(maximumGap(node.left), maximumGap(node.right)));
  }

  private static MapEntry balance(MapEntry node) {
    MapEntry left = node.left;
    MapEntry right = node.right;
    int tilt = height(left) - height(right);
    if (tilt > 1 && left != null) {
      if (height(left.left) < height(left.right)) {
        node.left = rotateLeft(left);
      }
      return rotateRight(node);
    }
    if (tilt < -1 && right != null) {
      if (height(right.right) < height(right.left)) {
        node.right = rotateRight(right);
      }
      return rotateLeft(node);
    }
    update(node);
    return node;
  }

  private static MapEntry rotateRight(MapEntry node) {
    MapEntry top = node.left;
    if (top == null) {
      throw new VmPanic("no left child to rotate");
    }
    node.left = top.right;
    update(node);
    top.right = node;
    update(top);
    return top;
  }

  private static MapEntry rotateLeft(MapEntry node) {
    MapEntry top = node.right;
    if (top == null) {
      throw new VmPanic("no right child to rotate");
    }
    node.right = top.left;
    update(node);
    top.left = node;
    update(top);
    return top;
  }

  // ---- free space ----

  /** Whether a range is inside the bounds and touches no entry. */
  boolean isFree(long start, long end) {
    if (start < minimum || end > maximum || start >= end) {
      return false;
    }
    MapEntry entry = firstEndingAfter(start);
    return entry == null || entry.start >= end;
  }

  /** Whether a range, which touches no entry, leaves what stacks reserve alone. */
  boolean isUnreserved(long start, long end) {
    MapEntry after = firstEndingAfter(start);
    return after == null || start >= end || end <= holeBefore(after) + after.gap;
  }

  /**
   * A free range at or above a hint: the lowest that fits, as long as the alignment does not make
   * too many holes useless; then the lowest in a hole where any alignment fits. So the search takes
   * logarithmic time. What stacks reserve is left alone.
   *
   * @param alignment a divisor of the address, in bytes; any positive number
   * @return its address, or NOT_FOUND
   */
  long findSpace(long hint, long length, long alignment) {
    long from = Math.max(hint, minimum);
    unfit = 0;
    long found = findSpace(root, from, length, alignment);
    if (found != NOT_FOUND) {
      return found;
    }
    return fit(holeBefore(null), maximum, from, length, alignment);
  }

  private long findSpace(@Nullable MapEntry node, long from, long length, long alignment) {
    long needed = unfit < MAXIMUM_UNFIT ? length : length + alignment;
    if (node == null || node.maximumGap < needed) {
      return NOT_FOUND;
    }
    // Gaps of the left subtree and of this node end at or before the start of this node.
    if (node.start > from) {
      long found = findSpace(node.left, from, length, alignment);
      if (found != NOT_FOUND) {
        return found;
      }
      if (node.gap >= length) {
        long hole = holeBefore(node);
        found = fit(hole, hole + node.gap, from, length, alignment);
        if (found != NOT_FOUND) {
          return found;
        }
        unfit++;
      }
    }
    return findSpace(node.right, from, length, alignment);
  }

  private static long fit(long holeStart, long holeEnd, long from, long length, long alignment) {
    long start = Math.max(holeStart, from);
    long excess = start % alignment;
    if (excess != 0) {
      start += alignment - excess;
    }
    return start >= holeStart && start <= holeEnd - length ? start : NOT_FOUND;
  }

  // ---- audit ----

  /** Recomputes order, balance and gaps; throws VmPanic where they are wrong. */
  void check() {
    int[] count = new int[1];
    checkBelow(root, count);
    long end = minimum;
    int listed = 0;
    for (MapEntry entry = first; entry != null; entry = entry.next) {
      if (entry.start < end || entry.end <= entry.start || entry.gap != gapBefore(entry)) {
        throw new VmPanic("map entries out of order: start=" + Long.toHexString(entry.start));
      }
      end = entry.end;
      listed++;
    }
    if (end > maximum || listed != size || count[0] != size) {
      throw new VmPanic("map entries miscounted: size=" + size + ", listed=" + listed);
    }
  }

  private static void checkBelow(@Nullable MapEntry node, int[] count) {
    if (node == null) {
      return;
    }
    checkBelow(node.left, count);
    checkBelow(node.right, count);
    count[0]++;
    int height = node.height;
    long gap = node.maximumGap;
    update(node);
    if (height != node.height
        || gap != node.maximumGap
        || Math.abs(height(node.left) - height(node.right)) > 1) {
      throw new VmPanic("map tree is wrong below start=" + Long.toHexString(node.start));
    }
  }
}
