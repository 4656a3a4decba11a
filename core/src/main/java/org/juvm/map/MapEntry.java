package org.juvm.map;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.juvm.anon.Amap;
import org.juvm.base.Advice;
import org.juvm.base.Inheritance;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;
import org.juvm.object.MemoryObject;

/**
 * A range of addresses with equal attributes. Guarded by the lock of its map: read with it held in
 * any way, changed with it held for writing.
 */
public final class MapEntry {
  /** First address. Page aligned. */
  long start;

  /** The address after the last. Page aligned, greater than start. */
  long end;

  /** What may be done now. Never more than maximum. */
  Protection protection = Protection.NONE;

  /** The most that protection may become. */
  Protection maximum = Protection.NONE;

  Inheritance inheritance = Inheritance.COPY;
  Advice advice = Advice.NORMAL;

  /** Bits of {@link MapFlag}. */
  int flags;

  /**
   * How often the range is wired. A wiring by its program counts once, however often it is made.
   */
  int wirings;

  /**
   * An operation has let go of the lock while it works on this entry. Until it is done, no other
   * operation changes the entry; faults go on.
   */
  boolean inTransition;

  /** Where this entry may grow to, if it is part of a stack. */
  @Nullable StackReserve stack;

  // ---- what is mapped ----

  /**
   * The upper layer, anonymous memory; or null: none yet. Then the range is what the object is, or
   * zeros if there is no object.
   */
  @Nullable Amap amap;

  /** The slot of the first page; if there is no amap yet, the one that it will have. */
  long slot;

  /**
   * The amap, if there is one, may be referred to by another entry that must not see changes: get a
   * copy before anything is added to it. Until then no page of the range is mapped for writing.
   */
  boolean needsCopy = true;

  /** The lower layer, or null. */
  @Nullable MemoryObject object;

  /**
   * Index of the object's page that is mapped at start; with page tables, number of the virtual
   * page. 0 if there is no object.
   */
  long offset;

  /**
   * With the flag PAGE_TABLE: the {@link org.juvm.base.VirtualPte} that names the highest of the
   * tables, which are in the object. Such an entry is a shared mapping.
   */
  long root;

  /** With an object: stores go to the amap and not to the object. */
  boolean copyOnWrite;

  /** The map that is responsible for these addresses instead, or null. Then all else is unused. */
  @Nullable VmMap submap;

  // ---- the tree; see EntryTree ----

  @Nullable MapEntry left;
  @Nullable MapEntry right;
  @Nullable MapEntry previous;
  @Nullable MapEntry next;

  /** Height of the subtree whose root this is. */
  int height = 1;

  /** Bytes of free space directly after the previous entry that others may use. */
  long gap;

  /** Largest gap in the subtree. */
  long maximumGap;

  MapEntry() {}

  /** Takes a range and attributes for memory that nobody has touched. */
  void set(long newStart, long newEnd, Attributes attributes) {
    start = newStart;
    end = newEnd;
    protection = attributes.protection();
    maximum = attributes.maximum();
    inheritance = attributes.inheritance();
    advice = attributes.advice();
    flags = attributes.flags();
    object = attributes.object();
    offset = attributes.offset();
    copyOnWrite = attributes.copyOnWrite();
    root = attributes.root();
    needsCopy = object == null || copyOnWrite;
  }

  /**
   * Takes a range and the attributes of another entry, and nothing of its memory but the object.
   */
  void setLike(MapEntry other, long newStart, long newEnd) {
    start = newStart;
    end = newEnd;
    protection = other.protection;
    maximum = other.maximum;
    inheritance = other.inheritance;
    advice = other.advice;
    flags = other.flags;
    wirings = other.wirings;
    stack = other.stack;
    needsCopy = other.needsCopy;
    object = other.object;
    offset = other.offset;
    copyOnWrite = other.copyOnWrite;
    root = other.root;
  }

  /** As {@link #setLike}, but not wired: nobody has asked for that yet. */
  void setUnwiredLike(MapEntry other, long newStart, long newEnd) {
    setLike(other, newStart, newEnd);
    wirings = 0;
    set(MapFlag.USER_WIRED, false);
  }

  /** Is no part of a stack any more. */
  void leaveStack() {
    stack = null;
    set(MapFlag.STACK, false);
  }

  /** Whether another entry differs in nothing but its range and its memory. */
  boolean hasAttributesOf(MapEntry other) {
    return protection == other.protection
        && maximum == other.maximum
        && inheritance == other.inheritance
        && advice == other.advice
        && flags == other.flags
        && wirings == other.wirings
        && Objects.equals(stack, other.stack)
        && Objects.equals(object, other.object)
        && copyOnWrite == other.copyOnWrite
        && root == other.root
        && submap == null
        && other.submap == null
        && !inTransition
        && !other.inTransition;
  }

  boolean is(MapFlag flag) {
    return (flags & flag.bit()) != 0;
  }

  void set(MapFlag flag, boolean value) {
    flags = value ? flags | flag.bit() : flags & ~flag.bit();
  }

  /**
   * First address.
   *
   * @return address
   */
  public long start() {
    return start;
  }

  /**
   * The address after the last.
   *
   * @return address
   */
  public long end() {
    return end;
  }

  /**
   * What may be done.
   *
   * @return current protection
   */
  public Protection protection() {
    return protection;
  }

  /**
   * The most that the protection may become.
   *
   * @return maximum protection
   */
  public Protection maximum() {
    return maximum;
  }

  /**
   * What a child gets.
   *
   * @return inheritance
   */
  public Inheritance inheritance() {
    return inheritance;
  }

  /**
   * How the range will be used.
   *
   * @return advice
   */
  public Advice advice() {
    return advice;
  }

  /**
   * Properties.
   *
   * @return bits of {@link MapFlag}
   */
  public int flags() {
    return flags;
  }

  /**
   * How often the range is wired.
   *
   * @return wirings; 0: its pages may go
   */
  public int wirings() {
    return wirings;
  }

  /**
   * Whether an operation works on this entry without the lock.
   *
   * @return true if so
   */
  public boolean inTransition() {
    return inTransition;
  }

  /**
   * Where a stack may grow to.
   *
   * @return the reserve, or null if this is no stack
   */
  public @Nullable StackReserve stack() {
    return stack;
  }

  /**
   * The anonymous memory of the range.
   *
   * @return amap, or null if there is none yet
   */
  public @Nullable Amap amap() {
    return amap;
  }

  /**
   * The slot of the amap for the first page.
   *
   * @return slot number
   */
  public long slot() {
    return slot;
  }

  /**
   * Whether the amap must be copied before it is changed.
   *
   * @return true if so
   */
  public boolean needsCopy() {
    return needsCopy;
  }

  /**
   * The object behind the range.
   *
   * @return object, or null
   */
  public @Nullable MemoryObject object() {
    return object;
  }

  /**
   * The object's page that is mapped first, or with {@link #hasPageTable} the virtual page.
   *
   * @return index of the page
   */
  public long offset() {
    return offset;
  }

  /**
   * Whether page tables in the object say which of its pages is where.
   *
   * @return false if page after page is mapped
   */
  public boolean hasPageTable() {
    return is(MapFlag.PAGE_TABLE);
  }

  /**
   * The root of the page tables.
   *
   * @return a {@link org.juvm.base.VirtualPte}; 0 if there are none
   */
  public long root() {
    return root;
  }

  /**
   * Whether stores stay out of the object.
   *
   * @return true if so
   */
  public boolean copyOnWrite() {
    return copyOnWrite;
  }

  /**
   * The map that is responsible for the range instead.
   *
   * @return the submap, or null
   */
  public @Nullable VmMap submap() {
    return submap;
  }
}
