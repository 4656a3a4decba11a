package org.juvm;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import org.juvm.base.KernelFlag;
import org.juvm.base.PageSize;
import org.juvm.check.MapView;
import org.juvm.kernel.KernelAllocator;
import org.juvm.kernel.KernelRange;
import org.juvm.map.MapOutcome;
import org.juvm.map.Placement;
import org.juvm.map.VmMap;

/**
 * Addresses of the kernel, and the memory behind them: all of them ({@link Vm#kernel}), or a {@link
 * #submap submap} with a lock of its own. For memory that belongs to no address space: of a system
 * that is built on this one, or shared by all its programs. Thread-safe.
 *
 * <p>Kernel addresses start where those of programs end. A {@link Cpu} uses them when it is {@link
 * Cpu#attach(KernelMap) attached} to the kernel; what it meets there are ordinary faults. Memory is
 *
 * <ul>
 *   <li>wired ({@link #allocate}): all of it is there when the call returns, and stays in memory;
 *   <li>made on demand ({@link #allocateOnDemand}): pages are made, as zeros, when they are first
 *       accessed, and go to swap when memory is short, once there is swap;
 *   <li>or nothing but addresses ({@link #reserve}), which can be {@link #populate populated} in
 *       parts.
 * </ul>
 *
 * <p>All of it comes out of the system's budget. For small pieces, and real segments, see {@link
 * #memory}.
 *
 * <p>Source: {@code uvm_km.c}.
 */
public final class KernelMap implements AutoCloseable {
  /** The lowest kernel address. */
  public static final long MINIMUM_ADDRESS = VmMap.KERNEL_MINIMUM;

  /** The address after the highest of the kernel. */
  public static final long MAXIMUM_ADDRESS = VmMap.KERNEL_MAXIMUM;

  /** In place of an address space's number in messages. */
  static final long KERNEL_ID = 0;

  private final Vm vm;
  private final KernelRange range;
  private final PageSize pageSize;

  KernelMap(Vm vm, KernelRange range) {
    this.vm = vm;
    this.range = range;
    pageSize = vm.machine().pageSize();
  }

  /**
   * The system.
   *
   * @return the system that this is the kernel of
   */
  public Vm vm() {
    return vm;
  }

  VmMap map() {
    return range.map();
  }

  KernelRange range() {
    return range;
  }

  /**
   * The lowest address of this map.
   *
   * @return address, page aligned
   */
  public long start() {
    return range.map().minimum();
  }

  /**
   * The address after the highest of this map.
   *
   * @return address, page aligned
   */
  public long end() {
    return range.map().maximum();
  }

  /**
   * Whether memory may be made on demand here.
   *
   * @return false if all memory is wired
   */
  public boolean isPageable() {
    return range.isPageable();
  }

  // ---- submaps ----

  /**
   * Sets a part of these addresses aside, with a lock of its own, at the lowest free place.
   *
   * @param bytes greater than 0; rounded up to whole pages
   * @param pageable whether memory may be made on demand there
   * @return the submap; close it to free all that is in it
   * @throws MapException NO_SPACE
   * @throws IllegalStateException if the map or the system is closed
   */
  public KernelMap submap(long bytes, boolean pageable) {
    return submap(Placement.LOWEST, bytes, pageable);
  }

  /**
   * As {@link #submap}, at a place that is given.
   *
   * @param address page aligned
   * @param bytes greater than 0; rounded up to whole pages
   * @param pageable whether memory may be made on demand there
   * @return the submap
   * @throws MapException NO_SPACE if the place is not in this map, OCCUPIED
   * @throws IllegalStateException if the map or the system is closed
   */
  public KernelMap submapAt(long address, long bytes, boolean pageable) {
    checkAligned(address);
    return submap(new Placement(Placement.Rule.EXCLUSIVE, address, 1), bytes, pageable);
  }

  private KernelMap submap(Placement placement, long bytes, boolean pageable) {
    KernelRange.Submapped made = range.submap(placement, checkedLength(bytes), pageable);
    check(made.outcome(), "submap", placement.address(), bytes);
    return new KernelMap(vm, Objects.requireNonNull(made.submap()));
  }

  // ---- memory ----

  /**
   * Allocates wired memory.
   *
   * @param bytes greater than 0; rounded up to whole pages
   * @param flags ZERO, CONTIGUOUS, NO_WAIT, TRY_LOCK, WAIT_FOR_SPACE; without ZERO the bytes are
   *     what others have left there
   * @return the address, page aligned
   * @throws MapException NO_SPACE, NO_MEMORY if there is none and waiting would not help or is not
   *     wanted, LOCKED
   * @throws IllegalStateException if the map or the system is closed
   */
  public long allocate(long bytes, KernelFlag... flags) {
    KernelAllocator allocator = new KernelAllocator(range, set(flags));
    check(allocator.wired(checkedLength(bytes)), "allocate", 0, bytes);
    return allocator.address();
  }

  /**
   * Allocates memory whose pages are made when they are first accessed.
   *
   * @param bytes greater than 0; rounded up to whole pages
   * @param flags TRY_LOCK, WAIT_FOR_SPACE; others say nothing
   * @return the address, page aligned
   * @throws MapException NO_SPACE, LOCKED, NO_ACCESS if memory must be wired here
   * @throws IllegalStateException if the map or the system is closed
   */
  public long allocateOnDemand(long bytes, KernelFlag... flags) {
    KernelAllocator allocator = new KernelAllocator(range, set(flags));
    check(allocator.onDemand(checkedLength(bytes)), "allocateOnDemand", 0, bytes);
    return allocator.address();
  }

  /**
   * Allocates addresses without memory.
   *
   * @param bytes greater than 0; rounded up to whole pages
   * @param flags TRY_LOCK, WAIT_FOR_SPACE; others say nothing
   * @return the address, page aligned
   * @throws MapException NO_SPACE, LOCKED
   * @throws IllegalStateException if the map or the system is closed
   */
  public long reserve(long bytes, KernelFlag... flags) {
    KernelAllocator allocator = new KernelAllocator(range, set(flags));
    check(allocator.addressesOnly(checkedLength(bytes)), "reserve", 0, bytes);
    return allocator.address();
  }

  /**
   * Puts wired memory behind a part of what was {@link #reserve reserved}.
   *
   * @param address page aligned
   * @param bytes greater than 0; rounded up to whole pages
   * @param flags ZERO, CONTIGUOUS, NO_WAIT
   * @throws MapException NOT_MAPPED if not all of it is reserved and without memory, NO_MEMORY
   * @throws IllegalStateException if the map or the system is closed
   */
  public void populate(long address, long bytes, KernelFlag... flags) {
    long end = checkedEnd(address, bytes);
    check(
        new KernelAllocator(range, set(flags)).populate(address, end), "populate", address, bytes);
  }

  /**
   * Takes wired memory away and keeps its addresses.
   *
   * @param address page aligned
   * @param bytes greater than 0; rounded up to whole pages
   * @throws MapException NOT_MAPPED if not all of it is wired memory
   * @throws IllegalStateException if the map or the system is closed
   */
  public void depopulate(long address, long bytes) {
    long end = checkedEnd(address, bytes);
    check(new KernelAllocator(range, set()).depopulate(address, end), "depopulate", address, bytes);
  }

  /**
   * Frees memory and addresses, which may be a part of an allocation, or several. Whoever waits for
   * addresses is woken.
   *
   * @param address page aligned
   * @param bytes greater than 0; rounded up to whole pages
   * @throws MapException NOT_MAPPED if a part of it is free already, SUBMAP, IMMUTABLE if it is
   *     reserved by the system; nothing is freed then
   * @throws IllegalStateException if the map or the system is closed
   */
  public void free(long address, long bytes) {
    long end = checkedEnd(address, bytes);
    check(range.free(address, end), "free", address, bytes);
  }

  /**
   * Makes an allocator for small and large memory, on a submap of its own.
   *
   * @param limit bytes, greater than 0, that it can have at most; rounded up to whole pages
   * @return the allocator, to be closed
   * @throws MapException NO_SPACE
   * @throws IllegalStateException if the map or the system is closed
   */
  public KernelMemory memory(long limit) {
    return new KernelMemory(vm, submap(limit, false).range());
  }

  private static Set<KernelFlag> set(KernelFlag... flags) {
    Set<KernelFlag> set = EnumSet.noneOf(KernelFlag.class);
    set.addAll(Arrays.asList(flags));
    return set;
  }

  private void checkAligned(long address) {
    if (!pageSize.isAligned(address)) {
      throw new IllegalArgumentException(
          "address is not page aligned: address=0x" + Long.toHexString(address));
    }
  }

  private long checkedLength(long bytes) {
    if (bytes <= 0 || bytes > MAXIMUM_ADDRESS - MINIMUM_ADDRESS) {
      throw new IllegalArgumentException("length out of range: length=" + bytes);
    }
    return pageSize.round(bytes);
  }

  private long checkedEnd(long address, long bytes) {
    checkAligned(address);
    long length = checkedLength(bytes);
    if (address < start() || address > end() - length) {
      throw new IllegalArgumentException(
          "range is outside the map: address=0x%x, length=%d, map=%s"
              .formatted(address, bytes, this));
    }
    return address + length;
  }

  private static void check(MapOutcome outcome, String call, long address, long bytes) {
    MapException.check(outcome, call, KERNEL_ID, address, bytes);
  }

  // ---- views and the end ----

  /**
   * How much is mapped here, submaps as wholes included, and addresses without memory.
   *
   * @return bytes
   */
  public long mappedBytes() {
    map().lockRead(0);
    try {
      return map().size();
    } finally {
      map().unlockRead(0);
    }
  }

  /**
   * The map, its entries and what stands behind them.
   *
   * @return several lines of text
   */
  public String show() {
    return MapView.show(map(), KERNEL_ID, 1, 1);
  }

  /**
   * Ends a submap: all that is in it is free, and its addresses. The kernel's whole map ends with
   * the system; to close it does nothing.
   */
  @Override
  public void close() {
    range.close();
  }

  /**
   * Names the range.
   *
   * @return for example {@code kernel map 800000000000-c00000000000}
   */
  @Override
  public String toString() {
    return "kernel map " + Long.toHexString(start()) + "-" + Long.toHexString(end());
  }
}
