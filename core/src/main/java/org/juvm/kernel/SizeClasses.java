package org.juvm.kernel;

/**
 * The sizes in which small memory is given out: multiples of 16 bytes up to 64, then four sizes to
 * each power of two, so that no more than a fifth of an object is wasted.
 */
final class SizeClasses {
  /** What is larger is given out in whole pages. Bytes. */
  static final int LARGEST = 32 << 10;

  private static final int STEP_SHIFT = 4;
  private static final int LINEAR = 4;
  private static final int LINEAR_BYTES = LINEAR << STEP_SHIFT;

  /** log2 of the largest size of the linear part. */
  private static final int LINEAR_SHIFT = 6;

  /** How many classes there are. */
  static final int COUNT = compute(LARGEST) + 1;

  /** The class of the objects for so many times 16 bytes. */
  private static final byte[] CLASS_OF_STEPS = new byte[(LARGEST >> STEP_SHIFT) + 1];

  static {
    for (int steps = 0; steps < CLASS_OF_STEPS.length; steps++) {
      CLASS_OF_STEPS[steps] = (byte) compute((long) steps << STEP_SHIFT);
    }
  }

  private SizeClasses() {}

  /**
   * The class of the smallest objects that are large enough.
   *
   * @param bytes from 0 to LARGEST
   * @return number of the class
   */
  static int of(long bytes) {
    return CLASS_OF_STEPS[(int) (bytes + (1 << STEP_SHIFT) - 1) >> STEP_SHIFT];
  }

  private static int compute(long bytes) {
    if (bytes <= LINEAR_BYTES) {
      return bytes == 0 ? 0 : (int) (bytes - 1) >> STEP_SHIFT;
    }
    // 2^shift < bytes <= 2^(shift + 1); a quarter of that is a step.
    int shift = Long.SIZE - 1 - Long.numberOfLeadingZeros(bytes - 1);
    int quarter = (int) ((bytes - 1) >> (shift - 2)) & 3;
    return LINEAR + (shift - LINEAR_SHIFT) * 4 + quarter;
  }

  /**
   * As {@link #of(long)}, of objects that lie at multiples of a number if the first one does.
   *
   * @param bytes from 0 to LARGEST
   * @param alignment a power of two, up to LARGEST
   * @return number of the class
   */
  static int of(long bytes, long alignment) {
    return alignment <= 1 << STEP_SHIFT ? of(bytes) : aligned(bytes, alignment);
  }

  private static int aligned(long bytes, long alignment) {
    int number = of(Math.max(bytes, alignment));
    while ((size(number) & (alignment - 1)) != 0) {
      number++;
    }
    return number;
  }

  /**
   * The size of the objects of a class.
   *
   * @param number of the class
   * @return bytes
   */
  static int size(int number) {
    if (number < LINEAR) {
      return (number + 1) << STEP_SHIFT;
    }
    int shift = (number - LINEAR) / 4 + LINEAR_SHIFT;
    return (5 + (number - LINEAR) % 4) << (shift - 2);
  }
}
