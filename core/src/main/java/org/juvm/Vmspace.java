package org.juvm;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.juvm.base.Inheritance;
import org.juvm.base.Limit;
import org.juvm.base.PageSize;
import org.juvm.base.Protection;
import org.juvm.check.MapView;
import org.juvm.fault.Wirer;
import org.juvm.map.Attributes;
import org.juvm.map.Forker;
import org.juvm.map.Inspector;
import org.juvm.map.MapOutcome;
import org.juvm.map.MapSettings;
import org.juvm.map.Mapper;
import org.juvm.map.Placement;
import org.juvm.map.Protector;
import org.juvm.map.Remapper;
import org.juvm.map.Unmapper;
import org.juvm.map.VmMap;
import org.juvm.object.AnonymousObject;

/**
 * An address space. Thread-safe; every change is in force for all processors when the call returns,
 * and a change that fails has changed nothing.
 *
 * <p>Addresses and lengths are in bytes. Where they must be page aligned, they must be multiples of
 * {@link Vm#pageSize}. Addresses that can be mapped go from 64 KiB to 2^47.
 *
 * <p>An address space has one reference when it is made. Whoever shares it takes another one with
 * {@link #reference}; it ends when {@link #close} has been called once for each.
 */
public final class Vmspace implements AutoCloseable {
  private final Vm vm;
  private final long id;
  private final VmMap map;
  private final PageSize pageSize;
  private final Ranges ranges;
  private final Paging paging;

  /** References; once 0, it stays so, and the address space has ended. */
  private final AtomicInteger references = new AtomicInteger(1);

  /** One for all references together, and one for each {@link Hold}. */
  private final AtomicInteger holds = new AtomicInteger(1);

  Vmspace(Vm vm, long id, VmMap map) {
    this.vm = vm;
    this.id = id;
    this.map = map;
    pageSize = vm.machine().pageSize();
    ranges = new Ranges(pageSize);
    paging = new Paging(this, ranges);
  }

  /**
   * The number of this address space; never used twice in one system.
   *
   * @return a positive number
   */
  public long id() {
    return id;
  }

  /**
   * The system that this address space belongs to.
   *
   * @return the system
   */
  public Vm vm() {
    return vm;
  }

  VmMap map() {
    return map;
  }

  /**
   * Wiring, advice, and which pages are in memory.
   *
   * @return the same object each time
   */
  public Paging paging() {
    return paging;
  }

  /**
   * Reads and writes past the protection, for debuggers.
   *
   * @return access to this address space
   */
  public DebugAccess debug() {
    return new DebugAccess(this);
  }

  private void check(MapOutcome outcome, String call, long address, long length) {
    MapException.check(outcome, call, id, address, length);
  }

  // ---- mappings ----

  /**
   * Maps anonymous, private, zero-filled memory at the lowest free place. Pages are made at the
   * first access.
   *
   * @param length greater than 0; rounded up to whole pages
   * @param protection what may be done with it
   * @return the address, page aligned
   * @throws MapException NO_SPACE if no hole is large enough, LIMIT
   * @throws IllegalStateException if the address space has ended
   */
  public long map(long length, Protection protection) {
    return map(MapRequest.anonymous(length).protection(protection));
  }

  /**
   * Maps anonymous, private, zero-filled memory at an address. Pages are made at the first access.
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @param protection what may be done with it
   * @throws MapException OCCUPIED if anything is mapped in the range, NO_SPACE if the range leaves
   *     the address space, LIMIT
   * @throws IllegalStateException if the address space has ended
   */
  public void map(long address, long length, Protection protection) {
    map(MapRequest.anonymous(length).protection(protection).at(address));
  }

  /**
   * Makes a mapping.
   *
   * @param request what and where
   * @return its lowest address, page aligned
   * @throws MapException NO_SPACE if no hole is large enough or the range leaves the address space,
   *     OCCUPIED, IMMUTABLE or SUBMAP if something is in the way, LIMIT, NO_MEMORY,
   *     MAXIMUM_PROTECTION if the protection is more than the maximum, BEYOND_END if it is to be
   *     wired and goes beyond the end of the shared memory, NO_ACCESS if it is to be wired without
   *     any rights. Only if NO_MEMORY is found while it is being wired, what it replaced is gone
   * @throws IllegalArgumentException if a number is out of range, or the shared memory belongs to
   *     another system
   * @throws IllegalStateException if the address space has ended, or the shared memory is closed
   */
  public long map(MapRequest request) {
    long length = ranges.checkedLength(request.length());
    ranges.checkedAlignment(request.alignment());
    long address = request.address();
    if (request.isAnywhere()) {
      address = pageSize.round(Math.clamp(address, 0, VmMap.MAXIMUM));
    } else {
      ranges.checkAligned(address);
    }
    if (request.isMoreThanMaximum()) {
      check(MapOutcome.MAXIMUM_PROTECTION, "map", address, length);
    }
    if (request.isWired() && request.isInaccessible()) {
      check(MapOutcome.NO_ACCESS, "map", address, length);
    }
    Mapper mapper = new Mapper(map, request.isWired());
    Placement placement = request.placement(address);
    MapOutcome outcome;
    if (request.isStack()) {
      long guard = pageSize.round(request.guard());
      if (request.guard() < 0 || guard >= length) {
        throw new IllegalArgumentException("guard out of range: guard=" + request.guard());
      }
      outcome = mapper.mapStack(placement, length, guard, request.attributes(null, 0));
    } else {
      Attributes attributes = attributes(request);
      outcome = mapper.map(placement, length, attributes);
      if (outcome != MapOutcome.DONE) {
        Mapper.giveUp(attributes);
      }
    }
    check(outcome, "map", address, length);
    wireIfWanted(request.isWired(), mapper.mappedFrom(), mapper.mappedTo());
    return mapper.address();
  }

  private Attributes attributes(MapRequest request) {
    SharedMemory memory = request.memory();
    if (memory == null) {
      return request.attributes(null, 0);
    }
    if (memory.vm() != vm) {
      throw new IllegalArgumentException("shared memory of another system");
    }
    long offset = request.offset();
    if (offset < 0 || offset > AnonymousObject.MAXIMUM_BYTES || !pageSize.isAligned(offset)) {
      throw new IllegalArgumentException("offset out of range or not aligned: offset=" + offset);
    }
    return request.attributes(vm.sharedMemory().reference(memory), pageSize.vpn(offset));
  }

  /** Wires a new mapping if it must be; if that is not possible, it goes again. */
  private void wireIfWanted(boolean wanted, long start, long end) {
    Wirer wirer = new Wirer(map, vm.faults());
    MapOutcome outcome = wanted ? wirer.wire(start, end, true) : wirer.wireIfFuture(start, end);
    if (outcome != MapOutcome.DONE) {
      MapOutcome undone = new Unmapper(map).undo(start, end);
      assert undone != MapOutcome.SUBMAP;
      check(outcome, "map", start, end - start);
    }
  }

  /**
   * Removes all mappings in a range. Holes are allowed. Memory that no other address space shares
   * is free when this returns.
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @throws MapException IMMUTABLE or SUBMAP if something must not be removed, NO_MEMORY if there
   *     is none to split mappings that are partly in the range
   */
  public void unmap(long address, long length) {
    long end = ranges.checkedEnd(address, length);
    check(new Unmapper(map).unmap(address, end), "unmap", address, length);
  }

  /**
   * Sets the protection of a range that has no holes.
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @param protection what may be done from now on
   * @throws MapException NOT_MAPPED if there is a hole, MAXIMUM_PROTECTION if more is asked for
   *     than the mapping may have, IMMUTABLE, SUBMAP
   * @throws IllegalStateException if the address space has ended
   */
  public void protect(long address, long length, Protection protection) {
    long end = ranges.checkedEnd(address, length);
    check(new Protector(map).protect(address, end, protection), "protect", address, length);
  }

  /**
   * Lowers the maximum protection of a range for ever, and the protection with it. Holes are left
   * out.
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @param maximum the most that may be done from now on
   * @throws MapException MAXIMUM_PROTECTION if that is more than now, IMMUTABLE, SUBMAP
   * @throws IllegalStateException if the address space has ended
   */
  public void protectMaximum(long address, long length, Protection maximum) {
    long end = ranges.checkedEnd(address, length);
    MapOutcome outcome = new Protector(map).protectMaximum(address, end, maximum);
    check(outcome, "protectMaximum", address, length);
  }

  /**
   * Sets what a child gets of a range at {@link #fork}. Holes are left out.
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @param inheritance what a child gets
   * @throws MapException IMMUTABLE, SUBMAP
   * @throws IllegalStateException if the address space has ended
   */
  public void inherit(long address, long length, Inheritance inheritance) {
    long end = ranges.checkedEnd(address, length);
    check(new Protector(map).inherit(address, end, inheritance), "inherit", address, length);
  }

  /**
   * Makes the place, the rights and the inheritance of what is mapped in a range final: it can be
   * used, but not be removed, replaced or changed any more, until the address space ends. Holes are
   * left out. ({@code mimmutable(2)})
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @throws MapException IMMUTABLE if a writable mapping is zeroed at fork, SUBMAP
   * @throws IllegalStateException if the address space has ended
   */
  public void makeImmutable(long address, long length) {
    long end = ranges.checkedEnd(address, length);
    check(new Protector(map).makeImmutable(address, end), "makeImmutable", address, length);
  }

  /**
   * Changes the length of a range that has no holes, and its place if there is no room for it.
   * Nothing is copied. What is added is like the end of the range. ({@code mremap(2)})
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @param newLength greater than 0; rounded up to whole pages
   * @return the address of the range now
   * @throws MapException NOT_MAPPED, NO_SPACE, IMMUTABLE, SUBMAP, LIMIT, NO_MEMORY
   * @throws IllegalStateException if the address space has ended
   */
  public long remap(long address, long length, long newLength) {
    return remap(address, length, newLength, null);
  }

  /**
   * As {@link #remap(long, long, long)}, to a place that is given. The range is not wired more than
   * before, but for what is added if everything in the future is.
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @param newLength greater than 0; rounded up to whole pages
   * @param newAddress page aligned; nothing may be mapped there but the range itself
   * @throws MapException also OCCUPIED
   * @throws IllegalStateException if the address space has ended
   */
  public void remapTo(long address, long length, long newLength, long newAddress) {
    ranges.checkAligned(newAddress);
    remap(address, length, newLength, new Placement(Placement.Rule.EXCLUSIVE, newAddress, 1));
  }

  private long remap(long address, long length, long newLength, @Nullable Placement placement) {
    long old = ranges.checkedEnd(address, length) - address;
    long bytes = ranges.checkedLength(newLength);
    Remapper remapper = new Remapper(map);
    check(remapper.remap(address, old, bytes, placement), "remap", address, length);
    long now = remapper.address();
    if (bytes > old) {
      MapOutcome wired = new Wirer(map, vm.faults()).wireIfFuture(now + old, now + bytes);
      if (wired != MapOutcome.DONE) {
        unmap(now + old, bytes - old);
        if (now != address) {
          remapTo(now, old, old, address);
        }
        check(wired, "remap", address, length);
      }
    }
    return now;
  }

  /**
   * Maps the memory of a range, which has no holes, a second time. Both ranges are one memory from
   * then on: what is stored through one is seen through the other. ({@code MAP_REMAPDUP})
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @return the address of the second mapping
   * @throws MapException NOT_MAPPED, NO_SPACE, IMMUTABLE, SUBMAP, LIMIT, NO_MEMORY
   * @throws IllegalStateException if the address space has ended
   */
  public long duplicate(long address, long length) {
    long end = ranges.checkedEnd(address, length);
    Remapper remapper = new Remapper(map);
    check(
        remapper.duplicate(address, end - address, Placement.LOWEST), "duplicate", address, length);
    long second = remapper.address();
    wireIfWanted(false, second, second + end - address);
    return second;
  }

  /**
   * Whether everything in a range is mapped and may be used in a way.
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @param protection the rights asked about
   * @return true if all of it has them
   */
  public boolean permits(long address, long length, Protection protection) {
    return Inspector.permits(map, address, ranges.checkedEnd(address, length), protection);
  }

  // ---- settings ----

  /**
   * A limit.
   *
   * @param limit which
   * @return bytes; {@link Long#MAX_VALUE}: none
   */
  public long limit(Limit limit) {
    map.lockRead(0);
    try {
      return map.settings().limit(limit);
    } finally {
      map.unlockRead(0);
    }
  }

  /**
   * Sets a limit, which children inherit. What is more already stays. ({@code setrlimit(2)})
   *
   * @param limit which
   * @param bytes at least 0
   */
  public void setLimit(Limit limit, long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("limit is negative: limit=" + bytes);
    }
    map.lockWrite();
    try {
      map.settings().setLimit(limit, bytes);
    } finally {
      map.unlockWrite();
    }
  }

  /**
   * Puts mappings that may be anywhere at places that cannot be guessed without the seed: the
   * search starts at random in the lowest 256 MiB. Children do the same, with numbers of their own.
   *
   * @param seed any number; the same one gives the same places
   */
  public void randomizePlacement(long seed) {
    map.lockWrite();
    try {
      map.settings().randomize(seed);
    } finally {
      map.unlockWrite();
    }
  }

  // ---- life ----

  /**
   * Makes a child: a copy of this address space as it is at this moment, subject to the inheritance
   * of each mapping. No page is copied before one side writes to it, except those that are wired or
   * in use by {@link Bulk#window}. The time that this takes depends on the number of mappings, not
   * on their size. Limits are inherited, wiring is not.
   *
   * @return the child
   * @throws MapException NO_MEMORY if pages that must be copied at once could not be
   * @throws IllegalStateException if the address space has ended
   */
  public Vmspace fork() {
    Vmspace child = vm.newVmspace();
    MapOutcome outcome = new Forker(map).fork(child.map);
    if (outcome != MapOutcome.DONE) {
      child.close();
      check(outcome, "fork", 0, 0);
    }
    return child;
  }

  /**
   * Takes another reference, so that one more {@link #close} is needed to end the address space:
   * for several programs in one address space, as after {@code vfork(2)}.
   *
   * @return this
   * @throws IllegalStateException if the address space has ended
   */
  public Vmspace reference() {
    int count;
    do {
      count = references.get();
      if (count == 0) {
        throw new IllegalStateException("the address space has ended: vmspace=" + id);
      }
    } while (!references.compareAndSet(count, count + 1));
    return this;
  }

  /**
   * How many references there are.
   *
   * @return references; 0: it has ended
   */
  public int references() {
    return references.get();
  }

  /**
   * Gives the caller an address space for itself alone: this one, if nobody else has a reference,
   * else a fork of it, in return for the caller's reference. ({@code vmspace_unshare})
   *
   * @return an address space with the caller's reference
   * @throws MapException as {@link #fork}; then the caller keeps its reference
   */
  public Vmspace unshare() {
    if (references.get() == 1) {
      return this;
    }
    Vmspace own = fork();
    close();
    return own;
  }

  /**
   * Gives the caller a new address space in return for its reference to this one: an empty one, or
   * a fork of an image that was prepared. Limits and the placement of mappings stay as they are
   * here. ({@code vmspace_exec})
   *
   * @param image what to copy, or null
   * @return the new address space
   * @throws MapException as {@link #fork}; then the caller keeps its reference
   */
  public Vmspace exec(@Nullable Vmspace image) {
    Vmspace fresh = image == null ? vm.newVmspace() : image.fork();
    MapSettings.copy(map, fresh.map);
    close();
    return fresh;
  }

  /** Keeps an address space that has ended from being forgotten. */
  public final class Hold implements AutoCloseable {
    private final AtomicInteger held = new AtomicInteger(1);

    private Hold() {}

    /**
     * What is held.
     *
     * @return the address space
     */
    public Vmspace vmspace() {
      return Vmspace.this;
    }

    /** Lets go. Closing twice does nothing. */
    @Override
    public void close() {
      if (held.compareAndSet(1, 0)) {
        drop();
      }
    }
  }

  /**
   * Keeps the address space known to the system, and its counts readable, when it has ended: as a
   * process that has exited stays until its parent has asked for its status. Memory is not kept.
   *
   * @return the hold, to be closed
   * @throws IllegalStateException if the address space is forgotten already
   */
  public Hold hold() {
    int count;
    do {
      count = holds.get();
      if (count == 0) {
        throw new IllegalStateException("the address space is gone: vmspace=" + id);
      }
    } while (!holds.compareAndSet(count, count + 1));
    return new Hold();
  }

  /** Takes a hold away; with the last one the system forgets the address space. */
  private void drop() {
    if (holds.decrementAndGet() == 0) {
      vm.unregister(this);
    }
  }

  /**
   * Gives a reference back. With the last one the address space ends: all mappings go, memory that
   * nobody else shares is free when this returns. Processors that are attached fault at their next
   * access. Closing an address space that has ended does nothing.
   */
  @Override
  public void close() {
    int count;
    do {
      count = references.get();
      if (count == 0) {
        return;
      }
    } while (!references.compareAndSet(count, count - 1));
    if (count == 1) {
      new Unmapper(map).exit();
      drop();
    }
  }

  /** Ends the address space whoever has references, when the system is closed. */
  void end() {
    if (references.getAndSet(0) != 0) {
      new Unmapper(map).exit();
      drop();
    }
  }

  /**
   * Whether this address space has ended.
   *
   * @return true after the last {@link #close}
   */
  public boolean isExited() {
    return references.get() == 0;
  }

  // ---- views ----

  /**
   * The mappings, in ascending order.
   *
   * @return a snapshot
   */
  public List<Mapping> mappings() {
    return Mapping.of(map);
  }

  /**
   * How much is mapped.
   *
   * @return bytes
   */
  public long mappedBytes() {
    map.lockRead(0);
    try {
      return map.size();
    } finally {
      map.unlockRead(0);
    }
  }

  /**
   * How many pages can be accessed for reading without a fault.
   *
   * @return pages in the page table
   */
  public long residentPages() {
    return map.pmap().resident();
  }

  /**
   * The largest value that {@link #residentPages} had.
   *
   * @return pages
   */
  public long peakResidentPages() {
    return map.pmap().peakResident();
  }

  /**
   * The map, its entries and what stands behind them, as a debugger of the kernel shows them.
   *
   * @return several lines of text
   */
  public String show() {
    return MapView.show(map, id, references.get(), holds.get());
  }

  /**
   * Names the address space.
   *
   * @return for example {@code vmspace 7}
   */
  @Override
  public String toString() {
    return "vmspace " + id;
  }
}
