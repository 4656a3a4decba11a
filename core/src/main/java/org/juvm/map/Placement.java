package org.juvm.map;

/**
 * Where a mapping is to go.
 *
 * @param rule what the address means
 * @param address page aligned
 * @param alignment bytes that the place must be a multiple of, greater than 0; 1 is as good as the
 *     page size
 */
public record Placement(Rule rule, long address, long alignment) {
  /** What an address means. */
  public enum Rule {
    /** Search from the address upwards, and if there is nothing, from the lowest address. */
    ANYWHERE,
    /** There, replacing what is there. */
    FIXED,
    /** There, or not at all if anything is there. */
    EXCLUSIVE
  }

  /** The lowest place that is free. */
  public static final Placement LOWEST = new Placement(Rule.ANYWHERE, 0, 1);
}
