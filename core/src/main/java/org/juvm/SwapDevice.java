package org.juvm;

import org.juvm.swap.SwapArea;

/**
 * A place that anonymous pages go to, and what it has done so far. Numbers are read one by one
 * while transfers go on. Thread-safe.
 *
 * <p>Source: {@code struct swapent} of {@code swapctl(2)}.
 */
public final class SwapDevice {
  private final Swap swap;
  private final SwapArea area;

  SwapDevice(Swap swap, SwapArea area) {
    this.swap = swap;
    this.area = area;
  }

  Swap swap() {
    return swap;
  }

  SwapArea area() {
    return area;
  }

  /**
   * Its name.
   *
   * @return what it was added with
   */
  public String name() {
    return area.name();
  }

  /**
   * When it is used: devices with lower numbers first, those with equal numbers in turns.
   *
   * @return the priority
   */
  public int priority() {
    return area.priority();
  }

  /**
   * Changes when it is used. Pages that are there stay. ({@code SWAP_CTL})
   *
   * @param priority lower numbers are used first
   */
  public void setPriority(int priority) {
    swap.vm().machine().swap().setPriority(area, priority);
  }

  /**
   * Whether what is written is encrypted.
   *
   * @return true if so
   */
  public boolean isEncrypted() {
    return area.isEncrypted();
  }

  /**
   * Its size.
   *
   * @return pages
   */
  public int pages() {
    return area.slots();
  }

  /**
   * How much of it is in use. A page may be in memory, too.
   *
   * @return pages
   */
  public int pagesInUse() {
    return area.slotsInUse();
  }

  /**
   * How much of it has failed, and is not used any more.
   *
   * @return pages
   */
  public int pagesBad() {
    return area.slotsBad();
  }

  /**
   * How often it was read.
   *
   * @return operations
   */
  public long reads() {
    return area.reads();
  }

  /**
   * How often it was written to.
   *
   * @return operations, each of one or more pages
   */
  public long writes() {
    return area.writes();
  }

  /**
   * How much was read.
   *
   * @return bytes
   */
  public long bytesRead() {
    return area.bytesRead();
  }

  /**
   * How much was written.
   *
   * @return bytes
   */
  public long bytesWritten() {
    return area.bytesWritten();
  }

  /**
   * How many operations have failed.
   *
   * @return operations
   */
  public long errors() {
    return area.errors();
  }

  @Override
  public String toString() {
    return area.toString();
  }
}
