package org.juvm.kernel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.juvm.sync.EventCount;

/**
 * An allocator of memory of any size on wired memory of a range, which is its limit. Thread-safe.
 *
 * <p>Small memory comes in objects of some sizes. Those that are free are in magazines in front,
 * which threads use without disturbing each other, and in slabs behind them. Slabs are wired memory
 * in frames that follow one another; an object is known by its native address, and found again
 * through the frame that it lies in. What is larger than the largest size is a slab of its own.
 *
 * <p>When there is no memory for a slab, all magazines are emptied and all slabs without objects
 * given back before it is said that there is none.
 *
 * <p>Source: the role of {@code pool(9)} and of {@code uvm_km_alloc_poolpage}; J. Bonwick and J.
 * Adams, "Magazines and Vmem", 2001.
 */
public final class Pool {
  /** In place of an address: the limit is reached. */
  public static final long NO_SPACE = 0;

  /** In place of an address: the system has no memory, or none in one piece. */
  public static final long NO_MEMORY = -1;

  /** In place of an address: the range has ended. */
  public static final long ENDED = -2;

  /** What a magazine moves at once has so many bytes, or is that share of the range. */
  private static final long BATCH_BYTES = 256 << 10;

  private static final int BATCHES_OF_LIMIT = 256;

  /** The share of the range that slabs without objects may take. */
  private static final int IDLE_OF_LIMIT = 8;

  /** So many threads at least can have magazines of their own. */
  private static final int LEAST_OWNERS = 16;

  /** Nobody says when other users of the system free memory, so it is tried again. */
  private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  /**
   * Nor is it said when another thread gives addresses back for which it has found no memory: its
   * failure would wake the next one to fail.
   */
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  private final KernelRange range;
  private final long limit;

  /** The first half may be owned by threads, one or none each; the second half is for all. */
  private final Stripe[] stripes;

  private final SizeClass[] classes = new SizeClass[SizeClasses.COUNT];

  /** Bytes of slabs whose objects are all free in them. */
  private final AtomicLong idle = new AtomicLong();

  private final SlabTable slabs;
  private final SlabSource source;

  /** Threads that wait; counted before they empty the magazines. */
  private final AtomicInteger waiters = new AtomicInteger();

  /** Advances when something was given back while somebody waits. */
  private final EventCount freed = new EventCount();

  /** Set once, before the memory of the range goes: nothing is given out any more. */
  private volatile boolean ended;

  private final LongAdder failures = new LongAdder();
  private final LongAdder waits = new LongAdder();

  /**
   * A pool.
   *
   * @param range all of it belongs to the pool
   */
  public Pool(KernelRange range) {
    this.range = range;
    limit = range.bytes();
    int processors = Runtime.getRuntime().availableProcessors();
    stripes = new Stripe[2 * Math.max(LEAST_OWNERS, Integer.highestOneBit(processors) * 2)];
    long batchBytes = Math.min(BATCH_BYTES, limit / BATCHES_OF_LIMIT);
    Arrays.setAll(stripes, i -> new Stripe(batchBytes));
    Arrays.setAll(classes, i -> new SizeClass(idle, limit / IDLE_OF_LIMIT));
    slabs = new SlabTable(range.machine().ram());
    source = new SlabSource(range, slabs);
  }

  // ---- out ----

  /**
   * Allocates memory.
   *
   * @param bytes how much, at least 0
   * @param alignment what its native address must be a multiple of: a power of two, at most a page
   * @return its native address, or NO_SPACE, NO_MEMORY or ENDED
   */
  public long allocate(long bytes, long alignment) {
    long at = find(bytes, alignment);
    // Looked at last: as long as it is not set what was found is memory of this pool.
    return ended ? ENDED : at;
  }

  private long find(long bytes, long alignment) {
    if (bytes <= SizeClasses.LARGEST && alignment <= SizeClasses.LARGEST) {
      int number = SizeClasses.of(bytes, alignment);
      if (source.has(number)) {
        long at = fromMagazine(number, bytes);
        return at != 0 ? at : fromNewSlab(number, bytes);
      }
    }
    return one(bytes);
  }

  private long fromMagazine(int number, long bytes) {
    Stripe stripe = takeStripe();
    Magazine magazine = stripe.magazines[number];
    if (magazine.isEmpty() && !fill(stripe, magazine, number)) {
      stripe.release();
      return 0;
    }
    // What is called with the stripe here allocates nothing, and needs less stack than to take it:
    // no error of the JVM leaves it taken, which others would wait for. A finally would make this,
    // and what calls it, too large to be inlined.
    long name = magazine.pop();
    stripe.countAllocation(bytes);
    stripe.release();
    Slab slab = slabs.of(name);
    int i = Slab.index(name);
    slab.give(i, bytes);
    return slab.address(i);
  }

  /**
   * Fills a magazine of a stripe that is held; after an error it is not any more. Returns false if
   * there is no object of the class in slabs either.
   */
  private boolean fill(Stripe stripe, Magazine magazine, int number) {
    boolean done = false;
    try {
      magazine.makeRoom();
      // Who waits has emptied the magazines, and does not look for what is put there afterwards.
      classes[number].take(magazine, waiters.get() == 0 ? magazine.batch : 1);
      done = true;
      return !magazine.isEmpty();
    } finally {
      if (!done) {
        stripe.release();
      }
    }
  }

  private Stripe takeStripe() {
    Thread thread = Thread.currentThread();
    long number = thread.threadId();
    Stripe stripe = stripes[(int) number & (stripes.length / 2 - 1)];
    return stripe.enter(number) ? stripe : takeOther(stripe, thread);
  }

  private Stripe takeOther(Stripe mine, Thread thread) {
    if (mine.tryTake(thread.threadId(), !thread.isVirtual())) {
      return mine;
    }
    int half = stripes.length / 2;
    for (int looks = 0; ; looks++) {
      for (int i = 0; i < half; i++) {
        Stripe stripe = stripes[half + (((int) thread.threadId() + i) & (half - 1))];
        if (stripe.tryTake()) {
          return stripe;
        }
      }
      StripeLock.pause(looks);
    }
  }

  private long fromNewSlab(int number, long bytes) {
    boolean trimmed = false;
    while (true) {
      SlabSource.Made made = source.make(number);
      Slab slab = made.slab();
      if (slab != null) {
        classes[number].add(slab);
      } else if (trimmed || made.refused() == ENDED) {
        failures.increment();
        return made.refused();
      } else {
        boolean _ = trim();
        trimmed = true;
      }
      long at = fromMagazine(number, bytes);
      if (at != 0) {
        return at;
      }
    }
  }

  /** Memory that is too large for an object of a slab. */
  private long one(long bytes) {
    SlabSource.Made made = source.makeOne(bytes);
    if (made.slab() == null && made.refused() != ENDED && bytes <= limit) {
      boolean _ = trim();
      made = source.makeOne(bytes);
    }
    Slab slab = made.slab();
    if (slab == null) {
      failures.increment();
      return made.refused();
    }
    slab.give(0, bytes);
    Stripe stripe = takeStripe();
    stripe.countAllocation(bytes);
    stripe.release();
    return slab.base;
  }

  // ---- in ----

  /** What came of an attempt to give memory back. */
  public enum Freed {
    /** It is free. */
    DONE,
    /** No memory of this pool starts there. */
    UNKNOWN,
    /** Another size was asked for. */
    WRONG_SIZE,
    /** It is free already. */
    TWICE
  }

  /**
   * Takes memory back.
   *
   * @param at its native address
   * @param bytes how much of it was asked for
   * @return DONE; else nothing has changed
   */
  public Freed free(long at, long bytes) {
    Slab slab = slabs.find(at);
    int i = slab == null ? -1 : slab.indexOf(at);
    if (slab == null || i < 0) {
      return Freed.UNKNOWN;
    }
    if (!slab.takeBack(i, bytes)) {
      long asked = slab.asked(i);
      return asked < 0 || asked == bytes ? Freed.TWICE : Freed.WRONG_SIZE;
    }
    Slab leaving =
        slab.sizeClass == SlabSource.ONE_OBJECT
            ? alone(slab, bytes)
            : toMagazine(slab.sizeClass, slab.name(i), bytes);
    if (leaving != null) {
      boolean _ = giveBack(leaving);
    }
    // Who waits has said so before it emptied the magazines: then this thread either comes before
    // that, and the object was found, or after it, and sees here that somebody waits.
    wake();
    return Freed.DONE;
  }

  private Slab alone(Slab slab, long bytes) {
    Stripe stripe = takeStripe();
    stripe.countFree(bytes);
    stripe.release();
    return slab;
  }

  /** Returns slabs that are to go, linked by next; null if there are none. */
  private @Nullable Slab toMagazine(int number, long name, long bytes) {
    Stripe stripe = takeStripe();
    Magazine magazine = stripe.magazines[number];
    Slab leaving = magazine.hasRoom() ? null : makeRoom(stripe, magazine, number);
    // As in fromMagazine.
    magazine.push(name);
    stripe.countFree(bytes);
    stripe.release();
    return leaving;
  }

  /**
   * Makes room in a magazine of a stripe that is held; after an error it is not any more. Returns
   * slabs that are to go, linked by next; null if there are none.
   */
  private @Nullable Slab makeRoom(Stripe stripe, Magazine magazine, int number) {
    boolean done = false;
    try {
      Slab leaving =
          magazine.isFull() ? classes[number].put(magazine, magazine.batch, slabs) : null;
      magazine.makeRoom();
      done = true;
      return leaving;
    } finally {
      if (!done) {
        stripe.release();
      }
    }
  }

  /**
   * Gives slabs back that nobody has an object of. Called without locks. Who waits may have looked
   * for memory while they were neither here nor free.
   *
   * @return whether there were any
   */
  private boolean giveBack(@Nullable Slab leaving) {
    if (leaving == null) {
      return false;
    }
    source.giveBack(leaving);
    wake();
    return true;
  }

  private void wake() {
    if (waiters.get() != 0) {
      freed.advance();
    }
  }

  /**
   * Empties all magazines and gives all memory back that no client has an object of.
   *
   * @return whether there was any
   */
  public boolean trim() {
    boolean any = false;
    for (Stripe stripe : stripes) {
      Slab leaving = null;
      stripe.take();
      try {
        for (int i = 0; i < classes.length; i++) {
          Magazine magazine = stripe.magazines[i];
          if (!magazine.isEmpty()) {
            Slab some = classes[i].put(magazine, magazine.count(), slabs);
            leaving = joined(some, leaving);
          }
        }
      } finally {
        stripe.release();
      }
      any |= giveBack(leaving);
    }
    for (SizeClass each : classes) {
      any |= giveBack(each.trim());
    }
    return any;
  }

  private static @Nullable Slab joined(@Nullable Slab some, @Nullable Slab others) {
    if (some == null) {
      return others;
    }
    Slab last = some;
    while (last.next != null) {
      last = last.next;
    }
    last.next = others;
    return some;
  }

  // ---- waiting ----

  /**
   * As {@link #allocate(long, long)}, and waits for what others give back if there is none. Called
   * without locks.
   *
   * @param bytes how much, at least 0
   * @param alignment what its native address must be a multiple of: a power of two, at most a page
   * @param nanos how long to wait at most
   * @return its native address; NO_SPACE, NO_MEMORY when the time is over, at once if it is more
   *     than the limit; or ENDED
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public long allocate(long bytes, long alignment, long nanos) throws InterruptedException {
    long at = allocate(bytes, alignment);
    if (at > 0 || at == ENDED || bytes > limit) {
      return at;
    }
    waits.increment();
    waiters.incrementAndGet();
    try {
      return await(bytes, alignment, nanos);
    } finally {
      waiters.decrementAndGet();
    }
  }

  private long await(long bytes, long alignment, long nanos) throws InterruptedException {
    long left = nanos;
    while (true) {
      long seen = freed.count();
      long at = allocate(bytes, alignment);
      if (at > 0 || at == ENDED || left <= 0) {
        return at;
      }
      long slice = Math.min(left, at == NO_SPACE ? LOOK_NANOS : RETRY_NANOS);
      left -= slice - freed.await(seen, slice);
    }
  }

  /**
   * The range is ending. What is in magazines will not be memory of this pool any more. Saying so
   * twice does no harm.
   */
  void ended() {
    ended = true;
    freed.advance();
  }

  // ---- counts ----

  /**
   * What a pool has, and has done. Exact while nobody uses it.
   *
   * @param limit bytes that it can have
   * @param mapped bytes that it has
   * @param used bytes that clients have asked for and not given back
   * @param allocations how often memory was allocated
   * @param frees how often it was given back
   * @param failures how often there was none
   * @param waits how often a thread began to wait for some
   */
  public record Usage(
      long limit,
      long mapped,
      long used,
      long allocations,
      long frees,
      long failures,
      long waits) {}

  /**
   * The counts.
   *
   * @return what was seen just now
   */
  public Usage usage() {
    long used = 0;
    long allocations = 0;
    long frees = 0;
    for (Stripe stripe : stripes) {
      stripe.take();
      used += stripe.bytesInUse();
      allocations += stripe.allocations();
      frees += stripe.frees();
      stripe.release();
    }
    range.map().lockRead(0);
    long mapped = range.map().size();
    range.map().unlockRead(0);
    return new Usage(limit, mapped, used, allocations, frees, failures.sum(), waits.sum());
  }

  /**
   * The objects of one size.
   *
   * @param objectBytes bytes of each
   * @param slabs how many slabs are cut into such objects
   * @param objects how many objects that makes
   * @param free how many of them are with no client
   */
  public record ClassUsage(int objectBytes, int slabs, long objects, long free) {}

  /**
   * The sizes of which there are slabs.
   *
   * @return what was seen just now, the smallest objects first
   */
  public List<ClassUsage> classUsage() {
    long[] inMagazines = new long[classes.length];
    for (Stripe stripe : stripes) {
      stripe.take();
      for (int i = 0; i < classes.length; i++) {
        inMagazines[i] += stripe.magazines[i].count();
      }
      stripe.release();
    }
    List<ClassUsage> all = new ArrayList<>();
    for (int i = 0; i < classes.length; i++) {
      int count = classes[i].slabs();
      if (count != 0) {
        long free = classes[i].free() + inMagazines[i];
        all.add(new ClassUsage(SizeClasses.size(i), count, classes[i].objects(), free));
      }
    }
    return all;
  }

  // ---- audit ----

  /**
   * Recomputes where each object is. Exact while nobody uses the pool.
   *
   * @return a sentence for each difference
   */
  public List<String> audit() {
    return new PoolAudit(this).run();
  }

  Stripe[] stripes() {
    return stripes;
  }

  SizeClass[] classes() {
    return classes;
  }

  /** Bytes of slabs whose objects are all free in them. */
  long idle() {
    return idle.get();
  }

  SlabTable slabs() {
    return slabs;
  }
}
