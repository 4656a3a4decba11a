package org.juvm.page;

/**
 * Decides which page goes when memory is needed.
 *
 * <p>A page that may be taken is <em>enqueued</em>. The page daemon takes pages in scans: it begins
 * one, asks for victims one by one until it has enough, and reports of each what became of it.
 * Before it does anything to a victim it takes the lock of the page's owner and looks whether the
 * page is still there, for a victim can be dequeued at any moment until then.
 *
 * <p>The access for which a page is brought in is no use of it: {@link References} should not
 * report it. A policy tells pages that are used again from those that are not.
 *
 * <p>What is said to be called by any thread may be called concurrently, but for one frame only by
 * one thread at a time: the one that holds the lock of the page's owner, of a rank before {@code
 * PAGE_QUEUE}. The daemon is one thread at a time. It calls {@link #evicted} and {@link #kept} with
 * that lock, and the others with none that is of a rank from {@code PAGE_QUEUE} on.
 *
 * <p>Source: the operations {@code uvmpdpol_*} of NetBSD's {@code uvm_pdpolicy.h}.
 */
public interface ReplacementPolicy {
  /** No frame. */
  int NONE = FrameTable.NONE;

  /**
   * A page is in a frame from now on and may be taken. Any thread.
   *
   * @param frame frame number, not enqueued
   * @param identity a number that no other page has and that this page will have when it is brought
   *     in again
   * @param file whether it belongs to a file; else it is anonymous
   */
  void enqueue(int frame, long identity, boolean file);

  /**
   * A page is gone for good, or must not be taken any more. Any thread.
   *
   * @param frame frame number; nothing happens if it is not enqueued
   */
  void dequeue(int frame);

  /**
   * A page will be used soon. Any thread.
   *
   * @param frame frame number; nothing happens if it is not enqueued
   */
  void activate(int frame);

  /**
   * A page will not be used soon, so that it should go before others. Any thread.
   *
   * @param frame frame number; nothing happens if it is not enqueued
   */
  void deactivate(int frame);

  /**
   * The daemon begins to look for pages to take.
   *
   * @param free free frames now
   * @param freeTarget free frames that should be left when no more memory is needed
   * @param swapFull whether anonymous pages have nowhere to go
   */
  void beginScan(int free, int freeTarget, boolean swapFull);

  /**
   * Chooses the next page to take. It stays enqueued until the daemon says that it is {@link
   * #evicted}, and after that or {@link #kept} the next one may be asked for.
   *
   * <p>The number of looks is bounded. In one scan no page is spared more than a few times, so as
   * long as there are pages that were not kept in this scan, one is found even if all are used all
   * the time.
   *
   * @return frame number, or {@link #NONE} if this scan has nothing more to offer
   */
  int selectVictim();

  /**
   * A victim has left memory, and may come back. It is not enqueued any more.
   *
   * @param frame frame number
   */
  void evicted(int frame);

  /**
   * A victim could not be taken. It stays enqueued and is not offered again in this scan.
   *
   * @param frame frame number; nothing happens if it was dequeued meanwhile
   */
  void kept(int frame);

  /**
   * A page that is not in memory is gone for good: its history is forgotten. Any thread.
   *
   * @param identity what it was enqueued with
   */
  void forget(long identity);

  /**
   * Whether a page may be taken. Any thread.
   *
   * @param frame frame number
   * @return true if it is enqueued
   */
  boolean isEnqueued(int frame);

  /**
   * Whether a page is not among those that go next. Any thread.
   *
   * @param frame frame number
   * @return true if it is enqueued and active, or hot
   */
  boolean isActive(int frame);

  /**
   * Whether a page is among those that go next. Any thread.
   *
   * @param frame frame number
   * @return true if it is enqueued and not active
   */
  default boolean isInactive(int frame) {
    return isEnqueued(frame) && !isActive(frame);
  }

  /**
   * The number of active pages. Exact if nothing changes meanwhile.
   *
   * @return pages
   */
  int activePages();

  /**
   * The number of inactive pages. Exact if nothing changes meanwhile.
   *
   * @return pages
   */
  int inactivePages();
}
