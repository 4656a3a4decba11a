package org.juvm;

import java.util.ArrayList;
import java.util.List;
import org.juvm.base.Inheritance;
import org.juvm.base.PageSize;
import org.juvm.base.Protection;
import org.juvm.map.Forker;
import org.juvm.map.MapEntry;
import org.juvm.map.MapOutcome;
import org.juvm.map.Mapper;
import org.juvm.map.Protector;
import org.juvm.map.Unmapper;
import org.juvm.map.VmMap;

/**
 * An address space. Thread-safe; every change is in force for all processors when the call returns.
 *
 * <p>Addresses and lengths are in bytes. Where they must be page aligned, they must be multiples of
 * {@link Vm#pageSize}. Addresses that can be mapped go from 64 KiB to 2^47.
 */
public final class Vmspace implements AutoCloseable {
  private final Vm vm;
  private final long id;
  private final VmMap map;
  private final PageSize pageSize;

  Vmspace(Vm vm, long id, VmMap map) {
    this.vm = vm;
    this.id = id;
    this.map = map;
    pageSize = vm.machine().pageSize();
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

  // ---- mappings ----

  /**
   * Maps anonymous, private, zero-filled memory at the lowest free place. Pages are made at the
   * first access.
   *
   * @param length greater than 0; rounded up to whole pages
   * @param protection what may be done with it
   * @return the address, page aligned
   * @throws MapException NO_SPACE if no hole is large enough
   * @throws IllegalStateException if the address space has ended
   */
  public long map(long length, Protection protection) {
    Mapper mapper = new Mapper(map);
    long bytes = checkedLength(length);
    check(mapper.mapAnywhere(VmMap.MINIMUM, bytes, pageSize.bytes(), protection), "map", 0, length);
    return mapper.address();
  }

  /**
   * Maps anonymous, private, zero-filled memory at an address. Pages are made at the first access.
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @param protection what may be done with it
   * @throws MapException OCCUPIED if anything is mapped in the range, NO_SPACE if the range leaves
   *     the address space
   * @throws IllegalStateException if the address space has ended
   */
  public void map(long address, long length, Protection protection) {
    checkAligned(address);
    long bytes = checkedLength(length);
    check(new Mapper(map).mapAt(address, bytes, protection), "map", address, length);
  }

  /**
   * Removes all mappings in a range. Holes are allowed. Memory that no other address space shares
   * is free when this returns.
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @throws MapException NO_MEMORY if there is none to split mappings that are partly in the range
   */
  public void unmap(long address, long length) {
    long end = checkedEnd(address, length);
    check(new Unmapper(map).unmap(address, end), "unmap", address, length);
  }

  /**
   * Sets the protection of a range that has no holes.
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @param protection what may be done from now on
   * @throws MapException NOT_MAPPED if there is a hole, MAXIMUM_PROTECTION if more is asked for
   *     than the mapping may have
   * @throws IllegalStateException if the address space has ended
   */
  public void protect(long address, long length, Protection protection) {
    long end = checkedEnd(address, length);
    check(new Protector(map).protect(address, end, protection), "protect", address, length);
  }

  /**
   * Sets what a child gets of a range at {@link #fork}. Holes are left out.
   *
   * @param address page aligned
   * @param length greater than 0; rounded up to whole pages
   * @param inheritance what a child gets
   * @throws IllegalStateException if the address space has ended
   */
  public void inherit(long address, long length, Inheritance inheritance) {
    long end = checkedEnd(address, length);
    check(new Protector(map).inherit(address, end, inheritance), "inherit", address, length);
  }

  /**
   * Makes a child: a copy of this address space as it is at this moment, subject to the inheritance
   * of each mapping. No page is copied before one side writes to it, except those in use by {@link
   * Bulk#window}. The time that this takes depends on the number of mappings, not on their size.
   *
   * @return the child
   * @throws MapException NO_MEMORY if pages in use by windows could not be copied
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

  // ---- views ----

  /**
   * The mappings, in ascending order.
   *
   * @return a snapshot
   */
  public List<Mapping> mappings() {
    map.lockRead(0);
    try {
      List<Mapping> mappings = new ArrayList<>(map.entryCount());
      for (MapEntry entry = map.first(); entry != null; entry = map.next(entry)) {
        mappings.add(
            new Mapping(
                entry.start(),
                entry.end(),
                entry.protection(),
                entry.maximum(),
                entry.inheritance(),
                entry.needsCopy()));
      }
      return mappings;
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
   * Whether this address space has ended.
   *
   * @return true after {@link #close}
   */
  public boolean isExited() {
    map.lockRead(0);
    try {
      return map.isExited();
    } finally {
      map.unlockRead(0);
    }
  }

  /**
   * Ends the address space: all mappings go, memory that nobody else shares is free when this
   * returns. Processors that are attached fault at their next access. Closing twice does nothing.
   */
  @Override
  public void close() {
    new Unmapper(map).exit();
    vm.unregister(this);
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

  // ---- arguments ----

  private void checkAligned(long address) {
    if (!pageSize.isAligned(address)) {
      throw new IllegalArgumentException(
          "address is not page aligned: address=0x" + Long.toHexString(address));
    }
  }

  private long checkedLength(long length) {
    if (length <= 0 || length > VmMap.MAXIMUM) {
      throw new IllegalArgumentException("length out of range: length=" + length);
    }
    return pageSize.round(length);
  }

  private long checkedEnd(long address, long length) {
    checkAligned(address);
    long bytes = checkedLength(length);
    if (address < 0 || address > VmMap.MAXIMUM - bytes) {
      throw new IllegalArgumentException(
          "range is outside the address space: address=0x"
              + Long.toHexString(address)
              + ", length="
              + length);
    }
    return address + bytes;
  }

  private void check(MapOutcome outcome, String call, long address, long length) {
    MapException.Reason reason =
        switch (outcome) {
          case DONE -> null;
          case NO_SPACE -> MapException.Reason.NO_SPACE;
          case OCCUPIED -> MapException.Reason.OCCUPIED;
          case NOT_MAPPED -> MapException.Reason.NOT_MAPPED;
          case MAXIMUM_PROTECTION -> MapException.Reason.MAXIMUM_PROTECTION;
          case NO_MEMORY -> MapException.Reason.NO_MEMORY;
          case EXITED ->
              throw new IllegalStateException(
                  call + ": the address space has ended: vmspace=" + id);
        };
    if (reason != null) {
      throw new MapException(
          reason,
          call
              + ": "
              + reason
              + ": address=0x"
              + Long.toHexString(address)
              + ", length="
              + length
              + ", vmspace="
              + id);
    }
  }
}
