package org.juvm.pageout;

import org.juvm.page.References;
import org.juvm.page.ReplacementPolicy;
import org.juvm.ram.ByteTable;
import org.juvm.ram.LongTable;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * CLOCK-Pro: a page stays if the time between two uses of it is short, not if the last use was
 * lately. So a page that is brought in is <em>cold</em> and in its <em>test period</em>; only if it
 * is used again before that ends, be it in memory still or in the history, it becomes <em>hot</em>.
 * The test period ends when the hot page that was not used for longest has not been used for longer
 * than that: there is no hot page that would be worse.
 *
 * <p>All pages, also those in the history, are in one ring by age, with three hands that go from
 * old to new. Whatever is moved becomes the newest.
 *
 * <pre>
 * cold hand   stands at the oldest cold page in memory. Used in its test period: hot, if there is
 *             room for one more hot page. Used after it: tested again, if the allocation is adaptive.
 *             Else it is the victim, which stays in the ring, as history, until its test period ends
 * hot hand    makes the first hot page that was not used cold, when there are too many
 * test hand   is pushed by the hot hand, and goes on by itself when there is too much history; ends
 *             the test period of all pages that it passes, and that is the end of history
 * </pre>
 *
 * <p>How many cold pages there should be is fixed, or it follows what is seen: one more for each
 * page that was used in its test period, one less for each that was not.
 *
 * <p>Source: S. Jiang, F. Chen and X. Zhang, "CLOCK-Pro: An Effective Improvement of the CLOCK
 * Replacement", 2005; in cases that the paper leaves open, the behaviour of its author's simulator.
 */
final class ClockPro implements ReplacementPolicy {
  /** Less than this and a cold page would have no time to be used. */
  private static final int FEWEST_COLD_PAGES = 2;

  // The bits of a node.
  private static final int RESIDENT = 1;
  private static final int HOT = 2;
  private static final int IN_TEST = 4;

  /**
   * How much of memory is for cold pages, and how much is remembered.
   *
   * @param minimumPercent the least share of cold pages
   * @param maximumPercent the largest; if it is the same, the share is fixed
   * @param history pages that are remembered, as a multiple of those in memory
   */
  record Allocation(int minimumPercent, int maximumPercent, int history) {
    /** As in the simulations of the author. */
    static final Allocation FIXED = new Allocation(5, 5, 1);

    /** What did best of what was tried, see docs/replacement.md. */
    static final Allocation ADAPTIVE = new Allocation(1, 99, 2);

    /**
     * Whether the share of cold pages changes. If not, a use after the test period does not count,
     * as in the simulations of the author, though not in the paper.
     */
    boolean isAdaptive() {
      return minimumPercent != maximumPercent;
    }
  }

  private final Allocation allocation;
  private final References references;
  private final RankedLock lock = new RankedLock(LockRank.PAGE_QUEUE);

  // Nodes are numbered: frames first, then entries of the history. All but the bits of frames,
  // which anybody reads, are guarded by the lock.

  private final int frames;
  private final PageRing ring;
  private final ByteTable bits;
  private final LongTable identity;
  private final History history;
  private final KeptPages kept;

  // Guard of all that follows: lock. Nodes are NONE if the ring is empty.

  private int newest = NONE;
  private int coldHand = NONE;
  private int hotHand = NONE;
  private int testHand = NONE;

  private int hotPages;
  private int coldPages;
  private int remembered;

  /** Pages that memory has room for, in this scan. */
  private int capacity;

  /** How many of them should be cold. */
  private int coldTarget;

  /** Times that cold pages may still be spared in this scan. */
  private int chances;

  /** Whether all hot pages were kept in this scan, so that it is no use to look at them again. */
  private boolean hotAreKept;

  /** Whether the hot hand has just passed the page for which it was set going. */
  private boolean passedTrigger;

  ClockPro(int frames, References references, Allocation allocation) {
    this.frames = frames;
    this.references = references;
    this.allocation = allocation;
    int entries = Math.multiplyExact(frames, allocation.history) + 1;
    int nodes = Math.addExact(frames, entries);
    ring = new PageRing(nodes);
    bits = new ByteTable(nodes, false);
    identity = new LongTable(frames, false);
    history = new History(entries);
    kept = new KeptPages(frames);
    capacity = frames;
    coldTarget = fewestCold();
  }

  @Override
  public void enqueue(int frame, long page, boolean file) {
    lock.lock();
    try {
      assert !isEnqueued(frame) : frame;
      identity.set(frame, page);
      kept.forget(frame);
      boolean hot = hotPages + coldPages < hotLimit() || wasInTest(page);
      forgetLocked(page);
      add(frame, hot ? HOT : IN_TEST);
    } finally {
      lock.unlock();
    }
  }

  /** Whether a page comes back in its test period, and there is room for one more hot page. */
  private boolean wasInTest(long page) {
    int entry = history.find(page);
    return entry != History.NONE && makeRoom(frames + entry);
  }

  @Override
  public void dequeue(int frame) {
    lock.lock();
    try {
      if (isEnqueued(frame)) {
        take(frame);
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void activate(int frame) {
    lock.lock();
    try {
      if (isEnqueued(frame)) {
        boolean hot = isHot(frame);
        take(frame);
        add(frame, hot ? HOT : IN_TEST);
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void deactivate(int frame) {
    lock.lock();
    try {
      if (isEnqueued(frame)) {
        references.testAndClear(frame);
        take(frame);
        addNextVictim(frame);
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void beginScan(int free, int freeTarget, boolean swapFull) {
    lock.lock();
    try {
      kept.beginScan();
      hotAreKept = false;
      chances = coldPages + hotPages;
      capacity = Math.clamp((long) hotPages + coldPages + free - freeTarget, 1, frames);
      adapt(0);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public int selectVictim() {
    lock.lock();
    try {
      while (true) {
        coolWhatIsTooMuch();
        if (coldPages == 0) {
          return NONE;
        }
        while (!isResident(coldHand) || isHot(coldHand)) {
          coldHand = ring.newer(coldHand);
        }
        int frame = coldHand;
        boolean tested = isInTest(frame);
        boolean matters = chances > 0 && (tested || allocation.isAdaptive());
        if (!matters || !references.testAndClear(frame)) {
          return frame;
        }
        chances--;
        if (!tested) {
          take(frame);
          add(frame, IN_TEST);
        } else if (makeRoom(frame)) {
          take(frame);
          add(frame, HOT);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void evicted(int frame) {
    lock.lock();
    try {
      assert isEnqueued(frame) : frame;
      if (isInTest(frame)) {
        remember(frame);
      } else {
        take(frame);
      }
    } finally {
      lock.unlock();
    }
  }

  /** It becomes hot, since it is there to stay. */
  @Override
  public void kept(int frame) {
    lock.lock();
    try {
      if (isEnqueued(frame)) {
        kept.keep(frame);
        take(frame);
        add(frame, HOT);
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void forget(long page) {
    lock.lock();
    try {
      forgetLocked(page);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean isEnqueued(int frame) {
    return isResident(frame);
  }

  @Override
  public boolean isActive(int frame) {
    return isHot(frame);
  }

  @Override
  public int activePages() {
    lock.lock();
    try {
      return hotPages;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public int inactivePages() {
    lock.lock();
    try {
      return coldPages;
    } finally {
      lock.unlock();
    }
  }

  private boolean isResident(int node) {
    return (bits.get(node) & RESIDENT) != 0;
  }

  private boolean isHot(int node) {
    return (bits.get(node) & HOT) != 0;
  }

  private boolean isInTest(int node) {
    return (bits.get(node) & IN_TEST) != 0;
  }

  private int fewestCold() {
    return Math.max(FEWEST_COLD_PAGES, percentOfCapacity(allocation.minimumPercent));
  }

  private int percentOfCapacity(int percent) {
    return (int) ((long) capacity * percent / 100);
  }

  private int hotLimit() {
    return Math.max(0, capacity - coldTarget);
  }

  private void adapt(int pages) {
    int fewest = fewestCold();
    int most = Math.max(fewest, percentOfCapacity(allocation.maximumPercent));
    coldTarget = Math.clamp((long) coldTarget + pages, fewest, most);
  }

  /**
   * A page was used in its test period and may become hot: makes room for it.
   *
   * @return false if the hot hand came to the page before it found one that was not used: then the
   *     test period is over
   */
  private boolean makeRoom(int node) {
    adapt(1);
    while (hotPages >= hotLimit()) {
      boolean cooled = coolOne(node);
      if (!cooled || passedTrigger) {
        return cooled;
      }
    }
    return true;
  }

  /**
   * Moves the hot hand until it has made a page cold, or passes the page that sets it going; then
   * to the next hot page. Sets {@link #passedTrigger}.
   *
   * @param trigger that page's node, or NONE
   * @return false if no page was made cold
   */
  private boolean coolOne(int trigger) {
    passedTrigger = false;
    boolean cooled = false;
    int round = ring.size();
    for (int looks = 0; looks < 2 * round && hotPages > 0; looks++) {
      int node = hotHand;
      if (isHot(node)) {
        if (cooled || passedTrigger) {
          break;
        }
        boolean spared = looks < round && references.testAndClear(node);
        boolean stays = spared || kept.isKept(node);
        cooled = !stays;
        take(node);
        add(node, stays ? HOT : 0);
      } else {
        passedTrigger |= node == trigger;
        hotHand = ring.newer(node);
      }
      if (ring.older(hotHand) == testHand) {
        moveTestHand();
        limitHistory();
      }
    }
    return cooled;
  }

  private void coolWhatIsTooMuch() {
    while (!hotAreKept && (hotPages > hotLimit() || coldPages == 0)) {
      hotAreKept = !coolOne(NONE);
    }
  }

  private void limitHistory() {
    while (remembered > (long) capacity * allocation.history) {
      moveTestHand();
    }
  }

  /** Ends the test period of the page at the test hand. */
  private void moveTestHand() {
    int node = testHand;
    testHand = ring.newer(node);
    if (isHot(node)) {
      return;
    }
    if (isResident(node)) {
      references.testAndClear(node);
      bits.set(node, RESIDENT);
    } else {
      adapt(-1);
      drop(node);
    }
  }

  private void forgetLocked(long page) {
    int entry = history.find(page);
    if (entry != History.NONE) {
      drop(frames + entry);
    }
  }

  /** Ends history. */
  private void drop(int node) {
    history.remove(node - frames);
    bits.set(node, 0);
    unlink(node);
    remembered--;
  }

  /** The page of a frame leaves memory, and history begins in its place. */
  private void remember(int frame) {
    assert !isHot(frame);
    int entry = frames + history.add(identity.get(frame));
    bits.set(entry, IN_TEST);
    bits.set(frame, 0);
    coldPages--;
    ring.replace(frame, entry);
    newest = newest == frame ? entry : newest;
    hotHand = hotHand == frame ? entry : hotHand;
    testHand = testHand == frame ? entry : testHand;
    coldHand = coldHand == frame ? ring.newer(entry) : coldHand;
    remembered++;
    limitHistory();
  }

  /** Takes a page in memory out of the ring. */
  private void take(int frame) {
    if (isHot(frame)) {
      hotPages--;
    } else {
      coldPages--;
    }
    bits.set(frame, 0);
    unlink(frame);
  }

  /** Puts a page in memory into the ring, as the newest. */
  private void add(int frame, int state) {
    link(frame, newest == NONE ? NONE : ring.newer(newest), state);
    newest = frame;
  }

  /** Puts a page in memory, as a cold one, where the cold hand looks next. */
  private void addNextVictim(int frame) {
    link(frame, coldHand, 0);
    coldHand = frame;
  }

  /** Puts a page in memory on the older side of a node, or into an empty ring. */
  private void link(int frame, int newer, int state) {
    bits.set(frame, RESIDENT | state);
    if ((state & HOT) != 0) {
      hotPages++;
    } else {
      coldPages++;
    }
    if (newer == NONE) {
      ring.begin(frame);
      newest = frame;
      coldHand = frame;
      hotHand = frame;
      testHand = frame;
    } else {
      ring.insertOlder(frame, newer);
    }
  }

  /** Takes a node out of the ring; hands that point to it move on. */
  private void unlink(int node) {
    int newer = ring.size() == 1 ? NONE : ring.newer(node);
    int older = ring.size() == 1 ? NONE : ring.older(node);
    newest = newest == node ? older : newest;
    coldHand = coldHand == node ? newer : coldHand;
    hotHand = hotHand == node ? newer : hotHand;
    testHand = testHand == node ? newer : testHand;
    ring.remove(node);
  }
}
