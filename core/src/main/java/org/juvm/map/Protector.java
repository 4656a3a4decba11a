package org.juvm.map;

import org.juvm.base.Inheritance;
import org.juvm.base.Protection;
import org.juvm.pmap.Pmap;
import org.juvm.trace.Counter;

/**
 * Changes the attributes of mappings. The whole range is checked before anything changes.
 *
 * <p>Source: {@code uvm_map_protect}, {@code uvm_map_inherit}.
 */
public final class Protector {
  private final VmMap map;

  /**
   * An operation for one thread.
   *
   * @param map the map to change
   */
  public Protector(VmMap map) {
    this.map = map;
  }

  /**
   * Sets the protection of a range. Rights that are taken away are gone for every processor when
   * this returns.
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @param protection the new protection
   * @return DONE, NOT_MAPPED, MAXIMUM_PROTECTION or EXITED
   */
  public MapOutcome protect(long start, long end, Protection protection) {
    map.lockWrite();
    try {
      if (map.isExited()) {
        return MapOutcome.EXITED;
      }
      MapEntry first = map.firstOfMapped(start, end);
      if (first == null) {
        return MapOutcome.NOT_MAPPED;
      }
      boolean losesRead = false;
      boolean losesWrite = false;
      for (MapEntry entry = first; entry != null && entry.start < end; entry = entry.next) {
        if (!entry.maximum.includes(protection)) {
          return MapOutcome.MAXIMUM_PROTECTION;
        }
        int lost = entry.protection.bits() & ~protection.bits();
        losesRead |= (lost & Protection.READ_BIT) != 0;
        losesWrite |= (lost & Protection.WRITE_BIT) != 0;
      }
      map.clip(start);
      map.clip(end);
      for (MapEntry entry = map.find(start);
          entry != null && entry.start < end;
          entry = entry.next) {
        entry.protection = protection;
      }
      revoke(start, end, losesRead, losesWrite);
      map.simplify(start, end);
      map.machine().counters().add(Counter.PROTECTS, 1);
      return MapOutcome.DONE;
    } finally {
      map.unlockWrite();
    }
  }

  private void revoke(long start, long end, boolean losesRead, boolean losesWrite) {
    Pmap pmap = map.pmap();
    if (losesRead) {
      pmap.remove(start, end, start, end);
    } else if (losesWrite) {
      pmap.writeProtect(start, end);
    }
  }

  /**
   * Sets what a child gets of a range. Holes are left out.
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @param inheritance the new inheritance
   * @return DONE or EXITED
   */
  public MapOutcome inherit(long start, long end, Inheritance inheritance) {
    map.lockWrite();
    try {
      if (map.isExited()) {
        return MapOutcome.EXITED;
      }
      map.clip(start);
      map.clip(end);
      for (MapEntry entry = map.entries().firstEndingAfter(start);
          entry != null && entry.start < end;
          entry = entry.next) {
        entry.inheritance = inheritance;
      }
      map.simplify(start, end);
      return MapOutcome.DONE;
    } finally {
      map.unlockWrite();
    }
  }
}
