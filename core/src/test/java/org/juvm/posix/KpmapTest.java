package org.juvm.posix;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.posix.PosixAssertions.PAGE;
import static org.juvm.posix.PosixAssertions.assertErrno;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.Cpu;
import org.juvm.StatisticsField;
import org.juvm.StatisticsReading;
import org.juvm.Vm;

/** The page of statistics as a device. */
class KpmapTest {
  private static final String PATH = "/dev/kpmap";

  @RegisterExtension final AuditedProcesses vms = new AuditedProcesses();

  private Vm vm;
  private PosixProcess process;
  private Cpu cpu;

  @BeforeEach
  void setUp() {
    vm = vms.boot(64);
    process = PosixProcess.create(vm);
    cpu = vm.newCpu();
    cpu.attach(process.vmspace());
  }

  private long mmap(int prot, int flags, int fd) {
    return process.mmap(0, PAGE, prot, flags, fd, 0);
  }

  @Test
  void M25_processesMapTheDevice() {
    int fd = process.open(PATH, Mman.O_RDONLY);
    long at = mmap(Mman.PROT_READ, Mman.MAP_SHARED, fd);
    long again = mmap(Mman.PROT_READ, 0, fd);
    process.close(fd);
    assertThat(cpu.get(JAVA_LONG, at)).isEqualTo(StatisticsField.MAGIC_NUMBER);
    assertThat(cpu.get(JAVA_LONG, again)).isEqualTo(StatisticsField.MAGIC_NUMBER);
    assertThat(StatisticsReading.read(cpu, at).value(StatisticsField.MEMORY)).isEqualTo(64);
    PosixProcess child = process.fork();
    cpu.attach(child.vmspace());
    assertThat(cpu.get(JAVA_LONG, at)).isEqualTo(StatisticsField.MAGIC_NUMBER);
    child.munmap(at, PAGE);
    child.exit();
    assertThat(vm.statistics().usedFrames()).isEqualTo(1);
  }

  @Test
  void M25_errors() {
    assertErrno(Errno.EPERM, () -> process.open(PATH, Mman.O_RDWR));
    assertErrno(Errno.EPERM, () -> process.open(PATH, Mman.O_WRONLY));
    assertErrno(Errno.EEXIST, () -> process.open(PATH, Mman.O_RDONLY | Mman.O_CREAT | Mman.O_EXCL));
    assertThat(vm.statistics().usedFrames()).isZero();
    int fd = process.open(PATH, Mman.O_RDONLY | Mman.O_CREAT);
    int write = Mman.PROT_READ | Mman.PROT_WRITE;
    assertErrno(Errno.EACCES, () -> mmap(write, Mman.MAP_SHARED, fd));
    assertErrno(Errno.EACCES, () -> mmap(write, 0, fd));
    assertErrno(Errno.EACCES, () -> mmap(Mman.PROT_EXEC, Mman.MAP_SHARED, fd));
    assertErrno(Errno.EINVAL, () -> mmap(Mman.PROT_READ, Mman.MAP_PRIVATE, fd));
    assertErrno(Errno.EINVAL, () -> process.ftruncate(fd, PAGE));
    assertErrno(Errno.ENODEV, () -> process.read(fd, new byte[8]));
    assertErrno(Errno.EBADF, () -> process.write(fd, new byte[8]));
    assertThat(process.fstatSize(fd)).isZero();
    assertThat(process.lseek(fd, 0, Mman.SEEK_SET)).isZero();
    process.fsync(fd);
    long at = mmap(Mman.PROT_READ, Mman.MAP_SHARED, fd);
    assertErrno(Errno.EACCES, () -> process.mprotect(at, PAGE, write));
  }
}
