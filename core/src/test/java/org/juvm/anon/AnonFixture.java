package org.juvm.anon;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.juvm.base.PageSize;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.page.PageOwners;
import org.juvm.ram.Ram;

/** The floors below amaps, with as few frames, anons and nodes as a test likes. */
final class AnonFixture {
  /** Nodes that no operation gets if it asks for room first. */
  static final int UNAVAILABLE_NODES = 1024 + 2 * AmapTree.MAXIMUM_LEVELS - 1;

  final FrameAllocator allocator;
  final AnonTable anons;
  final AmapTree tree;
  final DeadAnons dead = new DeadAnons();
  private final AnonTable.Magazine magazine = new AnonTable.Magazine();
  final int frames;

  /** In place of an amap, for anons that a test puts somewhere itself. */
  private final Amap loose;

  AnonFixture(int frames, int anonCapacity, int nodes) {
    this.frames = frames;
    Ram ram = new Ram(frames, PageSize.ofBytes(PageSize.MINIMUM_BYTES));
    FrameTable table = new FrameTable(ram);
    allocator = new FrameAllocator(ram, table);
    anons = new AnonTable(table, allocator, new PageOwners(), false, anonCapacity);
    tree = new AmapTree(anons, false, nodes);
    loose = Amap.create(tree, 1);
  }

  /** Room for whatever a test of few pages does. */
  static AnonFixture roomy() {
    return new AnonFixture(1 << 15, 1 << 16, 1 << 16);
  }

  /** An anon with one reference, or 0. */
  int anon() {
    loose.lock();
    try {
      return anon(loose);
    } finally {
      loose.unlock();
    }
  }

  private int anon(Amap amap) {
    int frame = allocator.allocate(0, false, FrameAllocator.Reserve.KERNEL);
    if (frame == FrameTable.NONE) {
      return 0;
    }
    int anon = anons.allocate(magazine, frame, amap);
    if (anon == 0) {
      allocator.free(0, frame);
    }
    return anon;
  }

  /** Puts a new anon into a slot, and returns it. */
  int put(Amap amap, long slot) {
    amap.lock();
    int anon = anon(amap);
    assertThat(anon).isPositive();
    amap.put(slot, anon);
    amap.unlock();
    return anon;
  }

  int find(Amap amap, long slot) {
    amap.lock();
    try {
      return amap.find(slot);
    } finally {
      amap.unlock();
    }
  }

  void dereference(Amap amap, long start, long end) {
    amap.lock();
    amap.dereference(start, end - start, dead);
    amap.unlock();
    anons.free(dead, 0);
  }

  /** Counts everything again that these amaps refer to, which must be all there is. */
  void audit(List<Amap> amaps, String description) {
    Map<Integer, Integer> found = new HashMap<>();
    Map<Integer, Integer> recorded = new HashMap<>();
    for (Amap amap : amaps) {
      amap.walk(
          (level, number, references) -> {
            // Anons and nodes are numbered independently.
            int key = level < 0 ? -number : number;
            recorded.put(key, references);
            return found.merge(key, 1, Integer::sum) == 1;
          });
    }
    assertThat(recorded).as("references, %s", description).isEqualTo(found);
    long nodes = found.keySet().stream().filter(key -> key > 0).count();
    assertThat(tree.nodesInUse()).as("nodes, %s", description).isEqualTo((int) nodes);
    int used = found.size() - (int) nodes;
    assertThat(anons.handedOut() - AnonTable.inMagazine(magazine))
        .as("anons, %s", description)
        .isEqualTo(used);
    assertThat(allocator.freeFrames()).as("free frames, %s", description).isEqualTo(frames - used);
  }
}
