package org.juvm.posix;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.posix.PosixAssertions.ANON;
import static org.juvm.posix.PosixAssertions.AT;
import static org.juvm.posix.PosixAssertions.END;
import static org.juvm.posix.PosixAssertions.FIXED;
import static org.juvm.posix.PosixAssertions.PAGE;
import static org.juvm.posix.PosixAssertions.RW;
import static org.juvm.posix.PosixAssertions.map;
import static org.juvm.posix.PosixAssertions.page;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.Cpu;
import org.juvm.Mapping;
import org.juvm.Vm;
import org.juvm.base.Limit;

/** Every argument of every call with what it must not be: the error, and that nothing changes. */
class BadInputTest {
  private static final int HOLE = 4;
  private static final int IMMUTABLE = 16;
  private static final int WIRED = 20;
  private static final int NO_ACCESS = 24;
  private static final int READ_ONLY_SHARE = 28;
  private static final long BASE = PosixProcess.DEFAULT_BREAK_BASE;
  private static final long MIN = Long.MIN_VALUE;
  private static final long MAX = Long.MAX_VALUE;

  /** Pairs of address and length that are no range of the address space. */
  private static final long[][] NO_RANGES = {
    {0, PAGE},
    {PAGE, PAGE},
    {0xf000, 2 * PAGE},
    {1, 1},
    {0, -1},
    {0, MAX},
    {END, PAGE},
    {END - PAGE, 2 * PAGE},
    {END - PAGE, PAGE + 1},
    {MIN, PAGE},
    {MAX, 1},
    {-PAGE, PAGE},
    {-PAGE, 2 * PAGE},
    {-1, 1},
    {-1, -1},
    {-2 * PAGE, PAGE},
    {AT, -1},
    {AT, -PAGE},
    {AT, 1 - PAGE},
    {AT, MAX},
    {AT, MIN},
    {AT, END},
    {AT + 1, -1},
    {AT, -AT},
    {AT, -AT - PAGE},
    {AT, END - AT + 1},
  };

  @RegisterExtension final AuditedProcesses vms = new AuditedProcesses();

  private Vm vm;
  private Cpu cpu;
  private PosixProcess process;

  /** What no failing call may change. */
  private record State(
      List<Mapping> mappings,
      List<Long> bytes,
      long resident,
      long wired,
      long usedFrames,
      long amapNodes,
      long pageTables,
      long objectNodes,
      long vmspaces,
      Set<String> names,
      List<Long> sizes,
      List<Long> limits,
      long programBreak) {}

  @BeforeEach
  void setUp() {
    vm = vms.boot(256);
    process = PosixProcess.create(vm);
    cpu = vm.newCpu();
    cpu.attach(process.vmspace());
    assertThat(process.shmOpen("/m", Mman.O_RDWR | Mman.O_CREAT)).isZero();
    process.ftruncate(0, 4 * PAGE);
    assertThat(process.shmOpen("/m", Mman.O_RDONLY)).isOne();
    map(process, 0, 4, RW);
    map(process, IMMUTABLE, 1, RW);
    process.mimmutable(page(IMMUTABLE), PAGE);
    map(process, WIRED, 2, RW);
    process.mlock(page(WIRED), 2 * PAGE);
    map(process, NO_ACCESS, 1, Mman.PROT_NONE);
    process.mmap(
        page(READ_ONLY_SHARE), 2 * PAGE, Mman.PROT_READ, Mman.MAP_SHARED | Mman.MAP_FIXED, 1, 0);
    process.brk(BASE + 3 * PAGE);
    for (int i = 0; i < 4; i++) {
      cpu.set(JAVA_LONG, page(i), i + 1);
    }
    cpu.set(JAVA_LONG, page(IMMUTABLE), 16);
    state();
  }

  private State state() {
    List<Long> bytes = new ArrayList<>();
    for (int page : new int[] {0, 1, 2, 3, IMMUTABLE, WIRED, WIRED + 1, READ_ONLY_SHARE}) {
      bytes.add(cpu.get(JAVA_LONG, page(page)));
    }
    List<Long> limits = new ArrayList<>();
    for (Limit limit : Limit.values()) {
      limits.add(process.vmspace().limit(limit));
    }
    return new State(
        process.vmspace().mappings(),
        bytes,
        process.vmspace().residentPages(),
        process.vmspace().paging().wiredBytes(),
        vm.statistics().usedFrames(),
        vm.statistics().amapNodes(),
        vm.statistics().pageTables(),
        vm.statistics().objectNodes(),
        vm.statistics().vmspaces(),
        vm.sharedMemory().names(),
        List.of(process.fstatSize(0), process.fstatSize(1)),
        limits,
        process.sbrk(0));
  }

  /** Null: the call succeeds. */
  private void nothingChanges(@Nullable Errno errno, String what, Runnable call) {
    State before = state();
    Errno seen = null;
    String message = what;
    try {
      call.run();
    } catch (PosixException e) {
      seen = e.errno();
      message = e.getMessage();
    }
    assertThat(seen).as(message).isEqualTo(errno);
    assertThat(state()).as(message).isEqualTo(before);
    assertThat(vm.audit()).as(message).isEmpty();
  }

  private void fails(Errno errno, Runnable call) {
    nothingChanges(errno, "", call);
  }

  private void succeeds(Runnable call) {
    nothingChanges(null, "", call);
  }

  /** A call with a range. */
  @FunctionalInterface
  private interface RangeCall {
    void of(long address, long length);
  }

  private void failsOutside(Errno errno, RangeCall call) {
    for (long[] range : NO_RANGES) {
      nothingChanges(
          errno,
          Long.toHexString(range[0]) + "+" + Long.toHexString(range[1]),
          () -> call.of(range[0], range[1]));
    }
  }

  private void mmapFails(Errno errno, long addr, long len, int prot, int flags, int fd, long off) {
    fails(errno, () -> process.mmap(addr, len, prot, flags, fd, off));
  }

  // ---- mmap ----

  @Test
  void X_mmapBadLength() {
    for (long len : new long[] {-1, 1 - PAGE, -PAGE, MIN, MAX, END, END + 1, END - AT}) {
      mmapFails(Errno.ENOMEM, 0, len, RW, ANON, -1, 0);
      mmapFails(Errno.ENOMEM, AT, len, RW, ANON, -1, 0);
      mmapFails(Errno.ENOMEM, -1, len, RW, ANON | Mman.MAP_TRYFIXED, -1, 0);
    }
    mmapFails(Errno.ENOMEM, AT, -1, RW, FIXED, -1, 0);
    mmapFails(Errno.EINVAL, 0, 0, RW, Mman.MAP_SHARED, 0, 0);
    mmapFails(Errno.EINVAL, 0, 0, RW, Mman.MAP_PRIVATE, 0, 0);
    mmapFails(Errno.ENOMEM, 0, -1, RW, Mman.MAP_SHARED, 0, 0);
    mmapFails(Errno.ENOMEM, 0, -PAGE, RW, Mman.MAP_PRIVATE, 0, 1);
    succeeds(() -> process.mmap(0, 0, RW, ANON, -1, 0));
    succeeds(() -> process.mmap(page(1), 0, RW, FIXED, -1, 0));
  }

  @Test
  void X_mmapFixedBadAddress() {
    for (long addr : new long[] {0, 1, AT + 1, -1, MAX, PAGE, 0xf000, MIN + 1}) {
      mmapFails(Errno.EINVAL, addr, PAGE, RW, FIXED, -1, 0);
    }
    for (long addr : new long[] {END, END + PAGE, MIN, -2 * PAGE}) {
      mmapFails(Errno.EFBIG, addr, PAGE, RW, FIXED, -1, 0);
    }
    for (long len : new long[] {END, MIN, END - AT + 1, MAX}) {
      mmapFails(Errno.EFBIG, AT, len, RW, FIXED, -1, 0);
    }
    mmapFails(Errno.EFBIG, END - PAGE, 2 * PAGE, RW, FIXED, -1, 0);
    mmapFails(Errno.EOVERFLOW, -PAGE, PAGE, RW, FIXED, -1, 0);
    mmapFails(Errno.EOVERFLOW, -PAGE, 2 * PAGE, RW, FIXED, -1, 0);
    mmapFails(Errno.EOVERFLOW, AT, -PAGE, RW, FIXED, -1, 0);
    mmapFails(Errno.EPERM, page(IMMUTABLE), PAGE, RW, FIXED, -1, 0);
    mmapFails(Errno.EPERM, AT, 64 * PAGE, RW, FIXED, -1, 0);
  }

  @Test
  void X_mmapBadFlags() {
    mmapFails(Errno.EINVAL, 0, PAGE, RW, ANON | Mman.MAP_SHARED, -1, 0);
    mmapFails(Errno.EINVAL, 0, PAGE, RW, -1, -1, 0);
    mmapFails(Errno.EINVAL, page(HOLE), PAGE, RW, ANON | Mman.MAP_EXCL, -1, 0);
    for (int i = -1; i < 4; i++) {
      mmapFails(Errno.EINVAL, page(i), 2 * PAGE, RW, FIXED | Mman.MAP_EXCL, -1, 0);
    }
    mmapFails(Errno.EINVAL, page(HOLE), PAGE, Mman.PROT_NONE, FIXED | Mman.MAP_WIRED, -1, 0);
    mmapFails(Errno.EINVAL, page(HOLE), PAGE, RW, FIXED | Mman.MAP_NOFAULT, -1, 0);
    int aligned = FIXED | Mman.MAP_ALIGNED(21);
    mmapFails(Errno.EINVAL, AT, PAGE, RW, aligned, -1, 0);
    for (int n : new int[] {64, 65, 128, 255}) {
      mmapFails(Errno.EINVAL, 0, PAGE, RW, ANON | Mman.MAP_ALIGNED(n), -1, 0);
      mmapFails(Errno.EINVAL, AT, PAGE, RW, FIXED | Mman.MAP_ALIGNED(n), -1, 0);
      mmapFails(Errno.EINVAL, 0, PAGE, RW, Mman.MAP_SHARED | Mman.MAP_ALIGNED(n), 0, 0);
    }
    for (int n = 47; n < 64; n++) {
      mmapFails(Errno.ENOMEM, 0, PAGE, RW, ANON | Mman.MAP_ALIGNED(n), -1, 0);
      mmapFails(Errno.EINVAL, AT, PAGE, RW, FIXED | Mman.MAP_ALIGNED(n), -1, 0);
    }
  }

  @Test
  void X_mmapGuardAndStackBadCompany() {
    int guard = FIXED | Mman.MAP_GUARD;
    long free = page(HOLE);
    mmapFails(Errno.EINVAL, free, PAGE, Mman.PROT_READ, guard, -1, 0);
    mmapFails(Errno.EINVAL, free, PAGE, Mman.PROT_NONE, guard, 0, 0);
    mmapFails(Errno.EINVAL, free, PAGE, Mman.PROT_NONE, guard, -1, PAGE);
    mmapFails(Errno.EINVAL, free, 0, Mman.PROT_NONE, guard, -1, 0);
    mmapFails(Errno.EINVAL, free, PAGE, Mman.PROT_NONE, guard | Mman.MAP_GROWSDOWN, -1, 0);
    mmapFails(Errno.EINVAL, free, PAGE, Mman.PROT_NONE, guard | Mman.MAP_WIRED, -1, 0);
    int stack = FIXED | Mman.MAP_GROWSDOWN;
    for (int prot : new int[] {0, Mman.PROT_READ, Mman.PROT_WRITE, Mman.PROT_EXEC}) {
      mmapFails(Errno.EINVAL, free, PAGE, prot, stack, -1, 0);
    }
    mmapFails(Errno.EINVAL, free, 0, RW, stack, -1, 0);
    mmapFails(Errno.EINVAL, free, PAGE, RW, stack, 0, 0);
    int shared = Mman.MAP_GROWSDOWN | Mman.MAP_ANON | Mman.MAP_SHARED;
    mmapFails(Errno.EINVAL, 0, PAGE, RW, shared, -1, 0);
  }

  @Test
  void X_mmapBadDescriptor() {
    for (int fd : new int[] {0, 1, 2, -2, 99, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
      mmapFails(Errno.EINVAL, 0, PAGE, RW, ANON, fd, 0);
    }
    for (int fd : new int[] {-1, -2, 2, 99, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
      mmapFails(Errno.EBADF, 0, PAGE, RW, Mman.MAP_SHARED, fd, 0);
      mmapFails(Errno.EBADF, 0, PAGE, RW, Mman.MAP_PRIVATE, fd, 0);
      mmapFails(Errno.EBADF, 0, PAGE, RW, 0, fd, 0);
    }
  }

  @Test
  void X_mmapBadOffset() {
    for (long offset : new long[] {-1, -PAGE, MIN, MIN + 1}) {
      mmapFails(Errno.EINVAL, 0, PAGE, RW, Mman.MAP_SHARED, 0, offset);
    }
    for (long offset : new long[] {1L << 46, (1L << 46) + 1, MAX, MAX - PAGE + 1, END}) {
      mmapFails(Errno.EOVERFLOW, 0, PAGE, RW, Mman.MAP_PRIVATE, 0, offset);
    }
    mmapFails(Errno.EOVERFLOW, 0, 2 * PAGE, RW, Mman.MAP_SHARED, 0, (1L << 46) - PAGE);
    int fixed = Mman.MAP_SHARED | Mman.MAP_FIXED;
    mmapFails(Errno.EINVAL, page(HOLE), PAGE, RW, fixed, 0, 1);
    mmapFails(Errno.EINVAL, page(HOLE) + 1, PAGE, RW, fixed, 0, 0);
    // Beyond its end is no error before it is touched; wired, it is.
    mmapFails(Errno.ENOMEM, page(HOLE), PAGE, RW, fixed | Mman.MAP_WIRED, 0, 4 * PAGE);
  }

  @Test
  void X_mmapMoreThanTheDescriptorGives() {
    for (int prot : new int[] {Mman.PROT_WRITE, RW, 7, -1}) {
      mmapFails(Errno.EACCES, 0, PAGE, prot, Mman.MAP_SHARED, 1, 0);
    }
  }

  // ---- changing mappings ----

  @Test
  void X_munmapBadInput() {
    failsOutside(Errno.EINVAL, process::munmap);
    for (long addr : new long[] {1, AT + 1, AT - 1, page(HOLE) + 1}) {
      fails(Errno.EINVAL, () -> process.munmap(addr, PAGE));
      fails(Errno.EINVAL, () -> process.munmap(addr, 0));
    }
    fails(Errno.EPERM, () -> process.munmap(page(IMMUTABLE), PAGE));
    fails(Errno.EPERM, () -> process.munmap(AT, 64 * PAGE));
    succeeds(() -> process.munmap(AT, 0));
    succeeds(() -> process.munmap(0, 0));
    succeeds(() -> process.munmap(page(HOLE), PAGE));
  }

  @Test
  void X_mprotectBadInput() {
    failsOutside(Errno.EINVAL, (addr, len) -> process.mprotect(addr, len, Mman.PROT_READ));
    fails(Errno.ENOMEM, () -> process.mprotect(page(HOLE), PAGE, RW));
    fails(Errno.ENOMEM, () -> process.mprotect(AT, 5 * PAGE, Mman.PROT_READ));
    fails(Errno.ENOMEM, () -> process.mprotect(page(3) + 1, PAGE, Mman.PROT_READ));
    fails(Errno.EACCES, () -> process.mprotect(page(READ_ONLY_SHARE), PAGE, RW));
    fails(Errno.EACCES, () -> process.mprotect(page(READ_ONLY_SHARE), PAGE, -1));
    fails(Errno.EPERM, () -> process.mprotect(page(IMMUTABLE), PAGE, Mman.PROT_READ));
    succeeds(() -> process.mprotect(AT, 0, Mman.PROT_NONE));
    succeeds(() -> process.mprotect(AT, 1, RW | 0x7ffffff8));
  }

  @Test
  void X_minheritBadInput() {
    failsOutside(Errno.EINVAL, (addr, len) -> process.minherit(addr, len, Mman.MAP_INHERIT_NONE));
    for (int inherit :
        new int[] {-1, Mman.MAP_INHERIT_DONATE_COPY, 5, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
      fails(Errno.EINVAL, () -> process.minherit(AT, PAGE, inherit));
      fails(Errno.EINVAL, () -> process.minherit(AT, 0, inherit));
    }
    fails(Errno.EPERM, () -> process.minherit(page(IMMUTABLE), PAGE, Mman.MAP_INHERIT_NONE));
    fails(Errno.EPERM, () -> process.minherit(AT, 64 * PAGE, Mman.MAP_INHERIT_NONE));
    succeeds(() -> process.minherit(AT, 0, Mman.MAP_INHERIT_NONE));
    succeeds(() -> process.minherit(page(HOLE), PAGE, Mman.MAP_INHERIT_NONE));
  }

  @Test
  void X_mimmutableBadInput() {
    failsOutside(Errno.EINVAL, process::mimmutable);
    succeeds(() -> process.mimmutable(AT, 0));
    succeeds(() -> process.mimmutable(page(HOLE), PAGE));
    succeeds(() -> process.mimmutable(page(IMMUTABLE), PAGE));
  }

  private void mremapFails(Errno errno, long old, long len, long now, long newLen, int flags) {
    fails(errno, () -> process.mremap(old, len, now, newLen, flags));
  }

  @Test
  void X_mremapBadInput() {
    failsOutside(Errno.EINVAL, (addr, len) -> process.mremap(addr, len, 0, PAGE, 0));
    for (int flags : new int[] {1, 2, 8, 0x20, 0x1000, -1, Integer.MIN_VALUE | 1}) {
      mremapFails(Errno.EINVAL, AT, PAGE, 0, PAGE, flags);
    }
    mremapFails(Errno.EINVAL, AT, 0, 0, PAGE, 0);
    mremapFails(Errno.EINVAL, AT, PAGE, 0, 0, 0);
    mremapFails(Errno.EINVAL, AT + 1, PAGE, 0, PAGE, 0);
    for (int n : new int[] {64, 128, 255}) {
      mremapFails(Errno.EINVAL, AT, PAGE, 0, PAGE, Mman.MAP_ALIGNED(n));
    }
    for (int n : new int[] {47, 48, 62, 63}) {
      mremapFails(Errno.ENOMEM, AT, PAGE, 0, PAGE, Mman.MAP_ALIGNED(n));
      mremapFails(Errno.EINVAL, AT, PAGE, AT, PAGE, Mman.MAP_FIXED | Mman.MAP_ALIGNED(n));
    }
    for (int more : new int[] {0, Mman.MAP_REMAPDUP}) {
      for (long len : new long[] {-1, -PAGE, MIN, MAX, END, END + 1}) {
        mremapFails(Errno.ENOMEM, AT, PAGE, 0, len, more);
        mremapFails(Errno.ENOMEM, AT, PAGE, page(HOLE), len, more | Mman.MAP_FIXED);
      }
      for (long now : new long[] {1, AT + 1, -1, MAX}) {
        mremapFails(Errno.EINVAL, AT, PAGE, now, PAGE, more | Mman.MAP_FIXED);
      }
      for (long now : new long[] {0, PAGE, END, END - PAGE, -PAGE, MIN, page(1), page(NO_ACCESS)}) {
        mremapFails(Errno.ENOMEM, AT, PAGE, now, 2 * PAGE, more | Mman.MAP_FIXED);
      }
      mremapFails(Errno.EFAULT, page(HOLE), PAGE, 0, 2 * PAGE, more);
      mremapFails(Errno.EFAULT, page(3), 2 * PAGE, 0, PAGE * 3, more);
      mremapFails(Errno.EPERM, page(IMMUTABLE), PAGE, 0, 2 * PAGE, more);
    }
  }

  // ---- paging ----

  @Test
  void X_madviseBadInput() {
    for (int advice = Mman.MADV_NORMAL; advice <= Mman.MADV_NOSYNC; advice++) {
      int each = advice;
      failsOutside(Errno.EINVAL, (addr, len) -> process.madvise(addr, len, each));
    }
    for (int advice :
        new int[] {
          -1, Mman.MADV_SPACEAVAIL, Mman.MADV_SETMAP, 13, Integer.MIN_VALUE, Integer.MAX_VALUE
        }) {
      fails(Errno.EINVAL, () -> process.madvise(AT, PAGE, advice));
      fails(Errno.EINVAL, () -> process.madvise(AT, 0, advice));
    }
    for (int advice : new int[] {Mman.MADV_DONTNEED, Mman.MADV_FREE}) {
      fails(Errno.EFAULT, () -> process.madvise(page(HOLE), PAGE, advice));
      fails(Errno.EFAULT, () -> process.madvise(AT, 5 * PAGE, advice));
      succeeds(() -> process.madvise(AT, 0, advice));
    }
    fails(Errno.EBUSY, () -> process.madvise(page(WIRED), 2 * PAGE, Mman.MADV_FREE));
    succeeds(() -> process.madvise(page(HOLE), PAGE, Mman.MADV_RANDOM));
    succeeds(() -> process.madvise(AT, 4 * PAGE, Mman.MADV_WILLNEED));
    succeeds(() -> process.madvise(AT, 4 * PAGE, Mman.MADV_DONTNEED));
  }

  @Test
  void X_msyncBadInput() {
    for (int flags : new int[] {0, 8, 5, 7, -1, 0x10 | Mman.MS_SYNC, Integer.MIN_VALUE}) {
      fails(Errno.EINVAL, () -> process.msync(AT, PAGE, flags));
    }
    failsOutside(Errno.EINVAL, (addr, len) -> process.msync(addr, len, Mman.MS_SYNC));
    fails(Errno.EFAULT, () -> process.msync(page(HOLE), PAGE, Mman.MS_SYNC));
    fails(Errno.EFAULT, () -> process.msync(AT, 5 * PAGE, Mman.MS_ASYNC));
    fails(Errno.EINVAL, () -> process.msync(page(HOLE), 0, Mman.MS_SYNC));
    fails(Errno.EINVAL, () -> process.msync(0, 0, Mman.MS_SYNC));
    fails(Errno.EBUSY, () -> process.msync(page(WIRED), PAGE, Mman.MS_INVALIDATE));
    fails(Errno.EBUSY, () -> process.msync(page(WIRED) + 1, 0, Mman.MS_INVALIDATE));
    for (int flags = Mman.MS_ASYNC; flags <= Mman.MS_SYNC; flags++) {
      int each = flags;
      succeeds(() -> process.msync(AT + 1, PAGE, each));
      succeeds(() -> process.msync(page(READ_ONLY_SHARE), 0, each));
    }
  }

  @Test
  void X_mincoreBadInput() {
    byte[] vec = new byte[8];
    for (long addr : new long[] {1, AT + 1, -1, MAX}) {
      fails(Errno.EINVAL, () -> process.mincore(addr, PAGE, vec));
    }
    for (long len : new long[] {0, -1, 1 - PAGE}) {
      fails(Errno.EINVAL, () -> process.mincore(AT, len, vec));
    }
    fails(Errno.EINVAL, () -> process.mincore(AT, -PAGE, vec));
    fails(Errno.EINVAL, () -> process.mincore(-PAGE, 2 * PAGE, vec));
    for (long addr : new long[] {0, PAGE, END, END - PAGE, MIN, page(HOLE), page(3)}) {
      fails(Errno.ENOMEM, () -> process.mincore(addr, 2 * PAGE, vec));
    }
    fails(Errno.ENOMEM, () -> process.mincore(-PAGE, PAGE, vec));
    fails(Errno.EFAULT, () -> process.mincore(AT, PAGE, null));
    fails(Errno.EFAULT, () -> process.mincore(AT, 4 * PAGE, new byte[3]));
    for (long len : new long[] {9 * PAGE, END, MIN, MAX}) {
      fails(Errno.EFAULT, () -> process.mincore(AT, len, vec));
    }
    assertThat(vec).containsOnly(0);
  }

  @Test
  void X_mlockBadInput() {
    failsOutside(Errno.ENOMEM, process::mlock);
    failsOutside(Errno.ENOMEM, process::munlock);
    fails(Errno.ENOMEM, () -> process.mlock(page(HOLE), PAGE));
    fails(Errno.ENOMEM, () -> process.mlock(AT, 5 * PAGE));
    fails(Errno.ENOMEM, () -> process.munlock(page(WIRED), 3 * PAGE));
    fails(Errno.EINVAL, () -> process.mlock(page(NO_ACCESS), PAGE));
    succeeds(() -> process.mlock(AT, 0));
    succeeds(() -> process.munlock(AT, 0));
    succeeds(() -> process.munlock(AT, PAGE));
    succeeds(() -> process.mlock(page(WIRED) + 1, PAGE));
    for (int flags : new int[] {0, 4, 7, -1, Integer.MIN_VALUE}) {
      fails(Errno.EINVAL, () -> process.mlockall(flags));
    }
  }

  // ---- the rest ----

  @Test
  void X_brkBadInput() {
    for (long addr : new long[] {0, -1, BASE - 1, MIN, MAX, END + 1, AT, -PAGE}) {
      fails(Errno.ENOMEM, () -> process.brk(addr));
    }
    for (long increment : new long[] {-3 * PAGE - 1, -BASE - PAGE, MIN, MAX, END}) {
      fails(Errno.ENOMEM, () -> process.sbrk(increment));
    }
    succeeds(() -> process.brk(BASE + 3 * PAGE));
    for (long addr : new long[] {AT, BASE + PAGE}) {
      fails(Errno.EBUSY, () -> process.setBreakBase(addr));
    }
    for (long addr : new long[] {0, 1, AT + 1, -1, END + PAGE, MIN, MAX, -PAGE}) {
      fails(Errno.EINVAL, () -> process.setBreakBase(addr));
    }
  }

  @Test
  void X_sharedMemoryBadInput() {
    for (String name : new String[] {"", "/", "a\0b"}) {
      fails(Errno.EINVAL, () -> process.shmOpen(name, Mman.O_CREAT));
      fails(Errno.EINVAL, () -> process.shmUnlink(name));
    }
    fails(Errno.ENAMETOOLONG, () -> process.shmOpen("n".repeat(1024), Mman.O_CREAT));
    fails(Errno.ENAMETOOLONG, () -> process.shmUnlink("n".repeat(1024)));
    fails(Errno.ENOENT, () -> process.shmOpen("/n", Mman.O_RDWR));
    fails(Errno.ENOENT, () -> process.shmOpen("m", Mman.O_RDONLY | Mman.O_EXCL));
    fails(Errno.ENOENT, () -> process.shmUnlink("/n"));
    fails(Errno.EEXIST, () -> process.shmOpen("/m", Mman.O_CREAT | Mman.O_EXCL | Mman.O_TRUNC));
    for (int oflag : new int[] {1, 3, 4, 0x100, -1, Integer.MIN_VALUE | Mman.O_CREAT}) {
      fails(Errno.EINVAL, () -> process.shmOpen("/n", oflag));
    }
    for (int fd : new int[] {-1, 2, 99, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
      fails(Errno.EBADF, () -> process.ftruncate(fd, 0));
      fails(Errno.EBADF, () -> process.fstatSize(fd));
      fails(Errno.EBADF, () -> process.close(fd));
    }
    for (long length : new long[] {-1, MIN}) {
      fails(Errno.EINVAL, () -> process.ftruncate(0, length));
    }
    fails(Errno.EINVAL, () -> process.ftruncate(1, 0));
    for (long length : new long[] {(1L << 46) + 1, MAX}) {
      fails(Errno.EFBIG, () -> process.ftruncate(0, length));
    }
  }

  @Test
  void X_rlimitBadInput() {
    for (int resource : new int[] {-1, 0, 1, 4, 5, 7, 8, 9, 11, Integer.MAX_VALUE}) {
      fails(Errno.EINVAL, () -> process.getrlimit(resource));
      fails(Errno.EINVAL, () -> process.setrlimit(resource, 0));
    }
    for (long bytes : new long[] {-1, MIN}) {
      fails(Errno.EINVAL, () -> process.setrlimit(Mman.RLIMIT_AS, bytes));
    }
  }
}
