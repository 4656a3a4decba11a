package org.juvm.anon;

import org.juvm.base.VmPanic;
import org.juvm.page.FrameAllocator;
import org.juvm.page.FrameTable;
import org.juvm.page.PageOwners;
import org.juvm.ram.IntTable;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/**
 * All anons of one system, as structure of arrays. Anons are numbered from one; zero is no anon.
 *
 * <pre>
 * place        32 bits  the frame that holds the page; or its swap slot, with its sign changed;
 *                       for a free anon the next free one
 * references   32 bits  slots that hold the anon, over all nodes of amap trees; 0 when it is free
 * </pre>
 *
 * A page that is in memory and in swap has its slot in the descriptor of its frame.
 *
 * <p>Guard: the lock of the amaps that the anon belongs to. The free list has a lock of its own.
 */
public final class AnonTable {
  /**
   * Anons that a thread keeps for itself, so that a fault takes no lock for one. Their numbers
   * follow one another, as a rule, and fill whole cache lines of the table: else threads write to
   * the same lines.
   */
  private static final int MAGAZINE = 64;

  /** Place of a page that is lost: its swap slot could not be read. */
  private static final int LOST = Integer.MIN_VALUE;

  /** Anons per frame, or per frame of a small system: how far memory can be overcommitted. */
  private static final int ANONS_PER_FRAME = 64;

  private static final int MINIMUM_FRAMES = 1 << 20;

  /** Sets the identities of anons' pages apart from those of objects' pages. */
  private static final long IDENTITY = 1L << 62;

  private final FrameTable frames;
  private final FrameAllocator allocator;
  private final PageOwners owners;
  private final IntTable place;
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
   * @param owners registers the amaps that have anons
   * @param hugePages whether to ask the host for large pages
   */
  public AnonTable(
      FrameTable frames, FrameAllocator allocator, PageOwners owners, boolean hugePages) {
    this(
        frames,
        allocator,
        owners,
        hugePages,
        (int)
            Math.min(
                Integer.MAX_VALUE - 8,
                (long) ANONS_PER_FRAME * Math.max(MINIMUM_FRAMES, frames.frames())));
  }

  /** A table of so many anons. */
  AnonTable(
      FrameTable frames,
      FrameAllocator allocator,
      PageOwners owners,
      boolean hugePages,
      int capacity) {
    this.frames = frames;
    this.allocator = allocator;
    this.owners = owners;
    this.capacity = capacity;
    place = new IntTable(capacity + 1L, hugePages);
    references = new IntTable(capacity + 1L, hugePages);
  }

  PageOwners owners() {
    return owners;
  }

  /**
   * Makes an anon with one reference. The frame becomes its own.
   *
   * @param magazine of the calling thread
   * @param frame an allocated frame that belongs to nobody
   * @param amap the amap that will have the anon, locked
   * @return the anon, or 0 if there is none left
   */
  public int allocate(Magazine magazine, int frame, Amap amap) {
    if (magazine.size == 0 && !refill(magazine)) {
      return 0;
    }
    int anon = magazine.anons[(int) --magazine.size];
    place.set(anon, frame);
    references.set(anon, 1);
    allocator.assign(frame, amap.family().number(), anon, IDENTITY | anon, false);
    return anon;
  }

  private boolean refill(Magazine magazine) {
    lock.lock();
    try {
      while (magazine.size < MAGAZINE) {
        int anon = (int) free.first;
        if (anon != 0) {
          free.first = place.get(anon);
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
    place.set(anon, (int) free.first);
    free.first = anon;
    free.handedOut--;
  }

  /**
   * Whether the page of an anon is in a frame, on its way in or out perhaps.
   *
   * @param anon a live anon
   * @return false if it is in swap, or lost
   */
  public boolean isResident(int anon) {
    return place.get(anon) >= 0;
  }

  /**
   * The frame of an anon.
   *
   * @param anon a live anon that is resident
   * @return frame number
   */
  public int frame(int anon) {
    int at = place.get(anon);
    assert at >= 0 : anon;
    return at;
  }

  /**
   * The swap slot of an anon.
   *
   * @param anon a live anon that is not resident
   * @return slot, or 0 if the page is lost, because its slot could not be read
   */
  public int slot(int anon) {
    int at = place.get(anon);
    assert at < 0 : anon;
    return at == LOST ? 0 : -at;
  }

  /** Whether the busy frame holds the page of the anon that its tag names. */
  boolean holds(int frame) {
    int anon = frames.tag(frame);
    return anon > 0
        && anon <= capacity
        && references.getVolatile(anon) > 0
        && place.getVolatile(anon) == frame;
  }

  /** What tells the page in a frame from all others. */
  long identity(int frame) {
    return IDENTITY | frames.tag(frame);
  }

  /** The page in a frame, which is busy and clean, is in its slot only from now on. */
  void swappedOut(int frame) {
    int slot = frames.slot(frame);
    assert slot > 0 && holds(frame) : frame;
    place.set(frames.tag(frame), -slot);
  }

  /**
   * A swapped page is going to be read into a frame. ({@code uvmfault_anonget})
   *
   * @param anon a live anon in swap
   * @param frame a busy frame that belongs to nobody
   * @param amap an amap that has the anon, locked
   */
  public void comesIn(int anon, int frame, Amap amap) {
    frames.setSlot(frame, slot(anon));
    place.set(anon, frame);
    allocator.assign(frame, amap.family().number(), anon, IDENTITY | anon, false);
  }

  /**
   * The page of an anon is in another frame from now on. The old one still has an owner, which
   * gives it up next.
   *
   * @param anon a live anon that is resident
   * @param frame an allocated frame that belongs to nobody
   * @param amap an amap that has the anon, locked
   */
  public void moves(int anon, int frame, Amap amap) {
    place.set(anon, frame);
    allocator.assign(frame, amap.family().number(), anon, IDENTITY | anon, false);
  }

  /**
   * A page could not be read. Its amap is locked.
   *
   * @param frame the busy frame that it should have come into
   * @return whether the anon still lives; then its page is lost, and the frame belongs to nobody
   */
  public boolean isLost(int frame) {
    if (!holds(frame)) {
      return false;
    }
    place.set(frames.tag(frame), LOST);
    return true;
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
    int[] resident = dead.scratch();
    int count = 0;
    for (int i = 0; i < dead.size(); i++) {
      int at = place.get(dead.get(i));
      if (at >= 0) {
        resident[count++] = at;
      } else {
        forgetSwapped(dead.get(i));
      }
    }
    allocator.free(processor, resident, count);
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

  private void forgetSwapped(int anon) {
    int slot = slot(anon);
    if (slot != 0) {
      allocator.slots().free(slot);
    }
    allocator.policy().forget(IDENTITY | anon);
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
