package org.juvm.map;

/**
 * Entries made ahead of an operation, so that none is lacking when half of it is done. Guarded by
 * the lock of the map.
 *
 * <p>Source: {@code vm_map_entry_reserve}.
 */
final class SpareEntries {
  private final MapEntry[] entries = new MapEntry[4];
  private int count;

  void fill() {
    while (count < entries.length) {
      entries[count++] = new MapEntry();
    }
  }

  MapEntry take() {
    return count > 0 ? entries[--count] : new MapEntry();
  }
}
