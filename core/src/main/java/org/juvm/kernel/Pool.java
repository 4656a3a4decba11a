package org.juvm.kernel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.juvm.base.KernelFlag;
import org.juvm.base.PageSize;
import org.juvm.base.VmPanic;
import org.juvm.map.MapOutcome;
import org.juvm.ram.IntTable;
import org.juvm.ram.Ram;
import org.juvm.sync.EventCount;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

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

  /** Slabs have so many bytes, or so many objects, if that does not take too much of the range. */
  private static final long SLAB_BYTES = 64 << 10;

  private static final int SLAB_OBJECTS = 8;
  private static final int SLABS_OF_LIMIT = 16;

  /** What a magazine moves at once has so many bytes, or is that share of the range. */
  private static final long BATCH_BYTES = 64 << 10;

  private static final int BATCHES_OF_LIMIT = 256;

  /** The share of the range that slabs without objects may take. */
  private static final int IDLE_OF_LIMIT = 8;

  private static final int ONE_OBJECT = -1;

  private final KernelRange range;
  private final Ram ram;
  private final PageSize pageSize;
  private final long limit;
  private final Stripe[] stripes;
  private final SizeClass[] classes = new SizeClass[SizeClasses.COUNT];

  /** Bytes of slabs whose objects are all free in them. */
  private final AtomicLong idle = new AtomicLong();

  /** The number of the slab that each frame belongs to; 0: none of this pool. */
  private final IntTable slabOfFrame;

  private final RankedLock lock = new RankedLock(LockRank.POOL);

  /** By number. Replaced when it grows; elements are written with the lock held. */
  private volatile @Nullable Slab[] slabs = new @Nullable Slab[64];

  /** Numbers in use. Guarded by lock. */
  private final BitSet numbers = new BitSet();

  private final AtomicInteger waiters = new AtomicInteger();

  /** Advances when something was given back while somebody waits. */
  private final EventCount freed = new EventCount();

  private final LongAdder failures = new LongAdder();
  private final LongAdder waits = new LongAdder();

  /**
   * A pool.
   *
   * @param range all of it belongs to the pool
   */
  public Pool(KernelRange range) {
    this.range = range;
    ram = range.machine().ram();
    pageSize = ram.pageSize();
    limit = range.map().maximum() - range.map().minimum();
    int processors = Runtime.getRuntime().availableProcessors();
    stripes = new Stripe[Math.max(4, Integer.highestOneBit(processors) * 2)];
    long batchBytes = Math.min(BATCH_BYTES, limit / BATCHES_OF_LIMIT);
    Arrays.setAll(stripes, i -> new Stripe(batchBytes));
    Arrays.setAll(classes, i -> new SizeClass(idle, limit / IDLE_OF_LIMIT));
    slabOfFrame = new IntTable(ram.frames(), false);
    numbers.set(0);
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
    if (bytes <= SizeClasses.LARGEST && alignment <= SizeClasses.LARGEST) {
      int number = SizeClasses.of(bytes, alignment);
      long at = fromMagazine(number, bytes);
      return at != 0 ? at : fromNewSlab(number, bytes);
    }
    return one(bytes);
  }

  private long fromMagazine(int number, long bytes) {
    Stripe stripe = takeStripe();
    Magazine magazine = stripe.magazines[number];
    if (magazine.isEmpty() && !fill(magazine, number)) {
      stripe.release();
      return 0;
    }
    long name = magazine.pop();
    stripe.countAllocation(bytes);
    stripe.release();
    Slab slab = slabOf(name);
    int i = Slab.index(name);
    slab.give(i, bytes);
    return slab.address(i);
  }

  /** Returns false if there is no object of the class in slabs either. */
  private boolean fill(Magazine magazine, int number) {
    classes[number].take(magazine, magazine.batch);
    return !magazine.isEmpty();
  }

  private Stripe takeStripe() {
    int mine = (int) Thread.currentThread().threadId();
    Stripe stripe = stripes[mine & (stripes.length - 1)];
    return stripe.tryTake() ? stripe : takeOther(mine);
  }

  private Stripe takeOther(int mine) {
    for (int i = mine + 1; ; i++) {
      Stripe stripe = stripes[i & (stripes.length - 1)];
      if (stripe.tryTake()) {
        return stripe;
      }
      if (((i - mine) & (stripes.length - 1)) == 0) {
        Thread.onSpinWait();
      }
    }
  }

  private long fromNewSlab(int number, long bytes) {
    boolean trimmed = false;
    while (true) {
      long refused = addSlab(number);
      if (refused > 0) {
        long at = fromMagazine(number, bytes);
        if (at != 0) {
          return at;
        }
      } else if (trimmed || refused == ENDED) {
        failures.increment();
        return refused;
      } else {
        trim();
        trimmed = true;
        long at = fromMagazine(number, bytes);
        if (at != 0) {
          return at;
        }
      }
    }
  }

  /** Returns a positive number, or why there is no slab. */
  private long addSlab(int number) {
    int objectBytes = SizeClasses.size(number);
    long least = pageSize.round(objectBytes);
    long wanted = Math.max(SLAB_BYTES, (long) SLAB_OBJECTS * objectBytes);
    wanted = Math.min(wanted, limit / SLABS_OF_LIMIT);
    long bytes = Math.max(least, pageSize.truncate(wanted));
    while (true) {
      Slab slab = null;
      long refused = NO_MEMORY;
      KernelAllocator allocator = allocator(bytes);
      MapOutcome outcome = allocator.wired(bytes);
      switch (outcome) {
        case DONE -> slab = slab(number, allocator, bytes, objectBytes);
        case EXITED -> refused = ENDED;
        case NO_SPACE -> refused = NO_SPACE;
        default -> {}
      }
      if (slab != null) {
        classes[number].add(slab);
        return 1;
      }
      if (bytes == least || refused == ENDED) {
        return refused;
      }
      bytes = Math.max(least, pageSize.truncate(bytes / 2));
    }
  }

  private KernelAllocator allocator(long bytes) {
    Set<KernelFlag> flags =
        EnumSet.of(
            KernelFlag.NO_WAIT, bytes > pageSize.bytes() ? KernelFlag.CONTIGUOUS : KernelFlag.ZERO);
    return new KernelAllocator(range, flags);
  }

  private Slab slab(int number, KernelAllocator from, long bytes, long objectBytes) {
    long base = ram.address(from.frame());
    Slab slab = new Slab(number, from.address(), base, bytes, objectBytes);
    lock.lock();
    try {
      slab.number = numbers.nextClearBit(1);
      numbers.set(slab.number);
      if (slab.number >= slabs.length) {
        slabs = Arrays.copyOf(slabs, slabs.length * 2);
      }
      slabs[slab.number] = slab;
    } finally {
      lock.unlock();
    }
    for (long i = 0; i < pageSize.vpn(bytes); i++) {
      slabOfFrame.set(from.frame() + i, slab.number);
    }
    return slab;
  }

  /** Memory that is too large for an object of a slab. */
  private long one(long bytes) {
    long whole = pageSize.round(Math.max(1, bytes));
    if (whole > limit || whole < bytes) {
      failures.increment();
      return NO_SPACE;
    }
    KernelAllocator allocator = allocator(whole);
    MapOutcome outcome = allocator.wired(whole);
    if (outcome != MapOutcome.DONE && outcome != MapOutcome.EXITED) {
      trim();
      outcome = allocator.wired(whole);
    }
    if (outcome != MapOutcome.DONE) {
      failures.increment();
      return switch (outcome) {
        case EXITED -> ENDED;
        case NO_SPACE -> NO_SPACE;
        default -> NO_MEMORY;
      };
    }
    Slab slab = slab(ONE_OBJECT, allocator, whole, whole);
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
    Slab slab = findSlab(at);
    int i = slab == null ? -1 : slab.indexOf(at);
    if (slab == null || i < 0) {
      return Freed.UNKNOWN;
    }
    if (!slab.takeBack(i, bytes)) {
      long asked = slab.asked(i);
      return asked < 0 || asked == bytes ? Freed.TWICE : Freed.WRONG_SIZE;
    }
    Slab leaving = null;
    Stripe stripe = takeStripe();
    stripe.countFree(bytes);
    if (slab.sizeClass == ONE_OBJECT) {
      leaving = slab;
    } else {
      Magazine magazine = stripe.magazines[slab.sizeClass];
      if (magazine.isFull()) {
        leaving = classes[slab.sizeClass].put(magazine, magazine.batch, this);
      }
      magazine.push(slab.name(i));
    }
    stripe.release();
    if (leaving != null) {
      giveBack(leaving);
    }
    // Who waits has said so before it emptied the magazines: then this thread either comes before
    // that, and the object was found, or after it, and sees here that somebody waits.
    if (waiters.get() != 0) {
      freed.advance();
    }
    return Freed.DONE;
  }

  private @Nullable Slab findSlab(long at) {
    int frame = ram.frameOf(at);
    int number = frame < 0 ? 0 : slabOfFrame.get(frame);
    return number == 0 ? null : slabs[number];
  }

  /** The slab of an object, by {@link Slab#name name}, that is not free in it. */
  Slab slabOf(long name) {
    Slab slab = slabs[Slab.slab(name)];
    if (slab == null) {
      throw new VmPanic("an object of a pool is in no slab: name=" + Long.toHexString(name));
    }
    return slab;
  }

  /** Gives slabs back that nobody has an object of. Called without locks. */
  private void giveBack(@Nullable Slab leaving) {
    for (Slab slab = leaving; slab != null; ) {
      Slab next = slab.next;
      int frame = ram.frameOf(slab.base);
      for (long i = 0; i < pageSize.vpn(slab.bytes); i++) {
        slabOfFrame.set(frame + i, 0);
      }
      lock.lock();
      slabs[slab.number] = null;
      numbers.clear(slab.number);
      lock.unlock();
      MapOutcome outcome = range.free(slab.address, slab.address + slab.bytes);
      if (outcome != MapOutcome.DONE && outcome != MapOutcome.EXITED) {
        throw new VmPanic("a slab of a pool is not mapped: " + outcome);
      }
      slab = next;
    }
  }

  /** Empties all magazines and gives all memory back that no client has an object of. */
  public void trim() {
    for (Stripe stripe : stripes) {
      Slab leaving = null;
      stripe.take();
      for (int i = 0; i < classes.length; i++) {
        Magazine magazine = stripe.magazines[i];
        if (!magazine.isEmpty()) {
          Slab some = classes[i].put(magazine, magazine.count(), this);
          leaving = joined(some, leaving);
        }
      }
      stripe.release();
      giveBack(leaving);
    }
    for (SizeClass each : classes) {
      giveBack(each.trim());
    }
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
   * Says that the caller is going to wait for what others give back.
   *
   * @param more true at first, false in the end
   */
  public void setWaiting(boolean more) {
    waiters.addAndGet(more ? 1 : -1);
    if (more) {
      waits.increment();
    }
  }

  /**
   * Advances when something was given back, as long as somebody {@link #setWaiting waits}.
   *
   * @return the events
   */
  public EventCount freed() {
    return freed;
  }

  /** Ends the range, with all that clients have. */
  public void close() {
    range.close();
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
    List<ClassUsage> all = new ArrayList<>();
    for (int i = 0; i < classes.length; i++) {
      int slabCount = classes[i].slabs();
      if (slabCount != 0) {
        long free = classes[i].free();
        for (Stripe stripe : stripes) {
          stripe.take();
          free += stripe.magazines[i].count();
          stripe.release();
        }
        all.add(new ClassUsage(SizeClasses.size(i), slabCount, classes[i].objects(), free));
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

  KernelRange range() {
    return range;
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

  /** The slabs that there are. */
  List<Slab> allSlabs() {
    List<Slab> all = new ArrayList<>();
    lock.lock();
    try {
      for (Slab slab : slabs) {
        if (slab != null) {
          all.add(slab);
        }
      }
      return all;
    } finally {
      lock.unlock();
    }
  }
}
