package org.juvm;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.juvm.base.Advice;
import org.juvm.base.MapFlag;
import org.juvm.fault.Prefaulter;
import org.juvm.fault.Wirer;
import org.juvm.map.Adviser;
import org.juvm.map.Cleaner;
import org.juvm.map.Inspector;
import org.juvm.map.MapOutcome;

/**
 * Which pages of an address space are in memory: what its program says and asks about that.
 * Thread-safe. Obtained by {@link AddressMap#paging}.
 *
 * <p>Addresses are in bytes and page aligned; lengths are in bytes, greater than 0, and rounded up
 * to whole pages. An address space that has ended gives {@link IllegalStateException}.
 */
public final class Paging {
  private final AddressMap range;
  private final Ranges ranges;

  Paging(AddressMap range, Ranges ranges) {
    this.range = range;
    this.ranges = ranges;
  }

  private void check(MapOutcome outcome, String call, long address, long length) {
    MapException.check(outcome, call, range.id(), address, length);
  }

  private Wirer wirer() {
    return new Wirer(range.map(), range.vm().faults());
  }

  // ---- wiring ----

  /**
   * Brings all pages of a range into memory and keeps them there. Doing it twice is the same as
   * doing it once. A child does not inherit it. ({@code mlock(2)})
   *
   * @param address first address
   * @param length size of the range
   * @throws MapException NOT_MAPPED if there is a hole, NO_ACCESS if a part has no rights, LIMIT if
   *     more than the limit LOCKED would be wired, BEYOND_END, NO_MEMORY, WRONG_KIND if a part has
   *     page tables; then nothing is wired that was not, though pages that were made on the way may
   *     stay
   */
  public void wire(long address, long length) {
    long end = ranges.checkedEnd(address, length);
    check(wirer().wire(address, end, true), "wire", address, length);
  }

  /**
   * Takes back {@link #wire}. Parts that are not wired stay so. ({@code munlock(2)})
   *
   * @param address first address
   * @param length size of the range
   * @throws MapException NOT_MAPPED if there is a hole
   */
  public void unwire(long address, long length) {
    long end = ranges.checkedEnd(address, length);
    check(wirer().unwire(address, end, true), "unwire", address, length);
  }

  /**
   * Wires everything that is mapped with any rights, and, if wanted, everything that will be mapped
   * or will grow. ({@code mlockall(2)})
   *
   * @param current whether to wire what is mapped
   * @param future whether to wire what will be mapped
   * @throws MapException LIMIT, BEYOND_END, NO_MEMORY, WRONG_KIND if anything that is to be wired
   *     has page tables; then nothing is wired that was not before
   */
  public void wireAll(boolean current, boolean future) {
    check(wirer().wireAll(current, future), "wireAll", 0, 0);
  }

  /** Takes back all {@link #wire} and {@link #wireAll}. ({@code munlockall(2)}) */
  public void unwireAll() {
    check(wirer().unwireAll(), "unwireAll", 0, 0);
  }

  // ---- advice ----

  /**
   * Says how a range is going to be used. Holes are left out. ({@code madvise(2)})
   *
   * @param address first address
   * @param length size of the range
   * @param advice how
   * @throws MapException SUBMAP
   */
  public void advise(long address, long length, Advice advice) {
    long end = ranges.checkedEnd(address, length);
    check(new Adviser(range.map()).advise(address, end, advice), "advise", address, length);
  }

  /**
   * Brings what there is of a range into memory, as far as that is free, and enters it into the
   * page table, for reading: after a fork, say, so that a child does not fault page by page. Holes,
   * what was never touched, what may not be read and mappings that have page tables are left out.
   * ({@code MADV_WILLNEED})
   *
   * @param address first address
   * @param length size of the range
   */
  public void prefault(long address, long length) {
    long end = ranges.checkedEnd(address, length);
    new Prefaulter(range.map(), range.vm().faults()).prefault(address, end);
  }

  /**
   * Lets the pages of a range be the first that leave memory. They keep what they hold. Holes and
   * mappings that have page tables are left out. ({@code MADV_DONTNEED} of the BSDs)
   *
   * @param address first address
   * @param length size of the range
   * @throws MapException SUBMAP
   */
  public void deactivate(long address, long length) {
    long end = ranges.checkedEnd(address, length);
    check(new Adviser(range.map()).deactivate(address, end), "deactivate", address, length);
  }

  /**
   * Leaves a range out of core dumps, or not. Holes are left out. ({@code MADV_NOCORE})
   *
   * @param address first address
   * @param length size of the range
   * @param concealed whether to leave it out
   * @throws MapException SUBMAP
   */
  public void conceal(long address, long length, boolean concealed) {
    setFlag(MapFlag.NO_CORE, address, length, concealed, "conceal");
  }

  /**
   * Does not write a range back to where it belongs before that is necessary, or does. Holes are
   * left out. ({@code MADV_NOSYNC})
   *
   * @param address first address
   * @param length size of the range
   * @param lazily whether to wait
   * @throws MapException SUBMAP
   */
  public void writeLazily(long address, long length, boolean lazily) {
    setFlag(MapFlag.NO_SYNC, address, length, lazily, "writeLazily");
  }

  private void setFlag(MapFlag flag, long address, long length, boolean value, String call) {
    long end = ranges.checkedEnd(address, length);
    check(new Adviser(range.map()).setFlag(address, end, flag, value), call, address, length);
  }

  /**
   * Frees the private pages of a range that nobody else sees: it reads as zeros, or as what lies
   * behind it. What mappings share with others, by inheritance or since a fork, stays as it is as a
   * whole. Holes are left out. ({@code MADV_FREE})
   *
   * @param address first address
   * @param length size of the range
   * @throws MapException WIRED, IMMUTABLE, SUBMAP, NO_MEMORY; then nothing is freed
   */
  public void discard(long address, long length) {
    long end = ranges.checkedEnd(address, length);
    check(new Adviser(range.map()).free(address, end), "discard", address, length);
  }

  /**
   * Forgets all translations of a range; they are made again when they are needed. ({@code
   * MADV_INVAL})
   *
   * <p>A guest that has changed its page tables calls this. What it has stored to them before, by
   * whatever mapping, counts for every access through this address space that begins after the
   * return, on any thread; and none is under way any more that has seen what was there before. So
   * does an entry whose marks were cleared get them again at the next access. Windows that are open
   * keep their pages. Other address spaces that map the same memory have translations of their own.
   *
   * @param address first address
   * @param length size of the range
   * @throws MapException SUBMAP
   */
  public void invalidate(long address, long length) {
    long end = ranges.checkedEnd(address, length);
    check(new Adviser(range.map()).invalidate(address, end), "invalidate", address, length);
  }

  /**
   * Gives a range of mappings that have page tables another root, and forgets all translations: for
   * a guest that switches from one of its address spaces to another. Holes are left out. ({@code
   * MADV_SETMAP})
   *
   * @param address first address
   * @param length size of the range
   * @param root a {@link org.juvm.base.VirtualPte}, good or bad; 0: nothing can be accessed
   * @throws MapException WRONG_KIND if a mapping was not made by {@link MapRequest#pageTable},
   *     SUBMAP; then nothing has changed
   */
  public void setPageTable(long address, long length, long root) {
    long end = ranges.checkedEnd(address, length);
    MapOutcome outcome = new Adviser(range.map()).setPageTable(address, end, root);
    check(outcome, "setPageTable", address, length);
  }

  /**
   * Writes what was changed in a range of files back to them, and makes that durable: it is there
   * after a crash, of the process or of the machine, when this has returned without an error.
   * Anonymous memory, and what a private mapping has stored, belongs nowhere. ({@code msync(2)}
   * with MS_SYNC)
   *
   * @param address first address
   * @param length size of the range
   * @param invalidate whether to drop what is in memory afterwards, so that the files are read
   *     again; what is changed meanwhile, or wired by other mappings, stays
   * @throws MapException NOT_MAPPED if there is a hole, WIRED if something wired would be dropped,
   *     SUBMAP
   * @throws UncheckedIOException if something could not be written, now or since the last time that
   *     this was said about its file; it is in memory still, and will be written again
   */
  public void clean(long address, long length, boolean invalidate) {
    long end = ranges.checkedEnd(address, length);
    Cleaner cleaner = new Cleaner(range.map());
    check(cleaner.collect(address, end, invalidate), "clean", address, length);
    try {
      cleaner.clean(invalidate);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "clean: %s: address=0x%x, length=%d, vmspace=%d"
              .formatted(e.getMessage(), address, length, range.id()),
          e);
    }
  }

  /**
   * Begins to write what was changed in a range of files back to them, and returns. An error is
   * reported by the next {@link #clean} or {@link MappedFile#sync}. ({@code msync(2)} with
   * MS_ASYNC)
   *
   * @param address first address
   * @param length size of the range
   * @throws MapException NOT_MAPPED if there is a hole, SUBMAP
   */
  public void cleanLater(long address, long length) {
    long end = ranges.checkedEnd(address, length);
    Cleaner cleaner = new Cleaner(range.map());
    check(cleaner.collect(address, end, false), "cleanLater", address, length);
    range.vm().files().later(cleaner);
  }

  // ---- questions ----

  /**
   * Which pages of a range are in memory. ({@code mincore(2)})
   *
   * @param address first address
   * @param length size of the range
   * @return an element for each page
   * @throws MapException NOT_MAPPED if there is a hole, SUBMAP
   */
  public boolean[] resident(long address, long length) {
    long end = ranges.checkedEnd(address, length);
    boolean[] resident = new boolean[Math.toIntExact((end - address) / range.vm().pageSize())];
    check(Inspector.resident(range.map(), address, end, resident), "resident", address, length);
    return resident;
  }

  /**
   * How many pages of private anonymous and of shared memory the mappings have.
   *
   * @return pages; one that is mapped twice counts twice
   */
  public long anonymousPages() {
    return Inspector.anonymousPages(range.map());
  }

  /**
   * How many pages of private anonymous and of shared memory are in swap and not in memory.
   *
   * @return pages; one that is mapped twice counts twice
   */
  public long swappedPages() {
    return Inspector.swappedPages(range.map());
  }

  /**
   * How much is wired by {@link #wire} and {@link #wireAll}.
   *
   * @return bytes
   */
  public long wiredBytes() {
    range.map().lockRead(0);
    try {
      return range.map().locked();
    } finally {
      range.map().unlockRead(0);
    }
  }
}
