package org.juvm.map;

import org.juvm.sync.EventCount;

/**
 * The entries of one map that operations work on although they have let go of the lock. Guarded by
 * the lock of the map; who waits for the end of a transition holds none.
 *
 * <p>Source: {@code MAP_ENTRY_IN_TRANSITION} and {@code vm_map_transition_wait} of {@code
 * vm_map.c}.
 */
final class Transitions {
  private final EntryTree entries;
  private final EventCount ended = new EventCount();
  private int count;

  Transitions(EntryTree entries) {
    this.entries = entries;
  }

  /** How many entries are in transition. */
  int count() {
    return count;
  }

  /** Advances when a transition has ended. */
  EventCount ended() {
    return ended;
  }

  boolean isAnyIn(long start, long end) {
    if (count == 0) {
      return false;
    }
    for (MapEntry entry = entries.firstEndingAfter(start);
        entry != null && entry.start < end;
        entry = entry.next) {
      if (entry.inTransition) {
        return true;
      }
    }
    return false;
  }

  /** Begins or ends the transition of all entries that start in a range. */
  void set(long start, long end, boolean value) {
    for (MapEntry entry = entries.find(start);
        entry != null && entry.start < end;
        entry = entry.next) {
      assert entry.inTransition != value;
      entry.inTransition = value;
      count += value ? 1 : -1;
    }
    if (!value) {
      ended.advance();
    }
  }
}
