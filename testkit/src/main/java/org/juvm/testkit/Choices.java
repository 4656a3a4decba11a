package org.juvm.testkit;

import java.util.List;
import java.util.SplittableRandom;

/**
 * Random decisions that can be repeated: everything follows from {@link #seed}. For one thread;
 * give each thread its own by {@link #split}.
 */
public final class Choices {
  private static final String SEED = "juvm.test.seed";
  private static final String SCALE = "juvm.test.scale";

  private final long seed;
  private final SplittableRandom random;

  /**
   * Decisions that follow from a seed.
   *
   * @param seed any number
   */
  public Choices(long seed) {
    this.seed = seed;
    random = new SplittableRandom(seed);
  }

  /**
   * New decisions, or those of the seed in the system property {@code juvm.test.seed}.
   *
   * @return the decisions; a test prints their seed when it fails
   */
  public static Choices fresh() {
    Long given = Long.getLong(SEED);
    return new Choices(given != null ? given : new SplittableRandom().nextLong());
  }

  /**
   * How often a test repeats something.
   *
   * @param usual how often in an ordinary build
   * @return that, times the system property {@code juvm.test.scale}
   */
  public static int times(int usual) {
    return Math.multiplyExact(usual, Math.max(1, Integer.getInteger(SCALE, 1)));
  }

  /**
   * What makes the decisions come again.
   *
   * @return the seed
   */
  public long seed() {
    return seed;
  }

  /**
   * A number.
   *
   * @param bound greater than 0
   * @return a number from 0 to less than bound
   */
  public int below(int bound) {
    return random.nextInt(bound);
  }

  /**
   * A number.
   *
   * @param bound greater than 0
   * @return a number from 0 to less than bound
   */
  public long below(long bound) {
    return random.nextLong(bound);
  }

  /**
   * A number.
   *
   * @param low the smallest
   * @param high the largest
   * @return a number from low to high
   */
  public int between(int low, int high) {
    return random.nextInt(low, high + 1);
  }

  /**
   * Any long.
   *
   * @return 64 random bits
   */
  public long any() {
    return random.nextLong();
  }

  /**
   * Fills an array.
   *
   * @param bytes receives random bytes
   */
  public void bytes(byte[] bytes) {
    random.nextBytes(bytes);
  }

  /**
   * A decision.
   *
   * @param n greater than 0
   * @return true once in n times
   */
  public boolean oneIn(int n) {
    return random.nextInt(n) == 0;
  }

  /**
   * One of several.
   *
   * @param options at least one
   * @param <T> their type
   * @return one of them
   */
  public <T> T pick(List<T> options) {
    return options.get(random.nextInt(options.size()));
  }

  /**
   * Independent decisions, for another thread.
   *
   * @return decisions that follow from this seed, too
   */
  public Choices split() {
    return new Choices(random.nextLong());
  }

  /**
   * Says how to repeat the decisions.
   *
   * @return the option that does it
   */
  @Override
  public String toString() {
    return "-D" + SEED + "=" + seed;
  }
}
