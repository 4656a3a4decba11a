package org.juvm.map;

import org.juvm.anon.Amap;
import org.juvm.base.PageSize;
import org.juvm.base.VmPanic;

/** Recomputes what a map says of itself. */
final class MapCheck {
  private MapCheck() {}

  /** Throws {@link VmPanic} where something is wrong. The map is locked in any way. */
  static void check(VmMap map) {
    map.entries().check();
    long bytes = 0;
    for (MapEntry entry = map.first(); entry != null; entry = entry.next) {
      bytes += entry.end - entry.start;
      check(map.pageSize(), entry);
    }
    if (bytes != map.size()) {
      throw new VmPanic("map size is " + map.size() + " instead of " + bytes);
    }
  }

  private static void check(PageSize pageSize, MapEntry entry) {
    if (!pageSize.isAligned(entry.start) || !pageSize.isAligned(entry.end)) {
      throw new VmPanic("map entry is not page aligned: " + Long.toHexString(entry.start));
    }
    Amap amap = entry.amap;
    if (amap == null
        ? !entry.needsCopy && (entry.object == null || entry.copyOnWrite) && entry.submap == null
        : entry.slot + pageSize.vpn(entry.end - entry.start) > amap.slots()) {
      throw new VmPanic(
          "map entry without the slots that it needs: " + Long.toHexString(entry.start));
    }
    if (!entry.maximum.includes(entry.protection)) {
      throw new VmPanic("map entry allows too much: " + Long.toHexString(entry.start));
    }
  }
}
