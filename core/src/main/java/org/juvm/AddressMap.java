package org.juvm;

import java.lang.foreign.Arena;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.juvm.base.Inheritance;
import org.juvm.base.PageSize;
import org.juvm.base.Protection;
import org.juvm.fault.Wirer;
import org.juvm.map.Attributes;
import org.juvm.map.Inspector;
import org.juvm.map.MapOutcome;
import org.juvm.map.Mapper;
import org.juvm.map.Placement;
import org.juvm.map.Protector;
import org.juvm.map.Remapper;
import org.juvm.map.Unmapper;
import org.juvm.map.VmMap;
import org.juvm.object.MemoryObject;

/**
 * Addresses, and what is mapped there: a whole address space, or a part of one that is managed by
 * itself. Thread-safe; every change is in force for all processors when the call returns, and a
 * change that fails has changed nothing.
 *
 * <p>Addresses and lengths are in bytes. Where they must be page aligned, they must be multiples of
 * {@link Vm#pageSize}.
 */
public abstract sealed class AddressMap permits Vmspace, Submap {
  private final Vm vm;
  private final long id;
  private final VmMap map;
  private final PageSize pageSize;
  private final Ranges ranges;
  private final Paging paging;
  private final Transfers transfers;

  AddressMap(Vm vm, long id, VmMap map) {
    this.vm = vm;
    this.id = id;
    this.map = map;
    pageSize = vm.machine().pageSize();
    ranges = new Ranges(pageSize);
    paging = new Paging(this, ranges);
    transfers = new Transfers(this, ranges);
  }

  /**
   * The number of the address space; never used twice in one system.
   *
   * @return a positive number
   */
  public long id() {
    return id;
  }

  /**
   * The system that the address space belongs to.
   *
   * @return the system
   */
  public Vm vm() {
    return vm;
  }

  VmMap map() {
    return map;
  }

  Ranges ranges() {
    return ranges;
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
   * Copies and moves of ranges to other address spaces.
   *
   * @return the same object each time
   */
  public Transfers transfers() {
    return transfers;
  }

  void check(MapOutcome outcome, String call, long address, long length) {
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
   *     MAXIMUM_PROTECTION if the protection is more than the maximum, or stores would go to what
   *     can only be read, BEYOND_END if it is to be wired and goes beyond the end of the memory,
   *     NO_ACCESS if it is to be wired without any rights, WRONG_KIND if it is to be wired and has
   *     page tables. If it could not be wired for NO_MEMORY, what it was to replace is gone
   * @throws IllegalArgumentException if a number is out of range, the memory or the file belongs to
   *     another system, or anonymous memory is to have page tables
   * @throws IllegalStateException if the address space has ended, or the memory or the file is
   *     closed
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
    if (request.hasPageTable() && request.memory() == null) {
      throw new IllegalArgumentException("page tables without memory that they are in");
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
      if (request.guard() < 0 || request.guard() >= length || guard >= length) {
        throw new IllegalArgumentException("guard out of range: guard=" + request.guard());
      }
      outcome = mapper.mapStack(placement, length, guard, request.attributes(null, 0));
    } else {
      outcome = mapper.map(placement, length, attributes(request));
    }
    check(outcome, "map", address, length);
    wireIfWanted(request.isWired(), mapper.mappedFrom(), mapper.mappedTo());
    return mapper.address();
  }

  private Attributes attributes(MapRequest request) {
    Mappable memory = request.memory();
    if (memory == null) {
      return request.attributes(null, 0);
    }
    if (memory.vm() != vm) {
      throw new IllegalArgumentException("memory of another system");
    }
    long offset = request.offset();
    long limit = request.hasPageTable() ? VmMap.MAXIMUM : MemoryObject.MAXIMUM_BYTES;
    if (offset < 0 || offset > limit || !pageSize.isAligned(offset)) {
      throw new IllegalArgumentException("offset out of range or not aligned: offset=" + offset);
    }
    return request.attributes(memory.reference(), pageSize.vpn(offset));
  }

  /** Wires a new mapping if it must be; if that is not possible, it goes again. */
  void wireIfWanted(boolean wanted, long start, long end) {
    Wirer wirer = new Wirer(map, vm.faults());
    MapOutcome outcome = wanted ? wirer.wire(start, end, true) : wirer.wireIfFuture(start, end);
    if (outcome != MapOutcome.DONE) {
      MapOutcome undone = new Unmapper(map).takeBack(start, end);
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
   * Sets the protection of a range that has no holes. What was inaccessible is wired if everything
   * in the future is; if that fails, it is inaccessible still, and what was not has changed.
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @param protection what may be done from now on
   * @throws MapException NOT_MAPPED if there is a hole, MAXIMUM_PROTECTION if more is asked for
   *     than the mapping may have, IMMUTABLE, SUBMAP; LIMIT, BEYOND_END or NO_MEMORY if what must
   *     be wired cannot be
   * @throws IllegalStateException if the address space has ended
   */
  public void protect(long address, long length, Protection protection) {
    long end = ranges.checkedEnd(address, length);
    Protector protector = new Protector(map);
    check(protector.protect(address, end, protection), "protect", address, length);
    long[] opened = protector.toWire();
    MapOutcome wired = MapOutcome.DONE;
    for (int i = 0; i < opened.length && wired == MapOutcome.DONE; i += 2) {
      wired = new Wirer(map, vm.faults()).wireIfFuture(opened[i], opened[i + 1]);
    }
    if (wired != MapOutcome.DONE) {
      for (int i = 0; i < opened.length; i += 2) {
        close(opened[i], opened[i + 1]);
      }
      check(wired, "protect", address, length);
    }
  }

  /** Makes what could not be wired inaccessible again, unless somebody else has changed it. */
  private void close(long start, long end) {
    MapOutcome unwired = new Wirer(map, vm.faults()).unwire(start, end, true);
    MapOutcome closed = new Protector(map).protect(start, end, Protection.NONE);
    assert unwired != MapOutcome.WIRED && closed != MapOutcome.MAXIMUM_PROTECTION;
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
   * Sets what a child gets of a range at {@link Vmspace#fork}. Holes are left out.
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
   * @throws MapException IMMUTABLE if a mapping that cannot be written is zeroed at fork, SUBMAP
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
   * @param newAddress page aligned; if it is not the same address, nothing may be mapped there, not
   *     even a part of the range itself
   * @throws MapException also OCCUPIED
   * @throws IllegalStateException if the address space has ended
   */
  public void remapTo(long address, long length, long newLength, long newAddress) {
    ranges.checkAligned(newAddress);
    remap(address, length, newLength, new Placement(Placement.Rule.EXCLUSIVE, newAddress, 1));
  }

  /**
   * As {@link #remap(long, long, long)}; the new address must be a multiple of a number, and if the
   * range has to move, the search for space starts at an address.
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @param newLength greater than 0; rounded up to whole pages
   * @param hint any address; rounded up to whole pages
   * @param alignment a multiple of the page size; or 1 for any page
   * @return the address of the range now
   * @throws MapException as {@link #remap(long, long, long)}
   */
  public long remap(long address, long length, long newLength, long hint, long alignment) {
    return remap(address, length, newLength, near(hint, alignment));
  }

  private Placement near(long hint, long alignment) {
    return new Placement(
        Placement.Rule.ANYWHERE,
        pageSize.round(Math.clamp(hint, 0, VmMap.MAXIMUM)),
        ranges.checkedAlignment(alignment));
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
    return duplicate(address, length, Placement.LOWEST);
  }

  /**
   * As {@link #duplicate(long, long)}; the second address must be a multiple of a number, and the
   * search for space starts at an address.
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @param hint any address; rounded up to whole pages
   * @param alignment a multiple of the page size; or 1 for any page
   * @return the address of the second mapping
   * @throws MapException as {@link #duplicate(long, long)}
   */
  public long duplicate(long address, long length, long hint, long alignment) {
    return duplicate(address, length, near(hint, alignment));
  }

  /**
   * As {@link #duplicate(long, long)}, at a place that is given.
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @param newAddress page aligned; nothing may be mapped there
   * @throws MapException also OCCUPIED
   */
  public void duplicateTo(long address, long length, long newAddress) {
    ranges.checkAligned(newAddress);
    duplicate(address, length, new Placement(Placement.Rule.EXCLUSIVE, newAddress, 1));
  }

  private long duplicate(long address, long length, Placement placement) {
    long end = ranges.checkedEnd(address, length);
    Remapper remapper = new Remapper(map);
    check(remapper.duplicate(address, end - address, placement), "duplicate", address, length);
    long second = remapper.address();
    wireIfWanted(false, second, second + end - address);
    return second;
  }

  /**
   * Lends the bytes of a range as they are now, without copying them. Only the calling thread can
   * use the segments of the loan.
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @return the loan, to be closed
   * @throws MemoryFault if a page could not be read
   * @throws MapException WIRED if a page is wired, in use by {@link Bulk#window}, of a device, lent
   *     too often, or found by page tables
   * @throws IllegalStateException if the system is closed
   */
  public Loan lend(long address, long length) {
    return Loan.of(this, address, ranges.checkedEnd(address, length), Arena.ofConfined());
  }

  /**
   * As {@link #lend}, for segments that any thread can use. To close such a loan takes longer.
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @return the loan, to be closed
   * @throws MemoryFault if a page could not be read
   * @throws MapException WIRED if a page is wired, in use by {@link Bulk#window}, of a device, lent
   *     too often, or found by page tables
   * @throws IllegalStateException if the system is closed
   */
  public Loan lendToAll(long address, long length) {
    return Loan.of(this, address, ranges.checkedEnd(address, length), Arena.ofShared());
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
}
