package org.juvm.testkit.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/**
 * The host's kernel.
 *
 * <p>Holes of the arena are really unmapped, and nobody else maps anything there although this
 * process has many threads that map memory: the kernel places what has no address top-down from the
 * stacks, and the arena is tens of terabytes below, between where the collectors put their heaps
 * and where programs are loaded. That nothing is there is checked when an arena is made.
 *
 * <p>A page is probed by calls that fail where an access would kill the process: {@code write(2)}
 * of it to a pipe, and {@code read(2)} from the pipe into it.
 */
final class LinuxMemory implements MemoryCalls, AutoCloseable {
  private static final long FIRST_ARENA = 42L << 40;

  /** Far enough for page tables of their own. */
  private static final long ARENA_DISTANCE = 1L << 30;

  private static final int MAP_ANONYMOUS = 0x20;
  private static final int MAP_STACK = 0x20000;
  private static final int MAP_NORESERVE = 0x4000;
  private static final int MAP_FIXED_NOREPLACE = 0x100000;
  private static final int MREMAP_MAYMOVE = 1;
  private static final int MREMAP_FIXED = 2;
  private static final int MADV_FREE = 8;
  private static final int RLIMIT_MEMLOCK = 8;

  private final Arena arena = Arena.ofConfined();
  private final Linux mmap =
      new Linux(
          arena, "mmap", 6, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT,
          JAVA_LONG);
  private final Linux munmap = Linux.ofRange(arena, "munmap");
  private final Linux mprotect = Linux.ofRangeAndInt(arena, "mprotect");
  private final Linux madvise = Linux.ofRangeAndInt(arena, "madvise");
  private final Linux msync = Linux.ofRangeAndInt(arena, "msync");
  private final Linux mlock = Linux.ofRange(arena, "mlock");
  private final Linux munlock = Linux.ofRange(arena, "munlock");
  private final Linux mincore =
      new Linux(arena, "mincore", 3, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private final Linux mremap =
      new Linux(
          arena, "mremap", 4, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG);
  private final Linux read = new Linux(arena, "read", 3, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
  private final Linux write =
      new Linux(arena, "write", 3, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
  private final Linux close = new Linux(arena, "close", 1, JAVA_INT, JAVA_INT);

  private final MemorySegment buffer = arena.allocate(PAGE_SIZE, Integer.BYTES);
  private final int readEnd;
  private final int writeEnd;
  private final long base;

  /** What the kernel has placed elsewhere: lengths by relative address. */
  private final Map<Long, Long> elsewhere = new HashMap<>();

  /**
   * An arena.
   *
   * @param number which of those that exist at a time
   */
  LinuxMemory(int number) {
    long address = FIRST_ARENA + number * ARENA_DISTANCE;
    int flags = Bsd.MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
    Answer reserved = mmap.call(address, SIZE, Bsd.PROT_NONE, flags, -1, 0L);
    if (!reserved.equals(Answer.of(address))) {
      throw new IllegalStateException(
          "no arena at 0x" + Long.toHexString(address) + ": " + reserved);
    }
    base = address;
    empty();
    must(new Linux(arena, "pipe", 1, JAVA_INT, JAVA_LONG).call(buffer.address()));
    readEnd = buffer.get(JAVA_INT, 0);
    writeEnd = buffer.get(JAVA_INT, Integer.BYTES);
  }

  /** Whether pages are as long as those of the arena, and it can be where it has to. */
  static boolean isPossible() {
    try (Arena arena = Arena.ofConfined()) {
      long pageSize = must(new Linux(arena, "getpagesize", 0, JAVA_INT).call());
      if (pageSize != PAGE_SIZE) {
        return false;
      }
    }
    try (LinuxMemory memory = new LinuxMemory(0)) {
      return memory.base > 0;
    } catch (IllegalStateException e) {
      return false;
    }
  }

  /** Whether the process may lock so many arenas. */
  static boolean canLock(int arenas) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment limit = arena.allocate(JAVA_LONG, 2);
      Linux getrlimit = new Linux(arena, "getrlimit", 2, JAVA_INT, JAVA_INT, JAVA_LONG);
      must(getrlimit.call(RLIMIT_MEMLOCK, limit.address()));
      return Long.compareUnsigned(limit.get(JAVA_LONG, 0), arenas * SIZE) >= 0;
    }
  }

  private static long must(Answer answer) {
    if (!answer.isDone()) {
      throw new IllegalStateException(answer.error());
    }
    return answer.value();
  }

  @Override
  public void empty() {
    must(munmap.call(base, SIZE));
    elsewhere.forEach((address, length) -> must(munmap.call(base + address, length)));
    elsewhere.clear();
  }

  @Override
  public void close() {
    empty();
    must(close.call(readEnd));
    must(close.call(writeEnd));
    arena.close();
  }

  private boolean isElsewhere(long address, long length) {
    return elsewhere.entrySet().stream()
        .anyMatch(
            range ->
                address >= range.getKey() && address + length <= range.getKey() + range.getValue());
  }

  /** The address of a range that may be worked on. */
  private long checked(long address, long length) {
    boolean wraps = length <= -PAGE_SIZE && Layout.isInside(address, 0);
    if (!wraps && !Layout.isInside(address, length) && !isElsewhere(address, length)) {
      throw new IllegalArgumentException("outside: address=" + address + ", length=" + length);
    }
    return base + address;
  }

  /** As {@link #checked}, for calls that refuse what is too long before they do anything. */
  private long checkedOrTooLong(long address, long length) {
    return length == TOO_LONG && Layout.isInside(address, 0)
        ? base + address
        : checked(address, length);
  }

  @Override
  public Answer mmap(long address, long length, int protection, int flags, int descriptor) {
    int translated = flags & (Bsd.MAP_TYPE | Bsd.MAP_FIXED);
    translated |= (flags & Bsd.MAP_ANON) != 0 ? MAP_ANONYMOUS : 0;
    translated |= (flags & Bsd.MAP_STACK) != 0 ? MAP_STACK : 0;
    long hint = address == NO_HINT ? 0 : checkedOrTooLong(address, length);
    return placed(mmap.call(hint, length, protection, translated, descriptor, 0L), length);
  }

  private Answer placed(Answer answer, long length) {
    if (!answer.isDone()) {
      return answer;
    }
    long address = answer.value() - base;
    if (!Layout.isInside(address, length) && !isElsewhere(address, length)) {
      elsewhere.put(address, Layout.ceiling(length));
    }
    return Answer.of(address);
  }

  @Override
  public Answer munmap(long address, long length) {
    Answer answer = munmap.call(checkedOrTooLong(address, length), length);
    if (answer.isDone()) {
      elsewhere.remove(address, Layout.ceiling(length));
    }
    return answer;
  }

  @Override
  public Answer mprotect(long address, long length, int protection) {
    return mprotect.call(checked(address, length), length, protection);
  }

  @Override
  public Answer madvise(long address, long length, int advice) {
    int translated = advice == Bsd.MADV_FREE ? MADV_FREE : advice;
    return madvise.call(checked(address, length), length, translated);
  }

  @Override
  public Answer msync(long address, long length, int flags) {
    return msync.call(checked(address, length), length, flags);
  }

  @Override
  public Answer mlock(long address, long length) {
    return mlock.call(checked(address, length), length);
  }

  @Override
  public Answer munlock(long address, long length) {
    return munlock.call(checked(address, length), length);
  }

  @Override
  public Answer mincore(long address, long length, byte[] resident) {
    Answer answer = mincore.call(checked(address, length), length, buffer.address());
    if (answer.isDone() && length > 0) {
      int pages = (int) (Layout.ceiling(length) / PAGE_SIZE);
      MemorySegment.copy(buffer, JAVA_BYTE, 0, resident, 0, pages);
    }
    return answer;
  }

  @Override
  public Answer mremap(long address, long length, long target, long targetLength, int flags) {
    boolean fixed = (flags & Bsd.MAP_FIXED) != 0;
    int translated = (flags & ~Bsd.MAP_FIXED) | MREMAP_MAYMOVE | (fixed ? MREMAP_FIXED : 0);
    long to = fixed ? checked(target, targetLength) : 0;
    Answer answer = mremap.call(checked(address, length), length, targetLength, translated, to);
    if (answer.isDone()) {
      elsewhere.remove(address, Layout.ceiling(length));
    }
    return placed(answer, targetLength);
  }

  @Override
  public Answer load(long address) {
    Answer answer = write.call(writeEnd, checked(address, 1), 1L);
    return answer.isDone() ? Answer.of(drain()) : answer;
  }

  @Override
  public Answer store(long address, byte value) {
    buffer.set(JAVA_BYTE, 0, value);
    must(write.call(writeEnd, buffer.address(), 1L));
    Answer answer = read.call(readEnd, checked(address, 1), 1L);
    if (answer.isDone()) {
      return Answer.DONE;
    }
    // What could not be delivered is still in the pipe.
    byte undelivered = drain();
    assert undelivered == value : undelivered;
    return answer;
  }

  private byte drain() {
    long count = must(read.call(readEnd, buffer.address(), 1L));
    assert count == 1 : count;
    return buffer.get(JAVA_BYTE, 0);
  }

  @Override
  public Answer read(long page, byte[] bytes) {
    Answer answer = write.call(writeEnd, checked(page, PAGE_SIZE), (long) PAGE_SIZE);
    if (!answer.isDone()) {
      return answer;
    }
    long count = must(read.call(readEnd, buffer.address(), answer.value()));
    assert count == PAGE_SIZE : count;
    MemorySegment.copy(buffer, JAVA_BYTE, 0, bytes, 0, PAGE_SIZE);
    return Answer.DONE;
  }
}
