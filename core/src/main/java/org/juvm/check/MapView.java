package org.juvm.check;

import java.util.Locale;
import org.juvm.anon.Amap;
import org.juvm.base.MapFlag;
import org.juvm.map.MapEntry;
import org.juvm.map.StackReserve;
import org.juvm.map.VmMap;
import org.juvm.object.MemoryObject;

/**
 * A map as text, for people who debug.
 *
 * <p>Source: {@code show map} and {@code show procvm} of the BSDs' kernel debugger.
 */
public final class MapView {
  private final VmMap map;
  private final StringBuilder text = new StringBuilder();

  private MapView(VmMap map) {
    this.map = map;
  }

  /**
   * Shows an address space.
   *
   * @param map its map
   * @param id its number
   * @param references how many references it has
   * @param holds how many holds it has
   * @return several lines
   */
  public static String show(VmMap map, long id, int references, int holds) {
    MapView view = new MapView(map);
    view.line(
        String.format(Locale.ROOT, "vmspace %d: references=%d, holds=%d", id, references, holds));
    view.showMap("");
    return view.text.toString();
  }

  private void line(String line) {
    text.append(line).append('\n');
  }

  private void showMap(String indent) {
    map.lockRead(0);
    try {
      line(
          String.format(
              Locale.ROOT,
              "%smap %x-%x: entries=%d, size=%d, resident=%d, peak=%d, wired=%d%s",
              indent,
              map.minimum(),
              map.maximum(),
              map.entryCount(),
              map.size(),
              map.pmap().resident(),
              map.pmap().peakResident(),
              map.locked(),
              map.isExited() ? ", exited" : ""));
      for (MapEntry entry = map.first(); entry != null; entry = map.next(entry)) {
        show(entry, indent + "  ");
      }
    } finally {
      map.unlockRead(0);
    }
  }

  private void show(MapEntry entry, String indent) {
    line(
        String.format(
            Locale.ROOT,
            "%s%x-%x %s/%s %s %s%s",
            indent,
            entry.start(),
            entry.end(),
            entry.protection(),
            entry.maximum(),
            entry.inheritance().name().toLowerCase(Locale.ROOT),
            entry.advice().name().toLowerCase(Locale.ROOT),
            properties(entry)));
    Amap amap = entry.amap();
    if (amap != null) {
      amap.lock();
      long[] used = new long[1];
      long first = entry.slot();
      long pages = map.machine().pageSize().vpn(entry.end() - entry.start());
      amap.forEach(first, first + pages, (slot, anon) -> used[0]++);
      line(
          String.format(
              Locale.ROOT,
              "%s  amap %08x: slots=%d+%d of %d, anons=%d, references=%d%s",
              indent,
              System.identityHashCode(amap),
              first,
              pages,
              amap.slots(),
              used[0],
              amap.references(),
              amap.isShared() ? ", shared" : ""));
      amap.unlock();
    }
    MemoryObject object = entry.object();
    if (object != null) {
      object.lock();
      line(
          String.format(
              Locale.ROOT,
              "%s  %s %08x: page=%d, size=%d, resident=%d, references=%d%s%s",
              indent,
              kind(object),
              System.identityHashCode(object),
              entry.offset(),
              object.size(),
              object.residentPages(),
              object.references(),
              entry.copyOnWrite() ? ", copy on write" : "",
              entry.hasPageTable() ? ", root=" + Long.toHexString(entry.root()) : ""));
      object.unlock();
    }
  }

  private static String kind(MemoryObject object) {
    if (object.isDevice()) {
      return "device";
    }
    return object.isAnonymous() ? "object" : "paged object";
  }

  private static String properties(MapEntry entry) {
    StringBuilder properties = new StringBuilder();
    for (MapFlag flag : MapFlag.values()) {
      if ((entry.flags() & flag.bit()) != 0) {
        properties.append(' ').append(flag.name().toLowerCase(Locale.ROOT));
      }
    }
    if (entry.needsCopy()) {
      properties.append(" needs_copy");
    }
    if (entry.wirings() != 0) {
      properties.append(" wired=").append(entry.wirings());
    }
    StackReserve stack = entry.stack();
    if (stack != null) {
      properties.append(String.format(Locale.ROOT, " stack=%x-%x", stack.low(), stack.top()));
    }
    VmMap submap = entry.submap();
    if (submap != null) {
      properties.append(" submap");
    }
    return properties.toString();
  }
}
