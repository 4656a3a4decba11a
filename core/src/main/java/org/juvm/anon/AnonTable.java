package org.juvm.anon;

import org.juvm.base.VmPanic;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.ram.IntTable;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * All anons of one system, as structure of arrays. Anons are numbered from one; zero is no anon.
 *
 * <pre>
 * frame        32 bits  the frame that holds the page; for a free anon the next free one
 * references   32 bits  slots that hold the anon, over all nodes of amap trees; 0 when it is free
 * </pre>
 *
 * Guard: the lock of the amaps that the anon belongs to. The free list has a lock of its own.
 */
public final class AnonTable {
  /**
   * Anons that a thread keeps for itself, so that a fault takes no lock for one. Their numbers
   * follow one another, as a rule, and fill whole cache lines of the table: else threads write to
   * the same lines.
   */
  private static final int MAGAZINE = 64;

  private final FrameTable frames;
  private final FrameAllocator allocator;
  private final IntTable frame;
  private final IntTable references;
  private final int capacity;

  private final RankedLock lock = new RankedLock(LockRank.POOL);
  private final FreeList free = new FreeList();

  /** An object of its own, so that its changes do not disturb those who read the table's fields. */
  private static final class FreeList {
    /** First free anon; they are linked by frame. Guarded by lock. */
    private long first;

    /**
     * Anons from this number on were never used. Guarded by lock. Those before the first full
     * magazine are left out, so that magazines begin with a cache line.
     */
    private long firstVirgin = MAGAZINE;

    /** Anons in use and in magazines. Guarded by lock. */
    private long handedOut;

    @SuppressWarnings("unused") // keeps the next object out of this one's cache lines
    private long pad0, pad1, pad2, pad3, pad4, pad5, pad6, pad7;
    @SuppressWarnings("unused")
    private long pad8, pad9, pad10, pad11, pad12, pad13, pad14, pad15;
  }

  /** A few free anons, for one thread. */
  public static final class Magazine {
    /** The anons, and room that keeps the next object out of their cache lines. */
    private final int[] anons = new int[MAGAZINE + 32];

    private long size;

    @SuppressWarnings("unused") // keeps the next object out of this one's cache lines
    private long pad0, pad1, pad2, pad3, pad4, pad5, pad6, pad7;
    @SuppressWarnings("unused")
    private long pad8, pad9, pad10, pad11, pad12, pad13, pad14, pad15;

    /** An empty magazine. */
    public Magazine() {}
  }

  /**
   * A table of free anons.
   *
   * @param frames descriptors of the frames
   * @param allocator gets the frames of anons that are freed
   * @param hugePages whether to ask the host for large pages
   */
  public AnonTable(FrameTable frames, FrameAllocator allocator, boolean hugePages) {
    // One anon per frame is enough, but for those that wait in magazines.
    this(
        frames,
        allocator,
        hugePages,
        (int) Math.min(Integer.MAX_VALUE - 8, frames.frames() + (1L << 20) + MAGAZINE));
  }

  /** A table of so many anons. */
  AnonTable(FrameTable frames, FrameAllocator allocator, boolean hugePages, int capacity) {
    this.frames = frames;
    this.allocator = allocator;
    this.capacity = capacity;
    frame = new IntTable(capacity + 1L, hugePages);
    references = new IntTable(capacity + 1L, hugePages);
  }

  /**
   * Makes an anon with one reference. The frame becomes its own.
   *
   * @param magazine of the calling thread
   * @param holder an allocated frame that belongs to nobody
   * @return the anon, or 0 if there is none left
   */
  public int allocate(Magazine magazine, int holder) {
    if (magazine.size == 0 && !refill(magazine)) {
      return 0;
    }
    int anon = magazine.anons[(int) --magazine.size];
    frame.set(anon, holder);
    references.set(anon, 1);
    frames.setOwner(holder, anon);
    return anon;
  }

  private boolean refill(Magazine magazine) {
    lock.lock();
    try {
      while (magazine.size < MAGAZINE) {
        int anon = (int) free.first;
        if (anon != 0) {
          free.first = frame.get(anon);
        } else if (free.firstVirgin <= capacity) {
          anon = (int) free.firstVirgin++;
        } else {
          break;
        }
        magazine.anons[(int) magazine.size++] = anon;
        free.handedOut++;
      }
      return magazine.size > 0;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Gives the anons of a magazine back.
   *
   * @param magazine a magazine whose thread uses it no more; empty afterwards
   */
  public void empty(Magazine magazine) {
    lock.lock();
    try {
      while (magazine.size > 0) {
        putFree(magazine.anons[(int) --magazine.size]);
      }
    } finally {
      lock.unlock();
    }
  }

  private void putFree(int anon) {
    assert lock.isHeld();
    frame.set(anon, (int) free.first);
    free.first = anon;
    free.handedOut--;
  }

  /**
   * The frame of an anon.
   *
   * @param anon a live anon
   * @return frame number
   */
  public int frame(int anon) {
    return frame.get(anon);
  }

  /**
   * How many slots hold an anon.
   *
   * @param anon a live anon
   * @return references
   */
  public int references(int anon) {
    return references.get(anon);
  }

  void reference(int anon) {
    references.set(anon, references.get(anon) + 1);
  }

  /** Takes a reference away from an anon that has more than one. */
  void replaced(int anon) {
    int left = references.get(anon) - 1;
    assert left > 0 : anon;
    references.set(anon, left);
  }

  /** Takes a reference away; an anon that has none any more goes to the list of the dead. */
  void dereference(int anon, DeadAnons dead) {
    int left = references.get(anon) - 1;
    if (left < 0) {
      throw new VmPanic("anon freed twice: anon=" + anon);
    }
    references.set(anon, left);
    if (left == 0) {
      dead.add(anon);
      if (dead.areMany()) {
        free(dead, 0);
      }
    }
  }

  /**
   * Frees anons without references, and their frames. Called without the amap's lock, so that
   * others need not wait, unless there are many.
   *
   * @param dead the anons; empty afterwards
   * @param processor any number that differs between concurrent callers
   */
  public void free(DeadAnons dead, int processor) {
    if (dead.isEmpty()) {
      return;
    }
    int[] frames = dead.scratch();
    for (int i = 0; i < dead.size(); i++) {
      frames[i] = frame.get(dead.get(i));
    }
    allocator.free(processor, frames, dead.size());
    lock.lock();
    try {
      for (int i = 0; i < dead.size(); i++) {
        putFree(dead.get(i));
      }
    } finally {
      lock.unlock();
    }
    dead.clear();
  }

  /**
   * The number of anons that are in use or in a magazine.
   *
   * @return anons
   */
  public int handedOut() {
    lock.lock();
    try {
      return (int) free.handedOut;
    } finally {
      lock.unlock();
    }
  }

  /**
   * The number of anons in a magazine. Exact only while its thread does not fault.
   *
   * @param magazine the magazine
   * @return anons
   */
  public static int inMagazine(Magazine magazine) {
    return (int) magazine.size;
  }
}
