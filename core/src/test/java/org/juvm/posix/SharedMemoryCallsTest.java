package org.juvm.posix;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.posix.PosixAssertions.AT;
import static org.juvm.posix.PosixAssertions.PAGE;
import static org.juvm.posix.PosixAssertions.RW;
import static org.juvm.posix.PosixAssertions.assertErrno;
import static org.juvm.posix.PosixAssertions.assertFault;
import static org.juvm.posix.PosixAssertions.page;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.Cpu;
import org.juvm.MemoryFault;
import org.juvm.Vm;
import org.juvm.base.Protection;

/** Shared memory by name, between processes. */
class SharedMemoryCallsTest {

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

  private static final int SHARED = Mman.MAP_SHARED | Mman.MAP_FIXED;
  private static final int CREATE = Mman.O_RDWR | Mman.O_CREAT;

  @Test
  void X_shmIsSeenByAll() {
    int fd = process.shmOpen("/m", CREATE | Mman.O_EXCL);
    process.ftruncate(fd, 3 * PAGE);
    process.mmap(AT, 3 * PAGE, RW, SHARED, fd, 0);
    cpu.set(JAVA_LONG, page(1), 7);
    try (PosixProcess other = PosixProcess.create(vm)) {
      int its = other.shmOpen("/m", Mman.O_RDWR);
      assertThat(other.fstatSize(its)).isEqualTo(3 * PAGE);
      long address = other.mmap(0, 2 * PAGE, RW, Mman.MAP_SHARED, its, PAGE);
      cpu.attach(other.vmspace());
      assertThat(cpu.get(JAVA_LONG, address)).isEqualTo(7);
      cpu.set(JAVA_LONG, address + PAGE, 8);
    }
    cpu.attach(process.vmspace());
    assertThat(cpu.get(JAVA_LONG, page(2))).isEqualTo(8);
    process.shmUnlink("/m");
  }

  @Test
  void X_shmPrivateStoresStayPrivate() {
    int fd = process.shmOpen("/m", CREATE);
    process.ftruncate(fd, PAGE);
    process.mmap(AT, PAGE, RW, SHARED, fd, 0);
    process.mmap(page(1), PAGE, RW, Mman.MAP_PRIVATE | Mman.MAP_FIXED, fd, 0);
    process.mmap(page(2), PAGE, RW, Mman.MAP_FIXED, fd, 0);
    cpu.set(JAVA_LONG, AT, 1);
    assertThat(cpu.get(JAVA_LONG, page(1))).isEqualTo(1);
    cpu.set(JAVA_LONG, page(1), 2);
    cpu.set(JAVA_LONG, page(2), 3);
    assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(1);
    cpu.set(JAVA_LONG, AT, 4);
    assertThat(cpu.get(JAVA_LONG, page(1))).isEqualTo(2);
  }

  @Test
  void X_shmOffsetInsideAPage() {
    int fd = process.shmOpen("/m", CREATE);
    process.ftruncate(fd, 2 * PAGE);
    process.mmap(AT, 2 * PAGE, RW, SHARED, fd, 0);
    cpu.set(JAVA_LONG, page(1) + 16, 7);
    long address = process.mmap(0, 8, RW, Mman.MAP_SHARED, fd, PAGE + 16);
    assertThat(cpu.get(JAVA_LONG, address)).isEqualTo(7);
    long fixed = process.mmap(page(8) + 16, 8, RW, SHARED, fd, PAGE + 16);
    assertThat(fixed).isEqualTo(page(8) + 16);
    assertThat(cpu.get(JAVA_LONG, fixed)).isEqualTo(7);
    long two = process.mmap(0, PAGE, RW, Mman.MAP_SHARED, fd, 16);
    assertThat(cpu.get(JAVA_LONG, two + PAGE)).isEqualTo(7);
  }

  @Test
  void X_shmTruncateWhileMapped() {
    int fd = process.shmOpen("/m", CREATE);
    process.mmap(AT, 4 * PAGE, RW, SHARED, fd, 0);
    assertFault(MemoryFault.Reason.BEYOND_END, () -> cpu.get(JAVA_LONG, AT));
    process.ftruncate(fd, 2 * PAGE);
    cpu.set(JAVA_LONG, page(1), 1);
    assertFault(MemoryFault.Reason.BEYOND_END, () -> cpu.set(JAVA_LONG, page(2), 1));
    process.ftruncate(fd, PAGE);
    assertFault(MemoryFault.Reason.BEYOND_END, () -> cpu.get(JAVA_LONG, page(1)));
    process.ftruncate(fd, 4 * PAGE);
    assertThat(cpu.get(JAVA_LONG, page(1))).isZero();
    cpu.set(JAVA_LONG, page(3), 2);
    process.shmOpen("/m", Mman.O_RDONLY | Mman.O_TRUNC);
    assertThat(process.fstatSize(fd)).isEqualTo(4 * PAGE);
    process.shmOpen("/m", Mman.O_RDWR | Mman.O_TRUNC);
    assertThat(process.fstatSize(fd)).isZero();
    assertFault(MemoryFault.Reason.BEYOND_END, () -> cpu.get(JAVA_LONG, page(3)));
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  @Test
  void X_shmUnlinkWhileMapped() {
    int fd = process.shmOpen("/m", CREATE);
    process.ftruncate(fd, PAGE);
    process.mmap(AT, PAGE, RW, SHARED, fd, 0);
    process.shmUnlink("/m");
    assertErrno(Errno.ENOENT, () -> process.shmOpen("/m", Mman.O_RDWR));
    process.close(fd);
    cpu.set(JAVA_LONG, AT, 1);
    assertThat(process.shmOpen("/m", CREATE)).isEqualTo(fd);
    assertThat(process.fstatSize(fd)).isZero();
    assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(1);
    process.munmap(AT, PAGE);
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  @Test
  void X_shmReadOnlyCanNeverBeWritten() {
    int writable = process.shmOpen("/m", CREATE);
    process.ftruncate(writable, PAGE);
    int fd = process.shmOpen("/m", Mman.O_RDONLY);
    process.mmap(AT, PAGE, Mman.PROT_READ, SHARED, fd, 0);
    assertThat(process.vmspace().mappings().getFirst().maximum())
        .isEqualTo(Protection.READ_EXECUTE);
    assertErrno(Errno.EACCES, () -> process.mprotect(AT, PAGE, RW));
    assertErrno(Errno.EACCES, () -> process.mmap(0, PAGE, RW, Mman.MAP_SHARED, fd, 0));
    long copy = process.mmap(0, PAGE, RW, Mman.MAP_PRIVATE, fd, 0);
    cpu.set(JAVA_LONG, copy, 1);
    assertThat(cpu.get(JAVA_LONG, AT)).isZero();
  }

  @Test
  void X_descriptorsAreTheLowestFree() {
    for (int i = 0; i < 4; i++) {
      assertThat(process.shmOpen("/m" + i, CREATE)).isEqualTo(i);
    }
    process.close(1);
    process.close(2);
    assertErrno(Errno.EBADF, () -> process.close(1));
    assertThat(process.shmOpen("/m0", Mman.O_RDONLY)).isEqualTo(1);
    assertThat(process.shmOpen("/m0", Mman.O_RDONLY)).isEqualTo(2);
    assertThat(process.shmOpen("/m0", Mman.O_RDONLY)).isEqualTo(4);
  }

  @Test
  void X_descriptorsAreInherited() {
    int fd = process.shmOpen("/m", CREATE);
    process.shmUnlink("/m");
    PosixProcess child = process.fork();
    PosixProcess sharer = process.vfork();
    process.close(fd);
    child.ftruncate(fd, PAGE);
    assertThat(sharer.fstatSize(fd)).isEqualTo(PAGE);
    child.mmap(AT, PAGE, RW, SHARED, fd, 0);
    cpu.attach(child.vmspace());
    cpu.set(JAVA_LONG, AT, 1);
    sharer.exec(null);
    child.exit();
    assertThat(sharer.fstatSize(fd)).isEqualTo(PAGE);
    assertThat(vm.statistics().usedFrames()).isEqualTo(1);
    sharer.exit();
    assertThat(vm.statistics().usedFrames()).isZero();
    assertErrno(Errno.EBADF, () -> process.fstatSize(fd));
  }

  /** A name that two processes create and take away all the time is always one or the other. */
  @Test
  void X_shmOpenRaces() throws InterruptedException {
    Runnable life =
        () -> {
          try (PosixProcess each = PosixProcess.create(vm)) {
            for (int i = 0; i < 500; i++) {
              int fd = each.shmOpen("/m", CREATE);
              each.ftruncate(fd, PAGE);
              try {
                each.shmUnlink("/m");
              } catch (PosixException e) {
                assertThat(e.errno()).isEqualTo(Errno.ENOENT);
              }
              each.close(fd);
            }
          }
        };
    Thread other = Thread.ofPlatform().start(life);
    life.run();
    other.join();
    assertThat(vm.sharedMemory().names()).isEmpty();
    assertThat(vm.statistics().objectNodes()).isZero();
  }
}
