package org.juvm.anon;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.juvm.base.PageSize;
import org.juvm.base.Replacement;
import org.juvm.page.BusyFrames;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.page.PageOwner;
import org.juvm.page.PageOwners;
import org.juvm.page.Reclaimer;
import org.juvm.pageout.ClockSettings;
import org.juvm.pageout.ReplacementPolicies;
import org.juvm.pmap.Pmaps;
import org.juvm.ram.Ram;
import org.juvm.trace.Counters;

/** Pages of anons that go to swap slots and come back: none of either is lost or there twice. */
class AnonSlotsTest {
  private static final int FRAMES = 64;
  private static final int AMAPS = 3;
  private static final int SLOTS_OF_AMAP = 200;

  private final Ram ram = new Ram(FRAMES, PageSize.ofBytes(PageSize.MINIMUM_BYTES));
  private final FrameTable frames = new FrameTable(ram);
  private final FrameAllocator allocator = new FrameAllocator(ram, frames);
  private final PageOwners owners = new PageOwners();
  private final BusyFrames busy = new BusyFrames(frames, allocator, owners);
  private final AnonTable anons = new AnonTable(frames, allocator, owners, false, 1 << 12);
  private final AmapTree tree = new AmapTree(anons, false, 1 << 13);
  private final AnonTable.Magazine magazine = new AnonTable.Magazine();
  private final DeadAnons dead = new DeadAnons();

  /** Slots that somebody has. */
  private final TreeSet<Integer> slots = new TreeSet<>();

  private int lastSlot;

  private AnonSlotsTest() {
    Pmaps pmaps = new Pmaps(ram, frames, new Counters());
    allocator.connect(
        ReplacementPolicies.create(
            Replacement.TWO_QUEUE,
            FRAMES,
            ReplacementPolicies.references(pmaps),
            ClockSettings.DEFAULT),
        Reclaimer.NONE,
        slot -> assertThat(slots.remove(slot)).as("slot %d was in use", slot).isTrue());
  }

  /** Where an anon's page must be. */
  private enum Where {
    MEMORY,
    SWAP,
    LOST
  }

  private final List<Amap> amaps = new ArrayList<>();
  private final List<TreeMap<Long, Where>> oracle = new ArrayList<>();

  private void newAmap(int i) {
    Amap amap = Amap.create(tree, SLOTS_OF_AMAP);
    if (i == amaps.size()) {
      amaps.add(amap);
      oracle.add(new TreeMap<>());
    } else {
      amaps.set(i, amap);
      oracle.get(i).clear();
    }
  }

  @Test
  void F8_pagesGoAndCome() {
    long seed = new SplittableRandom().nextLong();
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < AMAPS; i++) {
      newAmap(i);
    }
    for (int step = 0; step < 20_000; step++) {
      int i = random.nextInt(AMAPS);
      long slot = random.nextInt(SLOTS_OF_AMAP);
      step(random, i, amaps.get(i), slot);
      if (step % 100 == 0) {
        compare(seed);
      }
    }
    for (int i = 0; i < AMAPS; i++) {
      end(i);
    }
    assertThat(slots).as("slots, seed %d", seed).isEmpty();
    assertThat(allocator.freeFrames()).isEqualTo(FRAMES);
    assertThat(owners.size()).isZero();
    assertThat(anons.handedOut()).isEqualTo(AnonTable.inMagazine(magazine));
  }

  private void end(int i) {
    amaps.get(i).lock();
    amaps.get(i).dereference(0, SLOTS_OF_AMAP, dead);
    amaps.get(i).unlock();
    anons.free(dead, 0);
  }

  private void step(SplittableRandom random, int i, Amap amap, long slot) {
    Where where = oracle.get(i).get(slot);
    int what = random.nextInt(100);
    if (what == 0) {
      end(i);
      newAmap(i);
    } else if (what < 8) {
      amap.lock();
      amap.wipe(slot, Math.min(4, SLOTS_OF_AMAP - slot), dead);
      amap.unlock();
      anons.free(dead, 0);
      oracle.get(i).subMap(slot, slot + 4).clear();
    } else if (where == null) {
      make(i, amap, slot);
    } else if (where == Where.MEMORY) {
      pageOut(i, amap, slot, random.nextInt(4) == 0);
    } else if (where == Where.SWAP) {
      pageIn(i, amap, slot, random.nextInt(10) == 0, random.nextInt(10) == 0);
    }
  }

  private void make(int i, Amap amap, long slot) {
    int frame = allocator.allocate(0, false, FrameAllocator.Reserve.KERNEL);
    if (frame == FrameTable.NONE) {
      return;
    }
    amap.lock();
    amap.put(slot, anons.allocate(magazine, frame, amap));
    amap.unlock();
    oracle.get(i).put(slot, Where.MEMORY);
  }

  /** What the daemon does; the page may be given up on its way. */
  private void pageOut(int i, Amap amap, long slot, boolean givenUp) {
    PageOwner owner = amap.owner();
    owner.lock();
    int frame = anons.frame(amap.find(slot));
    assertThat(busy.claim(owner, frame)).isTrue();
    allocator.policy().evicted(frame);
    owner.unlock();
    int old = frames.slot(frame);
    if (old == 0) {
      slots.add(++lastSlot);
      frames.setSlot(frame, lastSlot);
    }
    if (givenUp) {
      wipe(i, amap, slot);
    }
    frames.markClean(frame);
    owner.lock();
    boolean owned = owner.owns(frame);
    assertThat(owned).isEqualTo(!givenUp);
    if (owned) {
      owner.evict(frame);
      oracle.get(i).put(slot, Where.SWAP);
    }
    owner.unlock();
    if (owned) {
      busy.endFree(0, frame);
    } else {
      busy.end(0, frame);
    }
  }

  private void wipe(int i, Amap amap, long slot) {
    amap.lock();
    amap.wipe(slot, 1, dead);
    amap.unlock();
    anons.free(dead, 0);
    oracle.get(i).remove(slot);
  }

  /** What a fault does; the page may be given up on its way, and may not be readable. */
  private void pageIn(int i, Amap amap, long slot, boolean fails, boolean givenUp) {
    int frame = allocator.allocateBusy(0);
    if (frame == FrameTable.NONE) {
      return;
    }
    amap.lock();
    int anon = amap.find(slot);
    int from = anons.slot(anon);
    assertThat(slots).contains(from);
    anons.comesIn(anon, frame, amap);
    amap.unlock();
    assertThat(frames.slot(frame)).isEqualTo(from);
    if (givenUp) {
      wipe(i, amap, slot);
    }
    if (!fails) {
      busy.endClean(0, frame);
      oracle.get(i).computeIfPresent(slot, (_, _) -> Where.MEMORY);
      return;
    }
    amap.lock();
    boolean alive = anons.isLost(frame);
    amap.unlock();
    assertThat(alive).isEqualTo(!givenUp);
    if (alive) {
      slots.remove(from);
      busy.endFree(0, frame);
      oracle.get(i).put(slot, Where.LOST);
    } else {
      busy.end(0, frame);
    }
  }

  private void compare(long seed) {
    TreeSet<Integer> found = new TreeSet<>();
    int resident = 0;
    for (int i = 0; i < AMAPS; i++) {
      Amap amap = amaps.get(i);
      Map<Long, Where> expected = oracle.get(i);
      Map<Long, Where> actual = new TreeMap<>();
      amap.lock();
      amap.forEach(
          0,
          SLOTS_OF_AMAP,
          (slot, anon) -> {
            if (anons.isResident(anon)) {
              actual.put(slot, Where.MEMORY);
              found.add(frames.slot(anons.frame(anon)));
            } else {
              actual.put(slot, anons.slot(anon) == 0 ? Where.LOST : Where.SWAP);
              found.add(anons.slot(anon));
            }
          });
      amap.unlock();
      assertThat(actual).as("seed %d", seed).isEqualTo(expected);
      resident += (int) actual.values().stream().filter(Where.MEMORY::equals).count();
    }
    found.remove(0);
    assertThat(found).as("slots, seed %d", seed).isEqualTo(slots);
    assertThat(allocator.freeFrames()).as("seed %d", seed).isEqualTo(FRAMES - resident);
  }
}
