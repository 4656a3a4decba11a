package org.juvm.map;

import java.util.ArrayList;
import java.util.List;
import org.juvm.anon.Amap;
import org.juvm.anon.AmapTree;
import org.juvm.anon.DeadAnons;
import org.juvm.base.Inheritance;
import org.juvm.base.PageSize;
import org.juvm.page.FrameTable;
import org.juvm.trace.Counter;

/**
 * Makes a child of an address space.
 *
 * <p>The work is per map entry, not per page: parent and child refer to one amap, both entries are
 * marked needs-copy, and the parent loses the right to write by subtrees of its page table. The
 * child's page table is empty.
 *
 * <p>Pages that are wired, because somebody uses them by raw address, are copied for the child at
 * once, so that the parent's page stays where it is.
 *
 * <p>Source: {@code uvmspace_fork}, {@code amap_cow_now}.
 */
public final class Forker {
  private final VmMap parent;
  private final Machine machine;
  private final PageSize pageSize;
  private final DeadAnons dead = new DeadAnons();
  private final PageCopier copier;

  /** What the child may do. */
  private final MapSettings settings = new MapSettings();

  /** Entries of the child, in the order of addresses. */
  private final List<MapEntry> copies = new ArrayList<>(4);

  /** Entries of the parent that must lose the right to write. */
  private final List<MapEntry> protect = new ArrayList<>(4);

  /** Pairs of entries of parent and child whose wired pages are copied at the end. */
  private final List<MapEntry> wired = new ArrayList<>(0);

  /**
   * Whether the child shares any memory, which must stay writable. Else the parent's whole page
   * table is write-protected at once: pages that are still its own alone cost a fault more, and the
   * time of a fork does not depend on anything but the number of entries.
   */
  private boolean shares;

  /** Whether the frames for wired pages could be set aside. */
  private boolean reserved;

  /**
   * An operation for one thread, to be used once.
   *
   * @param parent the address space to copy
   */
  public Forker(VmMap parent) {
    this.parent = parent;
    machine = parent.machine();
    pageSize = machine.pageSize();
    copier = new PageCopier(machine);
  }

  /**
   * Fills an address space that nobody else knows yet with what a child inherits. Nothing is wired
   * in the child; submaps are not inherited.
   *
   * @param child an empty map
   * @return DONE, EXITED, or NO_MEMORY if wired pages could not be copied; then the child is to be
   *     thrown away
   */
  public MapOutcome fork(VmMap child) {
    MapOutcome outcome = copyParent();
    while (outcome == MapOutcome.NO_MEMORY
        && !reserved
        && machine.allocator().reclaimer().await()) {
      outcome = copyParent();
    }
    if (!insert(child)) {
      child.release(copies);
      outcome = MapOutcome.EXITED;
    }
    copier.close();
    machine.anons().free(dead, 0);
    if (outcome == MapOutcome.DONE) {
      machine.counters().add(Counter.FORKS, 1);
    }
    return outcome;
  }

  private MapOutcome copyParent() {
    parent.lockStable(parent.minimum(), parent.maximum());
    try {
      if (parent.isExited()) {
        return MapOutcome.EXITED;
      }
      reserved = copier.reserve(wiredPages());
      if (!reserved) {
        return MapOutcome.NO_MEMORY;
      }
      settings.inheritFrom(parent.settings());
      return copyEntries();
    } finally {
      parent.unlockWrite();
    }
  }

  /** Returns false if the child was ended meanwhile, which happens when the system is closed. */
  private boolean insert(VmMap child) {
    child.lockWrite();
    try {
      if (child.isExited()) {
        return false;
      }
      child.settings().inheritFrom(settings);
      for (MapEntry copy : copies) {
        child.insert(copy);
      }
      // What set the parent's entries apart is not always inherited, as wirings are not.
      child.simplify(child.minimum(), child.maximum());
      return true;
    } finally {
      child.unlockWrite();
    }
  }

  /** How many pages may have to be copied at once because they are wired. */
  private int wiredPages() {
    int[] count = new int[1];
    for (MapEntry entry = parent.first(); entry != null; entry = entry.next) {
      Amap amap = entry.amap;
      if (entry.wirings != 0 && entry.inheritance == Inheritance.SHARE) {
        count[0] += parent.memory().pagesToOwn(entry);
      } else if (amap != null && entry.inheritance == Inheritance.COPY) {
        amap.lock();
        if (entry.wirings != 0) {
          amap.forEach(entry.slot, entry.slot + pages(entry), (slot, anon) -> count[0]++);
        } else if (amap.isShared() || amap.isWired()) {
          forEachWired(amap, entry, (slot, anon) -> count[0]++);
        }
        amap.unlock();
      }
    }
    return count[0];
  }

  private void forEachWired(Amap amap, MapEntry entry, AmapTree.SlotVisitor visitor) {
    amap.forEach(
        entry.slot,
        entry.slot + pageSize.vpn(entry.end - entry.start),
        (slot, anon) -> {
          if (machine.anons().isResident(anon)
              && machine.frames().wirings(machine.anons().frame(anon)) > 0) {
            visitor.visit(slot, anon);
          }
        });
  }

  private MapOutcome copyEntries() {
    MapOutcome outcome = MapOutcome.DONE;
    for (MapEntry entry = parent.first();
        entry != null && outcome == MapOutcome.DONE;
        entry = entry.next) {
      if (entry.inheritance == Inheritance.NONE || entry.submap != null) {
        continue;
      }
      MapEntry copy = new MapEntry();
      copy.setUnwiredLike(entry, entry.start, entry.end);
      outcome =
          switch (entry.inheritance) {
            case SHARE -> share(entry, copy);
            case COPY -> isDevice(entry) ? share(entry, copy) : copy(entry, copy);
            case ZERO, NONE -> zero(copy);
          };
      if (outcome == MapOutcome.DONE) {
        copies.add(copy);
      }
    }
    writeProtect();
    for (int i = 0; i < wired.size() && outcome == MapOutcome.DONE; i += 2) {
      outcome = copyWired(wired.get(i), wired.get(i + 1));
    }
    return outcome;
  }

  private static boolean isDevice(MapEntry entry) {
    return entry.object != null && entry.object.isDevice();
  }

  private void writeProtect() {
    if (protect.isEmpty()) {
      return;
    }
    if (!shares) {
      parent.pmap().writeProtectAll();
      return;
    }
    long[] bounds = new long[2 * protect.size()];
    for (int i = 0; i < protect.size(); i++) {
      bounds[2 * i] = protect.get(i).start;
      bounds[2 * i + 1] = protect.get(i).end;
    }
    parent.pmap().writeProtect(bounds);
  }

  private long pages(MapEntry entry) {
    return pageSize.vpn(entry.end - entry.start);
  }

  private static MapOutcome zero(MapEntry copy) {
    copy.object = null;
    copy.offset = 0;
    copy.copyOnWrite = false;
    copy.needsCopy = true;
    return MapOutcome.DONE;
  }

  private MapOutcome share(MapEntry entry, MapEntry copy) {
    if (!machine.amaps().hasRoom(2)) {
      return MapOutcome.NO_MEMORY;
    }
    shares = true;
    return parent.memory().share(entry, copy, dead, copier, parent.pmap())
        ? MapOutcome.DONE
        : MapOutcome.NO_MEMORY;
  }

  private MapOutcome copy(MapEntry entry, MapEntry copy) {
    MapOutcome outcome = copyAnonymous(entry, copy);
    if (entry.object != null && outcome == MapOutcome.DONE) {
      entry.object.reference();
      copy.copyOnWrite = true;
    }
    return outcome;
  }

  private MapOutcome copyAnonymous(MapEntry entry, MapEntry copy) {
    Amap amap = entry.amap;
    copy.slot = entry.slot;
    if (amap == null) {
      copy.needsCopy = true;
      return MapOutcome.DONE;
    }
    if (entry.wirings != 0) {
      copy.amap = amap.newFamilyMember(entry.slot + pages(entry));
      copy.needsCopy = false;
      protect.add(entry);
      wired.add(entry);
      wired.add(copy);
      return MapOutcome.DONE;
    }
    amap.lock();
    try {
      if (!amap.isShared() && !amap.isWired()) {
        amap.reference(entry.slot, pages(entry), false);
        copy.amap = amap;
        copy.needsCopy = true;
        if (!entry.needsCopy) {
          entry.needsCopy = true;
          protect.add(entry);
        }
        return MapOutcome.DONE;
      }
      // Others see this memory as theirs, or a page must stay in place: the child gets an amap now.
      if (!machine.amaps().hasRoom(2)) {
        return MapOutcome.NO_MEMORY;
      }
      Amap childAmap = amap.copy(entry.slot, pages(entry));
      amap.removeMappings(entry.slot, pages(entry), machine.anons(), machine.pmaps());
      if (!copyWiredPages(amap, childAmap, entry)) {
        childAmap.dereference(entry.slot, pages(entry), dead);
        return MapOutcome.NO_MEMORY;
      }
      copy.amap = childAmap;
      copy.needsCopy = false;
      return MapOutcome.DONE;
    } finally {
      amap.unlock();
    }
  }

  /** Both amaps are locked: they have one lock, or the child's is empty. */
  private boolean copyWiredPages(Amap amap, Amap childAmap, MapEntry entry) {
    boolean[] done = {true};
    forEachWired(
        amap,
        entry,
        (slot, anon) -> {
          int frame = machine.anons().frame(anon);
          done[0] = done[0] && copier.copy(frame, childAmap, slot) != FrameTable.NONE;
        });
    return done[0];
  }

  /**
   * Copies all anonymous pages of a wired entry for the child. No processor can write them now; the
   * parent's pages stay where they are and its own. ({@code amap_cow_now})
   */
  private MapOutcome copyWired(MapEntry entry, MapEntry copy) {
    Amap amap = EntryMemory.amapOf(entry);
    Amap childAmap = EntryMemory.amapOf(copy);
    boolean[] done = {true};
    amap.lock();
    try {
      if (amap.isShared()) {
        amap.removeMappings(entry.slot, pages(entry), machine.anons(), machine.pmaps());
      }
      amap.forEach(
          entry.slot,
          entry.slot + pages(entry),
          (slot, anon) -> {
            int frame = machine.anons().frame(anon);
            done[0] = done[0] && copier.copy(frame, childAmap, slot) != FrameTable.NONE;
          });
    } finally {
      amap.unlock();
    }
    return done[0] ? MapOutcome.DONE : MapOutcome.NO_MEMORY;
  }
}
