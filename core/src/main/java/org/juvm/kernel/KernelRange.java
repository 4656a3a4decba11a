package org.juvm.kernel;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.juvm.base.PageSize;
import org.juvm.map.Machine;
import org.juvm.map.MapOutcome;
import org.juvm.map.Mapper;
import org.juvm.map.Placement;
import org.juvm.map.Unmapper;
import org.juvm.map.VmMap;
import org.juvm.object.KernelObject;
import org.juvm.sync.EventCount;

/**
 * A range of kernel addresses with a lock of its own: all of them, or a submap. Thread-safe.
 *
 * <p>Each has an object of its own for wired memory, so that its pages have a lock of their own,
 * too. Memory that is made on demand is behind all of them in one object.
 *
 * <p>Source: {@code uvm_km_suballoc}; {@code kmem_map} and {@code kmem_object} of {@code uvm_km.c}.
 */
public final class KernelRange {
  private final KernelSpace space;
  private final VmMap map;
  private final boolean pageable;
  private final @Nullable KernelRange parent;
  private final KernelObject object;

  /** Advances when addresses have become free. */
  private final EventCount freed = new EventCount();

  private volatile @Nullable Pool pool;

  KernelRange(KernelSpace space, VmMap map, boolean pageable, @Nullable KernelRange parent) {
    this.space = space;
    this.map = map;
    this.pageable = pageable;
    this.parent = parent;
    object = new KernelObject(space.machine().objectSupport());
  }

  KernelSpace space() {
    return space;
  }

  Machine machine() {
    return space.machine();
  }

  /**
   * The map.
   *
   * @return the map of these addresses
   */
  public VmMap map() {
    return map;
  }

  /** What is behind wired memory. */
  KernelObject object() {
    return object;
  }

  /**
   * Whether memory may be made on demand here.
   *
   * @return false if all memory is wired
   */
  public boolean isPageable() {
    return pageable;
  }

  /**
   * Makes all of this range the memory of a pool. Once, before anything is allocated here.
   *
   * @return the pool
   */
  public Pool makePool() {
    Pool made = new Pool(this);
    pool = made;
    return made;
  }

  /** The pool, if there is one. */
  @Nullable Pool pool() {
    return pool;
  }

  /** The frames of wired memory. */
  int[] frames(long start, int pages) {
    int[] frames = new int[pages];
    PageSize pageSize = machine().pageSize();
    object.lock();
    try {
      for (int i = 0; i < pages; i++) {
        frames[i] = object.find(pageSize.vpn(start - VmMap.KERNEL_MINIMUM) + i);
      }
      return frames;
    } finally {
      object.unlock();
    }
  }

  /**
   * How many addresses there are.
   *
   * @return bytes
   */
  public long bytes() {
    return map.maximum() - map.minimum();
  }

  /** How much could be allocated at most in one piece. */
  long mostInOnePiece() {
    return parent == null ? bytes() - KernelSpace.BOOT_BYTES : bytes();
  }

  /** Says when addresses have become free. */
  EventCount freed() {
    return freed;
  }

  /**
   * How the making of a submap ended.
   *
   * @param outcome DONE, NO_SPACE, OCCUPIED or EXITED
   * @param submap what was made; null unless DONE
   */
  public record Submapped(MapOutcome outcome, @Nullable KernelRange submap) {}

  /**
   * Sets a part of the range aside, with a lock of its own.
   *
   * @param placement where; not FIXED
   * @param bytes how much, page aligned, greater than 0
   * @param isPageable whether memory may be made on demand there
   * @return the submap
   */
  public Submapped submap(Placement placement, long bytes, boolean isPageable) {
    Mapper mapper = new Mapper(map, false);
    MapOutcome outcome = mapper.mapSubmap(placement, bytes);
    if (outcome != MapOutcome.DONE) {
      return new Submapped(outcome, null);
    }
    KernelRange made = new KernelRange(space, mapper.submap(), isPageable, this);
    if (space.register(made)) {
      return new Submapped(MapOutcome.DONE, made);
    }
    new Unmapper(map).removeSubmap(made.map());
    made.ended();
    return new Submapped(MapOutcome.EXITED, null);
  }

  /**
   * Frees memory and its addresses, and wakes those that wait for addresses. ({@code
   * uvm_km_free_wakeup})
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @return DONE, NOT_MAPPED if a part is free already, IMMUTABLE, SUBMAP or EXITED
   */
  public MapOutcome free(long start, long end) {
    MapOutcome outcome = new Unmapper(map).unmapAll(start, end);
    if (outcome == MapOutcome.DONE) {
      freed.advance();
    }
    return outcome;
  }

  /**
   * Ends a submap with all that are inside it: all its memory is free, its addresses go back to
   * where they came from, and who waits for some of it is told. Harmless if it has ended. Not for
   * the whole.
   */
  public void close() {
    KernelRange from = parent;
    if (from == null) {
      return;
    }
    List<KernelRange> ending = space.beginEnd(this);
    if (ending.isEmpty()) {
      return;
    }
    try {
      ending.forEach(KernelRange::ending);
      new Unmapper(from.map()).removeSubmap(map);
      ending.forEach(KernelRange::ended);
    } finally {
      space.endDone();
    }
    from.freed.advance();
  }

  /** Whether this is a range, or a submap of it, directly or not. */
  boolean isInside(KernelRange range) {
    KernelRange each = this;
    while (each != null && !each.equals(range)) {
      each = each.parent;
    }
    return each != null;
  }

  /** The memory is about to go: a pool gives none out from now on. */
  void ending() {
    Pool inHere = pool;
    if (inHere != null) {
      inHere.ended();
    }
  }

  /** There is nothing in the map any more, and never will be. Who waits for some is told. */
  void ended() {
    freed.advance();
    // Also one that was made meanwhile.
    ending();
    object.dereference();
  }
}
