package org.juvm.map;

import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.juvm.anon.Amap;
import org.juvm.anon.AnonTable;
import org.juvm.anon.DeadAnons;
import org.juvm.base.PageSize;
import org.juvm.base.Protection;
import org.juvm.base.VmPanic;
import org.juvm.object.KernelObject;
import org.juvm.object.MemoryObject;
import org.juvm.page.FrameTable;
import org.juvm.page.ObjectPages;
import org.juvm.pmap.Pmap;

/**
 * What stands behind map entries: the pages of the two layers, and the references to them.
 * Stateless but for the machine.
 */
public final class EntryMemory {
  private final Machine machine;
  private final PageSize pageSize;

  EntryMemory(Machine machine) {
    this.machine = machine;
    pageSize = machine.pageSize();
  }

  /** The number of pages of an entry. */
  long pages(MapEntry entry) {
    return pageSize.vpn(entry.end - entry.start);
  }

  /**
   * Gives an entry an amap of its own if it has none or must not use the one that it has. The map
   * is locked for writing; the caller frees the dead. ({@code amap_copy})
   */
  void resolveNeedsCopy(MapEntry entry, DeadAnons dead) {
    if (!entry.needsCopy) {
      return;
    }
    long pages = pages(entry);
    Amap amap = entry.amap;
    if (amap == null) {
      entry.amap = Amap.create(machine.amaps(), entry.slot + pages);
    } else {
      amap.lock();
      try {
        if (amap.references() > 1) {
          entry.amap = amap.copy(entry.slot, pages);
          amap.dereference(entry.slot, pages, dead);
        }
      } finally {
        amap.unlock();
      }
    }
    entry.needsCopy = false;
  }

  /** The amap of an entry that does not need a copy and is no mapping of an object itself. */
  static Amap amapOf(MapEntry entry) {
    Amap amap = entry.amap;
    if (amap == null) {
      throw new VmPanic("map entry has no amap after its copy was resolved");
    }
    return amap;
  }

  /**
   * Makes a new entry refer to what another one refers to, and see every change of it. The map of
   * the other one is locked for writing.
   *
   * @return false if there was no memory to give wired pages to the entry alone first
   */
  boolean share(MapEntry entry, MapEntry other, DeadAnons dead, PageCopier copier, Pmap pmap) {
    if (entry.object == null || entry.copyOnWrite) {
      resolveNeedsCopy(entry, dead);
      Amap amap = amapOf(entry);
      amap.lock();
      try {
        if (entry.wirings != 0 && !makeWiredPagesOwn(entry, amap, copier, pmap)) {
          return false;
        }
        amap.reference(entry.slot, pages(entry), true);
      } finally {
        amap.unlock();
      }
      other.amap = amap;
      other.slot = entry.slot;
    }
    other.needsCopy = false;
    if (entry.object != null) {
      entry.object.reference();
    }
    return true;
  }

  /**
   * Copies those pages of a wired entry that a store would copy. Once the amap is shared, such a
   * store could come from an entry that knows nothing of the wiring.
   */
  private boolean makeWiredPagesOwn(MapEntry entry, Amap amap, PageCopier copier, Pmap pmap) {
    for (long i = 0; i < pages(entry); i++) {
      long slot = entry.slot + i;
      int anon = amap.find(slot);
      if (anon != 0 && amap.isExclusive(slot, anon, machine.anons())) {
        continue;
      }
      int old = anon != 0 ? machine.anons().frame(anon) : objectFrame(entry, i);
      long address = entry.start + pageSize.address(i);
      pmap.remove(address, address + pageSize.bytes(), address, address + pageSize.bytes());
      int own = copier.copy(old, amap, slot);
      if (own == FrameTable.NONE) {
        return false;
      }
      if (anon == 0 && isCutOff(entry, i)) {
        machine.ram().zero(own);
      }
      moveWiring(entry, i, anon, old, own, 0);
    }
    return true;
  }

  /**
   * Moves the wiring of a page of a wired entry to the frame that replaces it. The amap is locked,
   * the object is not.
   *
   * @param entry a wired entry
   * @param page which page of it
   * @param anon the anon that held the old frame, or 0 if the object did
   * @param old the old frame
   * @param own the new frame
   * @param processor any number that differs between concurrent callers
   */
  public void moveWiring(MapEntry entry, long page, int anon, int old, int own, int processor) {
    machine.frames().wire(own);
    MemoryObject object = entry.object;
    if (anon != 0 || object == null) {
      machine.allocator().unwire(processor, old);
      return;
    }
    object.lock();
    try {
      object.unwire(processor, entry.offset + page);
    } finally {
      object.unlock();
    }
  }

  /** How many pages of a wired entry {@link #share} would copy. The map is locked for writing. */
  int pagesToOwn(MapEntry entry) {
    if (entry.object != null && !entry.copyOnWrite) {
      return 0;
    }
    int all = Math.toIntExact(pages(entry));
    Amap amap = entry.amap;
    if (amap == null || entry.needsCopy) {
      return all;
    }
    int[] own = new int[1];
    amap.lock();
    try {
      amap.forEach(
          entry.slot,
          entry.slot + all,
          (slot, anon) -> own[0] += amap.isExclusive(slot, anon, machine.anons()) ? 1 : 0);
    } finally {
      amap.unlock();
    }
    return all - own[0];
  }

  /**
   * How many pages must be made at least before all of an entry is resident and its own as far as
   * it is written. The map is locked for writing. An entry that needs a copy of its amap gets it:
   * only then it is known what is its own.
   *
   * @param entry an entry
   * @param dead receives what the caller frees when the map is not locked any more
   * @return pages; 0 where others could make some of them, too
   */
  public long pagesToMake(MapEntry entry, DeadAnons dead) {
    if (entry.object != null || entry.protection == Protection.NONE) {
      return 0;
    }
    if (entry.amap == null) {
      return pages(entry);
    }
    if (machine.amaps().hasRoom(2)) {
      resolveNeedsCopy(entry, dead);
    }
    boolean written = !entry.needsCopy && (entry.protection.bits() & Protection.WRITE_BIT) != 0;
    Amap amap = entry.amap;
    long[] there = new long[1];
    amap.lock();
    try {
      if (amap.isShared()) {
        return 0;
      }
      amap.forEach(
          entry.slot,
          entry.slot + pages(entry),
          (slot, anon) ->
              there[0] += !written || amap.isExclusive(slot, anon, machine.anons()) ? 1 : 0);
    } finally {
      amap.unlock();
    }
    return pages(entry) - there[0];
  }

  /** Whether a page of an object is out of reach, because the object was made smaller. */
  private static boolean isCutOff(MapEntry entry, long page) {
    MemoryObject object = entry.object;
    if (object == null) {
      return false;
    }
    object.lock();
    try {
      return !object.contains(entry.offset + page);
    } finally {
      object.unlock();
    }
  }

  private int objectFrame(MapEntry entry, long page) {
    MemoryObject object = entry.object;
    if (object == null) {
      throw new VmPanic("wired page is not resident: entry=" + Long.toHexString(entry.start));
    }
    object.lock();
    try {
      return object.find(entry.offset + page);
    } finally {
      object.unlock();
    }
  }

  /** Drops the memory of an entry that is in no map any more. Called without locks. */
  void release(MapEntry entry) {
    if (entry.wirings != 0) {
      unwire(entry, entry.start, entry.end);
    }
    Amap amap = entry.amap;
    if (amap != null) {
      DeadAnons dead = new DeadAnons();
      amap.lock();
      try {
        amap.dereference(entry.slot, pages(entry), dead);
      } finally {
        amap.unlock();
      }
      machine.anons().free(dead, 0);
    }
    MemoryObject object = entry.object;
    if (object != null) {
      object.dereference();
    }
  }

  /**
   * Frees the pages of an entry of the kernel, wired or not; other memory stays. No page table maps
   * them. The map is locked for writing, so that nobody gets the addresses before: whoever has them
   * finds pages by them.
   */
  void removeKernelPages(MapEntry entry) {
    if (!(entry.object instanceof KernelObject kernel)) {
      return;
    }
    if (entry.wirings != 0) {
      unwire(entry, entry.start, entry.end);
      entry.wirings = 0;
    }
    kernel.remove(0, entry.offset, entry.offset + pages(entry));
  }

  // ---- pages ----

  /**
   * The frame that holds a page of an entry for reading, in whichever layer. The map is locked in
   * any way, or the entry is in transition; no lock of an amap or object is held.
   *
   * @param entry the entry
   * @param address an address in the page
   * @return frame number, or {@link FrameTable#NONE} if the page is not resident
   */
  public int residentFrame(MapEntry entry, long address) {
    return frame(entry, address, false);
  }

  /**
   * As {@link #residentFrame}, also of a page that a smaller size of its object has put out of
   * reach: it stays where it is while it is wired.
   *
   * @param entry the entry
   * @param address an address in the page
   * @return frame number, or {@link FrameTable#NONE} if the page is not resident
   */
  public int wiredFrame(MapEntry entry, long address) {
    return frame(entry, address, true);
  }

  private int frame(MapEntry entry, long address, boolean beyondEnd) {
    long page = pageSize.vpn(address - entry.start);
    Amap amap = entry.amap;
    if (amap != null) {
      amap.lock();
      try {
        int anon = amap.find(entry.slot + page);
        if (anon != 0) {
          return machine.anons().isResident(anon) ? machine.anons().frame(anon) : FrameTable.NONE;
        }
      } finally {
        amap.unlock();
      }
    }
    MemoryObject object = entry.object;
    if (object == null) {
      return FrameTable.NONE;
    }
    object.lock();
    try {
      if (entry.hasPageTable()) {
        return PageTableLook.frame(machine, entry, object, page);
      }
      return beyondEnd || object.contains(entry.offset + page)
          ? object.find(entry.offset + page)
          : FrameTable.NONE;
    } finally {
      object.unlock();
    }
  }

  /** Receives the pages that there are in the layers of an entry in the order of addresses. */
  private interface PageVisitor {
    /** Called for each page, locked with its layer; the frame is NONE if it is not in memory. */
    void visit(long address, int frame);
  }

  private void forEachPage(MapEntry entry, long start, long end, PageVisitor visitor) {
    long first = pageSize.vpn(start - entry.start);
    long last = pageSize.vpn(end - entry.start);
    Amap amap = entry.amap;
    AnonTable anons = machine.anons();
    if (amap != null) {
      long slot = entry.slot;
      amap.lock();
      amap.forEach(
          slot + first,
          slot + last,
          (at, anon) ->
              visitor.visit(
                  entry.start + pageSize.address(at - slot),
                  anons.isResident(anon) ? anons.frame(anon) : FrameTable.NONE));
      amap.unlock();
    }
    MemoryObject object = entry.object;
    if (object != null && !entry.hasPageTable()) {
      long offset = entry.offset;
      object.lock();
      object.forEach(
          offset + first,
          offset + last,
          (page, place) -> {
            visitor.visit(entry.start + pageSize.address(page - offset), ObjectPages.frame(place));
            return false;
          });
      object.unlock();
    }
  }

  /**
   * The pages of a part of an entry that are there in either layer, in memory or in swap; none if
   * page tables say where they are. The map is locked in any way.
   *
   * @param entry the entry
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @return their addresses, those of the upper layer first
   */
  public long[] pagesThere(MapEntry entry, long start, long end) {
    LongStream.Builder pages = LongStream.builder();
    forEachPage(entry, start, end, (address, frame) -> pages.add(address));
    return pages.build().toArray();
  }

  /**
   * The pages of an entry that are in swap only; if page tables say which pages it has, those of
   * the whole object. The map is locked in any way.
   */
  long swappedPages(MapEntry entry) {
    long[] pages = new long[1];
    MemoryObject object = entry.object;
    if (object != null && entry.hasPageTable()) {
      object.lock();
      pages[0] = object.swappedPages();
      object.unlock();
      return pages[0];
    }
    forEachPage(entry, entry.start, entry.end, (address, frame) -> pages[0] += frame < 0 ? 1 : 0);
    return pages[0];
  }

  /**
   * Lets the pages of a part of an entry leave memory first, unless page tables say which they are.
   * The map is locked in any way.
   */
  void deactivate(MapEntry entry, long start, long end) {
    forEachPage(
        entry,
        start,
        end,
        (address, frame) -> {
          if (frame != FrameTable.NONE) {
            machine.allocator().policy().deactivate(frame);
          }
        });
  }

  /**
   * Takes one wiring of each page of a part of an entry back. All of them are wired. The map is
   * locked for writing, or the entry is in transition, or in no map any more.
   *
   * @param entry the entry
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   */
  public void unwire(MapEntry entry, long start, long end) {
    Amap amap = entry.amap;
    if (amap != null) {
      amap.lock();
    }
    try {
      for (long address = start; address < end; address += pageSize.bytes()) {
        unwirePage(entry, amap, pageSize.vpn(address - entry.start));
      }
    } finally {
      if (amap != null) {
        amap.unlock();
      }
    }
  }

  private void unwirePage(MapEntry entry, @Nullable Amap amap, long page) {
    int anon = amap == null ? 0 : amap.find(entry.slot + page);
    if (anon != 0) {
      machine.allocator().unwire(0, machine.anons().frame(anon));
      return;
    }
    MemoryObject object = entry.object;
    if (object == null) {
      throw new VmPanic("wired page is not resident: entry=" + Long.toHexString(entry.start));
    }
    object.lock();
    try {
      object.unwire(0, entry.offset + page);
    } finally {
      object.unlock();
    }
  }
}
