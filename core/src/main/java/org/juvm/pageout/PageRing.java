package org.juvm.pageout;

import org.juvm.ram.IntTable;

/**
 * A ring of numbered nodes, each in it once or not at all, as links outside the heap. It has a
 * direction: from each node to the next <em>newer</em> one and back to the next <em>older</em> one.
 * What is newest and oldest is for its user to say. Guarded by its user's lock.
 */
final class PageRing {
  private final IntTable newer;
  private final IntTable older;
  private int size;

  /** An empty ring of nodes with numbers from 0 to less than a limit. */
  PageRing(int nodes) {
    newer = new IntTable(nodes, false);
    older = new IntTable(nodes, false);
  }

  int size() {
    return size;
  }

  int newer(int node) {
    return newer.get(node);
  }

  int older(int node) {
    return older.get(node);
  }

  /** Makes a node, which is not in the ring, its only one. */
  void begin(int node) {
    assert size == 0;
    newer.set(node, node);
    older.set(node, node);
    size = 1;
  }

  /** Puts a node, which is not in the ring, next to one that is, on its older side. */
  void insertOlder(int node, int than) {
    link(older.get(than), node);
    link(node, than);
    size++;
  }

  /** Takes a node out. */
  void remove(int node) {
    link(older.get(node), newer.get(node));
    size--;
  }

  /** Puts a node, which is not in the ring, where another one is, and takes that one out. */
  void replace(int node, int by) {
    insertOlder(by, node);
    remove(node);
  }

  private void link(int from, int to) {
    newer.set(from, to);
    older.set(to, from);
  }
}
