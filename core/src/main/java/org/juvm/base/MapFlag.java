package org.juvm.base;

/** A property of a mapping that is there or not. */
public enum MapFlag {
  /** It is (a part of) a stack: it grows downwards when it is touched below its start. */
  STACK,
  /** Left out of core dumps ({@code MADV_NOCORE}, {@code MAP_CONCEAL}). */
  NO_CORE,
  /** Pages are not written back before they must be ({@code MADV_NOSYNC}). */
  NO_SYNC,
  /** An error of what lies behind it gives zeros instead of a fault ({@code __MAP_NOFAULT}). */
  NO_FAULT,
  /** Its place and its rights cannot be changed any more ({@code mimmutable(2)}). */
  IMMUTABLE,
  /** Its pages stay resident because its program wants so ({@code mlock(2)}). */
  USER_WIRED,
  /** Page tables in the memory behind it say which page is where ({@link VirtualPte}). */
  PAGE_TABLE;

  /**
   * The flag as a set.
   *
   * @return one bit
   */
  public int bit() {
    return 1 << ordinal();
  }
}
