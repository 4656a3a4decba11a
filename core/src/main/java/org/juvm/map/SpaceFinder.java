package org.juvm.map;

/**
 * Finds free space for what replaces nothing. For one thread, which has locked the map for writing.
 *
 * <p>Source: the role of {@code uvm_map_findspace}.
 */
final class SpaceFinder {
  private final VmMap map;
  private long address;

  SpaceFinder(VmMap map) {
    this.map = map;
  }

  /** What was found. Valid after DONE. */
  long address() {
    return address;
  }

  /** Returns DONE, NO_SPACE or OCCUPIED. */
  MapOutcome find(Placement placement, long length) {
    long alignment = Math.max(placement.alignment(), map.pageSize().bytes());
    if (placement.rule() == Placement.Rule.ANYWHERE) {
      long hint = Math.max(placement.address(), map.minimum());
      address = map.entries().findSpace(hint, length, alignment);
      if (address == EntryTree.NOT_FOUND) {
        address = map.entries().findSpace(map.minimum(), length, alignment);
      }
      return address == EntryTree.NOT_FOUND ? MapOutcome.NO_SPACE : MapOutcome.DONE;
    }
    address = placement.address();
    if (address < map.minimum() || address > map.maximum() - length || address % alignment != 0) {
      return MapOutcome.NO_SPACE;
    }
    return map.entries().isFree(address, address + length) ? MapOutcome.DONE : MapOutcome.OCCUPIED;
  }
}
