package org.juvm.pmap;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.juvm.base.Access;
import org.juvm.base.PageSize;
import org.juvm.ram.Native;
import org.juvm.sync.LockOrder;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * One address space as the machine sees it: which frame stands behind which page, with which
 * rights, and which processors are using it.
 *
 * <p>Every method that takes rights away returns only after no processor uses them any more.
 *
 * <p>Thread-safe, given the locks that its users hold anyway:
 *
 * <ul>
 *   <li>Pages are entered with the lock of the map held in any way, and with the lock of the
 *       frame's owner, which all who may be entering the same page have in common.
 *   <li>All mappings of a frame are removed ({@link Pmaps#removeFrame}) with the lock of the
 *       frame's owner.
 *   <li>Ranges of pages lose rights with the map's lock held for writing.
 * </ul>
 *
 * So while a page is being entered no range that contains it loses rights, and nobody else changes
 * its entry but the processors. That leaves, for the lock in here, what is taken away: an entry
 * that maps something gives that up, or a write-protect bit is pushed down, only with it held.
 * Entering a page where none was takes no lock.
 *
 * <p>Source: the contract of {@code pmap(9)}.
 */
public final class Pmap {
  private static final VarHandle REVOCATIONS;

  static {
    try {
      REVOCATIONS = MethodHandles.lookup().findVarHandle(Pmap.class, "revocations", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** One more than the largest page number that a pmap takes. */
  public static final long MAXIMUM_VPN = 1L << 40;

  private final Pmaps pmaps;
  private final PageSize pageSize;
  private final int number;
  private final FrameMappings frameMappings = new FrameMappings(this);
  final PageTables tables;

  final RankedLock lock = new RankedLock(LockRank.PMAP);

  /** Caches of the attached processors, and the number of pages. Guarded by lock. */
  final TlbSet attached = new TlbSet();

  /**
   * Number of revocations so far. Goes up after an entry has lost rights or a table has been taken
   * out of the tree, and before anything that was behind it is used for something else. Written
   * with the lock held; anybody reads it.
   */
  private volatile long revocations;

  Pmap(Pmaps pmaps, int number) {
    this.pmaps = pmaps;
    this.pageSize = pmaps.pageSize();
    this.number = number;
    tables = new PageTables(pmaps.tables());
  }

  /** What is done to mappings that were found by their frames. */
  FrameMappings frameMappings() {
    return frameMappings;
  }

  // ---- processors ----

  /**
   * Lets a processor use this address space. The calling thread becomes the owner of its cache.
   *
   * @param tlb a cache that is not attached to anything
   */
  public void attach(Tlb tlb) {
    lock.lock();
    try {
      tlb.attached(this, Thread.currentThread());
      attached.add(tlb);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes a processor away from this address space.
   *
   * @param tlb a cache that is attached to this pmap; empty afterwards
   */
  public void detach(Tlb tlb) {
    lock.lock();
    try {
      attached.remove(tlb);
      tlb.detached();
    } finally {
      lock.unlock();
    }
  }

  /** Result of a translation that failed. No frame is at address zero. */
  public static final long MISS = 0;

  /**
   * The number of revocations so far, for {@link #loadAddress}.
   *
   * @return a number that changes when any right is taken away
   */
  public long revocations() {
    return revocations;
  }

  /**
   * Translates an address for loads, without a lock and without any cache. The processor must have
   * announced the walk, but may withdraw at once. What is loaded from there counts only if {@link
   * #revocations}, read before this call, is still the same after an acquire fence after the loads.
   *
   * @param address any address
   * @return native address, good to the end of its page, or {@link #MISS}, also if the page was not
   *     referenced before
   */
  public long loadAddress(long address) {
    long found = tables.find(pageSize.vpn(address));
    if (found == 0) {
      return MISS;
    }
    long pte = Native.getLongAcquire(found & ~Pte.WRITE_PROTECT);
    long needed = Pte.READ | Pte.REFERENCED;
    return (pte & needed) == needed ? nativeAddress(pte, address) : MISS;
  }

  /**
   * Translates an address for stores, without a lock and without any cache. The processor must have
   * announced them, and may store until it withdraws.
   *
   * @param address any address
   * @return native address, good to the end of its page, or {@link #MISS}, also if the page was not
   *     modified before
   */
  public long storeAddress(long address) {
    long found = tables.find(pageSize.vpn(address));
    if (found == 0 || (found & Pte.WRITE_PROTECT) != 0) {
      return MISS;
    }
    long pte = Native.getLongAcquire(found);
    long needed = Pte.WRITE | Pte.REFERENCED | Pte.MODIFIED;
    return (pte & needed) == needed ? nativeAddress(pte, address) : MISS;
  }

  /**
   * Loads a translation into a processor's cache, if the page table allows the access. Called by
   * the owner of the cache without any lock; sets the referenced bit, and for a store the modified
   * bit, as hardware does.
   *
   * @param tlb a cache that is attached to this pmap
   * @param address the address of the access
   * @param access what is to be done there
   * @return false if it takes a fault to go on
   */
  public boolean fill(Tlb tlb, long address, Access access) {
    tlb.announce(address);
    try {
      return fillAnnounced(tlb, address, access == Access.WRITE);
    } finally {
      tlb.withdraw();
    }
  }

  private boolean fillAnnounced(Tlb tlb, long address, boolean store) {
    long vpn = pageSize.vpn(address);
    long needed = Pte.READ | (store ? Pte.WRITE : 0);
    long marks = Pte.REFERENCED | (store ? Pte.MODIFIED : 0);
    while (true) {
      long found = tables.find(vpn);
      if (found == 0 || (store && (found & Pte.WRITE_PROTECT) != 0)) {
        return false;
      }
      long at = found & ~Pte.WRITE_PROTECT;
      long pte = Native.getLongAcquire(at);
      if ((pte & needed) != needed) {
        return false;
      }
      if ((pte & marks) != marks) {
        if (!Native.compareAndSetLong(at, pte, pte | marks)) {
          continue;
        }
        pte |= marks;
      }
      long dirtyWritable = Pte.WRITE | Pte.MODIFIED;
      boolean mayStore = found == at && (pte & dirtyWritable) == dirtyWritable;
      tlb.fill(address, nativeAddress(pte, address), true, mayStore);
      VarHandle.fullFence();
      long again = tables.find(vpn);
      if (again == found && Pte.sameTranslation(Native.getLongAcquire(at), pte)) {
        return true;
      }
      tlb.invalidate(vpn, vpn + 1, false);
    }
  }

  private long nativeAddress(long pte, long address) {
    return pmaps.ram().address(Pte.frame(pte)) + pageSize.offset(address);
  }

  // ---- mappings ----

  /**
   * Maps a page, replacing what was there. The caller holds the lock of the map, for reading or
   * writing, and that of the frame's owner; nobody enters the same page at the same time.
   *
   * <p>If the frame differs from the one mapped before, no processor uses the old one afterwards.
   *
   * @param tlb the cache of the processor that faulted, called by its owner; the translation is
   *     loaded into it. Null if it is no processor that wants the page
   * @param address the address that faulted
   * @param frame the frame
   * @param rights bits of {@link org.juvm.base.Protection}
   * @param access what the processor wants to do; a store marks the page as modified
   * @param used whether this access counts as a use of the page: not if the page has just come in
   *     for it
   * @return false if there was no memory for the page table or the reverse map
   */
  public boolean enter(
      @Nullable Tlb tlb, long address, int frame, int rights, Access access, boolean used) {
    assert LockOrder.holds(LockRank.MAP)
        && (LockOrder.holds(LockRank.AMAP) || LockOrder.holds(LockRank.OBJECT));
    Tlb own = tlb != null && tlb.pmap() == this ? tlb : null;
    long vpn = pageSize.vpn(address);
    boolean writable = (rights & Pte.WRITE) != 0;
    boolean store = access == Access.WRITE;
    long at = tables.make(vpn, writable);
    while (at == PageTables.PROTECTED) {
      unprotect(vpn);
      at = tables.make(vpn, true);
    }
    if (at == 0) {
      return false;
    }
    long flags = rights | (used ? Pte.REFERENCED : 0) | (store ? Pte.MODIFIED : 0);
    long pte = set(own, vpn, at, frame, flags);
    if (pte == 0) {
      return false;
    }
    // Nobody can be revoking this page, so the cache may be filled without announcing it.
    if (own != null && (rights & Pte.READ) != 0) {
      boolean mayStore = writable && (pte & Pte.MODIFIED) != 0;
      own.fill(address, nativeAddress(pte, address), true, mayStore);
    }
    return true;
  }

  /**
   * Whether nothing is mapped at an address, as far as can be seen without a lock.
   *
   * @param address any address
   * @return true if a page may be entered there
   */
  public boolean isEmpty(long address) {
    long found = tables.find(pageSize.vpn(address));
    return found == 0 || Native.getLongAcquire(found & ~Pte.WRITE_PROTECT) == 0;
  }

  /**
   * Maps a page that nobody has asked for, where none is mapped. Locks as for {@link #enter}. It is
   * not marked as used.
   *
   * @param tlb the cache of the processor that faulted nearby, called by its owner
   * @param address an address in the page
   * @param frame the frame
   * @param rights bits of {@link org.juvm.base.Protection}
   * @return false if it was not mapped after all
   */
  public boolean enterAhead(Tlb tlb, long address, int frame, int rights) {
    long vpn = pageSize.vpn(address);
    long at = tables.make(vpn, (rights & Pte.WRITE) != 0);
    if (at == PageTables.PROTECTED || at == 0 || !this.equals(tlb.pmap())) {
      return false;
    }
    return Native.getLongAcquire(at) == 0 && set(tlb, vpn, at, frame, rights) != 0;
  }

  private void unprotect(long vpn) {
    lock.lock();
    try {
      tables.unprotect(vpn);
    } finally {
      lock.unlock();
    }
  }

  /** Makes an entry map a frame, whatever it mapped before. Returns the entry, or 0. */
  private long set(@Nullable Tlb own, long vpn, long at, int frame, long flags) {
    long old = Native.getLongAcquire(at);
    if (old != 0) {
      if (Pte.frame(old) == frame && (old & Pte.RIGHTS & ~flags) == 0) {
        return Pte.add(at, old, flags);
      }
      // The old page is gone for every processor before one of them can store to the new one.
      removeEntry(vpn, at);
    }
    int reverseIndex = pmaps.reverse().add(frame, ReverseMap.mapping(number, vpn));
    if (reverseIndex == ReverseMap.FULL) {
      return 0;
    }
    long pte = Pte.of(frame, reverseIndex, flags);
    Native.setLongRelease(at, pte);
    if (own != null) {
      own.countEntered();
    } else {
      lock.lock();
      attached.pageEntered();
      lock.unlock();
    }
    return pte;
  }

  void revoke(long startVpn, long endVpn, boolean storesOnly, boolean stores) {
    assert lock.isHeld();
    REVOCATIONS.setRelease(this, revocations + 1);
    Shootdown.revoke(attached.tlbs(), startVpn, endVpn, storesOnly, stores, pmaps.counters());
  }

  /** As {@link #revoke}, of pages that need not follow one another. Caller holds the lock. */
  void revokePages(Pmaps.Scratch mappings, int start, int end, boolean stores) {
    assert lock.isHeld();
    REVOCATIONS.setRelease(this, revocations + 1);
    Shootdown.revokePages(attached.tlbs(), mappings, start, end, stores, pmaps.counters());
  }

  /** Removes whatever an entry maps. */
  private void removeEntry(long vpn, long at) {
    lock.lock();
    try {
      long old = Native.getLongAcquire(at);
      if (old != 0) {
        removeEntry(vpn, at, old);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Removes one entry that may be in use. Caller holds the lock. */
  private void removeEntry(long vpn, long at, long old) {
    attached.notePeak();
    long entry = old;
    while (!Native.compareAndSetLong(at, entry, entry & ~Pte.RIGHTS)) {
      entry = Native.getLong(at);
    }
    revoke(vpn, vpn + 1, false, (entry & Pte.WRITE) != 0);
    forget(vpn, at, entry);
  }

  /**
   * Clears an entry that no processor uses. That the page was modified or used is known with the
   * frame from now on. Caller holds the lock.
   */
  void forget(long vpn, long at, long pte) {
    int frame = Pte.frame(pte);
    if ((pte & Pte.MODIFIED) != 0) {
      pmaps.frames().markDirty(frame);
    }
    if ((pte & Pte.REFERENCED) != 0) {
      pmaps.frames().markReferenced(frame);
    }
    pmaps.reverse().remove(frame, Pte.reverseIndex(pte), ReverseMap.mapping(number, vpn));
    Native.setLong(at, 0);
    attached.pageGone();
  }

  /**
   * Removes the mapping of a page if it is one of this frame. The caller holds the lock of the
   * frame's owner.
   */
  void removeIfMapped(long vpn, int frame) {
    removeIf(vpn, frame, true);
  }

  /**
   * Removes the mapping of a page unless it is one of a frame. The caller holds the lock of the
   * owner of both frames, or of the amap that has taken the page over.
   *
   * @param address first address of the page
   * @param frame the frame that it may go on to map
   */
  public void removeUnless(long address, int frame) {
    removeIf(pageSize.vpn(address), frame, false);
  }

  private void removeIf(long vpn, int frame, boolean same) {
    lock.lock();
    try {
      long found = tables.find(vpn);
      long at = found & ~Pte.WRITE_PROTECT;
      long pte = found == 0 ? 0 : Native.getLongAcquire(at);
      if (pte != 0 && (Pte.frame(pte) == frame) == same) {
        removeEntry(vpn, at, pte);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes the right to write from pages that are mapped in a range. The map is locked in any way,
   * and so is the owner of the pages, so that none of them is entered meanwhile.
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   */
  public void protectPages(long start, long end) {
    lock.lock();
    try {
      boolean[] any = new boolean[1];
      tables.forEachIn(
          pageSize.vpn(start), pageSize.vpn(end), (vpn, at, pte) -> any[0] |= protect(at, pte));
      if (any[0]) {
        revoke(pageSize.vpn(start), pageSize.vpn(end), true, true);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Takes the right to write from an entry. Returns false if it had none. Holding the lock. */
  static boolean protect(long at, long old) {
    long entry = old;
    while ((entry & Pte.WRITE) != 0) {
      if (Native.compareAndSetLong(at, entry, entry & ~Pte.WRITE)) {
        return true;
      }
      entry = Native.getLong(at);
    }
    return false;
  }

  /**
   * Removes all mappings in a range. The map is locked for writing.
   *
   * @param start first address, page aligned
   * @param end the address after the last, page aligned
   * @param holeStart start of the unmapped space that will surround the range; tables inside it are
   *     given back
   * @param holeEnd end of that space
   */
  public void remove(long start, long end, long holeStart, long holeEnd) {
    lock.lock();
    try {
      removeLocked(
          pageSize.vpn(start), pageSize.vpn(end), pageSize.vpn(holeStart), pageSize.vpn(holeEnd));
    } finally {
      lock.unlock();
    }
  }

  private void removeLocked(long startVpn, long endVpn, long holeStart, long holeEnd) {
    assert LockOrder.holds(LockRank.MAP);
    attached.notePeak();
    if (!tables.strip(startVpn, endVpn, holeStart, holeEnd)) {
      return;
    }
    // A walk for an address anywhere in the hole may be inside a table that was taken out.
    long first = tables.hasDetached() ? holeStart : startVpn;
    long last = tables.hasDetached() ? holeEnd : endVpn;
    revoke(first, last, false, true);
    tables.freeDetached(this::forget);
    tables.forEachIn(startVpn, endVpn, this::forget);
  }

  /**
   * Takes the right to write from ranges of addresses. The cost does not depend on the number of
   * pages that are mapped in them. The map is locked for writing.
   *
   * @param bounds pairs of first address and the address after the last, page aligned, ascending
   */
  public void writeProtect(long... bounds) {
    assert LockOrder.holds(LockRank.MAP);
    lock.lock();
    try {
      boolean any = false;
      for (int i = 0; i < bounds.length; i += 2) {
        any |= tables.writeProtect(pageSize.vpn(bounds[i]), pageSize.vpn(bounds[i + 1]));
      }
      if (any) {
        revoke(pageSize.vpn(bounds[0]), pageSize.vpn(bounds[bounds.length - 1]), true, true);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes the right to write from everything. The cost does not depend on how much that is. The map
   * is locked for writing.
   */
  public void writeProtectAll() {
    assert LockOrder.holds(LockRank.MAP);
    lock.lock();
    try {
      if (tables.writeProtectAll()) {
        revoke(0, Long.MAX_VALUE, true, true);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Removes everything. The map is locked for writing. The pmap must not be used afterwards;
   * processors may still be attached.
   */
  public void destroy() {
    lock.lock();
    try {
      removeLocked(0, MAXIMUM_VPN, 0, Long.MAX_VALUE);
    } finally {
      lock.unlock();
    }
    pmaps.destroyed(number);
  }

  // ---- views ----

  /**
   * The number of pages that are mapped.
   *
   * @return pages
   */
  public long resident() {
    lock.lock();
    try {
      return attached.pages();
    } finally {
      lock.unlock();
    }
  }

  /**
   * The largest number of pages that were mapped at one time.
   *
   * @return pages
   */
  public long peakResident() {
    lock.lock();
    try {
      return attached.peakPages();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Shows all mappings. For audits.
   *
   * @param visitor called for each; takes no locks of rank pmap or before
   */
  public void forEach(MappingVisitor visitor) {
    lock.lock();
    try {
      tables.forEachIn(
          0,
          MAXIMUM_VPN,
          (vpn, at, pte) -> {
            boolean writable =
                (pte & Pte.WRITE) != 0 && (tables.find(vpn) & Pte.WRITE_PROTECT) == 0;
            visitor.visit(pageSize.address(vpn), Pte.frame(pte), writable);
          });
    } finally {
      lock.unlock();
    }
  }
}
