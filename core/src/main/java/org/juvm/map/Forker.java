package org.juvm.map;

import java.util.ArrayList;
import java.util.List;
import org.juvm.base.Inheritance;
import org.juvm.base.MapFlag;
import org.juvm.page.FrameAllocator;
import org.juvm.trace.Counter;

/**
 * Makes a child of an address space.
 *
 * <p>What the child inherits is a {@link Snapshot} of the parent. The child's page table is empty.
 *
 * <p>Source: {@code uvmspace_fork}.
 */
public final class Forker {
  private final VmMap parent;
  private final Snapshot snapshot;

  /** What the child may do. */
  private final MapSettings settings = new MapSettings();

  /** Entries of the child, in the order of addresses. */
  private final List<MapEntry> copies = new ArrayList<>(4);

  /** Whether the frames for wired pages could be set aside. */
  private boolean reserved;

  /**
   * An operation for one thread, to be used once.
   *
   * @param parent the address space to copy
   */
  public Forker(VmMap parent) {
    this.parent = parent;
    snapshot = new Snapshot(parent, true);
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
        && parent.machine().allocator().reclaimer().await(FrameAllocator.Reserve.NONE)) {
      outcome = copyParent();
    }
    if (!insert(child)) {
      child.release(copies);
      outcome = MapOutcome.EXITED;
    }
    snapshot.close();
    if (outcome == MapOutcome.DONE) {
      parent.machine().counters().add(Counter.FORKS, 1);
    }
    return outcome;
  }

  private MapOutcome copyParent() {
    parent.lockStable(parent.minimum(), parent.maximum());
    try {
      if (parent.isExited()) {
        return MapOutcome.EXITED;
      }
      reserved = snapshot.reserve(parent.minimum(), parent.maximum());
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
            case SHARE -> snapshot.share(entry, copy);
            case COPY -> snapshot.copy(entry, copy);
            case ZERO, NONE -> zero(copy);
          };
      if (outcome == MapOutcome.DONE) {
        copies.add(copy);
      }
    }
    return snapshot.finish(outcome);
  }

  private static MapOutcome zero(MapEntry copy) {
    copy.object = null;
    copy.offset = 0;
    copy.root = 0;
    copy.set(MapFlag.PAGE_TABLE, false);
    copy.copyOnWrite = false;
    copy.needsCopy = true;
    return MapOutcome.DONE;
  }
}
