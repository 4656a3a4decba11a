package org.juvm.pageout;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.juvm.anon.Amap;
import org.juvm.anon.AnonPageIn;
import org.juvm.map.Machine;
import org.juvm.map.MapEntry;
import org.juvm.map.VmMap;
import org.juvm.object.MemoryObject;
import org.juvm.object.PageRequest;
import org.juvm.page.BusyFrames;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.page.ObjectPages;
import org.juvm.page.PageOwner;
import org.juvm.swap.SwapArea;

/**
 * Empties a swap area: what is in it only is read back, and what is in memory, too, gives up its
 * slot. Programs go on meanwhile: mappings, amaps and objects come and go. So it looks at all there
 * are, again and again, until nothing of the area is in use. No slot of it is given out any more,
 * so that is only a matter of time, unless memory runs out.
 *
 * <p>A page that goes away on the way, with its anon or its object, gives its slot back by itself.
 *
 * <p>Source: {@code amap_swap_off}, {@code uao_swap_off}, {@code swap_off} of {@code uvm_swap.c}.
 */
public final class SwapOff {
  /** Rounds without any change after which what is left must be in nobody's reach. */
  private static final int MAXIMUM_IDLE_ROUNDS = 100;

  private final Machine machine;
  private final SwapArea area;
  private final AnonPageIn anonPageIn;
  private final PageRequest request = new PageRequest(0);

  /** What came of it. */
  public enum Outcome {
    /** No page is in the area any more. */
    EMPTY,
    /** There is not enough memory for what is in it. */
    NO_MEMORY,
    /** Something in it belongs to nobody that could be found. */
    BUSY
  }

  /**
   * For one thread and one use.
   *
   * @param machine the system
   * @param area the area, which is disabled
   */
  public SwapOff(Machine machine, SwapArea area) {
    this.machine = machine;
    this.area = area;
    anonPageIn = machine.anonPageIn();
    request.keepSlots(false);
  }

  /**
   * Does it. Called without locks.
   *
   * @param maps shows all maps that have not exited
   * @param objects shows all objects that have references beside those of mappings
   * @return EMPTY; else what was read back stays in memory, and everything is as right as before
   */
  public Outcome run(
      Supplier<? extends Collection<VmMap>> maps,
      Supplier<? extends Collection<? extends MemoryObject>> objects) {
    int before = area.slotsInUse();
    for (int idle = 0; before > 0; ) {
      if (!round(maps.get(), objects.get())) {
        return Outcome.NO_MEMORY;
      }
      int after = area.slotsInUse();
      idle = after == before ? idle + 1 : 0;
      if (idle > MAXIMUM_IDLE_ROUNDS) {
        return Outcome.BUSY;
      }
      before = after;
    }
    return Outcome.EMPTY;
  }

  /** Returns false if there is no memory. */
  private boolean round(Collection<VmMap> maps, Collection<? extends MemoryObject> referenced) {
    Set<Amap> amaps = Collections.newSetFromMap(new IdentityHashMap<>());
    Set<MemoryObject> objects = Collections.newSetFromMap(new IdentityHashMap<>());
    objects.addAll(referenced);
    maps.forEach(map -> collect(map, amaps, objects));
    for (Amap amap : amaps) {
      if (!bringBack(amap)) {
        return false;
      }
    }
    for (MemoryObject object : objects) {
      if (!bringBack(object)) {
        return false;
      }
    }
    for (int frame = 0; frame < machine.frames().frames(); frame++) {
      dropSlot(frame);
    }
    return true;
  }

  private static void collect(VmMap map, Set<Amap> amaps, Set<MemoryObject> objects) {
    List<VmMap> submaps = new ArrayList<>(0);
    map.lockRead(0);
    try {
      for (MapEntry entry = map.first(); entry != null; entry = map.next(entry)) {
        Amap amap = entry.amap();
        if (amap != null) {
          amaps.add(amap);
        }
        MemoryObject object = entry.object();
        if (object != null) {
          objects.add(object);
        }
        VmMap submap = entry.submap();
        if (submap != null) {
          submaps.add(submap);
        }
      }
    } finally {
      map.unlockRead(0);
    }
    // Two maps are never locked together.
    submaps.forEach(submap -> collect(submap, amaps, objects));
  }

  private boolean isHere(int slot) {
    return slot != 0 && machine.swap().isIn(slot, area);
  }

  private boolean bringBack(Amap amap) {
    LongStream.Builder found = LongStream.builder();
    amap.lock();
    try {
      amap.forEach(
          0,
          amap.slots(),
          (slot, anon) -> {
            if (isSwappedHere(anon)) {
              found.add(slot);
            }
          });
    } finally {
      amap.unlock();
    }
    for (long slot : found.build().toArray()) {
      if (!bringBack(amap, slot)) {
        return false;
      }
    }
    return true;
  }

  private boolean isSwappedHere(int anon) {
    return anon != 0 && !machine.anons().isResident(anon) && isHere(machine.anons().slot(anon));
  }

  private boolean bringBack(Amap amap, long slot) {
    while (true) {
      int frame;
      PageOwner owner = amap.owner();
      amap.lock();
      try {
        int anon = slot < amap.slots() ? amap.find(slot) : 0;
        if (!isSwappedHere(anon)) {
          return true;
        }
        frame = anonPageIn.begin(0, amap, anon);
      } finally {
        amap.unlock();
      }
      if (frame != FrameTable.NONE) {
        // A page that cannot be read is lost to its owner, and its slot is in use no more.
        boolean _ = anonPageIn.read(0, owner, frame, false);
        return true;
      }
      if (!machine.allocator().reclaimer().await(FrameAllocator.Reserve.PAGE_IN)) {
        return false;
      }
    }
  }

  private boolean bringBack(MemoryObject object) {
    LongStream.Builder found = LongStream.builder();
    object.lock();
    try {
      object.forEach(
          0,
          Long.MAX_VALUE,
          (page, place) -> {
            if (isHere(ObjectPages.slotOf(place))) {
              found.add(page);
            }
            return false;
          });
    } finally {
      object.unlock();
    }
    for (long page : found.build().toArray()) {
      if (!bringBack(object, page)) {
        return false;
      }
    }
    return true;
  }

  private boolean bringBack(MemoryObject object, long page) {
    while (true) {
      object.lock();
      try {
        if (!isHere(object.slot(page))) {
          return true;
        }
        object.get(request, page);
      } finally {
        object.unlock();
      }
      switch (request.status()) {
        case READING -> {
          boolean _ = object.read(request);
        }
        case NO_FRAME -> {
          if (!machine.allocator().reclaimer().await(FrameAllocator.Reserve.PAGE_IN)) {
            return false;
          }
        }
        default -> {
          return true;
        }
      }
    }
  }

  /** A page that is in memory does not need its slot. */
  private void dropSlot(int frame) {
    if (!isHere(machine.frames().slot(frame))) {
      return;
    }
    @Nullable PageOwner owner = machine.owners().get(machine.frames().holder(frame));
    if (owner == null) {
      return;
    }
    BusyFrames busy = machine.busy();
    boolean claimed;
    owner.lock();
    try {
      claimed = busy.claim(owner, frame);
      if (claimed && isHere(machine.frames().slot(frame))) {
        machine.allocator().dropSlot(frame);
      }
    } finally {
      owner.unlock();
    }
    if (claimed) {
      busy.end(0, frame);
    }
  }
}
