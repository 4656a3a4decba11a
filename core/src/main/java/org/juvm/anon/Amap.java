package org.juvm.anon;

import org.jspecify.annotations.Nullable;
import org.juvm.page.PageOwner;
import org.juvm.pmap.Pmaps;

/**
 * An anonymous map: numbered slots that may hold anons. Map entries refer to ranges of its slots.
 *
 * <p>All state is guarded by {@link #lock()}, which copies of this amap share. Methods that do not
 * say otherwise are called with it held. A method that can leave anons without references puts them
 * on a list, to be freed when the lock has been released.
 *
 * <p>Invariant: a slot that no map entry refers to is empty. There are such slots, spare ones, in
 * front of those that are referred to, behind them and, once an entry has been split, between them.
 * The reference counts of spare slots mean nothing. (Exception: {@link #untidy}.)
 *
 * <p>Source: {@code uvm_amap.c}; each method names its function.
 */
public final class Amap {
  /** What {@link #extendBackwards} returns when it has changed nothing. */
  public static final long REFUSED = -1;

  private final AmapTree tree;

  /** This amap and all others that share anons with it; has their lock. */
  private final AmapFamily family;

  /** Root of the tree of slots, or 0. */
  private int root;

  /** Levels of the tree; 0 while it never held anything. */
  private int levels;

  /** Number of slots. */
  private long slots;

  /** Number of map entries that refer to this amap. 0: it is gone. */
  private int references = 1;

  /**
   * Counts per slot; null while every reference is to the same slots, and in particular while there
   * is one reference.
   */
  private @Nullable PartialReferences partial;

  /**
   * Whether spare slots may hold anons, because no node was left to empty them. These stay until
   * the amap is gone, and it cannot be extended.
   */
  private boolean untidy;

  /** Whether several maps see this amap as one memory, because it was inherited shared. */
  private boolean shared;

  /** Wirings of pages that were reached through this amap and are in use by raw address. */
  private int wirings;

  private Amap(AmapTree tree, AmapFamily family, long slots) {
    this.tree = tree;
    this.family = family;
    this.slots = slots;
  }

  /**
   * Makes an empty amap with one reference. Slots cost nothing while they are empty, so that it may
   * have many more than will be used. ({@code amap_alloc})
   *
   * @param tree where nodes come from
   * @param slots number of slots, at most 2<sup>40</sup>
   * @return the amap, not locked
   */
  public static Amap create(AmapTree tree, long slots) {
    assert slots <= AmapTree.MAXIMUM_SLOTS : slots;
    return new Amap(tree, new AmapFamily(tree.anons()), slots);
  }

  /**
   * Makes an empty amap with one reference that is guarded by the lock of this one. Called without
   * it.
   *
   * @param count number of slots
   * @return the amap
   */
  public Amap newFamilyMember(long count) {
    family.lock();
    family.memberAdded();
    family.unlock();
    return new Amap(tree, family, count);
  }

  AmapFamily family() {
    return family;
  }

  /**
   * The owner of the pages of this amap's anons.
   *
   * @return the same for all amaps with one lock
   */
  public PageOwner owner() {
    return family;
  }

  /** Takes the lock. */
  public void lock() {
    family.lock();
  }

  /** Releases the lock. */
  public void unlock() {
    family.unlock();
  }

  // ---- slots ----

  /**
   * Number of slots.
   *
   * @return slots
   */
  public long slots() {
    return slots;
  }

  /**
   * The anon in a slot. ({@code amap_lookup})
   *
   * @param slot slot number
   * @return the anon, or 0
   */
  public int find(long slot) {
    assert family.isHeld() && slot >= 0 && slot < slots;
    return tree.find(root, levels, slot);
  }

  /**
   * Whether nobody else sees the anon in a slot, so that it may be written in place.
   *
   * @param slot slot number
   * @param anon the anon in it
   * @param anons the table of anons
   * @return true if this amap has the only reference
   */
  public boolean isExclusive(long slot, int anon, AnonTable anons) {
    assert family.isHeld();
    return anons.references(anon) == 1 && tree.isPathExclusive(root, levels, slot);
  }

  /**
   * Whether {@link #put} will find the memory that it needs.
   *
   * @return true if so
   */
  public boolean hasRoom() {
    return tree.hasRoom(1);
  }

  /**
   * Puts an anon into a slot; one that was there keeps its other references, of which it must have
   * some. ({@code amap_add})
   *
   * @param slot slot number
   * @param anon an anon with one reference, which passes to the slot
   */
  public void put(long slot, int anon) {
    assert family.isHeld() && slot >= 0 && slot < slots;
    if (!AmapTree.covers(levels, slot)) {
      int needed = AmapTree.levelsFor(slot, levels);
      root = tree.raise(root, levels, needed, 0);
      levels = needed;
    }
    int top = tree.put(root, levels, slot, anon);
    if (top != root) {
      root = top;
    }
  }

  /**
   * Makes slots available behind those of the only reference, which will be to them as well: spare
   * ones, and new ones as far as these do not suffice. All of them are empty. ({@code amap_extend},
   * forwards)
   *
   * @param endSlot the slot after the last one that the reference is to
   * @param more number of slots to add
   * @return false if there is more than one reference, there would be too many slots, or spare
   *     slots could not be emptied; then nothing has changed
   */
  public boolean extend(long endSlot, long more) {
    assert family.isHeld() && endSlot <= slots && more > 0;
    if (references != 1 || untidy || more > AmapTree.MAXIMUM_SLOTS - endSlot) {
      return false;
    }
    assert partial == null;
    slots = Math.max(slots, endSlot + more);
    return true;
  }

  /**
   * Makes slots available in front of those of the only reference, which will be to them as well:
   * spare ones if they suffice; otherwise all slots get higher numbers. All of the added slots are
   * empty. No node and no anon is moved, so that the cost does not depend on what there is. ({@code
   * amap_extend}, backwards)
   *
   * @param firstSlot the first slot that the reference is to
   * @param more number of slots to add
   * @return by how much the number of each slot has grown, which may be 0, so that the reference is
   *     now to slots from {@code firstSlot + result - more} on; or {@link #REFUSED} if there is
   *     more than one reference, there would be too many slots, spare slots could not be emptied,
   *     or no node is left; then nothing has changed
   */
  public long extendBackwards(long firstSlot, long more) {
    assert family.isHeld() && firstSlot >= 0 && firstSlot <= slots && more > 0;
    if (references != 1 || untidy || more > AmapTree.MAXIMUM_SLOTS) {
      return REFUSED;
    }
    assert partial == null;
    if (more <= firstSlot) {
      return 0;
    }
    int lower = root == 0 ? 0 : levels;
    long shift = shiftFor(more - firstSlot, AmapTree.span(lower));
    if (shift > AmapTree.MAXIMUM_SLOTS - slots || (root != 0 && !hasRoom())) {
      return REFUSED;
    }
    if (root != 0) {
      levels = AmapTree.levelsFor(shift, lower);
      root = tree.raise(root, lower, levels, shift);
    }
    slots += shift;
    return shift;
  }

  /**
   * By how much slot numbers must grow for so many new ones in front: a multiple of the slots that
   * the tree covers. As much is put in front of the tree as behind it, if there may be so many, so
   * that what goes on growing rarely needs it and its tree does not become high.
   */
  private long shiftFor(long missing, long covered) {
    long least = (missing + covered - 1) & -covered;
    long ample = Math.max(least, covered * (AmapTree.SLOTS / 2));
    return ample <= AmapTree.MAXIMUM_SLOTS - slots ? ample : least;
  }

  /**
   * Shows the used slots of a range in ascending order.
   *
   * @param start first slot
   * @param end the slot after the last
   * @param visitor called for each; must not change this amap
   */
  public void forEach(long start, long end, AmapTree.SlotVisitor visitor) {
    assert family.isHeld();
    tree.forEach(root, levels, start, end, visitor);
  }

  private boolean isRange(long start, long count) {
    return start >= 0 && count > 0 && start <= slots - count;
  }

  // ---- references ----

  /**
   * Number of references.
   *
   * @return references by map entries
   */
  public int references() {
    return references;
  }

  /**
   * Whether several maps see this amap as one memory.
   *
   * @return true if it was inherited shared and more than one reference is left
   */
  public boolean isShared() {
    return shared;
  }

  /**
   * Adds a reference to a range of slots. ({@code amap_ref})
   *
   * @param start first slot
   * @param count number of slots
   * @param share true if the new reference sees every change
   */
  public void reference(long start, long count, boolean share) {
    assert family.isHeld() && isRange(start, count);
    if (partial == null && count != slots) {
      partial = new PartialReferences(slots, references);
    }
    references++;
    shared |= share;
    if (partial != null) {
      partial.adjust(start, start + count, 1, (from, to) -> {});
    }
  }

  /**
   * Turns one reference into two, to adjoining ranges. ({@code amap_splitref})
   *
   * <p>Counts per slot are kept from now on, since each range may go its own way.
   */
  public void splitReference() {
    assert family.isHeld();
    if (partial == null) {
      partial = new PartialReferences(slots, references);
    }
    references++;
  }

  /** Turns two references to adjoining ranges into one. */
  public void joinReferences() {
    assert family.isHeld() && references > 1;
    referenceGone();
  }

  private void referenceGone() {
    references--;
    if (references == 1) {
      shared = false;
      partial = null;
    }
  }

  /**
   * Takes away a reference to a range of slots. Slots that nobody refers to any more are emptied;
   * with the last reference the amap is gone. No page table maps the range through this reference
   * any more. ({@code amap_unref}, {@code amap_wiperange}, {@code amap_wipeout})
   *
   * <p>If many pages go, the lock is released from time to time, after the amap has changed, and
   * the dead anons are freed. So nobody waits for more than a bounded amount of work, and the list
   * of the dead has a bounded size.
   *
   * @param start first slot
   * @param count number of slots
   * @param dead receives anons that are not referenced any more
   */
  public void dereference(long start, long count, DeadAnons dead) {
    assert family.isHeld() && references > 0 && isRange(start, count);
    if (references == 1) {
      references = 0;
      shared = false;
      tree.drop(root, levels, dead);
      root = 0;
      reclaim(dead);
      family.memberGone();
    } else {
      if (partial == null && count != slots) {
        partial = new PartialReferences(slots, references);
      }
      if (partial != null) {
        partial.adjust(start, start + count, -1, (from, to) -> empty(from, to, dead));
      }
      referenceGone();
      reclaim(dead);
    }
  }

  private void reclaim(DeadAnons dead) {
    while (tree.reclaim(dead)) {
      family.unlock();
      try {
        tree.free(dead);
      } finally {
        family.lock();
      }
    }
  }

  /** Empties slots that have become spare. A call for each of any number of runs, one by one. */
  private void empty(long start, long end, DeadAnons dead) {
    if (tree.hasReserve()) {
      root = tree.clear(root, levels, start, end, dead);
    } else {
      untidy = true;
    }
  }

  /**
   * Empties the slots of a range, if one reference is to them: all of them, or none if several
   * references are to some. No page table maps the range any more. The lock is released as by
   * {@link #dereference}. ({@code amap_wiperange})
   *
   * @param start first slot
   * @param count number of slots
   * @param dead receives anons that are not referenced any more
   */
  public void wipe(long start, long count, DeadAnons dead) {
    assert family.isHeld() && isRange(start, count);
    if (partial == null ? references == 1 : partial.maximum(start, start + count) == 1) {
      root = tree.clear(root, levels, start, start + count, dead);
      reclaim(dead);
    }
  }

  // ---- copies ----

  /**
   * Makes an amap that holds the same anons in a range of slots, under the same slot numbers. Both
   * share all nodes that hold nothing outside the range, so the cost does not depend on its size.
   * From now on neither side writes these anons in place; the caller has seen to it that no page
   * table allows that. The references of this amap stay as they are. ({@code amap_copy})
   *
   * @param start first slot
   * @param count number of slots
   * @return the copy, with one reference
   */
  public Amap copy(long start, long count) {
    assert family.isHeld() && isRange(start, count);
    int copyRoot = tree.share(root, levels, start, start + count);
    AmapFamily copyFamily = copyRoot == 0 ? new AmapFamily(tree.anons()) : family;
    Amap copy = new Amap(tree, copyFamily, start + count);
    if (copyRoot != 0) {
      family.memberAdded();
    }
    copy.root = copyRoot;
    copy.levels = copyRoot == 0 ? 0 : levels;
    return copy;
  }

  /**
   * Removes all mappings of the pages in a range, in all pmaps, so that the next access of anybody
   * takes a fault and sees that they are shared. ({@code amap_share_protect})
   *
   * <p>To take away the right to write would be enough. But page tables are write-protected by
   * ranges of one address space, not by a frame in all of them; and removal costs only readers a
   * fault more, for writers take one in either case.
   *
   * @param start first slot
   * @param count number of slots
   * @param anons the table of anons
   * @param pmaps all pmaps
   */
  public void removeMappings(long start, long count, AnonTable anons, Pmaps pmaps) {
    assert family.isHeld();
    forEach(
        start,
        start + count,
        (slot, anon) -> {
          if (anons.isResident(anon)) {
            pmaps.removeFrame(anons.frame(anon));
          }
        });
  }

  // ---- wiring ----

  /**
   * Notes that pages of this amap are being used by raw address.
   *
   * @param pages how many
   */
  public void wired(int pages) {
    assert family.isHeld();
    wirings += pages;
  }

  /**
   * Notes that such a use is over. Also after the amap is gone.
   *
   * @param pages how many
   */
  public void unwired(int pages) {
    assert family.isHeld();
    wirings -= pages;
  }

  /**
   * Whether any page of this amap is being used by raw address.
   *
   * @return true if so
   */
  public boolean isWired() {
    assert family.isHeld();
    return wirings != 0;
  }

  // ---- audit ----

  /**
   * References to a slot, for audits.
   *
   * @param slot slot number; not of a spare slot
   * @return the number of references to it
   */
  public int references(long slot) {
    return partial == null ? references : partial.count(slot);
  }

  /**
   * Shows every reference in the tree, for audits.
   *
   * @param visitor called for nodes and anons
   */
  public void walk(AmapTree.NodeVisitor visitor) {
    tree.walk(root, levels, visitor);
  }
}
