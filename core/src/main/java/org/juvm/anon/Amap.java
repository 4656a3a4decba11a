package org.juvm.anon;

import org.jspecify.annotations.Nullable;
import org.juvm.pmap.Pmaps;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * An anonymous map: numbered slots that may hold anons. Map entries refer to ranges of its slots.
 *
 * <p>All state is guarded by {@link #lock}, which copies of this amap share. Methods that do not
 * say otherwise are called with it held. A method that can leave anons without references puts them
 * on a list, to be freed when the lock has been released.
 *
 * <p>Source: {@code uvm_amap.c}; each method names its function.
 */
public final class Amap {
  private final AmapTree tree;

  /** Guards this amap and all others that share anons with it. */
  private final RankedLock lock;

  /** Root of the tree of slots, or 0. */
  private int root;

  /** Levels of the tree; 0 while it never held anything. */
  private int levels;

  /** Number of slots. */
  private long slots;

  /** Number of map entries that refer to this amap. 0: it is gone. */
  private int references = 1;

  /** Counts per slot; null while every reference is to all slots. */
  private @Nullable PartialReferences partial;

  /** Whether several maps see this amap as one memory, because it was inherited shared. */
  private boolean shared;

  /** Wirings of pages that were reached through this amap and are in use by raw address. */
  private int wirings;

  private Amap(AmapTree tree, RankedLock lock, long slots) {
    this.tree = tree;
    this.lock = lock;
    this.slots = slots;
  }

  /**
   * Makes an empty amap with one reference. ({@code amap_alloc})
   *
   * @param tree where nodes come from
   * @param slots number of slots
   * @return the amap, not locked
   */
  public static Amap create(AmapTree tree, long slots) {
    return new Amap(tree, new RankedLock(LockRank.AMAP), slots);
  }

  /** Takes the lock. */
  public void lock() {
    lock.lock();
  }

  /** Releases the lock. */
  public void unlock() {
    lock.unlock();
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
    assert lock.isHeld() && slot < slots;
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
    assert lock.isHeld();
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
    assert lock.isHeld() && slot < slots;
    if (!AmapTree.covers(levels, slot)) {
      int needed = levels;
      do {
        needed++;
      } while (!AmapTree.covers(needed, slot));
      root = tree.raise(root, levels, needed);
      levels = needed;
    }
    int top = tree.put(root, levels, slot, anon);
    if (top != root) {
      root = top;
    }
  }

  /**
   * Adds slots at the end. The amap must have one reference, which will be to them as well. ({@code
   * amap_extend}, forwards)
   *
   * @param more number of slots to add
   */
  public void extend(long more) {
    assert lock.isHeld() && references == 1;
    if (partial != null) {
      partial.extend(more, 1);
    }
    slots += more;
  }

  /**
   * Shows the used slots of a range in ascending order.
   *
   * @param start first slot
   * @param end the slot after the last
   * @param visitor called for each; must not change this amap
   */
  public void forEach(long start, long end, AmapTree.SlotVisitor visitor) {
    assert lock.isHeld();
    tree.forEach(root, levels, start, end, visitor);
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
    assert lock.isHeld();
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
    assert lock.isHeld();
    if (partial == null) {
      partial = new PartialReferences(slots, references);
    }
    references++;
  }

  /** Turns two references to adjoining ranges into one. */
  public void joinReferences() {
    assert lock.isHeld() && references > 1;
    references--;
    if (references == 1) {
      shared = false;
    }
  }

  /**
   * Takes away a reference to a range of slots. Slots that nobody refers to any more are emptied;
   * with the last reference the amap is gone. No page table maps the range through this reference
   * any more. ({@code amap_unref}, {@code amap_wipeout})
   *
   * @param start first slot
   * @param count number of slots
   * @param dead receives anons that are not referenced any more
   */
  public void dereference(long start, long count, DeadAnons dead) {
    assert lock.isHeld() && references > 0;
    if (references == 1) {
      references = 0;
      shared = false;
      tree.drop(root, levels, dead);
      root = 0;
      return;
    }
    if (partial == null && count != slots) {
      partial = new PartialReferences(slots, references);
    }
    references--;
    if (references == 1) {
      shared = false;
    }
    if (partial != null) {
      partial.adjust(
          start,
          start + count,
          -1,
          (from, to) -> root = tree.clear(root, levels, from, openEnd(to), dead));
    }
  }

  /**
   * The end of a range, or infinity if the range goes to the last slot: then subtrees are whole.
   */
  private long openEnd(long end) {
    return end == slots ? Long.MAX_VALUE : end;
  }

  // ---- copies ----

  /**
   * Makes an amap that holds the same anons in a range of slots, under the same slot numbers. Both
   * share all nodes inside the range, so the cost does not depend on its size. From now on neither
   * side writes these anons in place; the caller has seen to it that no page table allows that. The
   * references of this amap stay as they are. ({@code amap_copy})
   *
   * @param start first slot
   * @param count number of slots
   * @return the copy, with one reference
   */
  public Amap copy(long start, long count) {
    assert lock.isHeld();
    int copyRoot = tree.share(root, levels, start, openEnd(start + count));
    RankedLock copyLock = copyRoot == 0 ? new RankedLock(LockRank.AMAP) : lock;
    Amap copy = new Amap(tree, copyLock, start + count);
    copy.root = copyRoot;
    copy.levels = copyRoot == 0 ? 0 : levels;
    return copy;
  }

  /**
   * Removes all mappings of the pages in a range, in all pmaps, so that the next access of anybody
   * takes a fault and sees that they are shared. ({@code amap_share_protect})
   *
   * @param start first slot
   * @param count number of slots
   * @param anons the table of anons
   * @param pmaps all pmaps
   */
  public void removeMappings(long start, long count, AnonTable anons, Pmaps pmaps) {
    assert lock.isHeld();
    forEach(start, start + count, (slot, anon) -> pmaps.removeFrame(anons.frame(anon)));
  }

  // ---- wiring ----

  /**
   * Notes that pages of this amap are being used by raw address.
   *
   * @param pages how many
   */
  public void wired(int pages) {
    assert lock.isHeld();
    wirings += pages;
  }

  /**
   * Notes that such a use is over. Also after the amap is gone.
   *
   * @param pages how many
   */
  public void unwired(int pages) {
    assert lock.isHeld();
    wirings -= pages;
  }

  /**
   * Whether any page of this amap is being used by raw address.
   *
   * @return true if so
   */
  public boolean isWired() {
    assert lock.isHeld();
    return wirings != 0;
  }

  // ---- audit ----

  /**
   * References to a slot, for audits.
   *
   * @param slot slot number
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
