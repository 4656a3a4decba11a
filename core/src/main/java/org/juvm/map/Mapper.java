package org.juvm.map;

import org.juvm.base.Protection;
import org.juvm.trace.Counter;

/**
 * Makes mappings of anonymous memory.
 *
 * <p>Source: {@code uvm_map}: prepare, enter.
 */
public final class Mapper {
  private final VmMap map;

  /** Where the last mapping was put. Valid after DONE. */
  private long address;

  /**
   * An operation for one thread.
   *
   * @param map the map to change
   */
  public Mapper(VmMap map) {
    this.map = map;
  }

  /**
   * The result of the last operation.
   *
   * @return address of the mapping
   */
  public long address() {
    return address;
  }

  /**
   * Maps memory at the lowest free range from a hint on, or from anywhere if there is none.
   *
   * @param hint an address, page aligned
   * @param length bytes, page aligned, greater than 0
   * @param alignment the address will be a multiple of this; a positive multiple of the page size
   * @param protection what may be done with the memory
   * @return DONE, NO_SPACE or EXITED
   */
  public MapOutcome mapAnywhere(long hint, long length, long alignment, Protection protection) {
    map.lockWrite();
    try {
      if (map.isExited()) {
        return MapOutcome.EXITED;
      }
      long found = map.entries().findSpace(hint, length, alignment);
      if (found == EntryTree.NOT_FOUND && hint > VmMap.MINIMUM) {
        found = map.entries().findSpace(VmMap.MINIMUM, length, alignment);
      }
      if (found == EntryTree.NOT_FOUND) {
        return MapOutcome.NO_SPACE;
      }
      enter(found, length, protection);
      return MapOutcome.DONE;
    } finally {
      map.unlockWrite();
    }
  }

  /**
   * Maps memory at an address where nothing is.
   *
   * @param at the address, page aligned
   * @param length bytes, page aligned, greater than 0
   * @param protection what may be done with the memory
   * @return DONE, OCCUPIED, NO_SPACE if the range leaves the address space, or EXITED
   */
  public MapOutcome mapAt(long at, long length, Protection protection) {
    map.lockWrite();
    try {
      if (map.isExited()) {
        return MapOutcome.EXITED;
      }
      if (at < VmMap.MINIMUM || at > VmMap.MAXIMUM - length) {
        return MapOutcome.NO_SPACE;
      }
      if (!map.entries().isFree(at, at + length)) {
        return MapOutcome.OCCUPIED;
      }
      enter(at, length, protection);
      return MapOutcome.DONE;
    } finally {
      map.unlockWrite();
    }
  }

  /** Fills a hole: by letting the entry before it grow, if that is possible, or with a new one. */
  private void enter(long at, long length, Protection protection) {
    MapEntry added = new MapEntry(at, at + length, protection, Protection.READ_WRITE_EXECUTE);
    MapEntry before = map.find(at - 1);
    if (before != null && before.hasAttributesOf(added) && map.extendAmap(before, length)) {
      map.extend(before, at + length);
    } else {
      map.insert(added);
    }
    map.simplify(at + length, at + length);
    address = at;
    map.machine().counters().add(Counter.MAPS, 1);
  }
}
