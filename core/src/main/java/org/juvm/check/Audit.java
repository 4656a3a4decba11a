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
import org.juvm.object.MemoryObject;
import org.juvm.page.FrameTable;
import org.juvm.page.ObjectPages;
import org.juvm.page.PageOwner;

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

  /** References found to each object. */
  private final IdentityHashMap<MemoryObject, Integer> objectReferences = new IdentityHashMap<>();

  /** For each amap, the slots that each of its entries refers to: pairs of start and end. */
  private final IdentityHashMap<Amap, List<long[]>> slotRanges = new IdentityHashMap<>();

  /** What has each swap slot. */
  private final Map<Integer, String> slots = new HashMap<>();

  /** Frames of objects. */
  private final Set<Integer> objectFrames = new HashSet<>();

  /** Wirings by map entries found for each frame. */
  private final Map<Integer, Integer> frameWirings = new HashMap<>();

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
   * @param objects an element for each reference to an object that is not by a map entry
   * @return a sentence for each difference; empty if there is none
   */
  public List<String> run(
      Collection<VmMap> maps,
      Collection<AnonTable.Magazine> magazines,
      Collection<? extends MemoryObject> objects) {
    objects.forEach(object -> objectReferences.merge(object, 1, Integer::sum));
    maps.forEach(this::collect);
    countTrees();
    countSlots();
    countObjects();
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
    expect("swap slots in use", slots.size(), machine.swap().slotsInUse());
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
    List<VmMap> submaps = new ArrayList<>();
    map.lockRead(0);
    try {
      collect(map, submaps);
    } finally {
      map.unlockRead(0);
    }
    submaps.forEach(this::collect);
  }

  private void collect(VmMap map, List<VmMap> submaps) {
    try {
      map.check();
    } catch (VmPanic e) {
      find(String.valueOf(e.getMessage()));
    }
    for (MapEntry entry = map.first(); entry != null; entry = map.next(entry)) {
      Amap amap = entry.amap();
      if (amap != null) {
        long pages = machine.pageSize().vpn(entry.end() - entry.start());
        amapReferences.merge(amap, 1, Integer::sum);
        slotRanges
            .computeIfAbsent(amap, any -> new ArrayList<>())
            .add(new long[] {entry.slot(), entry.slot() + pages});
      }
      MemoryObject object = entry.object();
      checkKind(entry);
      if (object != null) {
        objectReferences.merge(object, 1, Integer::sum);
      }
      if (entry.wirings() != 0) {
        countWirings(map, entry);
      }
      VmMap submap = entry.submap();
      if (submap != null) {
        submaps.add(submap);
      }
    }
  }

  /** An entry that has page tables is a shared mapping of an object, and not wired. */
  private void checkKind(MapEntry entry) {
    boolean isPlain =
        entry.object() != null
            && entry.amap() == null
            && !entry.copyOnWrite()
            && !entry.needsCopy()
            && entry.wirings() == 0;
    if (entry.hasPageTable() ? !isPlain : entry.root() != 0) {
      find("page tables of map entry " + Long.toHexString(entry.start()) + " are not possible");
    }
  }

  private void countWirings(VmMap map, MapEntry entry) {
    int page = machine.pageSize().bytes();
    for (long address = entry.start(); address < entry.end(); address += page) {
      int frame = map.memory().wiredFrame(entry, address);
      if (frame == FrameTable.NONE) {
        find("wired page " + Long.toHexString(address) + " is not resident");
      } else {
        frameWirings.merge(frame, 1, Integer::sum);
      }
    }
  }

  /** Compares the references to each slot at the start of each range, where they change. */
  private void countSlots() {
    slotRanges.forEach(
        (amap, ranges) -> {
          amap.lock();
          try {
            for (long[] range : ranges) {
              long count = ranges.stream().filter(r -> r[0] <= range[0] && range[0] < r[1]).count();
              expect("references of amap slot " + range[0], count, amap.references(range[0]));
            }
          } finally {
            amap.unlock();
          }
        });
  }

  private void countObjects() {
    objectReferences.forEach(
        (object, references) -> {
          object.lock();
          try {
            expect("object references", references, object.references());
            object.forEach(
                0,
                Long.MAX_VALUE,
                (page, place) -> {
                  if (ObjectPages.isFrame(place)) {
                    addObjectFrame(object, page, ObjectPages.frame(place));
                  } else {
                    addSlot(ObjectPages.slotOf(place), "page " + page + " of an object");
                  }
                  return false;
                });
          } finally {
            object.unlock();
          }
        });
  }

  private void addObjectFrame(MemoryObject object, long page, int frame) {
    if (!objectFrames.add(frame)) {
      find("two pages of objects have frame " + frame);
    }
    if (!object.equals(machine.owners().get(machine.frames().holder(frame)))) {
      find("frame " + frame + " is page " + page + " of an object that is not its owner");
    }
    long tag = Integer.toUnsignedLong(machine.frames().tag(frame));
    expect("tag of frame " + frame, page & 0xffff_ffffL, tag);
  }

  /** 0 is the slot of a page that is lost. */
  private void addSlot(int slot, String what) {
    if (slot != 0) {
      String other = slots.put(slot, what);
      if (other != null) {
        find(what + " and " + other + " have swap slot " + slot);
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
      if (!machine.anons().isResident(anon)) {
        addSlot(machine.anons().slot(anon), "anon " + anon);
        continue;
      }
      int frame = machine.anons().frame(anon);
      expect("anon of frame " + frame, anon, machine.frames().tag(frame));
      PageOwner owner = machine.owners().get(machine.frames().holder(frame));
      if (owner == null || !owner.isAnonymous()) {
        find("frame " + frame + " of anon " + anon + " has no amap for an owner");
      }
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
    for (VmMap submap = entry == null ? null : entry.submap(); submap != null; ) {
      entry = submap.find(address);
      submap = entry == null ? null : entry.submap();
    }
    if (entry == null) {
      find(where + " is in the page table, but not in the map");
      return;
    }
    if (writable && machine.frames().loans(frame) > 0) {
      find(where + " is mapped for writing, but on loan");
    }
    if (writable && !entry.protection().permits(Access.WRITE)) {
      find(where + " is mapped for writing, which its entry does not allow");
    }
    MemoryObject object = entry.object();
    if (entry.hasPageTable() && object != null) {
      if (!isPageOf(object, frame)) {
        find(where + " maps frame " + frame + ", which is not one of its object");
      }
      return;
    }
    Amap amap = entry.amap();
    if (map.memory().residentFrame(entry, address) != frame) {
      find(where + " maps frame " + frame + ", which is not that of its entry");
      return;
    }
    if (amap == null) {
      if (writable && (entry.object() == null || entry.copyOnWrite())) {
        find(where + " is mapped for writing, but nobody has it alone");
      }
      return;
    }
    long slot = entry.slot() + machine.pageSize().vpn(address - entry.start());
    amap.lock();
    try {
      int anon = amap.find(slot);
      boolean mayWrite =
          anon == 0
              ? entry.object() != null && !entry.copyOnWrite()
              : !entry.needsCopy() && amap.isExclusive(slot, anon, machine.anons());
      if (writable && !mayWrite) {
        find(where + " is mapped for writing, but nobody has it alone");
      }
    } finally {
      amap.unlock();
    }
  }

  /**
   * Which page of the object is mapped is the guest's affair: it may have changed its tables, and
   * not have said so yet.
   */
  private boolean isPageOf(MemoryObject object, int frame) {
    if (frame >= machine.frames().frames()) {
      return object.isDevice();
    }
    object.lock();
    try {
      return object.owns(frame);
    } finally {
      object.unlock();
    }
  }

  private void checkFrames() {
    FrameTable frames = machine.frames();
    long loans = 0;
    Map<Integer, Integer> owners = new HashMap<>();
    for (int anon : anonReferences.keySet()) {
      if (!machine.anons().isResident(anon)) {
        continue;
      }
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
      } else if (owners.containsKey(frame) == objectFrames.contains(frame)) {
        find("frame " + frame + " is neither free nor of one anon or object");
      }
      checkWirings(frame);
      loans += frames.loans(frame);
      if (frames.slot(frame) != 0) {
        addSlot(frames.slot(frame), "frame " + frame);
      }
      expect(
          "mappings of frame " + frame,
          frameMappings.getOrDefault(frame, 0),
          machine.pmaps().mappings(frame));
    }
    Set<Integer> deviceFrames = new HashSet<>(frameMappings.keySet());
    deviceFrames.addAll(frameWirings.keySet());
    deviceFrames.removeIf(frame -> frame < frames.frames());
    for (int frame : deviceFrames) {
      checkWirings(frame);
      expect(
          "mappings of a device's frame " + frame,
          frameMappings.getOrDefault(frame, 0),
          machine.pmaps().mappings(frame));
    }
    expect("loans", machine.loans().sum(), loans);
    expect("free frames", free, machine.allocator().freeFrames());
    expect("frames", (long) free + released + owners.size() + objectFrames.size(), frames.frames());
  }

  /** Wirings by windows come on top of those by map entries. */
  private void checkWirings(int frame) {
    int found = frameWirings.getOrDefault(frame, 0);
    int recorded = machine.frames().wirings(frame);
    boolean lent = machine.lent().sum() != 0;
    if (lent ? found > recorded : found != recorded) {
      expect("wirings of frame " + frame, found, recorded);
    }
  }
}
