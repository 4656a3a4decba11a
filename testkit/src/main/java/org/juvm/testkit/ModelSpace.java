package org.juvm.testkit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.juvm.base.Access;
import org.juvm.base.Inheritance;
import org.juvm.base.Protection;

/**
 * What an address space must be like: a plain map from page to rights and bytes.
 *
 * <p>Every page is copied one by one and at once where the real system shares tables, so there is
 * nothing in here that can be out of date. Bytes are shared like this: a page belongs to all spaces
 * that share it by inheritance; its frame is also that of its copies, until one of them is written.
 * So the number of frames is what the real system must use, too.
 *
 * <p>For one thread. Nothing is checked but what the real system promises to check.
 */
public final class ModelSpace {

  /** Why an access cannot be done. */
  public enum Refusal {
    /** It can. */
    NONE,
    /** Nothing is mapped there. */
    NOT_MAPPED,
    /** The rights are missing. */
    PROTECTION,
    /** A stack may not grow so far. */
    STACK_LIMIT,
    /** Beyond the end of shared memory. */
    BEYOND_END,
    /** What a stack grew by could not be wired. */
    OUT_OF_MEMORY
  }

  private final int pageSize;
  private final long firstPage;
  private final long endPage;
  private final NavigableMap<Long, ModelSlot> slots = new TreeMap<>();

  /** Whether what is mapped from now on is wired. */
  boolean wireFuture;

  /** The most that may be wired, in bytes. */
  long lockedLimit = Long.MAX_VALUE;

  /** The most that may be mapped, in bytes. */
  long spaceLimit = Long.MAX_VALUE;

  /** Whether any memory of this space has ever been that of another mapping, too. */
  boolean hasRelatives;

  /**
   * An empty space.
   *
   * @param pageSize bytes in a page
   * @param minimum the smallest address that can be mapped
   * @param maximum the address after the largest
   */
  public ModelSpace(int pageSize, long minimum, long maximum) {
    this.pageSize = pageSize;
    firstPage = minimum / pageSize;
    endPage = maximum / pageSize;
  }

  /** An empty space with the same limits. */
  ModelSpace newRelative() {
    ModelSpace other = new ModelSpace(pageSize, firstPage * pageSize, endPage * pageSize);
    other.lockedLimit = lockedLimit;
    other.spaceLimit = spaceLimit;
    return other;
  }

  int pageSize() {
    return pageSize;
  }

  long page(long address) {
    return Math.floorDiv(address, (long) pageSize);
  }

  NavigableMap<Long, ModelSlot> slots() {
    return slots;
  }

  NavigableMap<Long, ModelSlot> range(long address, long length) {
    return slots.subMap(page(address), true, page(address + length - 1), true);
  }

  // ---- space ----

  /**
   * Where a mapping is put that may be anywhere.
   *
   * @param pages its size
   * @return address of the lowest hole that is large enough, or -1
   */
  public long lowestHole(long pages) {
    return hole(0, pages, 1);
  }

  /**
   * As above, not below a page, at a multiple of so many pages. What stacks reserve is left out.
   */
  long hole(long from, long pages, long alignment) {
    long start = firstPage;
    for (Map.Entry<Long, ModelSlot> used : slots.entrySet()) {
      ModelStack stack = used.getValue().stack;
      long end = used.getKey();
      if (stack != null && start < end) {
        end = Math.clamp(stack.low(), start, end);
      }
      long found = fit(start, end, from, pages, alignment);
      if (found >= 0) {
        return found;
      }
      start = used.getKey() + 1;
    }
    return fit(start, endPage, from, pages, alignment);
  }

  private long fit(long start, long end, long from, long pages, long alignment) {
    long found = Math.ceilDiv(Math.max(start, from), alignment) * alignment;
    return found + pages <= end ? found * pageSize : -1;
  }

  boolean isInside(long address, long length) {
    return page(address) >= firstPage && page(address + length) <= endPage;
  }

  boolean mayGrowBy(long bytes) {
    return bytes <= 0 || bytes <= spaceLimit - (long) slots.size() * pageSize;
  }

  /** Bytes that are wired. */
  long locked() {
    return slots.values().stream().filter(ModelSlot::isWired).count() * pageSize;
  }

  /**
   * Whether anything is mapped in a range.
   *
   * @param address its first address
   * @param length its length
   * @return true if so
   */
  public boolean isAnyMapped(long address, long length) {
    return !range(address, length).isEmpty();
  }

  /**
   * Whether every page of a range is mapped.
   *
   * @param address its first address
   * @param length its length
   * @return true if so
   */
  public boolean isAllMapped(long address, long length) {
    return range(address, length).size() == page(address + length - 1) - page(address) + 1;
  }

  // ---- mappings ----

  /**
   * Maps zeros.
   *
   * @param address first address, page aligned
   * @param length bytes, page aligned
   * @param protection the rights
   */
  public void map(long address, long length, Protection protection) {
    for (long page = page(address); page < page(address + length); page++) {
      slots.put(page, new ModelSlot(protection));
    }
  }

  /**
   * Removes what is mapped in a range.
   *
   * @param address first address, page aligned
   * @param length bytes, page aligned
   */
  public void unmap(long address, long length) {
    NavigableMap<Long, ModelSlot> gone = range(address, length);
    gone.values().forEach(ModelSlot::drop);
    gone.clear();
  }

  /**
   * Sets the rights of the mapped pages of a range.
   *
   * @param address first address, page aligned
   * @param length bytes, page aligned
   * @param protection the rights
   */
  public void protect(long address, long length, Protection protection) {
    range(address, length).values().forEach(slot -> slot.protection = protection);
  }

  /**
   * Sets what a child gets of the mapped pages of a range.
   *
   * @param address first address, page aligned
   * @param length bytes, page aligned
   * @param inheritance what it gets
   */
  public void inherit(long address, long length, Inheritance inheritance) {
    range(address, length).values().forEach(slot -> slot.inheritance = inheritance);
  }

  /**
   * Makes a child.
   *
   * @return the child
   */
  public ModelSpace fork() {
    return ModelForker.fork(this, _ -> false);
  }

  /** Ends the space. */
  public void exit() {
    slots.values().forEach(ModelSlot::drop);
    slots.clear();
  }

  // ---- accesses ----

  /**
   * Whether an access to one byte can be done. A stack grows to make it possible.
   *
   * @param address where
   * @param access what
   * @return NONE, or why not
   */
  public Refusal refusal(long address, Access access) {
    return refusal(address, access, false);
  }

  /** As above, and the maximum counts instead of the protection if that is to be overridden. */
  Refusal refusal(long address, Access access, boolean override) {
    ModelSlot slot = slots.get(page(address));
    if (slot == null) {
      Refusal refused = new ModelGrower(this).grow(page(address));
      if (refused != Refusal.NONE) {
        return refused;
      }
      slot = slotAt(address);
    }
    Protection rights = override ? slot.maximum : slot.protection;
    if (!rights.permits(access)) {
      return Refusal.PROTECTION;
    }
    return slot.isBeyondEnd() ? Refusal.BEYOND_END : Refusal.NONE;
  }

  /**
   * Loads a byte, which must be possible.
   *
   * @param address where
   * @return the byte
   */
  public byte load(long address) {
    return slotAt(address).forLoad(pageSize).bytes[offset(address)];
  }

  /**
   * Stores a byte, which must be possible.
   *
   * @param address where
   * @param value the byte
   */
  public void store(long address, byte value) {
    touchForStore(address)[offset(address)] = value;
  }

  /**
   * Gives a page a frame of its own, as a store does.
   *
   * @param address an address in it
   * @return its bytes
   */
  public byte[] touchForStore(long address) {
    return slotAt(address).forStore(pageSize).bytes;
  }

  ModelSlot slotAt(long address) {
    ModelSlot slot = slots.get(page(address));
    if (slot == null) {
      throw new IllegalArgumentException("not mapped: address=" + Long.toHexString(address));
    }
    return slot;
  }

  private int offset(long address) {
    return (int) Math.floorMod(address, (long) pageSize);
  }

  // ---- views ----

  /**
   * What a child gets of a page.
   *
   * @param address an address in it
   * @return the inheritance, or null if nothing is mapped there
   */
  public @Nullable Inheritance inheritance(long address) {
    ModelSlot slot = slots.get(page(address));
    return slot == null ? null : slot.inheritance;
  }

  /**
   * Numbers of the mapped pages.
   *
   * @return page numbers, ascending
   */
  public List<Long> pages() {
    return new ArrayList<>(slots.keySet());
  }

  /**
   * The attributes of all pages, one line per run of equal ones.
   *
   * @return for example {@code 10000-14000 rw-/rwx COPY NORMAL []}
   */
  public List<String> layout() {
    List<String> lines = new ArrayList<>();
    long start = 0;
    long next = -1;
    ModelSlot last = null;
    for (Map.Entry<Long, ModelSlot> each : slots.entrySet()) {
      long number = each.getKey();
      ModelSlot slot = each.getValue();
      if (last == null || number != next || !slot.continues(last)) {
        add(lines, start, next, last);
        start = number;
      }
      last = slot;
      next = number + 1;
    }
    add(lines, start, next, last);
    return lines;
  }

  private void add(List<String> lines, long start, long end, @Nullable ModelSlot last) {
    if (last != null) {
      long first = last.object == null ? 0 : last.index - (end - start - 1);
      lines.add(
          Long.toHexString(start * pageSize)
              + "-"
              + Long.toHexString(end * pageSize)
              + " "
              + last.attributes()
              + (last.object == null ? "" : " " + first));
    }
  }

  /**
   * The bytes of a page, without touching it.
   *
   * @param number page number
   * @return its bytes; zeros if it was never touched
   */
  public byte[] peek(long number) {
    ModelSlot slot = slots.get(number);
    ModelFrame frame = slot == null ? null : slot.resident();
    return frame == null ? new byte[pageSize] : Arrays.copyOf(frame.bytes, pageSize);
  }

  /**
   * Counts frames.
   *
   * @param spaces all spaces that can share anything
   * @return how many frames they need together
   */
  public static int countFrames(Collection<ModelSpace> spaces) {
    return countFrames(spaces, Set.of());
  }

  /** As above, with shared memory that may or may not be mapped. */
  static int countFrames(Collection<ModelSpace> spaces, Collection<ModelObject> open) {
    Set<ModelFrame> frames = new HashSet<>();
    Set<ModelObject> objects = new HashSet<>(open);
    for (ModelSpace space : spaces) {
      for (ModelSlot slot : space.slots.values()) {
        ModelFrame frame = slot.page.frame;
        if (frame != null) {
          frames.add(frame);
        }
        ModelObject object = slot.object;
        if (object != null) {
          objects.add(object);
        }
      }
    }
    objects.forEach(object -> frames.addAll(object.frames()));
    return frames.size();
  }
}
