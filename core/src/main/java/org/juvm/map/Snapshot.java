package org.juvm.map;

import java.util.ArrayList;
import java.util.List;
import org.juvm.anon.Amap;
import org.juvm.anon.AmapTree;
import org.juvm.anon.DeadAnons;
import org.juvm.base.Access;
import org.juvm.base.Inheritance;
import org.juvm.base.PageSize;
import org.juvm.page.FrameTable;

/**
 * Makes entries that show what entries of a map show at one moment. The work is per entry, not per
 * page: both refer to one amap, both are marked needs-copy, and the map loses the right to write.
 *
 * <p>Pages that are wired, because somebody uses them by raw address, are copied at once, so that
 * they stay where they are.
 *
 * <p>For one thread and one operation, which has locked the map for writing; no entry is in
 * transition. First frames are {@link #reserve set aside}; then each entry is shared or copied;
 * then {@link #finish}; and, without locks, {@link #close}.
 *
 * <p>Source: {@code uvmspace_fork}, {@code uvm_map_extract}, {@code amap_cow_now}.
 */
final class Snapshot {
  private final VmMap parent;
  private final Machine machine;
  private final PageSize pageSize;
  private final DeadAnons dead = new DeadAnons();
  private final PageCopier copier;

  /** Entries that must lose the right to write. */
  private final List<MapEntry> protect = new ArrayList<>(4);

  /** Pairs of entries, old and new, whose wired pages are copied at the end. */
  private final List<MapEntry> wired = new ArrayList<>(0);

  /** Whether it is of a whole map, and the inheritance of each entry counts. */
  private final boolean whole;

  /**
   * Whether the new entries share any memory with the old ones that is writable and must stay so.
   * If not, the whole page table of a whole map is write-protected at once: pages that are still
   * its own alone cost a fault more, and the time of a fork does not depend on anything but the
   * number of entries.
   */
  private boolean shares;

  /**
   * A snapshot.
   *
   * @param parent the map
   * @param whole true for all of it, each entry by its inheritance; false for a range, of which
   *     each entry is copied
   */
  Snapshot(VmMap parent, boolean whole) {
    this.parent = parent;
    this.whole = whole;
    machine = parent.machine();
    pageSize = machine.pageSize();
    copier = new PageCopier(machine);
  }

  /**
   * Sets frames aside for the wired pages of a range. Returns false if there are not enough; it can
   * be tried again when the map was unlocked.
   */
  boolean reserve(long start, long end) {
    return copier.reserve(wiredPages(start, end));
  }

  /** How many pages may have to be copied at once because they are wired. */
  private int wiredPages(long start, long end) {
    int[] count = new int[1];
    for (MapEntry entry = parent.firstEndingAfter(start);
        entry != null && entry.start < end;
        entry = entry.next) {
      Amap amap = entry.amap;
      if (entry.wirings != 0 && whole && entry.inheritance == Inheritance.SHARE) {
        count[0] += parent.memory().pagesToOwn(entry);
      } else if (amap != null && (!whole || entry.inheritance == Inheritance.COPY)) {
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

  /** Takes the right to write away, and copies wired pages. Returns DONE or NO_MEMORY. */
  MapOutcome finish(MapOutcome soFar) {
    MapOutcome outcome = soFar;
    writeProtect();
    for (int i = 0; i < wired.size() && outcome == MapOutcome.DONE; i += 2) {
      outcome = copyWired(wired.get(i), wired.get(i + 1));
    }
    return outcome;
  }

  /** Gives back what is left over. Called without locks. */
  void close() {
    copier.close();
    machine.anons().free(dead, 0);
  }

  private void writeProtect() {
    if (protect.isEmpty()) {
      return;
    }
    if (whole && !shares) {
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

  /** Lets a new entry refer to what an old one does, and see every change of it. */
  MapOutcome share(MapEntry entry, MapEntry copy) {
    if (!machine.amaps().hasRoom(2)) {
      return MapOutcome.NO_MEMORY;
    }
    shares |= entry.protection.permits(Access.WRITE);
    return parent.memory().share(entry, copy, dead, copier, parent.pmap())
        ? MapOutcome.DONE
        : MapOutcome.NO_MEMORY;
  }

  /**
   * Lets a new entry show what an old one does at the end of this. A device is shared, and so is
   * memory with page tables in it.
   */
  MapOutcome copy(MapEntry entry, MapEntry copy) {
    if (entry.hasPageTable() || (entry.object != null && entry.object.isDevice())) {
      return share(entry, copy);
    }
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
