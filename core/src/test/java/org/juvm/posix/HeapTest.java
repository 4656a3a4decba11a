package org.juvm.posix;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.posix.PosixAssertions.AT;
import static org.juvm.posix.PosixAssertions.FIXED;
import static org.juvm.posix.PosixAssertions.PAGE;
import static org.juvm.posix.PosixAssertions.assertErrno;
import static org.juvm.posix.PosixAssertions.assertFault;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.Cpu;
import org.juvm.MemoryFault;
import org.juvm.Vm;
import org.juvm.base.Protection;

/** What brk and sbrk do. */
class HeapTest {

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

  private static final long BASE = PosixProcess.DEFAULT_BREAK_BASE;

  @Test
  void X_brkGrowsOneMapping() {
    assertThat(process.sbrk(0)).isEqualTo(BASE);
    assertThat(process.brk(BASE + 10)).isEqualTo(BASE + 10);
    assertThat(process.sbrk(PAGE)).isEqualTo(BASE + 10);
    for (int i = 0; i < 20; i++) {
      long before = process.sbrk(PAGE);
      cpu.set(JAVA_LONG, (before & -8) + 8, i);
      assertThat(process.vmspace().mappings()).hasSize(1);
    }
    assertThat(process.vmspace().mappedBytes()).isEqualTo(22 * PAGE);
    assertThat(process.vmspace().mappings().getFirst().protection())
        .isEqualTo(Protection.READ_WRITE);
  }

  @Test
  void X_brkShrinkingFreesAndZeroes() {
    process.brk(BASE + 4 * PAGE);
    for (int i = 0; i < 4; i++) {
      cpu.set(JAVA_LONG, BASE + (long) i * PAGE, i + 1);
    }
    assertThat(process.brk(BASE + PAGE + 1)).isEqualTo(BASE + PAGE + 1);
    assertThat(vm.statistics().usedFrames()).isEqualTo(2);
    assertFault(MemoryFault.Reason.NOT_MAPPED, () -> cpu.get(JAVA_LONG, BASE + 2 * PAGE));
    assertThat(process.sbrk(3 * PAGE)).isEqualTo(BASE + PAGE + 1);
    assertThat(cpu.get(JAVA_LONG, BASE + 2 * PAGE)).isZero();
    assertThat(cpu.get(JAVA_LONG, BASE + PAGE)).isEqualTo(2);
    process.brk(BASE);
    assertThat(process.vmspace().mappings()).isEmpty();
  }

  @Test
  void X_brkLimitAndObstacle() {
    process.setrlimit(Mman.RLIMIT_DATA, 3 * PAGE);
    process.brk(BASE + 3 * PAGE);
    assertErrno(Errno.ENOMEM, () -> process.brk(BASE + 3 * PAGE + 1));
    assertErrno(Errno.ENOMEM, () -> process.sbrk(1));
    process.setrlimit(Mman.RLIMIT_DATA, 0);
    process.brk(BASE + 2 * PAGE);
    assertErrno(Errno.ENOMEM, () -> process.brk(BASE + 3 * PAGE));
    process.setrlimit(Mman.RLIMIT_DATA, Mman.RLIM_INFINITY);
    process.mmap(BASE + 5 * PAGE, PAGE, Mman.PROT_READ, FIXED, -1, 0);
    assertErrno(Errno.ENOMEM, () -> process.brk(BASE + 6 * PAGE));
    assertThat(process.brk(BASE + 5 * PAGE)).isEqualTo(BASE + 5 * PAGE);
  }

  @Test
  void X_brkBaseCanBeSet() {
    process.setBreakBase(AT);
    assertThat(process.sbrk(PAGE)).isEqualTo(AT);
    cpu.set(JAVA_LONG, AT, 1);
    assertErrno(Errno.ENOMEM, () -> process.brk(AT - 1));
    process.mimmutable(AT, PAGE);
    assertErrno(Errno.EPERM, () -> process.brk(AT));
    assertThat(process.sbrk(0)).isEqualTo(AT + PAGE);
  }

  @Test
  void X_brkOfParentAndChild() {
    process.brk(BASE + PAGE);
    cpu.set(JAVA_LONG, BASE, 1);
    try (PosixProcess child = process.fork();
        PosixProcess sharer = process.vfork()) {
      assertThat(child.sbrk(PAGE)).isEqualTo(BASE + PAGE);
      assertThat(process.sbrk(0)).isEqualTo(BASE + PAGE);
      sharer.sbrk(2 * PAGE);
      assertThat(process.sbrk(0)).isEqualTo(BASE + 3 * PAGE);
      sharer.unshare();
      sharer.brk(BASE);
      assertThat(process.sbrk(0)).isEqualTo(BASE + 3 * PAGE);
      assertThat(cpu.get(JAVA_LONG, BASE)).isEqualTo(1);
    }
  }

  @Test
  void X_brkAndExec() {
    process.brk(BASE + PAGE);
    try (PosixProcess image = PosixProcess.create(vm)) {
      image.setBreakBase(AT);
      image.brk(AT + 5);
      process.exec(image);
      assertThat(process.sbrk(0)).isEqualTo(AT + 5);
      assertThat(process.sbrk(PAGE)).isEqualTo(AT + 5);
      assertThat(image.sbrk(0)).isEqualTo(AT + 5);
    }
    process.exec(null);
    assertThat(process.sbrk(0)).isEqualTo(BASE);
    assertThat(process.vmspace().mappings()).isEmpty();
  }

  @Test
  void X_brkByTwoThreads() throws InterruptedException {
    Runnable growth =
        () -> {
          for (int i = 0; i < 200; i++) {
            process.sbrk(PAGE);
          }
        };
    Thread other = Thread.ofPlatform().start(growth);
    growth.run();
    other.join();
    assertThat(process.sbrk(0)).isEqualTo(BASE + 400 * PAGE);
    assertThat(process.vmspace().mappedBytes()).isEqualTo(400 * PAGE);
  }
}
