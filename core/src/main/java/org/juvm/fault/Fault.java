package org.juvm.fault;

import org.jspecify.annotations.Nullable;
import org.juvm.anon.Amap;
import org.juvm.anon.AnonTable;
import org.juvm.anon.DeadAnons;
import org.juvm.base.Access;
import org.juvm.map.Machine;
import org.juvm.map.VmMap;
import org.juvm.object.MemoryObject;
import org.juvm.object.PageRequest;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.page.PageOwner;
import org.juvm.pmap.Pmaps;
import org.juvm.pmap.Tlb;
import org.juvm.trace.Counters;

/**
 * A page fault of one processor: what it wants, what it works with, and what came of it. One object
 * serves all faults of its processor, so that a fault allocates nothing. For one thread.
 */
public final class Fault {
  /** Differs between processors; selects stripes of locks and caches. */
  final int processor;

  /** The processor's translation cache; null for an operation that uses no processor. */
  final @Nullable Tlb tlb;

  final Counters counters;

  /** Free anons of this processor, or of this operation. */
  final AnonTable.Magazine magazine = new AnonTable.Magazine();

  /** Anons that died while this fault was handled. Empty between faults. */
  final DeadAnons dead = new DeadAnons();

  /** Address of the access. */
  long address;

  @SuppressWarnings("unused") // keeps the next object out of this one's cache lines
  private long pad0, pad1, pad2, pad3, pad4, pad5, pad6, pad7;
  @SuppressWarnings("unused")
  private long pad8, pad9, pad10, pad11, pad12, pad13, pad14, pad15;

  Access access = Access.READ;

  /** What the fault is for. */
  Purpose purpose = Purpose.ACCESS;

  /** How many pages are to be lent at most, from the one that faults. */
  int maximum;

  /** What stands in the way of an attempt that came to no outcome. */
  Obstacle obstacle = Obstacle.NEEDS_COPY;

  /** The map to go on in, if the obstacle is a submap. */
  @Nullable VmMap submap;

  /** How deep the allocation could go that found no frame. */
  FrameAllocator.Reserve depth = FrameAllocator.Reserve.NONE;

  int busyFrame = FrameTable.NONE;
  long seen;
  @Nullable PageOwner owner;
  @Nullable MemoryObject object;

  /** What is asked of memory objects. */
  final PageRequest request;

  /** Why a page of an object cannot be had; null if the obstacle says how to go on. */
  @Nullable FaultOutcome missing;

  /** How many pages of a guest's tables must be in memory for the page that is wanted. */
  int tables;

  /** Whether the guest's page tables allow the page to be mapped for writing now. */
  boolean mayStore;

  /** Whether the object could not read the page. */
  boolean readFailed;

  /** Whether the fault has waited for a transfer of its own. */
  boolean major;

  /** Whether the page was in memory before the fault, which is a use of it then. */
  boolean used;

  /** How often the fault has brought its page in. */
  int pageIns;

  /** What a fault is for. */
  enum Purpose {
    /** An access of a processor. */
    ACCESS,
    /** Use by raw address, of several pages if possible: wires them, until they are given back. */
    LEND,
    /** Use by raw address past the protection, up to the maximum: wires the page. */
    OVERRIDE,
    /** The wiring of a mapping: wires the page. */
    WIRE,
    /** A loan: the bytes as they are now, of several pages if possible. */
    LOAN
  }

  /** What an attempt cannot do with locks held, or with the map locked for reading only. */
  enum Obstacle {
    /** No frame is free. */
    NO_FRAME,
    /** The page is on its way in or out: {@link #busyFrame}, {@link #seen}. */
    BUSY,
    /** The page is to be read from swap into {@link #busyFrame}, for {@link #owner}. */
    IN_SWAP,
    /** The page is to be read by {@link #object}, as {@link #request} says. */
    IN_OBJECT,
    /** The entry needs an amap of its own. */
    NEEDS_COPY,
    /** Another map is responsible. */
    SUBMAP,
    /** A stack must grow. */
    STACK,
    /** An operation works on the entry, which a fault past the protection could disturb. */
    TRANSITION
  }

  /** Where the frames of a loan go. */
  @Nullable LentFrames lent;

  private Pmaps.@Nullable Scratch scratch;

  // Valid after RESOLVED, unless it was for an access: what was wired, or how much was lent.

  @Nullable Amap amap;
  int frame = FrameTable.NONE;
  int wired;

  /**
   * A processor's fault.
   *
   * @param processor number of the processor
   * @param tlb its translation cache; null for an operation that uses no processor
   * @param counters its counters
   */
  public Fault(int processor, @Nullable Tlb tlb, Counters counters) {
    this.processor = processor;
    this.tlb = tlb;
    this.counters = counters;
    request = new PageRequest(processor);
  }

  /**
   * Free anons that wait in this processor.
   *
   * @return the magazine
   */
  public AnonTable.Magazine magazine() {
    return magazine;
  }

  /**
   * The first frame that the last fault wired.
   *
   * @return frame number
   */
  public int frame() {
    return frame;
  }

  /** Room to work on mappings of frames. */
  Pmaps.Scratch scratch() {
    Pmaps.Scratch room = scratch;
    if (room == null) {
      room = new Pmaps.Scratch();
      scratch = room;
    }
    return room;
  }

  /**
   * How many frames the last fault wired; their numbers follow one another. Or how many pages it
   * lent.
   *
   * @return frames
   */
  public int wired() {
    return wired;
  }

  /**
   * Why the page of the last fault could not be read, if somebody said so.
   *
   * @return what a client's pager has thrown, or null
   */
  public @Nullable Throwable takeFailure() {
    return request.takeFailure();
  }

  /**
   * The amap through which the last fault lent pages.
   *
   * @return the amap, or null if they belong to an object
   */
  public @Nullable Amap amap() {
    return amap;
  }

  /**
   * Gives back what an operation without processor has left over, and counts its events.
   *
   * @param machine the machine
   */
  public void finish(Machine machine) {
    machine.anons().empty(magazine);
    machine.counters().addAll(counters);
    counters.clear();
  }
}
