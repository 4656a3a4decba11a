package org.juvm.base;

/** What a program does to memory. */
public enum Access {
  /** A load. */
  READ(Protection.READ_BIT),
  /** A store, or an atomic operation that may store. */
  WRITE(Protection.WRITE_BIT);

  private final int bit;

  Access(int bit) {
    this.bit = bit;
  }

  /**
   * The right that the access needs.
   *
   * @return one of the bits of {@link Protection#bits()}
   */
  public int bit() {
    return bit;
  }
}
