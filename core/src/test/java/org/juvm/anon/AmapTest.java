package org.juvm.anon;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Amaps in situations that were chosen; {@link AmapOracleTest} has the others. */
class AmapTest {
  private final AnonFixture fixture = AnonFixture.roomy();

  private Amap create(long slots) {
    return Amap.create(fixture.tree, slots);
  }

  private static long extendBackwards(Amap amap, long firstSlot, long more) {
    amap.lock();
    try {
      return amap.extendBackwards(firstSlot, more);
    } finally {
      amap.unlock();
    }
  }

  private static boolean extend(Amap amap, long endSlot, long more) {
    amap.lock();
    try {
      return amap.extend(endSlot, more);
    } finally {
      amap.unlock();
    }
  }

  private static Amap copy(Amap amap, long start, long end) {
    amap.lock();
    try {
      return amap.copy(start, end - start);
    } finally {
      amap.unlock();
    }
  }

  private static List<Long> usedSlots(Amap amap, long start, long end) {
    List<Long> found = new ArrayList<>();
    amap.lock();
    amap.forEach(start, end, (slot, anon) -> found.add(slot));
    amap.unlock();
    return found;
  }

  /** What is done with an amap of 2^35 slots costs by the used ones: a path of nodes for each. */
  @Test
  void A1_workGoesByUsedSlotsNotByRange() {
    long slots = 1L << 35;
    List<Long> used = List.of(0L, 63L, 64L, 1L << 20, (1L << 34) + 5, slots - 1);
    Amap amap = create(slots);
    assertThat(fixture.tree.nodesInUse()).isZero();
    used.forEach(slot -> fixture.put(amap, slot));
    int nodes = fixture.tree.nodesInUse();
    assertThat(nodes).isLessThanOrEqualTo(used.size() * 6);
    assertThat(usedSlots(amap, 0, slots)).isEqualTo(used);
    assertThat(usedSlots(amap, 1, slots - 1)).isEqualTo(used.subList(1, 5));

    Amap whole = copy(amap, 0, slots);
    assertThat(fixture.tree.nodesInUse()).isEqualTo(nodes);
    Amap part = copy(amap, 64, slots - 1);
    assertThat(fixture.tree.nodesInUse()).isLessThanOrEqualTo(nodes + 2 * 6);
    assertThat(usedSlots(part, 0, slots - 1)).isEqualTo(used.subList(2, 5));
    fixture.audit(List.of(amap, whole, part), "copied");

    fixture.dereference(part, 64, slots - 1);
    fixture.dereference(amap, 0, slots);
    assertThat(fixture.tree.nodesInUse()).isEqualTo(nodes);
    fixture.dereference(whole, 0, slots);
    fixture.audit(List.of(), "dropped");
  }

  /** The empty slots around what is used do not keep a copy from sharing all nodes. */
  @Test
  void A8_copyWithoutSpareSlotsSharesTheRoot() {
    Amap amap = create(1);
    fixture.put(amap, 0);
    long first = extendBackwards(amap, 0, 1) - 1;
    assertThat(first).isNotZero();
    int nodes = fixture.tree.nodesInUse();
    Amap copy = copy(amap, first, first + 2);
    assertThat(fixture.tree.nodesInUse()).isEqualTo(nodes);
    fixture.audit(List.of(amap, copy), "copied");
  }

  /** A stack that grows down page by page: slots keep their anons under numbers that shift. */
  @Test
  void A5_extendBackwardsPageByPage() {
    Amap amap = create(1);
    List<Integer> anons = new ArrayList<>();
    anons.add(fixture.put(amap, 0));
    long first = 0;
    int shifts = 0;
    for (int page = 1; page < 5000; page++) {
      long shift = extendBackwards(amap, first, 1);
      assertThat(shift).isNotNegative();
      shifts += shift == 0 ? 0 : 1;
      first += shift - 1;
      assertThat(fixture.find(amap, first)).isZero();
      anons.add(fixture.put(amap, first));
    }
    for (int page = 0; page < anons.size(); page++) {
      assertThat(fixture.find(amap, first + anons.size() - 1 - page)).isEqualTo(anons.get(page));
    }
    assertThat(shifts).isEqualTo(2);
    fixture.audit(List.of(amap), "grown");
    fixture.dereference(amap, first, first + anons.size());
    fixture.audit(List.of(), "dropped");
  }

  /** The other trees that contain the nodes of the one that becomes higher see nothing of it. */
  @Test
  void A5_extendBackwardsLeavesCopiesAlone() {
    Amap amap = create(100);
    int low = fixture.put(amap, 3);
    int high = fixture.put(amap, 99);
    Amap copy = copy(amap, 0, 100);
    int nodes = fixture.tree.nodesInUse();
    long shift = extendBackwards(amap, 0, 1000);
    assertThat(shift).isGreaterThanOrEqualTo(1000).matches(by -> by % (64 * 64) == 0);
    assertThat(fixture.tree.nodesInUse()).isEqualTo(nodes + 1);
    assertThat(fixture.find(amap, shift + 3)).isEqualTo(low);
    assertThat(fixture.find(amap, shift + 99)).isEqualTo(high);
    assertThat(usedSlots(amap, 0, shift + 3)).isEmpty();
    assertThat(usedSlots(copy, 0, 100)).containsExactly(3L, 99L);
    amap.lock();
    assertThat(amap.isExclusive(shift + 3, low, fixture.anons)).isFalse();
    amap.unlock();
    int replacing = fixture.put(amap, shift + 3);
    assertThat(fixture.find(amap, shift + 3)).isEqualTo(replacing);
    assertThat(fixture.find(copy, 3)).isEqualTo(low);
    fixture.audit(List.of(amap, copy), "replaced");
  }

  /** What has been unmapped in front is used again, and its slots are empty. */
  @Test
  void A5_extendBackwardsIntoWhatWasUnmapped() {
    Amap amap = create(10);
    for (long slot = 0; slot < 10; slot++) {
      fixture.put(amap, slot);
    }
    amap.lock();
    amap.splitReference();
    amap.unlock();
    assertThat(extendBackwards(amap, 0, 1)).isEqualTo(Amap.REFUSED);
    assertThat(extend(amap, 10, 1)).isFalse();
    fixture.dereference(amap, 0, 4);
    assertThat(extendBackwards(amap, 4, 3)).isZero();
    assertThat(usedSlots(amap, 0, 10)).containsExactly(4L, 5L, 6L, 7L, 8L, 9L);
    for (long slot = 1; slot < 10; slot++) {
      assertThat(amap.references(slot)).isEqualTo(1);
    }
    fixture.audit(List.of(amap), "extended");
  }

  /** What has been unmapped behind is used again before there are new slots. */
  @Test
  void A5_extendForwardsIntoWhatWasUnmapped() {
    Amap amap = create(10);
    for (long slot = 0; slot < 10; slot++) {
      fixture.put(amap, slot);
    }
    amap.lock();
    amap.splitReference();
    amap.unlock();
    fixture.dereference(amap, 6, 10);
    assertThat(extend(amap, 6, 3)).isTrue();
    assertThat(amap.slots()).isEqualTo(10);
    assertThat(usedSlots(amap, 6, 10)).isEmpty();
    assertThat(extend(amap, 9, 3)).isTrue();
    assertThat(amap.slots()).isEqualTo(12);
    assertThat(amap.references(11)).isEqualTo(1);
  }

  @Test
  void A5_tooLargeIsRefused() {
    long most = AmapTree.MAXIMUM_SLOTS;
    Amap amap = create(most - 10);
    assertThat(extend(amap, most - 10, 11)).isFalse();
    assertThat(extend(amap, most - 10, Long.MAX_VALUE)).isFalse();
    assertThat(extendBackwards(amap, 0, 11)).isEqualTo(Amap.REFUSED);
    assertThat(extendBackwards(amap, 0, Long.MAX_VALUE)).isEqualTo(Amap.REFUSED);
    assertThat(extendBackwards(amap, 0, 4)).isEqualTo(4);
    assertThat(extend(amap, most - 6, 6)).isTrue();
    int anon = fixture.put(amap, most - 1);
    assertThat(extend(amap, most, 1)).isFalse();
    assertThat(extendBackwards(amap, 0, 1)).isEqualTo(Amap.REFUSED);
    assertThat(fixture.find(amap, most - 1)).isEqualTo(anon);
    fixture.audit(List.of(amap), "refused");
  }

  /** Grows in front by as much as there can be, from every height of tree. */
  @Test
  void A5_extendBackwardsToTheLimit() {
    for (int height = 0; height < 6; height++) {
      long slot = 1L << (6 * height);
      Amap amap = create(slot + 1);
      int anon = fixture.put(amap, slot);
      long more = AmapTree.MAXIMUM_SLOTS - AmapTree.span(height + 1);
      long shift = extendBackwards(amap, 0, more);
      assertThat(shift).as("height %d", height).isEqualTo(more);
      assertThat(fixture.find(amap, shift + slot)).isEqualTo(anon);
      assertThat(usedSlots(amap, 0, amap.slots())).containsExactly(shift + slot);
      fixture.dereference(amap, 0, amap.slots());
    }
    fixture.audit(List.of(), "dropped");
  }

  /** Both failures of allocation that an extension can meet leave everything as it was. (bug 9) */
  @Test
  void A5_extendWithoutNodesChangesNothing() {
    AnonFixture small = new AnonFixture(256, 256, AnonFixture.UNAVAILABLE_NODES + 3);
    Amap amap = Amap.create(small.tree, 10);
    int anon = small.put(amap, 2);
    List<Amap> amaps = new ArrayList<>(List.of(amap));
    while (small.tree.hasRoom(1)) {
      Amap other = Amap.create(small.tree, 1);
      small.put(other, 0);
      amaps.add(other);
    }
    assertThat(extendBackwards(amap, 0, 1)).isEqualTo(Amap.REFUSED);
    assertThat(amap.slots()).isEqualTo(10);
    assertThat(small.find(amap, 2)).isEqualTo(anon);
    small.audit(amaps, "refused");
    small.dereference(amaps.removeLast(), 0, 1);
    long shift = extendBackwards(amap, 0, 1);
    assertThat(small.find(amap, shift + 2)).isEqualTo(anon);
    small.audit(amaps, "extended");
  }

  /**
   * A reference to all goes where others are to every second slot: each leaf, which a copy has too,
   * would have to be copied to empty the other half of it. There are not so many nodes.
   */
  @Test
  void A4_moreRunsToEmptyThanNodes() {
    int leaves = 1200;
    int upper = 20;
    int used = leaves + upper;
    AnonFixture small =
        new AnonFixture(3 * leaves, 3 * leaves, used + AnonFixture.UNAVAILABLE_NODES + 1);
    long slots = leaves * 64L;
    Amap amap = Amap.create(small.tree, slots);
    for (long slot = 0; slot < slots; slot += 64) {
      small.put(amap, slot);
      small.put(amap, slot + 32);
    }
    assertThat(small.tree.nodesInUse()).isEqualTo(used);
    Amap copy = copy(amap, 0, slots);
    amap.lock();
    amap.reference(0, slots, true);
    for (long slot = 32; slot < slots; slot += 32) {
      amap.splitReference();
    }
    amap.unlock();
    for (long slot = 0; slot < slots; slot += 64) {
      small.dereference(amap, slot, slot + 32);
    }
    assertThat(small.tree.nodesInUse()).isEqualTo(used);
    small.dereference(amap, 0, slots);
    small.audit(List.of(amap, copy), "half of it empty");
    for (long slot = 32; slot < slots; slot += 64) {
      assertThat(small.find(amap, slot)).isEqualTo(small.find(copy, slot)).isPositive();
    }
    for (long slot = 32; slot < slots - 64; slot += 64) {
      small.dereference(amap, slot, slot + 32);
    }
    assertThat(amap.references()).isEqualTo(1);
    assertThat(extendBackwards(amap, slots - 32, 32)).isEqualTo(Amap.REFUSED);
    assertThat(extend(amap, slots, 1)).isFalse();
    small.dereference(amap, slots - 32, slots);
    small.audit(List.of(copy), "one side gone");
    small.dereference(copy, 0, slots);
    small.audit(List.of(), "dropped");
  }

  /** A million pages go in portions, each of which bounds the list and the time of the lock. */
  @Test
  void A7_wipeOutInBoundedMemory() {
    int pages = 1 << 20;
    AnonFixture large = new AnonFixture(pages + 100, pages + 100, 1 << 15);
    Amap amap = Amap.create(large.tree, pages);
    for (int page = 0; page < pages; page++) {
      large.put(amap, page);
    }
    large.dereference(amap, 0, pages);
    assertThat(large.tree.nodesInUse()).isZero();
    assertThat(large.allocator.freeFrames()).isEqualTo(pages + 100);
    assertThat(large.dead.capacity()).isLessThanOrEqualTo(3 * DeadAnons.MANY);
  }

  /** The same where only a part goes, and the rest of the amap lives. */
  @Test
  void A7_wipeOutOfALargePart() {
    int pages = 1 << 16;
    AnonFixture large = new AnonFixture(pages + 100, pages + 100, 1 << 13);
    Amap amap = Amap.create(large.tree, pages);
    for (int page = 0; page < pages; page++) {
      large.put(amap, page);
    }
    Amap copy = copy(amap, 5, 20_000);
    amap.lock();
    amap.splitReference();
    amap.unlock();
    large.dereference(amap, 100, pages);
    large.audit(List.of(amap, copy), "part of amap is gone");
    large.dereference(copy, 5, 20_000);
    large.audit(List.of(amap), "copy is gone");
    assertThat(usedSlots(amap, 0, pages)).hasSize(100);
    assertThat(large.dead.capacity()).isLessThanOrEqualTo(3 * DeadAnons.MANY);
  }

  /** The lock is not held when dead anons are freed, so that others of the family get it. */
  @Test
  void A7_portionsAreBounded() {
    int pages = 1 << 14;
    Amap amap = create(pages);
    for (int page = 0; page < pages; page++) {
      fixture.put(amap, page);
    }
    int nodes = fixture.tree.nodesInUse();
    DeadAnons dead = new DeadAnons();
    int root = rootOf(amap);
    fixture.tree.drop(root, 3, dead);
    assertThat(dead.size()).isZero();
    assertThat(fixture.tree.nodesInUse()).isEqualTo(nodes);
    boolean more = true;
    while (more) {
      more = fixture.tree.reclaim(dead);
      int left = fixture.tree.nodesInUse();
      assertThat(nodes - left).isBetween(1, 64);
      assertThat(dead.size()).isBetween(1, DeadAnons.MANY);
      nodes = left;
      fixture.tree.free(dead);
    }
    fixture.audit(List.of(), "dropped");
  }

  private static int rootOf(Amap amap) {
    int[] root = new int[1];
    amap.walk(
        (level, number, references) -> {
          root[0] = number;
          return false;
        });
    return root[0];
  }
}
