package org.juvm.kernel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
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

  private static final int ONE_OBJECT = -1;

  private final KernelRange range;
  private final Ram ram;
  private final PageSize pageSize;
  private final long limit;
  private final Stripe[] stripes;

  /** What has larger objects than that does not fit into the range. */
  private final int largestClass;

  private final SizeClass[] classes = new SizeClass[SizeClasses.COUNT];

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

  /** Set once: nothing is given out any more. */
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
    ram = range.machine().ram();
    pageSize = ram.pageSize();
    limit = range.map().maximum() - range.map().minimum();
    int processors = Runtime.getRuntime().availableProcessors();
    stripes = new Stripe[Math.max(4, Integer.highestOneBit(processors) * 2)];
    Arrays.setAll(stripes, i -> new Stripe());
    Arrays.setAll(classes, i -> new SizeClass());
    int largest = classes.length - 1;
    while (largest >= 0 && pageSize.round(SizeClasses.size(largest)) > limit) {
      largest--;
    }
    largestClass = largest;
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
    if (ended) {
      return ENDED;
    }
    if (bytes <= SizeClasses.LARGEST && alignment <= SizeClasses.LARGEST) {
      int number = SizeClasses.of(bytes, alignment);
      if (number <= largestClass) {
        long at = fromMagazine(number, bytes);
        return at != 0 ? at : fromNewSlab(number, bytes);
      }
    }
    return one(bytes);
  }

  private long fromMagazine(int number, long bytes) {
    Stripe stripe = takeStripe();
    Magazine magazine = stripe.magazines[number];
    if (magazine.isEmpty()) {
      // Who waits has emptied the magazines, and does not look for what is put there afterwards.
      classes[number].take(magazine, waiters.get() == 0 ? magazine.batch : 1);
    }
    long at = magazine.isEmpty() ? 0 : magazine.pop();
    if (at != 0) {
      stripe.countAllocation(bytes);
    }
    stripe.release();
    if (at != 0) {
      Slab slab = slabOf(at);
      slab.give(slab.indexOf(at), bytes);
    }
    return at;
  }

  private Stripe takeStripe() {
    int mine = (int) Thread.currentThread().threadId();
    for (int looks = 0; ; looks++) {
      for (int i = 0; i < stripes.length; i++) {
        Stripe stripe = stripes[(mine + i) & (stripes.length - 1)];
        if (stripe.tryTake()) {
          return stripe;
        }
      }
      Stripe.pause(looks);
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
        boolean _ = trim();
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
      boolean _ = trim();
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
    long asked = slab.asked(i);
    if (asked < 0) {
      return Freed.TWICE;
    }
    if (asked != bytes) {
      return Freed.WRONG_SIZE;
    }
    if (!slab.takeBack(i, bytes)) {
      return Freed.TWICE;
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
      magazine.push(at);
    }
    stripe.release();
    boolean _ = giveBack(leaving);
    // Who waits has said so before it emptied the magazines: then this thread either comes before
    // that, and the object was found, or after it, and sees here that somebody waits.
    wake();
    return Freed.DONE;
  }

  private @Nullable Slab findSlab(long at) {
    int frame = ram.frameOf(at);
    int number = frame < 0 ? 0 : slabOfFrame.get(frame);
    return number == 0 ? null : slabs[number];
  }

  /** The slab of an object that is not free in it. */
  Slab slabOf(long at) {
    Slab slab = findSlab(at);
    if (slab == null) {
      throw new VmPanic("an object of a pool is in no slab: address=" + Long.toHexString(at));
    }
    return slab;
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
    giveBackAll(leaving);
    wake();
    return true;
  }

  private void wake() {
    if (waiters.get() != 0) {
      freed.advance();
    }
  }

  private void giveBackAll(Slab leaving) {
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
      for (int i = 0; i < classes.length; i++) {
        Magazine magazine = stripe.magazines[i];
        if (!magazine.isEmpty()) {
          Slab some = classes[i].put(magazine, magazine.count(), this);
          leaving = joined(some, leaving);
        }
      }
      stripe.release();
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

  /** The range has ended. What is in magazines is not memory of this pool any more. */
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
