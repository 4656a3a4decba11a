package org.juvm.anon;

import java.util.Arrays;

/**
 * Anons that lost their last reference under an amap's lock, to be freed when it is released, or
 * when there are many of them; and nodes of its tree that lost theirs, which {@link
 * AmapTree#reclaim} takes apart. For one thread; reusable.
 *
 * <p>Of anons there are at most {@link #MANY}. Nodes are the roots of dead subtrees: a few per
 * level for each range that was emptied, and no more for a large subtree than for a small one.
 */
public final class DeadAnons {
  static final int MANY = 4096;

  private int[] anons = new int[16];

  /** As long as anons. */
  private int[] scratch = new int[16];

  private int size;

  /** A stack. */
  private int[] nodes = new int[16];

  /** The level of each node. */
  private byte[] levels = new byte[16];

  private int nodeCount;

  /** An empty list. */
  public DeadAnons() {}

  void add(int anon) {
    if (size == anons.length) {
      anons = Arrays.copyOf(anons, size * 2);
      scratch = new int[anons.length];
    }
    anons[size++] = anon;
  }

  int get(int index) {
    return anons[index];
  }

  /** Room for a number per anon. */
  int[] scratch() {
    return scratch;
  }

  int size() {
    return size;
  }

  /** Whether it is time to free the anons before there are more. */
  boolean areMany() {
    return size >= MANY;
  }

  /** Whether so many anons can be added before there are many. */
  boolean hasRoom(int count) {
    return size + count <= MANY;
  }

  boolean isEmpty() {
    return size == 0;
  }

  /** Forgets the anons. */
  void clear() {
    size = 0;
  }

  // ---- nodes ----

  void addNode(int node, int level) {
    if (nodeCount == nodes.length) {
      nodes = Arrays.copyOf(nodes, nodeCount * 2);
      levels = Arrays.copyOf(levels, nodeCount * 2);
    }
    nodes[nodeCount] = node;
    levels[nodeCount++] = (byte) level;
  }

  boolean hasNodes() {
    return nodeCount > 0;
  }

  /** The node that was added last. */
  int lastNode() {
    return nodes[nodeCount - 1];
  }

  /** Its level. */
  int lastLevel() {
    return levels[nodeCount - 1];
  }

  void removeLast() {
    nodeCount--;
  }

  /** How many numbers there is room for, which is the memory that the lists keep. */
  int capacity() {
    return anons.length + nodes.length;
  }
}
