package org.juvm.object;

import org.jspecify.annotations.Nullable;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;

/**
 * A page that somebody wants of a memory object, and what came of it. Reusable, so that a fault
 * allocates nothing. For one thread.
 *
 * <p>{@link MemoryObject#get} does what can be done with the object locked. If that is not all, the
 * request says what is to be done without locks; afterwards the caller starts again from the
 * beginning.
 */
public final class PageRequest {
  /** What came of a request. */
  public enum Status {
    /** The page is in {@link #frame} and can be used while the object is locked. */
    RESIDENT,
    /** The page is on its way in or out: wait for {@link #frame} since {@link #seen}. */
    BUSY,
    /** Frames wait for the pages that {@link MemoryObject#read} is to bring in. */
    READING,
    /** No frame is free. */
    NO_FRAME,
    /** No node for the object's tree is left. */
    NO_NODE,
    /** The object does not contain the page. */
    BEYOND_END,
    /** The page cannot be read. */
    ERROR
  }

  /** The most pages that one request brings in. */
  public static final int MAXIMUM_PAGES = 64;

  final int processor;
  Status status = Status.NO_FRAME;
  long page;
  int frame = FrameTable.NONE;
  FrameAllocator.Reserve depth = FrameAllocator.Reserve.NONE;
  long seen;

  /** Why the last page that could not be read could not; null if nobody knows. */
  @Nullable Throwable failure;

  /** READING: the first page that comes in, into the first of the frames. */
  long firstPage;

  /** READING: busy frames, for successive pages. */
  final int[] frames = new int[MAXIMUM_PAGES];

  /** READING: how many. */
  int count;

  /** Whether a page that comes from swap stays there, too. */
  boolean keepSlots = true;

  /** How many pages behind the wanted one may be read ahead. */
  int ahead;

  /** Whether earlier requests of the object decide how many of them are. */
  boolean learned;

  /**
   * A request of one thread.
   *
   * @param processor any number that differs between concurrent callers
   */
  public PageRequest(int processor) {
    this.processor = processor;
  }

  /**
   * What came of it.
   *
   * @return the status
   */
  public Status status() {
    return status;
  }

  /**
   * The frame of the page.
   *
   * @return frame number; valid if RESIDENT or BUSY
   */
  public int frame() {
    return frame;
  }

  /**
   * Since when to wait for the frame.
   *
   * @return for {@link org.juvm.page.BusyFrames#await}; valid if BUSY
   */
  public long seen() {
    return seen;
  }

  /**
   * How many pages are to be read.
   *
   * @return pages; valid if READING
   */
  public int pages() {
    return count;
  }

  /**
   * Why the last page that could not be read could not, and forgets it.
   *
   * @return what was thrown, or null
   */
  public @Nullable Throwable takeFailure() {
    Throwable taken = failure;
    if (taken != null) {
      failure = null;
    }
    return taken;
  }

  /**
   * Allows to read more pages than the one that is wanted, if they are to be read anyway.
   *
   * @param pages how many behind it at most
   */
  public void readAhead(int pages) {
    ahead = pages;
    learned = false;
  }

  /**
   * As {@link #readAhead}, if earlier requests suggest that these pages will be wanted: none after
   * the first, more and more while requests follow one another.
   *
   * @param pages how many behind it at most
   */
  public void readAheadAsLearned(int pages) {
    ahead = pages;
    learned = true;
  }

  /**
   * Says whether pages that are read from swap may keep their slots. Default: they do.
   *
   * @param keep false if the slots are to be free afterwards
   */
  public void keepSlots(boolean keep) {
    keepSlots = keep;
  }

  /**
   * How deep the allocation could go that found no frame.
   *
   * @return the reserve; valid if NO_FRAME
   */
  public FrameAllocator.Reserve depth() {
    return depth;
  }

  void noFrame(FrameAllocator.Reserve newDepth) {
    depth = newDepth;
    is(Status.NO_FRAME, FrameTable.NONE);
  }

  void is(Status newStatus, int newFrame) {
    // The store of a reference marks a card of the heap, which other processors may share.
    if (status != newStatus) {
      status = newStatus;
    }
    frame = newFrame;
  }
}
