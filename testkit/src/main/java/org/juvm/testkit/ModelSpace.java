package org.juvm.testkit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
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
 * nothing in here that can be out of date. Bytes are shared like this: a {@link Page} belongs to
 * all spaces that share it by inheritance; its {@link Frame} is also that of its copies, until one
 * of them is written. So the number of frames is what the real system must use, too.
 *
 * <p>For one thread. Nothing is checked but what the real system promises to check.
 */
public final class ModelSpace {

  /** The bytes of a page. */
  private static final class Frame {
    final byte[] bytes;

    /** Pages that have this frame. */
    int pages = 1;

    Frame(byte[] bytes) {
      this.bytes = bytes;
    }
  }

  /** A page, in one space or in several that inherited it shared. */
  private static final class Page {
    /** None: the page was never touched. */
    @Nullable Frame frame;

    /** Spaces that have this page. */
    int spaces = 1;
  }

  /** A page in one space. */
  private static final class Slot {
    final Page page;
    Protection protection;
    Inheritance inheritance;

    Slot(Page page, Protection protection, Inheritance inheritance) {
      this.page = page;
      this.protection = protection;
      this.inheritance = inheritance;
    }
  }

  /** Why an access cannot be done. */
  public enum Refusal {
    /** It can. */
    NONE,
    /** Nothing is mapped there. */
    NOT_MAPPED,
    /** The rights are missing. */
    PROTECTION
  }

  private final int pageSize;
  private final long firstPage;
  private final long endPage;
  private final NavigableMap<Long, Slot> slots = new TreeMap<>();

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

  private long page(long address) {
    return Math.floorDiv(address, (long) pageSize);
  }

  private NavigableMap<Long, Slot> range(long address, long length) {
    return slots.subMap(page(address), true, page(address + length - 1), true);
  }

  // ---- mappings ----

  /**
   * Where a mapping is put that may be anywhere.
   *
   * @param pages its size
   * @return address of the lowest hole that is large enough, or -1
   */
  public long lowestHole(long pages) {
    long start = firstPage;
    for (long used : slots.keySet()) {
      if (used - start >= pages) {
        break;
      }
      start = used + 1;
    }
    return start + pages <= endPage ? start * pageSize : -1;
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

  /**
   * Maps zeros.
   *
   * @param address first address, page aligned
   * @param length bytes, page aligned
   * @param protection the rights
   */
  public void map(long address, long length, Protection protection) {
    for (long page = page(address); page < page(address + length); page++) {
      slots.put(page, new Slot(new Page(), protection, Inheritance.COPY));
    }
  }

  /**
   * Removes what is mapped in a range.
   *
   * @param address first address, page aligned
   * @param length bytes, page aligned
   */
  public void unmap(long address, long length) {
    NavigableMap<Long, Slot> gone = range(address, length);
    gone.values().forEach(slot -> drop(slot.page));
    gone.clear();
  }

  private static void drop(Page page) {
    page.spaces--;
    Frame frame = page.frame;
    if (page.spaces == 0 && frame != null) {
      frame.pages--;
    }
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
    ModelSpace child = new ModelSpace(pageSize, firstPage * pageSize, endPage * pageSize);
    slots.forEach(
        (number, slot) -> {
          switch (slot.inheritance) {
            case SHARE -> {
              slot.page.spaces++;
              child.put(number, slot, slot.page);
            }
            case COPY -> child.put(number, slot, copy(slot.page));
            case ZERO -> child.put(number, slot, new Page());
            case NONE -> {}
          }
        });
    return child;
  }

  private void put(long number, Slot like, Page page) {
    slots.put(number, new Slot(page, like.protection, like.inheritance));
  }

  private static Page copy(Page original) {
    Page copy = new Page();
    Frame frame = original.frame;
    if (frame != null) {
      frame.pages++;
      copy.frame = frame;
    }
    return copy;
  }

  /** Ends the space. */
  public void exit() {
    slots.values().forEach(slot -> drop(slot.page));
    slots.clear();
  }

  // ---- accesses ----

  /**
   * Whether an access to one byte can be done.
   *
   * @param address where
   * @param access what
   * @return NONE, or why not
   */
  public Refusal refusal(long address, Access access) {
    Slot slot = slots.get(page(address));
    if (slot == null) {
      return Refusal.NOT_MAPPED;
    }
    return slot.protection.permits(access) ? Refusal.NONE : Refusal.PROTECTION;
  }

  /**
   * Loads a byte, which must be possible.
   *
   * @param address where
   * @return the byte
   */
  public byte load(long address) {
    Page page = pageAt(address);
    Frame frame = page.frame;
    if (frame == null) {
      frame = new Frame(new byte[pageSize]);
      page.frame = frame;
    }
    return frame.bytes[offset(address)];
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
    Page page = pageAt(address);
    Frame frame = page.frame;
    if (frame == null) {
      frame = new Frame(new byte[pageSize]);
      page.frame = frame;
    } else if (frame.pages != 1) {
      frame.pages--;
      frame = new Frame(frame.bytes.clone());
      page.frame = frame;
    }
    return frame.bytes;
  }

  private Page pageAt(long address) {
    Slot slot = slots.get(page(address));
    if (slot == null) {
      throw new IllegalArgumentException("not mapped: address=" + Long.toHexString(address));
    }
    return slot.page;
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
    Slot slot = slots.get(page(address));
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
   * @return for example {@code 10000-14000 rw- COPY}
   */
  public List<String> layout() {
    List<String> lines = new ArrayList<>();
    long start = 0;
    long next = -1;
    String attributes = "";
    for (long number : slots.keySet()) {
      Slot slot = slots.get(number);
      String here = slot == null ? "" : slot.protection + " " + slot.inheritance;
      if (number != next || !here.equals(attributes)) {
        add(lines, start, next, attributes);
        start = number;
        attributes = here;
      }
      next = number + 1;
    }
    add(lines, start, next, attributes);
    return lines;
  }

  private void add(List<String> lines, long start, long end, String attributes) {
    if (end >= 0) {
      lines.add(
          Long.toHexString(start * pageSize)
              + "-"
              + Long.toHexString(end * pageSize)
              + " "
              + attributes);
    }
  }

  /**
   * The bytes of a page, without touching it.
   *
   * @param number page number
   * @return its bytes; zeros if it was never touched
   */
  public byte[] peek(long number) {
    Slot slot = slots.get(number);
    Frame frame = slot == null ? null : slot.page.frame;
    return frame == null ? new byte[pageSize] : Arrays.copyOf(frame.bytes, pageSize);
  }

  /**
   * Counts frames.
   *
   * @param spaces all spaces that can share anything
   * @return how many frames they need together
   */
  public static int countFrames(Collection<ModelSpace> spaces) {
    Set<Frame> frames = new HashSet<>();
    for (ModelSpace space : spaces) {
      for (Slot slot : space.slots.values()) {
        Frame frame = slot.page.frame;
        if (frame != null) {
          frames.add(frame);
        }
      }
    }
    return frames.size();
  }
}
