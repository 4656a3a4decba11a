package org.juvm.anon;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Trees that have nodes in common, each against a map of its own. */
class AmapTreeTest {
  private static final long SEED = Long.getLong("juvm.test.seed", System.nanoTime());

  private final AnonFixture fixture = AnonFixture.roomy();
  private final AmapTree tree = fixture.tree;
  private final DeadAnons dead = new DeadAnons();

  /** A tree and what it should hold. */
  private static final class Model {
    int root;
    int levels;
    final TreeMap<Long, Integer> anons = new TreeMap<>();
  }

  private void put(Model model, long slot, int anon) {
    int levels = AmapTree.levelsFor(slot, model.levels);
    model.root = tree.raise(model.root, model.levels, levels, 0);
    model.levels = levels;
    model.root = tree.put(model.root, levels, slot, anon);
    model.anons.put(slot, anon);
  }

  private Model share(Model model, long start, long end) {
    Model copy = new Model();
    copy.root = tree.share(model.root, model.levels, start, end);
    copy.levels = model.levels;
    copy.anons.putAll(model.anons.subMap(start, end));
    return copy;
  }

  private void clear(Model model, long start, long end) {
    model.root = tree.clear(model.root, model.levels, start, end, dead);
    model.anons.subMap(start, end).clear();
    bury();
  }

  private void drop(Model model) {
    tree.drop(model.root, model.levels, dead);
    model.root = 0;
    model.anons.clear();
    bury();
  }

  private void bury() {
    boolean more = true;
    while (more) {
      more = tree.reclaim(dead);
      tree.free(dead);
    }
  }

  private void shift(Model model, long by, int levels) {
    model.root = tree.raise(model.root, model.levels, levels, by);
    model.levels = levels;
    TreeMap<Long, Integer> shifted = new TreeMap<>();
    model.anons.forEach((slot, anon) -> shifted.put(slot + by, anon));
    model.anons.clear();
    model.anons.putAll(shifted);
  }

  private void check(Model model, String description) {
    TreeMap<Long, Integer> found = new TreeMap<>();
    tree.forEach(model.root, model.levels, 0, Long.MAX_VALUE, found::put);
    assertThat(found).as(description).isEqualTo(model.anons);
    assertThat(model.root == 0).as(description).isEqualTo(model.anons.isEmpty());
    model.anons.forEach(
        (slot, anon) ->
            assertThat(tree.find(model.root, model.levels, slot)).as(description).isEqualTo(anon));
  }

  private Model filled(long... slots) {
    Model model = new Model();
    for (long slot : slots) {
      put(model, slot, fixture.anon());
    }
    return model;
  }

  @Test
  void A2_findBeyondTheTree() {
    Model model = filled(5);
    assertThat(model.levels).isEqualTo(1);
    assertThat(tree.find(model.root, model.levels, 5)).isPositive();
    assertThat(tree.find(model.root, model.levels, 5 + 64)).isZero();
    assertThat(tree.find(model.root, model.levels, 5 + (1L << 40))).isZero();
    assertThat(tree.find(0, 0, 0)).isZero();
  }

  @Test
  void A8_putIntoSharedTreeCopiesOnePath() {
    Model model = filled(0, 1, 64, 4096, 4097);
    int nodes = tree.nodesInUse();
    Model copy = share(model, 0, Long.MAX_VALUE);
    assertThat(copy.root).isEqualTo(model.root);
    assertThat(tree.isPathExclusive(model.root, model.levels, 4096)).isFalse();
    put(copy, 4097, fixture.anon());
    assertThat(tree.nodesInUse()).isEqualTo(nodes + 3);
    assertThat(tree.isPathExclusive(model.root, model.levels, 4097)).isTrue();
    assertThat(tree.isPathExclusive(copy.root, copy.levels, 4097)).isTrue();
    assertThat(tree.isPathExclusive(model.root, model.levels, 0)).isFalse();
    assertThat(fixture.anons.references(tree.find(model.root, model.levels, 4096))).isEqualTo(2);
    assertThat(fixture.anons.references(tree.find(model.root, model.levels, 4097))).isEqualTo(1);
    check(model, "original");
    check(copy, "copy");
  }

  /** Edges that cut through nothing that is used cost no nodes. */
  @Test
  void A8_shareGoesByWhatIsUsed() {
    Model model = filled(100, 4000, 5000);
    int nodes = tree.nodesInUse();
    assertThat(share(model, 100, 5001).root).isEqualTo(model.root);
    assertThat(share(model, 0, 100).root).isZero();
    assertThat(share(model, 101, 4000).root).isZero();
    assertThat(tree.nodesInUse()).isEqualTo(nodes);
    check(share(model, 101, 5000), "middle");
    // The upper two of three levels are not the same; the leaf of slot 4000 is shared.
    assertThat(tree.nodesInUse()).isEqualTo(nodes + 2);
  }

  @Test
  void A4_clearOfNothingCopiesNothing() {
    Model model = filled(100, 4000, 5000);
    Model copy = share(model, 0, Long.MAX_VALUE);
    int nodes = tree.nodesInUse();
    clear(copy, 0, 100);
    clear(copy, 101, 4000);
    clear(copy, 5001, Long.MAX_VALUE);
    assertThat(copy.root).isEqualTo(model.root);
    assertThat(tree.nodesInUse()).isEqualTo(nodes);
    clear(copy, 100, 5001);
    assertThat(copy.root).isZero();
    check(model, "original");
  }

  @Test
  void A5_raiseOfASharedTree() {
    Model model = filled(3, 70);
    Model copy = share(model, 0, Long.MAX_VALUE);
    int nodes = tree.nodesInUse();
    shift(copy, 7L * 4096 + 5L * 4096 * 64, 4);
    assertThat(tree.nodesInUse()).isEqualTo(nodes + 2);
    check(model, "original");
    check(copy, "raised");
    put(copy, 1, fixture.anon());
    clear(copy, 0, copy.anons.lastKey());
    check(model, "original, after changes of the raised one");
    check(copy, "raised and changed");
    drop(copy);
    check(model, "original, after the end of the raised one");
    drop(model);
    assertThat(tree.nodesInUse()).isZero();
  }

  @Test
  void A4_randomTreesAgainstMaps() {
    SplittableRandom random = new SplittableRandom(SEED);
    for (int round = 0; round < 10 * Integer.getInteger("juvm.test.scale", 1); round++) {
      long slots = 1L << (4 + random.nextInt(16));
      List<Model> models = new ArrayList<>(List.of(new Model()));
      for (int step = 0; step < 300; step++) {
        step(models, slots, random);
        String description = "step " + step + ", -Djuvm.test.seed=" + SEED;
        models.forEach(model -> check(model, description));
      }
      models.forEach(this::drop);
      assertThat(tree.nodesInUse()).as("seed %d", SEED).isZero();
      fixture.audit(List.of(), "seed " + SEED);
    }
  }

  private void step(List<Model> models, long slots, SplittableRandom random) {
    Model model = models.get(random.nextInt(models.size()));
    long slot = random.nextLong(slots);
    long end = slot + 1 + random.nextLong(slots);
    switch (random.nextInt(12)) {
      case 0, 1, 2, 3, 4, 5 -> putIfNotExclusive(model, slot);
      case 6, 7 -> {
        if (models.size() < 6) {
          models.add(share(model, slot, end));
        }
      }
      case 8 -> models.add(models.size() < 6 ? share(model, 0, Long.MAX_VALUE) : new Model());
      case 9 -> clear(model, slot, end);
      case 10 -> {
        if (model.root != 0 && model.levels < 6) {
          long by = (1 + random.nextInt(63)) * AmapTree.span(model.levels);
          shift(model, by, model.levels + 1);
        }
      }
      default -> {
        drop(model);
        models.remove(model);
      }
    }
    if (models.isEmpty()) {
      models.add(new Model());
    }
  }

  /** An anon that only this tree has must not be replaced, for it would have no reference left. */
  private void putIfNotExclusive(Model model, long slot) {
    int old = tree.find(model.root, model.levels, slot);
    if (old == 0
        || fixture.anons.references(old) > 1
        || !tree.isPathExclusive(model.root, model.levels, slot)) {
      put(model, slot, fixture.anon());
    }
  }
}
