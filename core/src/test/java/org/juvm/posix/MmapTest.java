package org.juvm.posix;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.posix.PosixAssertions.ANON;
import static org.juvm.posix.PosixAssertions.AT;
import static org.juvm.posix.PosixAssertions.END;
import static org.juvm.posix.PosixAssertions.FIXED;
import static org.juvm.posix.PosixAssertions.PAGE;
import static org.juvm.posix.PosixAssertions.RW;
import static org.juvm.posix.PosixAssertions.assertErrno;
import static org.juvm.posix.PosixAssertions.assertFault;
import static org.juvm.posix.PosixAssertions.map;
import static org.juvm.posix.PosixAssertions.page;

import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.Cpu;
import org.juvm.Mapping;
import org.juvm.MemoryFault;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Inheritance;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;

/** What mmap makes, seen through a processor. */
class MmapTest {

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

  private Mapping only() {
    assertThat(process.vmspace().mappings()).hasSize(1);
    return process.vmspace().mappings().getFirst();
  }

  @Test
  void X_mmapAnonymousIsZeroAndPrivate() {
    long address = process.mmap(0, 3 * PAGE - 1, RW, ANON, -1, 77);
    assertThat(address % PAGE).isZero();
    assertThat(only().length()).isEqualTo(3 * PAGE);
    assertThat(cpu.get(JAVA_LONG, address + 2 * PAGE)).isZero();
    cpu.set(JAVA_LONG, address, 1);
    assertThat(only().inheritance()).isEqualTo(Inheritance.COPY);
    assertFault(MemoryFault.Reason.NOT_MAPPED, () -> cpu.get(JAVA_LONG, address + 3 * PAGE));
  }

  @Test
  void X_mmapRightsImplyReading() {
    int[] prots = {0, 1, 2, 3, 4, 5, 6, 7};
    Protection[] rights = {
      Protection.NONE,
      Protection.READ,
      Protection.READ_WRITE,
      Protection.READ_WRITE,
      Protection.READ_EXECUTE,
      Protection.READ_EXECUTE,
      Protection.READ_WRITE_EXECUTE,
      Protection.READ_WRITE_EXECUTE
    };
    for (int i = 0; i < prots.length; i++) {
      map(process, 0, 1, prots[i] | 0x7ffffff8);
      assertThat(only().protection()).isEqualTo(rights[i]);
    }
    map(process, 0, 1, Mman.PROT_NONE);
    assertFault(MemoryFault.Reason.PROTECTION, () -> cpu.get(JAVA_LONG, AT));
  }

  @Test
  void X_mmapUnknownFlagsSayNothing() {
    int unknown = 0x00f08020 | Mman.MAP_STACK;
    assertThat(process.mmap(AT, PAGE, RW, FIXED | unknown, -1, 0)).isEqualTo(AT);
    assertThat(only().flags()).isEqualTo(Set.of(MapFlag.NO_CORE));
  }

  @Test
  void X_mmapEmptyAnonymousMapsNothing() {
    assertThat(process.mmap(0, 0, RW, ANON, -1, 0)).isEqualTo(Vmspace.MINIMUM_ADDRESS);
    assertThat(process.mmap(AT + 1, 0, RW, ANON, -1, 0)).isEqualTo(AT);
    assertThat(process.mmap(AT, 0, RW, FIXED, -1, 0)).isEqualTo(AT);
    assertThat(process.mmap(-1, 0, RW, ANON, -1, 0)).isEqualTo(Vmspace.MINIMUM_ADDRESS);
    assertThat(process.vmspace().mappings()).isEmpty();
  }

  @Test
  void X_mmapHintIsTakenIfFree() {
    int tryFixed = ANON | Mman.MAP_TRYFIXED;
    assertThat(process.mmap(AT, PAGE, RW, tryFixed, -1, 0)).isEqualTo(AT);
    assertThat(process.mmap(AT, PAGE, RW, tryFixed, -1, 0)).isEqualTo(page(1));
    assertThat(process.mmap(AT, PAGE, RW, ANON, -1, 0)).isEqualTo(page(2));
    assertThat(process.mmap(page(8) + 1, PAGE, RW, ANON, -1, 0)).isEqualTo(page(9));
    long lowest = Vmspace.MINIMUM_ADDRESS;
    for (long hint : new long[] {1, END, -PAGE, -1, Long.MIN_VALUE, Long.MAX_VALUE}) {
      assertThat(process.mmap(hint, PAGE, RW, ANON, -1, 0)).isEqualTo(lowest);
      lowest += PAGE;
    }
    assertThat(process.mmap(END - PAGE, 2 * PAGE, RW, tryFixed, -1, 0)).isEqualTo(lowest);
    assertThat(process.mmap(END - PAGE, PAGE, RW, tryFixed, -1, 0)).isEqualTo(END - PAGE);
  }

  @Test
  void X_mmapFixedReplaces() {
    map(process, 0, 4, RW);
    for (int i = 0; i < 4; i++) {
      cpu.set(JAVA_LONG, page(i), i + 1);
    }
    map(process, 1, 2, Mman.PROT_READ);
    assertThat(cpu.get(JAVA_LONG, page(0))).isEqualTo(1);
    assertThat(cpu.get(JAVA_LONG, page(1))).isZero();
    assertThat(cpu.get(JAVA_LONG, page(2))).isZero();
    assertThat(cpu.get(JAVA_LONG, page(3))).isEqualTo(4);
    assertFault(MemoryFault.Reason.PROTECTION, () -> cpu.set(JAVA_LONG, page(1), 1));
  }

  /** A reader of a range that is replaced all the time never finds it unmapped. */
  @Test
  void X_mmapFixedReplacesAtOnce() throws InterruptedException {
    map(process, 0, 2, RW);
    AtomicBoolean done = new AtomicBoolean();
    Thread replacer =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    for (int i = 0; i < 2000; i++) {
                      map(process, 0, 2, RW);
                    }
                  } finally {
                    done.set(true);
                  }
                });
    while (!done.get()) {
      assertThat(cpu.get(JAVA_LONG, page(1))).isZero();
      cpu.set(JAVA_LONG, page(0), 1);
    }
    replacer.join();
  }

  @Test
  void X_mmapExclusiveTakesOnlyWhatIsFree() {
    int exclusive = FIXED | Mman.MAP_EXCL;
    assertThat(process.mmap(AT, PAGE, RW, exclusive, -1, 0)).isEqualTo(AT);
    cpu.set(JAVA_LONG, AT, 1);
    assertErrno(Errno.EINVAL, () -> process.mmap(AT, PAGE, RW, exclusive, -1, 0));
    assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(1);
    process.munmap(AT, PAGE);
    assertThat(process.mmap(AT, PAGE, RW, exclusive, -1, 0)).isEqualTo(AT);
    assertThat(cpu.get(JAVA_LONG, AT)).isZero();
  }

  @Test
  void X_mmapAligned() {
    map(process, 0, 1, RW);
    for (int n = 0; n < 40; n++) {
      long address = process.mmap(0, PAGE, RW, ANON | Mman.MAP_ALIGNED(n), -1, 0);
      assertThat(address % (1L << Math.max(n, 12))).isZero();
    }
    long fixed = 1L << 30;
    int flags = FIXED | Mman.MAP_ALIGNED(30);
    assertThat(process.mmap(fixed, PAGE, RW, flags, -1, 0)).isEqualTo(fixed);
    assertThat(process.mmap(3, PAGE, RW, ANON | Mman.MAP_ALIGNED(46), -1, 0)).isEqualTo(1L << 46);
    assertErrno(Errno.ENOMEM, () -> process.mmap(0, PAGE, RW, ANON | Mman.MAP_ALIGNED(46), -1, 0));
  }

  @Test
  void X_mmapStackGrows() {
    int flags = FIXED | Mman.MAP_GROWSDOWN;
    long size = 1 << 19;
    assertThat(process.mmap(AT, size, RW, flags, -1, 0)).isEqualTo(AT);
    long mapped = process.vmspace().mappedBytes();
    assertThat(mapped).isBetween(1L, size / 2);
    for (long address = AT + size - 8; address >= AT; address -= PAGE) {
      cpu.set(JAVA_LONG, address, address);
    }
    cpu.set(JAVA_LONG, AT, 1);
    assertThat(process.vmspace().mappedBytes()).isEqualTo(size);
    assertThat(cpu.get(JAVA_LONG, AT + size - 8)).isEqualTo(AT + size - 8);
    assertFault(MemoryFault.Reason.NOT_MAPPED, () -> cpu.set(JAVA_LONG, AT - 8, 1));
  }

  @Test
  void X_mmapStackWithoutAnonAndSmall() {
    long stack = process.mmap(0, PAGE, RW, Mman.MAP_GROWSDOWN, -1, 0);
    cpu.set(JAVA_LONG, stack, 1);
    assertThat(only().length()).isEqualTo(PAGE);
    assertThat(only().flags()).contains(MapFlag.STACK);
  }

  @Test
  void X_mmapGuardCannotBeOpened() {
    process.mmap(AT, PAGE, Mman.PROT_NONE, Mman.MAP_GUARD | Mman.MAP_FIXED, -1, 0);
    assertFault(MemoryFault.Reason.PROTECTION, () -> cpu.get(JAVA_LONG, AT));
    assertErrno(Errno.EACCES, () -> process.mprotect(AT, PAGE, Mman.PROT_READ));
    assertErrno(Errno.EINVAL, () -> process.mlock(AT, PAGE));
    process.munmap(AT, PAGE);
    assertThat(process.vmspace().mappings()).isEmpty();
  }

  @Test
  void X_mmapWiredIsThere() {
    process.mmap(AT, 3 * PAGE, RW, FIXED | Mman.MAP_WIRED, -1, 0);
    assertThat(process.vmspace().residentPages()).isEqualTo(3);
    assertThat(process.vmspace().paging().wiredBytes()).isEqualTo(3 * PAGE);
    process.setrlimit(Mman.RLIMIT_MEMLOCK, 4 * PAGE);
    int wired = FIXED | Mman.MAP_WIRED;
    assertErrno(Errno.ENOMEM, () -> process.mmap(page(8), 2 * PAGE, RW, wired, -1, 0));
    assertThat(only().length()).isEqualTo(3 * PAGE);
  }

  @Test
  void X_mmapProperties() {
    int flags = FIXED | Mman.MAP_CONCEAL | Mman.MAP_NOSYNC;
    process.mmap(AT, PAGE, RW, flags, -1, 0);
    assertThat(only().flags()).containsExactlyInAnyOrder(MapFlag.NO_CORE, MapFlag.NO_SYNC);
    int ignored = Mman.MAP_NORESERVE | Mman.MAP_INHERIT | Mman.MAP_HASSEMAPHORE;
    process.mmap(AT, PAGE, RW, FIXED | ignored, -1, 0);
    assertThat(only().flags()).isEmpty();
  }

  @Test
  void X_mmapSharedAnonymousIsSharedWithTheChild() {
    process.mmap(AT, PAGE, RW, Mman.MAP_ANON | Mman.MAP_SHARED | Mman.MAP_FIXED, -1, 0);
    process.mmap(page(1), PAGE, RW, Mman.MAP_ANON | Mman.MAP_FIXED, -1, 0);
    try (PosixProcess child = process.fork()) {
      cpu.attach(child.vmspace());
      cpu.set(JAVA_LONG, AT, 1);
      cpu.set(JAVA_LONG, page(1), 1);
    }
    cpu.attach(process.vmspace());
    assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(1);
    assertThat(cpu.get(JAVA_LONG, page(1))).isZero();
  }

  @Test
  void X_errorsSayWhatWasCalled() {
    try {
      process.munmap(AT + 1, PAGE);
    } catch (PosixException e) {
      assertThat(e).hasMessage("munmap(0x100001, 0x1000): EINVAL: Invalid argument");
      assertThat(e.errno().number()).isEqualTo(22);
      return;
    }
    throw new AssertionError();
  }
}
