package org.juvm.map;

import org.jspecify.annotations.Nullable;
import org.juvm.anon.Amap;
import org.juvm.base.Inheritance;
import org.juvm.base.Protection;

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
  Protection protection;

  /** The most that protection may become. */
  Protection maximum;

  Inheritance inheritance = Inheritance.COPY;

  /**
   * The anonymous memory, or null: none yet. Then needsCopy is set, and the range reads as zeros.
   */
  @Nullable Amap amap;

  /** The slot of the first page. 0 if there is no amap. */
  long slot;

  /**
   * The amap, if there is one, may be referred to by another entry that must not see changes: get a
   * copy before anything is added to it. Until then no page of the range is mapped for writing.
   */
  boolean needsCopy = true;

  // ---- the tree; see EntryTree ----

  @Nullable MapEntry left;
  @Nullable MapEntry right;
  @Nullable MapEntry previous;
  @Nullable MapEntry next;

  /** Height of the subtree whose root this is. */
  int height = 1;

  /** Bytes of free space directly before start. */
  long gap;

  /** Largest gap in the subtree. */
  long maximumGap;

  MapEntry(long start, long end, Protection protection, Protection maximum) {
    this.start = start;
    this.end = end;
    this.protection = protection;
    this.maximum = maximum;
  }

  /** A new entry for a part of this range, with the same attributes. */
  MapEntry part(long partStart, long partEnd) {
    MapEntry part = new MapEntry(partStart, partEnd, protection, maximum);
    part.inheritance = inheritance;
    part.needsCopy = needsCopy;
    return part;
  }

  /** Whether another entry differs in nothing but its range and its memory. */
  boolean hasAttributesOf(MapEntry other) {
    return protection == other.protection
        && maximum == other.maximum
        && inheritance == other.inheritance;
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
}
