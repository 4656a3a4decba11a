package org.juvm.posix;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.posix.PosixAssertions.ANON;
import static org.juvm.posix.PosixAssertions.AT;
import static org.juvm.posix.PosixAssertions.PAGE;
import static org.juvm.posix.PosixAssertions.RW;
import static org.juvm.posix.PosixAssertions.assertErrno;
import static org.juvm.posix.PosixAssertions.map;
import static org.juvm.posix.PosixAssertions.page;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.Cpu;
import org.juvm.Mapping;
import org.juvm.Vm;
import org.juvm.base.Advice;
import org.juvm.base.MapFlag;

/** What madvise, msync, mincore and the mlock family do. */
class PagingCallsTest {

  @RegisterExtension final AuditedProcesses vms = new AuditedProcesses();

  private Vm vm;
  private PosixProcess process;
  private Cpu cpu;

  @BeforeEach
  void setUp() {
    vm = vms.boot(256);
    process = PosixProcess.create(vm);
    cpu = vm.newCpu();
    cpu.attach(process.vmspace());
  }

  private Mapping at(long address) {
    for (Mapping mapping : process.vmspace().mappings()) {
      if (mapping.start() <= address && address < mapping.end()) {
        return mapping;
      }
    }
    throw new AssertionError("not mapped");
  }

  private long wired() {
    return process.vmspace().paging().wiredBytes();
  }

  @Test
  void X_madviseIsNoted() {
    map(process, 0, 3, RW);
    process.madvise(page(1) + 5, 1, Mman.MADV_SEQUENTIAL);
    assertThat(at(page(0)).advice()).isEqualTo(Advice.NORMAL);
    assertThat(at(page(1)).advice()).isEqualTo(Advice.SEQUENTIAL);
    process.madvise(page(1), 1, Mman.MADV_RANDOM);
    assertThat(at(page(1)).advice()).isEqualTo(Advice.RANDOM);
    process.madvise(page(1), 1, Mman.MADV_NORMAL);
    process.madvise(page(2), 1, Mman.MADV_NOCORE);
    process.madvise(page(2), 1, Mman.MADV_NOSYNC);
    assertThat(at(page(2)).flags()).contains(MapFlag.NO_CORE, MapFlag.NO_SYNC);
    process.madvise(page(2), 1, Mman.MADV_CORE);
    process.madvise(page(2), 1, Mman.MADV_AUTOSYNC);
    assertThat(process.vmspace().mappings()).hasSize(1);
    assertThat(at(AT).flags()).isEmpty();
  }

  @Test
  void X_madviseFreeAndTheOthers() {
    map(process, 0, 2, RW);
    cpu.set(JAVA_LONG, page(0), 1);
    cpu.set(JAVA_LONG, page(1), 2);
    for (int advice : new int[] {Mman.MADV_DONTNEED, Mman.MADV_WILLNEED, Mman.MADV_INVAL}) {
      process.madvise(AT, 2 * PAGE, advice);
      assertThat(cpu.get(JAVA_LONG, page(0))).isEqualTo(1);
    }
    process.madvise(page(1), PAGE, Mman.MADV_FREE);
    assertThat(cpu.get(JAVA_LONG, page(0))).isEqualTo(1);
    assertThat(cpu.get(JAVA_LONG, page(1))).isZero();
  }

  @Test
  void X_msyncSucceeds() {
    map(process, 0, 2, RW);
    cpu.set(JAVA_LONG, AT, 1);
    process.msync(AT, 2 * PAGE, Mman.MS_SYNC);
    process.msync(AT, 0, Mman.MS_ASYNC);
    process.msync(AT, 0, Mman.MS_INVALIDATE);
    process.msync(AT, PAGE, Mman.MS_ASYNC | Mman.MS_INVALIDATE);
    assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(1);
  }

  @Test
  void X_mincoreSaysWhatIsInMemory() {
    map(process, 0, 4, RW);
    cpu.set(JAVA_LONG, page(1), 1);
    cpu.set(JAVA_LONG, page(3), 1);
    byte[] vec = {9, 9, 9, 9, 9};
    process.mincore(AT, 3 * PAGE + 1, vec);
    assertThat(vec).containsExactly(0, 1, 0, 1, 9);
  }

  @Test
  void X_mlockOnceIsAsGoodAsOften() {
    map(process, 0, 4, RW);
    process.mlock(page(1) + 1, PAGE);
    assertThat(process.vmspace().residentPages()).isEqualTo(2);
    process.mlock(AT, 4 * PAGE);
    assertThat(wired()).isEqualTo(4 * PAGE);
    process.munlock(page(1), 1);
    assertThat(wired()).isEqualTo(3 * PAGE);
    process.munlock(AT, 4 * PAGE);
    assertThat(wired()).isZero();
  }

  @Test
  void X_mlockOverTheLimit() {
    map(process, 0, 4, RW);
    process.setrlimit(Mman.RLIMIT_MEMLOCK, 2 * PAGE);
    process.mlock(AT, 2 * PAGE);
    process.mlock(AT, 2 * PAGE);
    assertErrno(Errno.EAGAIN, () -> process.mlock(AT, 3 * PAGE));
    assertErrno(Errno.ENOMEM, () -> process.mlockall(Mman.MCL_CURRENT));
    assertThat(wired()).isEqualTo(2 * PAGE);
  }

  @Test
  void X_mlockMoreThanThereIs() {
    map(process, 0, 300, RW);
    cpu.set(JAVA_LONG, AT, 1);
    assertErrno(Errno.ENOMEM, () -> process.mlock(AT, 300 * PAGE));
    assertThat(wired()).isZero();
    assertErrno(Errno.ENOMEM, () -> process.mlockall(Mman.MCL_CURRENT | Mman.MCL_FUTURE));
    assertThat(wired()).isZero();
    map(process, 400, 1, RW);
    assertThat(wired()).isZero();
    process.munmap(AT, 300 * PAGE);
  }

  @Test
  void X_mlockallCurrentAndFuture() {
    map(process, 0, 2, RW);
    map(process, 8, 1, Mman.PROT_NONE);
    process.mlockall(Mman.MCL_CURRENT);
    assertThat(wired()).isEqualTo(2 * PAGE);
    map(process, 16, 1, RW);
    assertThat(wired()).isEqualTo(2 * PAGE);
    process.mlockall(Mman.MCL_FUTURE);
    assertThat(wired()).isEqualTo(2 * PAGE);
    map(process, 24, 3, RW);
    assertThat(wired()).isEqualTo(5 * PAGE);
    assertThat(process.vmspace().residentPages()).isEqualTo(5);
    process.brk(PosixProcess.DEFAULT_BREAK_BASE + 1);
    assertThat(wired()).isEqualTo(6 * PAGE);
    process.setrlimit(Mman.RLIMIT_MEMLOCK, 6 * PAGE);
    assertErrno(Errno.ENOMEM, () -> process.mmap(0, PAGE, RW, ANON, -1, 0));
    assertErrno(Errno.ENOMEM, () -> process.sbrk(PAGE));
    assertThat(process.sbrk(0)).isEqualTo(PosixProcess.DEFAULT_BREAK_BASE + 1);
    process.munlockall();
    assertThat(wired()).isZero();
    process.mmap(0, PAGE, RW, ANON, -1, 0);
    assertThat(wired()).isZero();
  }

  @Test
  void X_mlockallFutureIsForgottenByExecAndFork() {
    process.mlockall(Mman.MCL_FUTURE);
    try (PosixProcess child = process.fork()) {
      map(child, 0, 1, RW);
      assertThat(child.vmspace().paging().wiredBytes()).isZero();
    }
    process.exec(null);
    map(process, 0, 1, RW);
    assertThat(wired()).isZero();
  }
}
