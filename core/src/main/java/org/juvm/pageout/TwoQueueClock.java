package org.juvm.pageout;

import org.juvm.page.References;
import org.juvm.page.ReplacementPolicy;
import org.juvm.ram.ByteTable;

/**
 * The scheme of the BSDs: pages are active or inactive, and two hands sweep over them. One clears
 * the bits of active pages and makes those inactive that were not used since it came by last, until
 * enough are; the other takes inactive pages that were not used since then, and makes those active
 * that were.
 *
 * <p>There are no queues. A page's state is a byte, and the hands sweep over frames in the order of
 * their numbers. So a page fault stores one byte, under no lock but its page's owner's. Whatever
 * else changes a state compares and sets it. The price is paid by the daemon: it counts the pages
 * at the beginning of a scan, and its hands skip what does not concern them, eight frames at a
 * time.
 *
 * <pre>
 * state   | 4 kept | 3 advised | 2 file | 1 active | 0 enqueued |
 * </pre>
 *
 * {@code kept}: the page was offered in this scan and could not be taken. {@code advised}: it is
 * inactive because it will not be used soon, and goes first.
 *
 * <p>Source: {@code uvm_pdpolicy_clock.c} of NetBSD, which makes active pages inactive whether they
 * were used or not; sparing them once, as others of the BSDs do, gives better hit ratios.
 */
final class TwoQueueClock implements ReplacementPolicy {
  private static final int ENQUEUED = 1;
  private static final int ACTIVE = 2;
  private static final int FILE = 4;
  private static final int ADVISED = 8;
  private static final int KEPT = 16;

  private final int frames;
  private final References references;
  private final ClockSettings settings;

  /** Per frame, its state. Guard: atomic updates; a state of 0 is left by the owner's lock only. */
  private final ByteTable states;

  /** Set when a page becomes advised; cleared by the daemon before it looks for such pages. */
  private volatile boolean mayHaveAdvised;

  // What follows is the daemon's. Numbers of pages are those at the beginning of the scan, less
  // what the scan itself has changed since.

  private int inactive;
  private int inactiveTarget;
  private ClockSettings.Staying staying = ClockSettings.Staying.NEITHER;

  /** Times that the deactivating hand may still spare pages in this scan. */
  private int activeChances;

  /** Times that the evicting hand may. */
  private int chances;

  /** Whether a page was kept in this scan. */
  private boolean keptSome;

  private int advisedHand;
  private int deactivatingHand;
  private int evictingHand;

  TwoQueueClock(int frames, References references, ClockSettings settings) {
    this.frames = frames;
    this.references = references;
    this.settings = settings;
    states = new ByteTable(frames, false);
  }

  @Override
  public void enqueue(int frame, long identity, boolean file) {
    assert !isEnqueued(frame) : frame;
    states.set(frame, file ? ENQUEUED | ACTIVE | FILE : ENQUEUED | ACTIVE);
  }

  @Override
  public void dequeue(int frame) {
    states.set(frame, 0);
  }

  @Override
  public void activate(int frame) {
    change(frame, ADVISED, ACTIVE);
  }

  @Override
  public void deactivate(int frame) {
    references.testAndClear(frame);
    if (change(frame, ACTIVE, ADVISED) && !mayHaveAdvised) {
      mayHaveAdvised = true;
    }
  }

  @Override
  public void beginScan(int free, int freeTarget, boolean swapFull) {
    forgetKept();
    int active = activePages();
    inactive = inactivePages();
    int file = (int) states.count(ENQUEUED | FILE, ENQUEUED | FILE);
    long all = (long) active + inactive;
    inactiveTarget = (int) Math.max(freeTarget + 1L, all * settings.inactive() / 100);
    staying = settings.staying(Math.max(0, all - file), file, free, swapFull);
    activeChances = active;
    chances = (int) all;
  }

  @Override
  public int selectVictim() {
    int advised = nextAdvised();
    if (advised != NONE) {
      return advised;
    }
    while (true) {
      while (inactive < inactiveTarget && deactivateNext()) {
        inactive++;
      }
      int frame = nextInactive();
      if (frame == NONE) {
        if (!deactivateNext()) {
          return NONE;
        }
        inactive = 1;
      } else if (!isSpared(frame)) {
        return frame;
      }
    }
  }

  @Override
  public void evicted(int frame) {
    assert isEnqueued(frame) : frame;
    states.set(frame, 0);
    inactive--;
  }

  @Override
  public void kept(int frame) {
    keptSome |= change(frame, ADVISED, ACTIVE | KEPT);
    inactive--;
  }

  @Override
  public void forget(long identity) {
    // The past of pages plays no role.
  }

  @Override
  public boolean isEnqueued(int frame) {
    return (states.get(frame) & ENQUEUED) != 0;
  }

  @Override
  public boolean isActive(int frame) {
    return (states.get(frame) & ACTIVE) != 0;
  }

  @Override
  public int activePages() {
    return (int) states.count(ENQUEUED | ACTIVE, ENQUEUED | ACTIVE);
  }

  @Override
  public int inactivePages() {
    return (int) states.count(ENQUEUED | ACTIVE, ENQUEUED);
  }

  /** Clears some bits of an enqueued page's state and sets others. Says whether it is enqueued. */
  private boolean change(int frame, int clear, int set) {
    while (true) {
      int old = states.get(frame);
      if ((old & ENQUEUED) == 0) {
        return false;
      }
      if (states.compareAndSet(frame, old, (old & ~clear) | set)) {
        return true;
      }
    }
  }

  private boolean isKept(int frame) {
    return (states.get(frame) & KEPT) != 0;
  }

  private void forgetKept() {
    int frame = keptSome ? next(0, KEPT, KEPT) : NONE;
    while (frame != NONE) {
      change(frame, KEPT, 0);
      frame = next(frame, KEPT, KEPT);
    }
    keptSome = false;
  }

  /** The next page that is not used any more, by its user's word and in fact; or NONE. */
  private int nextAdvised() {
    while (mayHaveAdvised) {
      mayHaveAdvised = false;
      int frame = next(advisedHand, ENQUEUED | ADVISED, ENQUEUED | ADVISED);
      if (frame != NONE) {
        mayHaveAdvised = true;
        advisedHand = frame + 1;
        boolean used = references.testAndClear(frame);
        boolean here = change(frame, ADVISED, used ? ACTIVE : 0);
        if (here && !used && !isKept(frame)) {
          return frame;
        }
      }
    }
    return NONE;
  }

  /** The next inactive page at the evicting hand, or NONE if it finds none in a whole round. */
  private int nextInactive() {
    int seen = 0;
    while (seen < frames) {
      int frame = next(evictingHand, ENQUEUED | ACTIVE, ENQUEUED);
      if (frame == NONE) {
        return NONE;
      }
      seen += Math.floorMod(frame - evictingHand, frames) + 1;
      evictingHand = frame + 1 == frames ? 0 : frame + 1;
      if (!isKept(frame)) {
        return frame;
      }
    }
    return NONE;
  }

  /** Whether an inactive page stays, and is active again: because of its type or of its use. */
  private boolean isSpared(int frame) {
    if (chances == 0 || !(staysByType(frame) || references.testAndClear(frame))) {
      return false;
    }
    chances--;
    inactive--;
    change(frame, ADVISED, ACTIVE);
    return true;
  }

  private boolean staysByType(int frame) {
    boolean file = (states.get(frame) & FILE) != 0;
    return staying == (file ? ClockSettings.Staying.FILE : ClockSettings.Staying.ANONYMOUS);
  }

  /** Makes the next active page inactive. Says whether there was one in a whole round. */
  private boolean deactivateNext() {
    int seen = 0;
    while (seen < frames) {
      int frame = next(deactivatingHand, ENQUEUED | ACTIVE, ENQUEUED | ACTIVE);
      if (frame == NONE) {
        return false;
      }
      seen += Math.floorMod(frame - deactivatingHand, frames) + 1;
      deactivatingHand = frame + 1 == frames ? 0 : frame + 1;
      if (!isKept(frame)) {
        boolean used = references.testAndClear(frame);
        if (!used || activeChances == 0) {
          change(frame, ACTIVE, 0);
          return true;
        }
        activeChances--;
        seen = 0;
      }
    }
    return false;
  }

  /** The next frame from a hand on, through all of them, whose state has some bits; or NONE. */
  private int next(int hand, int mask, int wanted) {
    int from = hand == frames ? 0 : hand;
    int frame = (int) states.next(from, frames, mask, wanted);
    if (frame == frames) {
      frame = (int) states.next(0, from, mask, wanted);
      return frame == from ? NONE : frame;
    }
    return frame;
  }
}
