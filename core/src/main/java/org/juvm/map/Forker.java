package org.juvm.map;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.juvm.anon.Amap;
import org.juvm.anon.AnonTable;
import org.juvm.anon.DeadAnons;
import org.juvm.base.Inheritance;
import org.juvm.base.PageSize;
import org.juvm.base.VmPanic;
import org.juvm.page.FrameAllocator;
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

  /** For copies of wired pages; null until there is one. */
  private AnonTable.@Nullable Magazine magazine;

  /**
   * Whether the child shares any memory, which must stay writable. Else the parent's whole page
   * table is write-protected at once: pages that are still its own alone cost a fault more, and the
   * time of a fork does not depend on anything but the number of entries.
   */
  private boolean shares;

  /**
   * An operation for one thread, to be used once.
   *
   * @param parent the address space to copy
   */
  public Forker(VmMap parent) {
    this.parent = parent;
    machine = parent.machine();
    pageSize = machine.pageSize();
  }

  /**
   * Fills an address space that nobody else knows yet with what a child inherits.
   *
   * @param child an empty map
   * @return DONE, EXITED, or NO_MEMORY if wired pages could not be copied; then the child is to be
   *     thrown away
   */
  public MapOutcome fork(VmMap child) {
    List<MapEntry> copies = new ArrayList<>(4);
    MapOutcome outcome;
    parent.lockWrite();
    try {
      if (parent.isExited()) {
        outcome = MapOutcome.EXITED;
      } else {
        outcome = copyEntries(copies);
      }
    } finally {
      parent.unlockWrite();
    }
    if (!insert(child, copies)) {
      child.release(copies);
      outcome = MapOutcome.EXITED;
    }
    AnonTable.Magazine used = magazine;
    if (used != null) {
      machine.anons().empty(used);
    }
    machine.anons().free(dead, 0);
    if (outcome == MapOutcome.DONE) {
      machine.counters().add(Counter.FORKS, 1);
    }
    return outcome;
  }

  /** Returns false if the child was ended meanwhile, which happens when the system is closed. */
  private static boolean insert(VmMap child, List<MapEntry> copies) {
    child.lockWrite();
    try {
      if (child.isExited()) {
        return false;
      }
      for (MapEntry copy : copies) {
        child.insert(copy);
      }
      return true;
    } finally {
      child.unlockWrite();
    }
  }

  private MapOutcome copyEntries(List<MapEntry> copies) {
    List<MapEntry> protect = new ArrayList<>(4);
    MapOutcome outcome = MapOutcome.DONE;
    for (MapEntry entry = parent.first();
        entry != null && outcome == MapOutcome.DONE;
        entry = entry.next) {
      if (entry.inheritance == Inheritance.NONE) {
        continue;
      }
      MapEntry copy = entry.part(entry.start, entry.end);
      switch (entry.inheritance) {
        case SHARE -> outcome = share(entry, copy);
        case COPY -> outcome = copy(entry, copy, protect);
        case ZERO, NONE -> copy.needsCopy = true;
      }
      copies.add(copy);
    }
    writeProtect(protect);
    return outcome;
  }

  private void writeProtect(List<MapEntry> protect) {
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

  private MapOutcome share(MapEntry entry, MapEntry copy) {
    if (!machine.amaps().hasRoom(2)) {
      return MapOutcome.NO_MEMORY;
    }
    shares = true;
    parent.resolveNeedsCopy(entry, dead);
    copy.needsCopy = false;
    copy.slot = entry.slot;
    Amap amap = amapOf(entry);
    copy.amap = amap;
    amap.lock();
    amap.reference(entry.slot, pages(entry), true);
    amap.unlock();
    return MapOutcome.DONE;
  }

  private static Amap amapOf(MapEntry entry) {
    Amap amap = entry.amap;
    if (amap == null) {
      throw new VmPanic("map entry has no amap after its copy was resolved");
    }
    return amap;
  }

  private MapOutcome copy(MapEntry entry, MapEntry copy, List<MapEntry> protect) {
    Amap amap = entry.amap;
    if (amap == null) {
      return MapOutcome.DONE;
    }
    long pages = pages(entry);
    copy.slot = entry.slot;
    amap.lock();
    try {
      if (!amap.isShared() && !amap.isWired()) {
        amap.reference(entry.slot, pages, false);
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
      Amap childAmap = amap.copy(entry.slot, pages);
      copy.amap = childAmap;
      copy.needsCopy = false;
      amap.removeMappings(entry.slot, pages, machine.anons(), machine.pmaps());
      return copyWiredPages(amap, childAmap, entry.slot, pages)
          ? MapOutcome.DONE
          : MapOutcome.NO_MEMORY;
    } finally {
      amap.unlock();
    }
  }

  /** Both amaps are locked: they have one lock, or the child's is empty. */
  private boolean copyWiredPages(Amap amap, Amap childAmap, long slot, long pages) {
    if (!amap.isWired()) {
      return true;
    }
    boolean[] done = {true};
    amap.forEach(
        slot,
        slot + pages,
        (at, anon) -> {
          int frame = machine.anons().frame(anon);
          if (done[0] && machine.frames().wirings(frame) > 0) {
            done[0] = copyPage(childAmap, at, frame);
          }
        });
    return done[0];
  }

  private boolean copyPage(Amap childAmap, long slot, int frame) {
    int copy = machine.allocator().allocate(0, false, FrameAllocator.Reserve.KERNEL);
    if (copy == FrameTable.NONE) {
      return false;
    }
    AnonTable.Magazine source = magazine;
    if (source == null) {
      source = new AnonTable.Magazine();
      magazine = source;
    }
    int anon = childAmap.hasRoom() ? machine.anons().allocate(source, copy) : 0;
    if (anon == 0) {
      machine.allocator().free(0, copy);
      return false;
    }
    machine.ram().copy(frame, copy);
    childAmap.put(slot, anon);
    return true;
  }
}
