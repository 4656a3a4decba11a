package org.juvm.posix;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.posix.PosixAssertions.AT;
import static org.juvm.posix.PosixAssertions.END;
import static org.juvm.posix.PosixAssertions.PAGE;
import static org.juvm.posix.PosixAssertions.RW;
import static org.juvm.posix.PosixAssertions.map;
import static org.juvm.posix.PosixAssertions.page;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.Cpu;
import org.juvm.Mapping;
import org.juvm.Vm;
import org.juvm.base.Limit;

/** A process with mappings of all kinds, and a check that a call that fails changes nothing. */
abstract class BadInput {
  static final int HOLE = 4;
  static final int IMMUTABLE = 16;
  static final int WIRED = 20;
  static final int NO_ACCESS = 24;
  static final int READ_ONLY_SHARE = 28;
  static final long BASE = PosixProcess.DEFAULT_BREAK_BASE;
  static final long MIN = Long.MIN_VALUE;
  static final long MAX = Long.MAX_VALUE;

  /** Pairs of address and length that are no range of the address space. */
  static final long[][] NO_RANGES = {
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

  Vm vm;
  Cpu cpu;
  PosixProcess process;

  /** What no failing call may change. */
  record State(
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
  void nothingChanges(@Nullable Errno errno, String what, Runnable call) {
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

  void fails(Errno errno, Runnable call) {
    nothingChanges(errno, "", call);
  }

  void succeeds(Runnable call) {
    nothingChanges(null, "", call);
  }

  /** A call with a range. */
  @FunctionalInterface
  interface RangeCall {
    void of(long address, long length);
  }

  void failsOutside(Errno errno, RangeCall call) {
    for (long[] range : NO_RANGES) {
      nothingChanges(
          errno,
          Long.toHexString(range[0]) + "+" + Long.toHexString(range[1]),
          () -> call.of(range[0], range[1]));
    }
  }

  void mmapFails(Errno errno, long addr, long len, int prot, int flags, int fd, long off) {
    fails(errno, () -> process.mmap(addr, len, prot, flags, fd, off));
  }
}
