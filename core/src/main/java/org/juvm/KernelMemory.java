package org.juvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.juvm.kernel.KernelRange;
import org.juvm.kernel.Pool;

/**
 * An allocator of native memory with a hard limit, out of the system's budget: for buffers, nodes
 * of indexes and the like, which are not paged and are used as real segments. Thread-safe; threads
 * that allocate and free do not disturb each other.
 *
 * <p>Small memory, up to 32 KiB, comes in objects of some sizes, at most a fifth larger than asked
 * for; what is larger comes in whole pages that follow one another, of which there may be none in
 * one piece although there are enough. Memory is zeros when it comes from the system, and has what
 * its last user left when it comes from this allocator: so what was in it is seen by nobody else.
 * Of what is freed, up to an eighth of the limit, and a few objects of each size, are kept ready
 * and not given back to the system before they are wanted for something else here, or {@link
 * #trim}.
 *
 * <p>When the limit is reached, or the system has no memory, an allocation fails, or waits for what
 * others free. To free what is free already, or with another size, or what is not from here, is
 * refused and changes nothing. But a segment that was freed can still be used, as with {@code
 * free(3)}, and then it is somebody else's memory. An allocation that is bound to an {@link Arena}
 * has no such danger.
 *
 * <p>Source: {@code kmem_map} of {@code uvm_km.c}, {@code pool(9)}; J. Bonwick and J. Adams,
 * "Magazines and Vmem", 2001.
 */
public final class KernelMemory implements SegmentAllocator, AutoCloseable {
  private final Vm vm;
  private final KernelRange range;
  private final Pool pool;
  private final MemorySegment memory;
  private final long base;
  private final long pageBytes;
  private final long limit;

  KernelMemory(Vm vm, KernelRange range) {
    this.vm = vm;
    this.range = range;
    pool = range.makePool();
    memory = vm.machine().ram().segment();
    base = memory.address();
    pageBytes = vm.pageSize();
    limit = range.bytes();
  }

  /**
   * The most that there can be in use, as whole slabs.
   *
   * @return bytes
   */
  public long limit() {
    return limit;
  }

  /**
   * Allocates memory, or fails at once.
   *
   * @param byteSize how much, at least 0
   * @param byteAlignment what its address must be a multiple of: a power of two, at most a page
   * @return the memory, until it is {@link #free freed}; any thread can use it
   * @throws MapException NO_SPACE if the limit is reached, NO_MEMORY if the system has none, or
   *     none in one piece
   * @throws IllegalStateException if this or the system is closed
   */
  @Override
  public MemorySegment allocate(long byteSize, long byteAlignment) {
    check(byteSize, byteAlignment);
    return segment(checked(pool.allocate(byteSize, byteAlignment), byteSize), byteSize);
  }

  /**
   * Allocates memory, and waits for it if there is none.
   *
   * @param byteSize how much, at least 0
   * @param byteAlignment what its address must be a multiple of: a power of two, at most a page
   * @param timeout how long to wait at most
   * @return the memory, until it is {@link #free freed}
   * @throws MapException as {@link #allocate(long, long)}, when the time is over; at once if it is
   *     more than the limit
   * @throws InterruptedException if the thread is interrupted while it waits
   * @throws IllegalStateException if this or the system is closed
   */
  public MemorySegment allocate(long byteSize, long byteAlignment, Duration timeout)
      throws InterruptedException {
    check(byteSize, byteAlignment);
    long nanos = TimeUnit.NANOSECONDS.convert(timeout);
    return segment(checked(pool.allocate(byteSize, byteAlignment, nanos), byteSize), byteSize);
  }

  /**
   * Allocates memory that is freed when an arena is closed, or by its collection if it is an
   * automatic one. The segment cannot be used any longer then. The bytes are zeros.
   *
   * @param byteSize how much, at least 0
   * @param byteAlignment what its address must be a multiple of: a power of two, at most a page
   * @param arena bounds its life
   * @return the memory, for the threads that the arena is for
   * @throws MapException as {@link #allocate(long, long)}
   * @throws IllegalStateException if this, the system or the arena is closed
   */
  @SuppressWarnings("restricted") // the memory stays allocated until the arena is closed
  public MemorySegment allocate(long byteSize, long byteAlignment, Arena arena) {
    MemorySegment mine = allocate(byteSize, byteAlignment).fill((byte) 0);
    try {
      return mine.reinterpret(arena, _ -> freeUnlessClosed(mine));
    } catch (RuntimeException e) {
      free(mine);
      throw e;
    }
  }

  private void freeUnlessClosed(MemorySegment segment) {
    Pool.Freed _ = pool.free(segment.address(), segment.byteSize());
  }

  /**
   * Gives memory back, from any thread.
   *
   * @param segment what {@link #allocate(long, long)} has returned
   * @throws IllegalStateException if it is free already
   * @throws IllegalArgumentException if it is not from here, or has another address or size than it
   *     had then
   */
  public void free(MemorySegment segment) {
    long address = segment.address();
    long bytes = segment.byteSize();
    switch (pool.free(address, bytes)) {
      case DONE -> {}
      case TWICE -> throw new IllegalStateException("freed twice: " + describe(address, bytes));
      case UNKNOWN ->
          throw new IllegalArgumentException("not from here: " + describe(address, bytes));
      case WRONG_SIZE ->
          throw new IllegalArgumentException(
              "allocated with another size: " + describe(address, bytes));
    }
  }

  private static String describe(long address, long bytes) {
    return "address=0x%x, bytes=%d".formatted(address, bytes);
  }

  private void check(long byteSize, long byteAlignment) {
    if (byteSize < 0) {
      throw new IllegalArgumentException("size is negative: byteSize=" + byteSize);
    }
    if (byteAlignment <= 0
        || (byteAlignment & (byteAlignment - 1)) != 0
        || byteAlignment > pageBytes) {
      throw new IllegalArgumentException(
          "alignment is no power of two up to a page: byteAlignment=" + byteAlignment);
    }
    if (vm.isClosed()) {
      throw Vm.closedException();
    }
  }

  private long checked(long at, long byteSize) {
    if (at <= 0) {
      throw refused(at, byteSize);
    }
    return at;
  }

  private RuntimeException refused(long at, long byteSize) {
    if (at == Pool.ENDED) {
      return new IllegalStateException("the memory is closed: " + this);
    }
    return new MapException(
        at == Pool.NO_SPACE ? MapException.Reason.NO_SPACE : MapException.Reason.NO_MEMORY,
        "allocate: %s: bytes=%d, limit=%d, used=%d"
            .formatted(
                at == Pool.NO_SPACE ? "NO_SPACE" : "NO_MEMORY",
                byteSize,
                limit,
                pool.usage().used()));
  }

  private MemorySegment segment(long at, long byteSize) {
    return memory.asSlice(at - base, byteSize);
  }

  /** Gives memory back to the system that is kept ready for allocations to come. */
  public void trim() {
    boolean _ = pool.trim();
  }

  /**
   * What this has, and has done.
   *
   * @param limit bytes that it can have
   * @param mapped bytes that it has
   * @param used bytes that were asked for and not freed
   * @param allocations how often memory was allocated
   * @param frees how often it was freed
   * @param failures how often there was none
   * @param waits how often a thread began to wait for some
   * @param sizes the sizes of which there are objects, the smallest first
   */
  public record Usage(
      long limit,
      long mapped,
      long used,
      long allocations,
      long frees,
      long failures,
      long waits,
      List<SizeUsage> sizes) {}

  /**
   * The objects of one size.
   *
   * @param bytes of each object
   * @param slabs how many pieces of memory are cut into such objects
   * @param objects how many objects that makes
   * @param free how many of them nobody has
   */
  public record SizeUsage(int bytes, int slabs, long objects, long free) {}

  /**
   * The counts. Exact while nobody allocates or frees.
   *
   * @return what was seen just now
   */
  public Usage usage() {
    Pool.Usage now = pool.usage();
    List<SizeUsage> sizes =
        pool.classUsage().stream()
            .map(c -> new SizeUsage(c.objectBytes(), c.slabs(), c.objects(), c.free()))
            .toList();
    return new Usage(
        now.limit(),
        now.mapped(),
        now.used(),
        now.allocations(),
        now.frees(),
        now.failures(),
        now.waits(),
        sizes);
  }

  /**
   * The counts as text, a line for each size, as {@code vmstat -m} shows the pools of a kernel.
   *
   * @return several lines of text
   */
  public String show() {
    Usage now = usage();
    StringBuilder text = new StringBuilder(256);
    text.append(
        "kernel memory: limit=%d, mapped=%d, used=%d, allocations=%d, frees=%d, failures=%d, waits=%d\n"
            .formatted(
                now.limit(),
                now.mapped(),
                now.used(),
                now.allocations(),
                now.frees(),
                now.failures(),
                now.waits()));
    if (!now.sizes().isEmpty()) {
      text.append("      size     slabs   objects      used      free\n");
    }
    for (SizeUsage size : now.sizes()) {
      long used = size.objects() - size.free();
      text.append(
          "%10d%10d%10d%10d%10d\n"
              .formatted(size.bytes(), size.slabs(), size.objects(), used, size.free()));
    }
    return text.toString();
  }

  /**
   * Gives all memory back to the system, also what is in use: segments must not be used any more.
   * Whoever waits for memory gets an {@link IllegalStateException}. Closing twice does nothing.
   */
  @Override
  public void close() {
    range.close();
  }

  /**
   * Names it.
   *
   * @return for example {@code kernel memory of at most 1048576 bytes}
   */
  @Override
  public String toString() {
    return "kernel memory of at most " + limit + " bytes";
  }
}
