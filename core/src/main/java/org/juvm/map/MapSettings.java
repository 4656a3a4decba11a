package org.juvm.map;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.juvm.base.Limit;

/**
 * What one address space may do, and how it goes about it. A child has the same at first, but that
 * nothing is wired in it. Guarded by the lock of the map.
 */
public final class MapSettings {
  /** Random placements start in so many bytes above the lowest address. */
  private static final long RANDOM_PLACEMENT = 256L << 20;

  private final long[] limits = new long[Limit.values().length];

  /** Whether what is mapped from now on is wired. */
  private boolean wireFuture;

  /** Where mappings go that may be anywhere, or null: to the lowest place. */
  private @Nullable SplittableRandom placements;

  /** No limits. */
  MapSettings() {
    Arrays.fill(limits, Long.MAX_VALUE);
  }

  /**
   * A limit.
   *
   * @param limit which
   * @return bytes
   */
  public long limit(Limit limit) {
    return limits[limit.ordinal()];
  }

  /**
   * Sets a limit. What is more already stays.
   *
   * @param limit which
   * @param bytes at least 0
   */
  public void setLimit(Limit limit, long bytes) {
    limits[limit.ordinal()] = bytes;
  }

  /**
   * Whether what is mapped from now on is to be wired.
   *
   * @return true if so
   */
  public boolean wireFuture() {
    return wireFuture;
  }

  /**
   * Says whether what is mapped from now on is to be wired.
   *
   * @param value true if so
   */
  public void setWireFuture(boolean value) {
    wireFuture = value;
  }

  /**
   * Puts mappings that may be anywhere at places that follow from a seed, within 256 MiB above the
   * lowest address. ({@code vm_map_hint})
   *
   * @param seed any number
   */
  public void randomize(long seed) {
    placements = new SplittableRandom(seed);
  }

  /** How far above the lowest address the search for space starts. Bytes, any number of them. */
  long displacement() {
    SplittableRandom random = placements;
    return random == null ? 0 : random.nextLong(RANDOM_PLACEMENT);
  }

  /**
   * Lets a map do what another one may, in the same way. Called without locks.
   *
   * @param from one map
   * @param to the other
   */
  public static void copy(VmMap from, VmMap to) {
    MapSettings taken = new MapSettings();
    from.lockWrite();
    try {
      taken.inheritFrom(from.settings());
    } finally {
      from.unlockWrite();
    }
    to.lockWrite();
    try {
      to.settings().inheritFrom(taken);
    } finally {
      to.unlockWrite();
    }
  }

  /** Becomes like those of a parent, whose map is locked, too. */
  void inheritFrom(MapSettings parent) {
    System.arraycopy(parent.limits, 0, limits, 0, limits.length);
    SplittableRandom random = parent.placements;
    placements = random == null ? null : random.split();
  }
}
