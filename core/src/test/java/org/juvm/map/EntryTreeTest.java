package org.juvm.map;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.juvm.base.Protection;

/** The tree of entries against a TreeMap and a search from the start. */
class EntryTreeTest {
  private static final long MINIMUM = 10;
  private static final long MAXIMUM = 2000;

  private static MapEntry entry(long start, long end) {
    MapEntry entry = new MapEntry();
    entry.set(start, end, Attributes.anonymous(Protection.READ));
    return entry;
  }

  @Test
  void M3_randomChangesAgainstTreeMap() {
    long seed = Long.getLong("juvm.test.seed", System.nanoTime());
    int rounds = 8 * Integer.getInteger("juvm.test.scale", 1);
    Random random = new Random(seed);
    for (int round = 0; round < rounds; round++) {
      EntryTree tree = new EntryTree(MINIMUM, MAXIMUM);
      NavigableMap<Long, MapEntry> model = new TreeMap<>();
      for (int step = 0; step < 1000; step++) {
        change(tree, model, random);
        tree.check();
        compare(tree, model, random, "-Djuvm.test.seed=" + seed);
      }
    }
  }

  private static void change(EntryTree tree, NavigableMap<Long, MapEntry> model, Random random) {
    long start = MINIMUM + random.nextLong(MAXIMUM - MINIMUM);
    Map.Entry<Long, MapEntry> floor = model.floorEntry(start);
    Map.Entry<Long, MapEntry> higher = model.higherEntry(start);
    long limit = higher == null ? MAXIMUM : higher.getKey();
    if (floor == null || floor.getValue().end <= start) {
      long end = start + 1 + random.nextLong(Math.min(20, limit - start));
      MapEntry added = entry(start, end);
      tree.insert(added);
      model.put(start, added);
      return;
    }
    MapEntry found = floor.getValue();
    if (random.nextInt(3) == 0) {
      long lowest =
          model.lowerEntry(found.start) == null
              ? MINIMUM
              : model.lowerEntry(found.start).getValue().end;
      model.remove(found.start);
      long newStart = lowest + random.nextLong(found.end - lowest);
      long newEnd = newStart + 1 + random.nextLong(limit - newStart);
      tree.resize(found, newStart, newEnd);
      model.put(newStart, found);
    } else {
      tree.remove(found);
      model.remove(found.start);
    }
  }

  private static void compare(
      EntryTree tree, NavigableMap<Long, MapEntry> model, Random random, String seed) {
    List<MapEntry> listed = new ArrayList<>();
    for (MapEntry entry = tree.first(); entry != null; entry = entry.next) {
      listed.add(entry);
    }
    assertThat(listed).as(seed).containsExactlyElementsOf(model.values());
    assertThat(tree.size()).isEqualTo(model.size());
    long address = random.nextLong(MAXIMUM + 10);
    Map.Entry<Long, MapEntry> floor = model.floorEntry(address);
    boolean inside = floor != null && address < floor.getValue().end;
    assertThat(tree.find(address)).as(seed).isSameAs(inside ? floor.getValue() : null);
    Map.Entry<Long, MapEntry> next = inside ? floor : model.higherEntry(address);
    MapEntry ending = tree.firstEndingAfter(address);
    assertThat(ending).as(seed).isSameAs(next == null ? null : next.getValue());
    long length = 1 + random.nextLong(60);
    long alignment = 1 + random.nextLong(12);
    assertThat(tree.findSpace(address, length, alignment))
        .as("%s hint %d length %d alignment %d", seed, address, length, alignment)
        .isEqualTo(firstFit(model, address, length, alignment));
    assertThat(tree.isFree(address, address + length))
        .as(seed)
        .isEqualTo(isFree(model, address, address + length));
  }

  private static boolean isFree(NavigableMap<Long, MapEntry> model, long start, long end) {
    return start >= MINIMUM
        && end <= MAXIMUM
        && model.values().stream().noneMatch(entry -> entry.start < end && start < entry.end);
  }

  private static long firstFit(
      NavigableMap<Long, MapEntry> model, long hint, long length, long alignment) {
    for (long at = Math.max(hint, MINIMUM); at + length <= MAXIMUM; at++) {
      if (at % alignment == 0 && isFree(model, at, at + length)) {
        return at;
      }
    }
    return EntryTree.NOT_FOUND;
  }
}
