package org.juvm.base;

/**
 * What may be done with a page. Writing implies reading, as on every machine whose page tables this
 * library imitates; executing is recorded and reported for the client, nothing is executed.
 */
public enum Protection {
  /** No access at all. */
  NONE(0, "---"),
  /** Loads. */
  READ(1, "r--"),
  /** Loads and stores. */
  READ_WRITE(3, "rw-"),
  /** Loads and instruction fetches. */
  READ_EXECUTE(5, "r-x"),
  /** Everything. */
  READ_WRITE_EXECUTE(7, "rwx");

  /** Bit of {@link #bits()}: loads are allowed. */
  public static final int READ_BIT = 1;

  /** Bit of {@link #bits()}: stores are allowed. */
  public static final int WRITE_BIT = 2;

  /** Bit of {@link #bits()}: instruction fetches are allowed. */
  public static final int EXECUTE_BIT = 4;

  private final int bits;
  private final String text;

  Protection(int bits, String text) {
    this.bits = bits;
    this.text = text;
  }

  /**
   * The rights as a bit set.
   *
   * @return an or of {@link #READ_BIT}, {@link #WRITE_BIT} and {@link #EXECUTE_BIT}
   */
  public int bits() {
    return bits;
  }

  /**
   * Whether an access is allowed.
   *
   * @param access the access
   * @return true if it is
   */
  public boolean permits(Access access) {
    return (bits & access.bit()) != 0;
  }

  /**
   * Whether every right of another protection is among these.
   *
   * @param other the protection asked for
   * @return true if it asks for nothing more
   */
  public boolean includes(Protection other) {
    return (bits & other.bits) == other.bits;
  }

  /**
   * The rights that both have.
   *
   * @param other another protection
   * @return the most that both include
   */
  public Protection and(Protection other) {
    Protection most = NONE;
    for (Protection each : values()) {
      if (includes(each) && other.includes(each)) {
        most = each;
      }
    }
    return most;
  }

  /**
   * The rights in three letters, as {@code pmap} prints them.
   *
   * @return for example {@code rw-}
   */
  @Override
  public String toString() {
    return text;
  }
}
