package org.juvm;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.juvm.base.Limit;
import org.juvm.check.MapView;
import org.juvm.map.Forker;
import org.juvm.map.MapOutcome;
import org.juvm.map.MapSettings;
import org.juvm.map.Mapper;
import org.juvm.map.Placement;
import org.juvm.map.Unmapper;
import org.juvm.map.VmMap;

/**
 * An address space. Addresses that can be mapped go from 64 KiB to 2^47.
 *
 * <p>An address space has one reference when it is made. Whoever shares it takes another one with
 * {@link #reference}; it ends when {@link #close} has been called once for each.
 */
public final class Vmspace extends AddressMap implements AutoCloseable {
  /** The lowest address that can be mapped: small wrong addresses fault. */
  public static final long MINIMUM_ADDRESS = VmMap.MINIMUM;

  /** The address after the last that can be mapped. */
  public static final long MAXIMUM_ADDRESS = VmMap.MAXIMUM;

  /** References; once 0, it stays so, and the address space has ended. */
  private final AtomicInteger references = new AtomicInteger(1);

  /** One for all references together, and one for each {@link Hold}. */
  private final AtomicInteger holds = new AtomicInteger(1);

  Vmspace(Vm vm, long id, VmMap map) {
    super(vm, id, map);
  }

  /**
   * Reads and writes past the protection, for debuggers.
   *
   * @return access to this address space
   */
  public DebugAccess debug() {
    return new DebugAccess(this);
  }

  /**
   * Sets a range of addresses aside that is managed by itself, with a lock of its own: what is
   * mapped there neither waits for changes elsewhere nor makes them wait. Faults find their way by
   * themselves. It stays until the address space ends, and is not inherited by children. ({@code
   * vm_map_submap}, {@code uvm_km_suballoc})
   *
   * @param length greater than 0; rounded up to whole pages
   * @return the range, with nothing mapped in it
   * @throws MapException NO_SPACE
   * @throws IllegalStateException if the address space has ended
   */
  public Submap submap(long length) {
    long bytes = ranges().checkedLength(length);
    Mapper mapper = new Mapper(map(), false);
    check(mapper.mapSubmap(Placement.LOWEST, bytes), "submap", 0, length);
    return new Submap(this, mapper.submap());
  }

  // ---- settings ----

  /**
   * A limit.
   *
   * @param limit which
   * @return bytes; {@link Long#MAX_VALUE}: none
   */
  public long limit(Limit limit) {
    map().lockRead(0);
    try {
      return map().settings().limit(limit);
    } finally {
      map().unlockRead(0);
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
    map().lockWrite();
    try {
      map().settings().setLimit(limit, bytes);
    } finally {
      map().unlockWrite();
    }
  }

  /**
   * Puts mappings that may be anywhere at places that cannot be guessed without the seed: the
   * search starts at random in the lowest 256 MiB. Children do the same, with numbers of their own.
   *
   * @param seed any number; the same one gives the same places
   */
  public void randomizePlacement(long seed) {
    map().lockWrite();
    try {
      map().settings().randomize(seed);
    } finally {
      map().unlockWrite();
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
    Vmspace child = vm().newVmspace();
    MapOutcome outcome = new Forker(map()).fork(child.map());
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
        throw new IllegalStateException("the address space has ended: vmspace=" + id());
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
    if (references.get() == 0) {
      throw new IllegalStateException("the address space has ended: vmspace=" + id());
    }
    Vmspace fresh = image == null ? vm().newVmspace() : image.fork();
    MapSettings.copy(map(), fresh.map());
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
        throw new IllegalStateException("the address space is gone: vmspace=" + id());
      }
    } while (!holds.compareAndSet(count, count + 1));
    return new Hold();
  }

  /** Takes a hold away; with the last one the system forgets the address space. */
  private void drop() {
    if (holds.decrementAndGet() == 0) {
      vm().unregister(this);
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
      new Unmapper(map()).exit();
      drop();
    }
  }

  /** Ends the address space whoever has references, when the system is closed. */
  void end() {
    if (references.getAndSet(0) != 0) {
      new Unmapper(map()).exit();
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
   * How many pages can be accessed for reading without a fault.
   *
   * @return pages in the page table
   */
  public long residentPages() {
    return map().pmap().resident();
  }

  /**
   * The largest value that {@link #residentPages} had.
   *
   * @return pages
   */
  public long peakResidentPages() {
    return map().pmap().peakResident();
  }

  /**
   * The map, its entries and what stands behind them, as a debugger of the kernel shows them.
   *
   * @return several lines of text
   */
  public String show() {
    return MapView.show(map(), id(), references.get(), holds.get());
  }

  /**
   * Names the address space.
   *
   * @return for example {@code vmspace 7}
   */
  @Override
  public String toString() {
    return "vmspace " + id();
  }
}
