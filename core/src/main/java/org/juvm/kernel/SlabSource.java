package org.juvm.kernel;

import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.juvm.base.KernelFlag;
import org.juvm.base.PageSize;
import org.juvm.base.VmPanic;
import org.juvm.map.MapOutcome;

/**
 * Makes slabs of wired memory of a range, and gives them back. Thread-safe. Called without locks;
 * waits for no memory.
 */
final class SlabSource {
  /** The class of a slab that is one object. */
  static final int ONE_OBJECT = -1;

  /** Slabs have so many bytes, or so many objects, if that does not take too much of the range. */
  private static final long SLAB_BYTES = 64 << 10;

  private static final int SLAB_OBJECTS = 8;
  private static final int SLABS_OF_LIMIT = 16;

  private final KernelRange range;
  private final SlabTable table;
  private final PageSize pageSize;
  private final long limit;

  /** What has larger objects than that does not fit into the range. */
  private final int largestClass;

  /**
   * What came of an attempt.
   *
   * @param slab the new slab, or null
   * @param refused why there is none: {@link Pool#NO_SPACE} or one of its like
   */
  record Made(@Nullable Slab slab, long refused) {}

  SlabSource(KernelRange range, SlabTable table) {
    this.range = range;
    this.table = table;
    pageSize = range.machine().pageSize();
    limit = range.bytes();
    int largest = SizeClasses.COUNT - 1;
    while (largest >= 0 && pageSize.round(SizeClasses.size(largest)) > limit) {
      largest--;
    }
    largestClass = largest;
  }

  /** Whether there may be slabs of a class. */
  boolean has(int sizeClass) {
    return sizeClass <= largestClass;
  }

  /** Makes a slab of a class: as large as is wanted, or as there is memory for in one piece. */
  Made make(int sizeClass) {
    int objectBytes = SizeClasses.size(sizeClass);
    long least = pageSize.round(objectBytes);
    long wanted = Math.max(SLAB_BYTES, (long) SLAB_OBJECTS * objectBytes);
    wanted = Math.min(wanted, limit / SLABS_OF_LIMIT);
    long bytes = Math.max(least, pageSize.truncate(wanted));
    while (true) {
      Made made = make(sizeClass, bytes, objectBytes);
      if (made.slab() != null || bytes == least || made.refused() == Pool.ENDED) {
        return made;
      }
      bytes = Math.max(least, pageSize.truncate(bytes / 2));
    }
  }

  /** Makes a slab that is one object. */
  Made makeOne(long bytes) {
    long whole = pageSize.round(Math.max(1, bytes));
    return whole > limit || whole < bytes
        ? new Made(null, Pool.NO_SPACE)
        : make(ONE_OBJECT, whole, whole);
  }

  private Made make(int sizeClass, long bytes, long objectBytes) {
    Set<KernelFlag> flags =
        EnumSet.of(
            KernelFlag.NO_WAIT, bytes > pageSize.bytes() ? KernelFlag.CONTIGUOUS : KernelFlag.ZERO);
    KernelAllocator allocator = new KernelAllocator(range, flags);
    return switch (allocator.wired(bytes)) {
      case DONE -> {
        long base = range.machine().ram().address(allocator.frame());
        Slab slab = new Slab(sizeClass, allocator.address(), base, bytes, objectBytes);
        table.add(slab);
        yield new Made(slab, 0);
      }
      case EXITED -> new Made(null, Pool.ENDED);
      case NO_SPACE -> new Made(null, Pool.NO_SPACE);
      default -> new Made(null, Pool.NO_MEMORY);
    };
  }

  /** Gives slabs back, linked by next, that nobody has an object of. */
  void giveBack(Slab leaving) {
    for (Slab slab = leaving; slab != null; ) {
      Slab next = slab.next;
      table.remove(slab);
      MapOutcome outcome = range.free(slab.address, slab.address + slab.bytes);
      if (outcome != MapOutcome.DONE && outcome != MapOutcome.EXITED) {
        throw new VmPanic("a slab of a pool is not mapped: " + outcome);
      }
      slab = next;
    }
  }
}
