package org.juvm.anon;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Random histories of several amaps that share what they can, against a plain model: for each amap
 * which anon is in which slot, and the ranges that are referred to.
 */
class AmapOracleTest {
  private static final int MAXIMUM_AMAPS = 7;

  private final long seed = Long.getLong("juvm.test.seed", System.nanoTime());
  private final SplittableRandom random = new SplittableRandom(seed);

  /** How amaps are filled. */
  enum Filling {
    /** A few dozen slots: one or two levels. */
    SMALL(100, 4, 400),
    /** Long runs, in amaps of more than one node on the second level. */
    DENSE(12_000, 1500, 60),
    /** Single slots far from one another. */
    SPARSE(1L << 30, 1, 300),
    /** Runs that end within nodes, in few of many nodes. */
    MIXED(40_000, 150, 200);

    final long slots;
    final int run;
    final int steps;

    Filling(long slots, int run, int steps) {
      this.slots = slots;
      this.run = run;
      this.steps = steps;
    }
  }

  /** Slots that one reference is to. */
  private record Range(long start, long end) {
    long count() {
      return end - start;
    }

    boolean contains(long slot) {
      return start <= slot && slot < end;
    }

    Range shifted(long by) {
      return new Range(start + by, end + by);
    }
  }

  /** An amap and what it should hold. */
  private static final class Model {
    final Amap amap;
    long slots;
    final List<Range> references = new ArrayList<>();
    TreeMap<Long, Integer> anons = new TreeMap<>();

    Model(Amap amap, Range first) {
      this.amap = amap;
      slots = first.end;
      references.add(first);
    }

    int references(long slot) {
      return (int) references.stream().filter(range -> range.contains(slot)).count();
    }

    void shift(long by) {
      TreeMap<Long, Integer> shifted = new TreeMap<>();
      anons.forEach((slot, anon) -> shifted.put(slot + by, anon));
      anons = shifted;
      references.replaceAll(range -> range.shifted(by));
      slots += by;
    }
  }

  private AnonFixture fixture = AnonFixture.roomy();
  private final List<Model> models = new ArrayList<>();

  /** Operations that were refused for lack of anons and of nodes. */
  private int withoutAnon;

  private int withoutNode;

  private String description = "";

  @ParameterizedTest
  @EnumSource(Filling.class)
  void A4_historiesAgainstOracle(Filling filling) {
    for (int round = 0; round < 4 * Integer.getInteger("juvm.test.scale", 1); round++) {
      run(filling, filling + " round " + round);
    }
  }

  /** With so few nodes and anons that operations are refused, which must leave all as it was. */
  @Test
  void A5_historiesAgainstOracleWithoutMemory() {
    fixture = new AnonFixture(1 << 10, 1 << 10, AnonFixture.UNAVAILABLE_NODES + 40);
    for (int round = 0; round < 8 * Integer.getInteger("juvm.test.scale", 1); round++) {
      run(Filling.SPARSE, "few nodes, round " + round);
    }
    assertThat(withoutNode).as("seed %d", seed).isPositive();
    fixture = new AnonFixture(1 << 10, 60, 1 << 14);
    for (int round = 0; round < 8 * Integer.getInteger("juvm.test.scale", 1); round++) {
      run(Filling.SMALL, "few anons, round " + round);
    }
    assertThat(withoutAnon).as("seed %d", seed).isPositive();
  }

  /** Two amaps after a fork, of each of which parts go until nothing is left. (bug 7) */
  @ParameterizedTest
  @EnumSource(Filling.class)
  void A4_bothSidesOfAForkArePartlyUnmapped(Filling filling) {
    create(filling);
    Model parent = models.getFirst();
    Range all = parent.references.getFirst();
    for (int i = 0; i < 40; i++) {
      put(parent, all, filling);
    }
    copy(parent, all);
    while (!models.isEmpty()) {
      Model model = models.get(random.nextInt(models.size()));
      Range range = model.references.get(random.nextInt(model.references.size()));
      if (range.count() > 1 && model.references.size() < 20 && random.nextInt(3) > 0) {
        split(model, range);
      } else {
        dereference(model, range);
      }
      check("partly unmapped, -Djuvm.test.seed=" + seed);
    }
  }

  private void run(Filling filling, String name) {
    for (int step = 0; step < filling.steps; step++) {
      description = name + " step " + step + ", -Djuvm.test.seed=" + seed;
      step(filling);
      check(description);
    }
    while (!models.isEmpty()) {
      Model model = models.getLast();
      dereference(model, model.references.getLast());
    }
    fixture.audit(List.of(), description);
  }

  private void step(Filling filling) {
    if (models.isEmpty()) {
      create(filling);
      return;
    }
    Model model = models.get(random.nextInt(models.size()));
    Range range = model.references.get(random.nextInt(model.references.size()));
    switch (random.nextInt(20)) {
      case 0 -> create(filling);
      case 1, 2 -> copy(model, random.nextBoolean() ? range : part(range));
      case 3, 4 -> reference(model, random.nextBoolean() ? range : part(range));
      case 5, 6 -> split(model, range);
      case 7 -> join(model);
      case 8, 9, 10 -> dereference(model, range);
      case 11, 12 -> extend(model, range, filling);
      case 13, 14 -> extendBackwards(model, range, filling);
      default -> put(model, range, filling);
    }
  }

  private Range part(Range range) {
    long start = range.start + random.nextLong(range.count());
    return new Range(start, start + 1 + random.nextLong(range.end - start));
  }

  private void create(Filling filling) {
    if (models.size() < MAXIMUM_AMAPS) {
      Range range = new Range(0, 1 + random.nextLong(filling.slots));
      models.add(new Model(Amap.create(fixture.tree, range.end), range));
    }
  }

  private void copy(Model model, Range range) {
    if (models.size() == MAXIMUM_AMAPS || !hasRoom()) {
      return;
    }
    model.amap.lock();
    Model copy = new Model(model.amap.copy(range.start, range.count()), range);
    model.amap.unlock();
    copy.anons.putAll(model.anons.subMap(range.start, range.end));
    models.add(copy);
  }

  private boolean hasRoom() {
    boolean room = fixture.tree.hasRoom(2);
    withoutNode += room ? 0 : 1;
    return room;
  }

  private void reference(Model model, Range range) {
    if (model.references.size() > 8) {
      return;
    }
    model.amap.lock();
    model.amap.reference(range.start, range.count(), random.nextInt(4) == 0);
    model.amap.unlock();
    model.references.add(range);
  }

  private void split(Model model, Range range) {
    if (range.count() < 2) {
      return;
    }
    long at = range.start + 1 + random.nextLong(range.count() - 1);
    model.amap.lock();
    model.amap.splitReference();
    model.amap.unlock();
    model.references.remove(range);
    model.references.add(new Range(range.start, at));
    model.references.add(new Range(at, range.end));
  }

  /** Joins the first pair of neighbours, if there is one. */
  private void join(Model model) {
    for (Range left : model.references) {
      for (Range right : model.references) {
        if (left.end == right.start) {
          model.amap.lock();
          model.amap.joinReferences();
          model.amap.unlock();
          model.references.remove(left);
          model.references.remove(right);
          model.references.add(new Range(left.start, right.end));
          return;
        }
      }
    }
  }

  private void dereference(Model model, Range range) {
    fixture.dereference(model.amap, range.start, range.end);
    model.references.remove(range);
    model.anons.keySet().removeIf(slot -> model.references(slot) == 0);
    if (model.references.isEmpty()) {
      models.remove(model);
    }
  }

  private long more(Filling filling) {
    return 1 + random.nextLong(random.nextBoolean() ? 10 : filling.slots);
  }

  private void extend(Model model, Range range, Filling filling) {
    long more = more(filling);
    model.amap.lock();
    boolean done = model.amap.extend(range.end, more);
    model.amap.unlock();
    assertThat(done).as(description).isEqualTo(model.references.size() == 1);
    if (done) {
      model.references.set(0, new Range(range.start, range.end + more));
      model.slots = Math.max(model.slots, range.end + more);
    }
  }

  private void extendBackwards(Model model, Range range, Filling filling) {
    long more = more(filling);
    boolean room = fixture.tree.hasRoom(1);
    model.amap.lock();
    long shift = model.amap.extendBackwards(range.start, more);
    model.amap.unlock();
    boolean single = model.references.size() == 1;
    if (!single) {
      assertThat(shift).as(description).isEqualTo(Amap.REFUSED);
    } else if (more <= range.start) {
      assertThat(shift).as(description).isZero();
    } else if (shift == Amap.REFUSED) {
      assertThat(room).as(description).isFalse();
      withoutNode++;
    }
    if (shift != Amap.REFUSED) {
      model.shift(shift);
      model.references.set(0, new Range(range.start + shift - more, range.end + shift));
    }
  }

  /** Writes as faults do, to a run of slots: in place what is exclusive, the rest to a new anon. */
  private void put(Model model, Range range, Filling filling) {
    long first = range.start + random.nextLong(range.count());
    long end = Math.min(range.end, first + 1 + random.nextInt(filling.run));
    Map<Integer, Integer> holders = holders();
    for (long slot = first; slot < end; slot++) {
      Integer old = model.anons.get(slot);
      if (old != null && holders.getOrDefault(old, 0) == 1) {
        continue;
      }
      int anon = 0;
      if (!model.amap.hasRoom()) {
        withoutNode++;
      } else {
        anon = fixture.anon();
        withoutAnon += anon == 0 ? 1 : 0;
      }
      if (anon == 0) {
        return;
      }
      model.amap.lock();
      model.amap.put(slot, anon);
      model.amap.unlock();
      model.anons.put(slot, anon);
      if (old != null) {
        holders.merge(old, -1, Integer::sum);
      }
    }
  }

  /** In how many slots of how many amaps each anon is. */
  private Map<Integer, Integer> holders() {
    Map<Integer, Integer> holders = new HashMap<>();
    for (Model model : models) {
      model.anons.values().forEach(anon -> holders.merge(anon, 1, Integer::sum));
    }
    return holders;
  }

  private void check(String where) {
    Map<Integer, Integer> holders = holders();
    for (Model model : models) {
      model.amap.lock();
      try {
        check(model, holders, where);
      } finally {
        model.amap.unlock();
      }
    }
    fixture.audit(models.stream().map(model -> model.amap).toList(), where);
    assertThat(fixture.allocator.freeFrames()).as(where).isEqualTo(fixture.frames - holders.size());
  }

  private void check(Model model, Map<Integer, Integer> holders, String where) {
    Amap amap = model.amap;
    assertThat(amap.references()).as(where).isEqualTo(model.references.size());
    assertThat(amap.slots()).as(where).isEqualTo(model.slots);
    TreeMap<Long, Integer> found = new TreeMap<>();
    amap.forEach(0, amap.slots(), found::put);
    assertThat(found.equals(model.anons)).as(where).isTrue();
    model.anons.forEach(
        (slot, anon) -> {
          boolean exclusive = holders.getOrDefault(anon, 0) == 1;
          if (amap.find(slot) != anon || amap.isExclusive(slot, anon, fixture.anons) != exclusive) {
            assertThat(amap.find(slot)).as("slot %d, %s", slot, where).isEqualTo(anon);
            assertThat(amap.isExclusive(slot, anon, fixture.anons))
                .as("slot %d, %s", slot, where)
                .isEqualTo(exclusive);
          }
        });
    for (Range range : model.references) {
      long between = range.start + random.nextLong(range.count());
      for (long slot : new long[] {range.start, between, range.end - 1}) {
        assertThat(amap.references(slot))
            .as("references to slot %d, %s", slot, where)
            .isEqualTo(model.references(slot));
        assertThat(amap.find(slot))
            .as("slot %d, %s", slot, where)
            .isEqualTo(model.anons.getOrDefault(slot, 0));
      }
    }
  }
}
