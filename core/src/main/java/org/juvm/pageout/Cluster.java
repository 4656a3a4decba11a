package org.juvm.pageout;

import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.juvm.page.PageOwner;

/**
 * Pages that are written together: anonymous ones to consecutive swap slots, or pages of one
 * object. Filled by the daemon, then written by another thread; in one pair of hands at a time.
 * Reusable.
 *
 * <p>Source: {@code struct swapcluster} of {@code uvm_pdaemon.c}.
 */
final class Cluster implements Runnable {
  /** Pages that are written at once. */
  static final int MAXIMUM_PAGES = 64;

  private final Writers writers;
  private final boolean swap;
  private final int[] frames = new int[MAXIMUM_PAGES];
  private final @Nullable PageOwner[] owners = new @Nullable PageOwner[MAXIMUM_PAGES];

  /** Pages of one owner. */
  private final int[] run = new int[MAXIMUM_PAGES];

  private int count;
  private int firstSlot;

  Cluster(Writers writers, boolean swap) {
    this.writers = writers;
    this.swap = swap;
  }

  void add(int frame, PageOwner owner) {
    frames[count] = frame;
    owners[count++] = owner;
  }

  int count() {
    return count;
  }

  PageOwner owner(int i) {
    return Objects.requireNonNull(owners[i]);
  }

  boolean isSwap() {
    return swap;
  }

  /**
   * Gives the first pages new slots, in place of those that they may have: slots are assigned when
   * pages are written, so that what is written together is together.
   *
   * @param first the first of consecutive slots
   * @param slots how many
   * @param rest receives the pages that get none; null if there are none
   */
  void assignSlots(int first, int slots, @Nullable Cluster rest) {
    for (int i = 0; i < slots; i++) {
      writers.setSlot(frames[i], first + i);
    }
    for (int i = slots; i < count && rest != null; i++) {
      rest.add(frames[i], owner(i));
    }
    clear(slots);
    firstSlot = first;
  }

  private void clear(int from) {
    for (int i = from; i < count; i++) {
      owners[i] = null;
    }
    count = from;
  }

  /** No page can be written. Empty afterwards. */
  void keepAll() {
    for (int i = 0; i < count; i++) {
      writers.keep(frames[i], owner(i));
    }
    clear(0);
  }

  /** Writes the pages. Those that were written are free afterwards. Empty then. */
  @Override
  public void run() {
    int pages = count;
    try {
      if (swap) {
        writeToSwap();
      } else {
        writeToObject();
      }
    } finally {
      clear(0);
      writers.written(this, pages);
    }
  }

  private void writeToObject() {
    try {
      owner(0).write(frames, count);
    } catch (IOException e) {
      for (int i = 0; i < count; i++) {
        writers.notWritten(frames[i], owner(i));
      }
      return;
    }
    writers.clean(frames, count, owner(0));
  }

  private void writeToSwap() {
    if (writers.writeSlots(firstSlot, frames, count)) {
      cleanAll();
      return;
    }
    for (int i = 0; i < count; i++) {
      writers.writeAlone(frames[i], owner(i));
    }
  }

  /** All pages have been written: those of one owner at a time, so that its lock is taken once. */
  private void cleanAll() {
    for (int done = 0; done < count; ) {
      PageOwner owner = owner(done);
      int same = 0;
      for (int i = done; i < count; i++) {
        int frame = frames[i];
        PageOwner other = owner(i);
        if (other.equals(owner)) {
          frames[i] = frames[done + same];
          owners[i] = owners[done + same];
          frames[done + same] = frame;
          owners[done + same] = other;
          run[same++] = frame;
        }
      }
      writers.clean(run, same, owner);
      done += same;
    }
  }
}
