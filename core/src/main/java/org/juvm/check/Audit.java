package org.juvm.check;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.juvm.anon.Amap;
import org.juvm.anon.AnonTable;
import org.juvm.base.Access;
import org.juvm.base.VmPanic;
import org.juvm.map.Machine;
import org.juvm.map.MapEntry;
import org.juvm.map.VmMap;
import org.juvm.page.FrameTable;

/**
 * Recomputes the state of a whole system from its maps and says where it differs.
 *
 * <p>Exact only while nothing changes: no faults, no operations on maps. For one use.
 */
public final class Audit {
  /** No more sentences than this: the first differences tell most. */
  private static final int MAXIMUM_FINDINGS = 100;

  private final Machine machine;
  private final List<String> findings = new ArrayList<>();

  /** References that map entries hold, by amap. */
  private final IdentityHashMap<Amap, Integer> amapReferences = new IdentityHashMap<>();

  /** References found to each node of amap trees. */
  private final Map<Integer, Integer> nodeReferences = new HashMap<>();

  /** References found to each anon. */
  private final Map<Integer, Integer> anonReferences = new HashMap<>();

  /** Page table entries found for each frame. */
  private final Map<Integer, Integer> frameMappings = new HashMap<>();

  /**
   * An audit.
   *
   * @param machine the system
   */
  public Audit(Machine machine) {
    this.machine = machine;
  }

  /**
   * Does it.
   *
   * @param maps all maps of the system that have not exited
   * @param magazines the magazines of all processors
   * @return a sentence for each difference; empty if there is none
   */
  public List<String> run(Collection<VmMap> maps, Collection<AnonTable.Magazine> magazines) {
    for (VmMap map : maps) {
      map.lockRead(0);
      try {
        collect(map);
      } finally {
        map.unlockRead(0);
      }
    }
    countTrees();
    checkAnons(magazines);
    for (VmMap map : maps) {
      map.lockRead(0);
      try {
        checkPageTable(map);
      } finally {
        map.unlockRead(0);
      }
    }
    checkFrames();
    return List.copyOf(findings);
  }

  private void expect(String what, long expected, long found) {
    if (expected != found) {
      find(what + ": counted " + expected + ", recorded " + found);
    }
  }

  private void find(String finding) {
    if (findings.size() < MAXIMUM_FINDINGS) {
      findings.add(finding);
    }
  }

  private void collect(VmMap map) {
    try {
      map.check();
    } catch (VmPanic e) {
      find(String.valueOf(e.getMessage()));
    }
    for (MapEntry entry = map.first(); entry != null; entry = map.next(entry)) {
      Amap amap = entry.amap();
      if (amap != null) {
        amapReferences.merge(amap, 1, Integer::sum);
      }
    }
  }

  private void countTrees() {
    Set<Integer> seen = new HashSet<>();
    amapReferences.forEach(
        (amap, references) -> {
          expect("amap references", references, amap.references());
          amap.walk(
              (level, number, recorded) -> {
                (level < 0 ? anonReferences : nodeReferences).merge(number, 1, Integer::sum);
                // What is below a node counts once, however many trees contain the node.
                return level >= 0 && seen.add(number);
              });
        });
    Set<Integer> compared = new HashSet<>();
    for (Amap amap : amapReferences.keySet()) {
      amap.walk(
          (level, number, recorded) -> {
            if (level < 0) {
              expect(
                  "references of anon " + number, anonReferences.getOrDefault(number, 0), recorded);
              return false;
            }
            expect(
                "references of amap node " + number,
                nodeReferences.getOrDefault(number, 0),
                recorded);
            return compared.add(number);
          });
    }
    expect("amap nodes in use", nodeReferences.size(), machine.amaps().nodesInUse());
  }

  private void checkAnons(Collection<AnonTable.Magazine> magazines) {
    long waiting = 0;
    for (AnonTable.Magazine magazine : magazines) {
      waiting += AnonTable.inMagazine(magazine);
    }
    expect("anons in use", anonReferences.size() + waiting, machine.anons().handedOut());
    for (int anon : anonReferences.keySet()) {
      int frame = machine.anons().frame(anon);
      expect("owner of frame " + frame, anon, machine.frames().owner(frame));
      if (machine.allocator().isFree(frame)) {
        find("anon " + anon + " has frame " + frame + ", which is free");
      }
    }
  }

  private void checkPageTable(VmMap map) {
    long[] resident = new long[1];
    List<long[]> mappings = new ArrayList<>();
    map.pmap()
        .forEach(
            (address, frame, writable) -> {
              resident[0]++;
              frameMappings.merge(frame, 1, Integer::sum);
              mappings.add(new long[] {address, frame, writable ? 1 : 0});
            });
    expect("resident pages", resident[0], map.pmap().resident());
    for (long[] mapping : mappings) {
      checkMapping(map, mapping[0], (int) mapping[1], mapping[2] != 0);
    }
  }

  private void checkMapping(VmMap map, long address, int frame, boolean writable) {
    String where = "page " + Long.toHexString(address);
    MapEntry entry = map.find(address);
    Amap amap = entry == null ? null : entry.amap();
    if (entry == null || amap == null) {
      find(where + " is in the page table, but not in the map");
      return;
    }
    long slot = entry.slot() + machine.pageSize().vpn(address - entry.start());
    amap.lock();
    try {
      int anon = amap.find(slot);
      if (anon == 0 || machine.anons().frame(anon) != frame) {
        find(where + " maps frame " + frame + ", which is not that of anon " + anon);
        return;
      }
      if (writable
          && (entry.needsCopy()
              || !amap.isExclusive(slot, anon, machine.anons())
              || !entry.protection().permits(Access.WRITE))) {
        find(where + " is mapped for writing, which its entry does not allow");
      }
    } finally {
      amap.unlock();
    }
  }

  private void checkFrames() {
    FrameTable frames = machine.frames();
    Map<Integer, Integer> owners = new HashMap<>();
    for (int anon : anonReferences.keySet()) {
      Integer other = owners.put(machine.anons().frame(anon), anon);
      if (other != null) {
        find("anons " + other + " and " + anon + " have the same frame");
      }
    }
    int free = 0;
    int released = 0;
    for (int frame = 0; frame < frames.frames(); frame++) {
      if (machine.allocator().isFree(frame)) {
        free++;
      } else if (frames.isReleased(frame)) {
        released++;
      } else if (!owners.containsKey(frame)) {
        find("frame " + frame + " is neither free nor of any anon");
      }
      expect(
          "mappings of frame " + frame,
          frameMappings.getOrDefault(frame, 0),
          machine.pmaps().mappings(frame));
    }
    expect("free frames", free, machine.allocator().freeFrames());
    expect("frames", (long) free + released + owners.size(), frames.frames());
  }
}
