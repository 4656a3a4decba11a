package org.juvm.posix;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.juvm.posix.PosixAssertions.ANON;
import static org.juvm.posix.PosixAssertions.AT;
import static org.juvm.posix.PosixAssertions.FIXED;
import static org.juvm.posix.PosixAssertions.PAGE;
import static org.juvm.posix.PosixAssertions.RW;
import static org.juvm.posix.PosixAssertions.assertErrno;
import static org.juvm.posix.PosixAssertions.assertFault;
import static org.juvm.posix.PosixAssertions.map;
import static org.juvm.posix.PosixAssertions.page;

import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.Cpu;
import org.juvm.Mapping;
import org.juvm.MemoryFault;
import org.juvm.Vm;
import org.juvm.Vmspace;

/** Fork, vfork, exec, unshare, exit, and the limits of processes. */
class ProcessLifeTest {

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

  @Test
  void X_forkCopies() {
    map(process, 0, 2, RW);
    cpu.set(JAVA_LONG, AT, 1);
    process.setrlimit(Mman.RLIMIT_AS, 4 * PAGE);
    try (PosixProcess child = process.fork()) {
      cpu.set(JAVA_LONG, AT, 2);
      cpu.attach(child.vmspace());
      assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(1);
      cpu.set(JAVA_LONG, page(1), 3);
      assertThat(child.getrlimit(Mman.RLIMIT_AS)).isEqualTo(4 * PAGE);
    }
    cpu.attach(process.vmspace());
    assertThat(cpu.get(JAVA_LONG, page(1))).isZero();
    assertThat(vm.statistics().usedFrames()).isEqualTo(2);
  }

  @Test
  void X_vforkSharesUntilExec() {
    map(process, 0, 1, RW);
    try (PosixProcess child = process.vfork()) {
      assertThat(child.vmspace()).isSameAs(process.vmspace());
      map(child, 1, 1, RW);
      cpu.set(JAVA_LONG, page(1), 5);
      child.exec(null);
      assertThat(child.vmspace()).isNotSameAs(process.vmspace());
      assertThat(child.vmspace().mappings()).isEmpty();
      map(child, 0, 1, RW);
    }
    assertThat(cpu.get(JAVA_LONG, page(1))).isEqualTo(5);
    assertThat(process.vmspace().references()).isOne();
  }

  @Test
  void X_vforkChildExits() {
    map(process, 0, 1, RW);
    PosixProcess child = process.vfork();
    child.exit();
    assertThatIllegalStateException().isThrownBy(() -> child.munmap(AT, PAGE));
    cpu.set(JAVA_LONG, AT, 1);
    PosixProcess heir = process.vfork();
    process.exit();
    assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(1);
    heir.exit();
    assertFault(MemoryFault.Reason.NOT_MAPPED, () -> cpu.get(JAVA_LONG, AT));
  }

  @Test
  void X_execCopiesAnImage() {
    map(process, 0, 1, RW);
    int fd = process.shmOpen("/m", Mman.O_CREAT | Mman.O_RDWR);
    process.setrlimit(Mman.RLIMIT_AS, 8 * PAGE);
    try (PosixProcess image = PosixProcess.create(vm)) {
      map(image, 4, 1, RW);
      cpu.attach(image.vmspace());
      cpu.set(JAVA_LONG, page(4), 6);
      process.exec(image);
      cpu.attach(process.vmspace());
      assertThat(cpu.get(JAVA_LONG, page(4))).isEqualTo(6);
      cpu.set(JAVA_LONG, page(4), 7);
      cpu.attach(image.vmspace());
      assertThat(cpu.get(JAVA_LONG, page(4))).isEqualTo(6);
    }
    cpu.attach(process.vmspace());
    assertThat(cpu.get(JAVA_LONG, page(4))).isEqualTo(7);
    assertFault(MemoryFault.Reason.NOT_MAPPED, () -> cpu.get(JAVA_LONG, AT));
    assertThat(process.getrlimit(Mman.RLIMIT_AS)).isEqualTo(8 * PAGE);
    assertThat(process.fstatSize(fd)).isZero();
  }

  @Test
  void X_unshareGivesACopy() {
    map(process, 0, 1, RW);
    cpu.set(JAVA_LONG, AT, 1);
    Vmspace own = process.vmspace();
    process.unshare();
    assertThat(process.vmspace()).isSameAs(own);
    try (PosixProcess child = process.vfork()) {
      child.unshare();
      assertThat(own.references()).isOne();
      cpu.attach(child.vmspace());
      cpu.set(JAVA_LONG, AT, 2);
    }
    cpu.attach(own);
    assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(1);
  }

  @Test
  void X_exitEndsEverything() {
    map(process, 0, 2, RW);
    cpu.set(JAVA_LONG, AT, 1);
    int fd = process.shmOpen("/m", Mman.O_CREAT | Mman.O_RDWR);
    process.mlock(AT, PAGE);
    process.exit();
    process.exit();
    process.close();
    assertThat(process.vmspace().isExited()).isTrue();
    assertThat(vm.statistics().usedFrames()).isZero();
    List<Runnable> calls =
        List.of(
            () -> process.mmap(0, PAGE, RW, ANON, -1, 0),
            () -> process.munmap(AT, 0),
            () -> process.mlockall(Mman.MCL_FUTURE),
            process::munlockall,
            () -> process.sbrk(0),
            () -> process.shmOpen("/m", Mman.O_RDONLY),
            () -> process.close(fd),
            () -> process.getrlimit(Mman.RLIMIT_AS),
            process::fork,
            process::vfork,
            process::unshare,
            () -> process.exec(null));
    for (Runnable call : calls) {
      assertThatIllegalStateException().isThrownBy(call::run);
    }
  }

  @Test
  void X_exitByManyThreadsAndExec() throws InterruptedException {
    for (int i = 0; i < 200; i++) {
      PosixProcess child = process.vfork();
      Thread other = Thread.ofPlatform().start(child::exit);
      try {
        child.exec(null);
      } catch (IllegalStateException e) {
        assertThat(e).hasMessage("the process has exited");
      }
      child.exit();
      other.join();
    }
    assertThat(process.vmspace().references()).isOne();
    assertThat(vm.statistics().vmspaces()).isOne();
  }

  @Test
  void X_rlimitAddressSpace() {
    process.setrlimit(Mman.RLIMIT_AS, 4 * PAGE);
    map(process, 0, 4, RW);
    assertErrno(Errno.ENOMEM, () -> process.mmap(0, 1, RW, ANON, -1, 0));
    assertErrno(Errno.ENOMEM, () -> process.brk(PosixProcess.DEFAULT_BREAK_BASE + 1));
    assertErrno(Errno.ENOMEM, () -> process.mremap(AT, PAGE, 0, 2 * PAGE, 0));
    assertErrno(Errno.ENOMEM, () -> process.mremap(AT, PAGE, 0, PAGE, Mman.MAP_REMAPDUP));
    map(process, 1, 2, Mman.PROT_READ);
    assertThat(process.getrlimit(Mman.RLIMIT_AS)).isEqualTo(4 * PAGE);
    assertThat(process.getrlimit(Mman.RLIMIT_DATA)).isEqualTo(Mman.RLIM_INFINITY);
    process.setrlimit(Mman.RLIMIT_AS, 0);
    process.munmap(AT, 4 * PAGE);
    process.setrlimit(Mman.RLIMIT_AS, Mman.RLIM_INFINITY);
    map(process, 0, 5, RW);
  }

  @Test
  void X_rlimitStack() {
    process.setrlimit(Mman.RLIMIT_STACK, 64 * PAGE);
    long size = 256 * PAGE;
    process.mmap(AT, size, RW, FIXED | Mman.MAP_GROWSDOWN, -1, 0);
    long top = AT + size;
    cpu.set(JAVA_LONG, top - 64 * PAGE, 1);
    assertFault(MemoryFault.Reason.STACK_LIMIT, () -> cpu.set(JAVA_LONG, top - 64 * PAGE - 8, 1));
    process.setrlimit(Mman.RLIMIT_STACK, 128 * PAGE);
    cpu.set(JAVA_LONG, top - 65 * PAGE, 1);
    process.setrlimit(Mman.RLIMIT_STACK, PAGE - 1);
    assertErrno(Errno.ENOMEM, () -> process.mmap(0, size, RW, ANON | Mman.MAP_GROWSDOWN, -1, 0));
  }

  @Test
  void X_forkWithoutMemoryForWiredPages() {
    map(process, 0, 200, RW);
    process.mlock(AT, 200 * PAGE);
    List<Mapping> before = process.vmspace().mappings();
    assertErrno(Errno.ENOMEM, process::fork);
    assertThat(process.vmspace().mappings()).isEqualTo(before);
    assertThat(vm.statistics().vmspaces()).isOne();
  }

  /** What the child does not get, or gets as the same memory, needs no pages of its own. */
  @Test
  void X_forkWithWiredPagesThatAreNotCopied() {
    int fd = process.shmOpen("/m", Mman.O_CREAT | Mman.O_RDWR);
    process.ftruncate(fd, 60 * PAGE);
    process.mmap(page(200), 60 * PAGE, RW, Mman.MAP_SHARED | Mman.MAP_FIXED, fd, 0);
    map(process, 0, 120, RW);
    process.minherit(page(0), 60 * PAGE, Mman.MAP_INHERIT_NONE);
    process.minherit(page(60), 60 * PAGE, Mman.MAP_INHERIT_ZERO);
    process.mlockall(Mman.MCL_CURRENT);
    cpu.set(JAVA_LONG, page(200), 1);
    try (PosixProcess child = process.fork()) {
      cpu.attach(child.vmspace());
      assertThat(cpu.get(JAVA_LONG, page(200))).isEqualTo(1);
      assertThat(cpu.get(JAVA_LONG, page(60))).isZero();
      assertFault(MemoryFault.Reason.NOT_MAPPED, () -> cpu.get(JAVA_LONG, page(0)));
    }
  }
}
