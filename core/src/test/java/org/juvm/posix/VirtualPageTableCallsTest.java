package org.juvm.posix;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.posix.PosixAssertions.AT;
import static org.juvm.posix.PosixAssertions.PAGE;
import static org.juvm.posix.PosixAssertions.RW;
import static org.juvm.posix.PosixAssertions.assertErrno;
import static org.juvm.posix.PosixAssertions.assertFault;
import static org.juvm.posix.PosixAssertions.page;

import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.Cpu;
import org.juvm.Mapping;
import org.juvm.MemoryFault;
import org.juvm.Vm;
import org.juvm.base.VirtualPte;

/** MAP_VPAGETABLE, MADV_SETMAP and MADV_INVAL. */
class VirtualPageTableCallsTest {
  private static final int VIRTUAL = Mman.MAP_SHARED | Mman.MAP_FIXED | Mman.MAP_VPAGETABLE;
  private static final long LINEAR = VirtualPte.VALID | VirtualPte.WRITABLE | VirtualPte.LARGE;

  @RegisterExtension final AuditedProcesses vms = new AuditedProcesses();

  private PosixProcess process;
  private Cpu cpu;
  private int fd;

  @BeforeEach
  void setUp() {
    Vm vm = vms.boot(256);
    process = PosixProcess.create(vm);
    cpu = vm.newCpu();
    cpu.attach(process.vmspace());
    fd = process.shmOpen("/m", Mman.O_RDWR | Mman.O_CREAT);
    process.ftruncate(fd, 16 * PAGE);
  }

  @Test
  void M24_rootsAreSetAndTablesInvalidated() {
    process.mmap(AT, 16 * PAGE, RW, VIRTUAL, fd, 0);
    assertFault(MemoryFault.Reason.NOT_MAPPED, () -> cpu.get(JAVA_LONG, AT));
    process.mcontrol(AT, 16 * PAGE, Mman.MADV_SETMAP, LINEAR);
    for (int i = 0; i < 16; i++) {
      cpu.set(JAVA_LONG, page(i), i);
    }
    // Page 12 names 13, that 14, that 15, and that the pages of data in reverse order.
    for (int i = 12; i < 15; i++) {
      cpu.set(JAVA_LONG, page(i), VirtualPte.of((i + 1L) * PAGE, VirtualPte.WRITABLE));
    }
    for (int i = 0; i < 12; i++) {
      long entry = VirtualPte.of((11L - i) * PAGE, VirtualPte.WRITABLE);
      cpu.set(JAVA_LONG, page(15) + (long) i * Long.BYTES, entry);
    }
    long root = VirtualPte.of(12 * PAGE, VirtualPte.WRITABLE);
    process.mcontrol(AT + 1, 16 * PAGE - 1, Mman.MADV_SETMAP, root);
    for (int i = 0; i < 12; i++) {
      assertThat(cpu.get(JAVA_LONG, page(i))).isEqualTo(11 - i);
    }
    long other = process.mmap(0, 16 * PAGE, RW, Mman.MAP_SHARED, fd, 0);
    cpu.set(JAVA_LONG, other + 15 * PAGE, VirtualPte.of(5 * PAGE, 0));
    process.mcontrol(AT, PAGE, Mman.MADV_INVAL, 0);
    assertThat(cpu.get(JAVA_LONG, page(0))).isEqualTo(5);
    cpu.set(JAVA_LONG, other + 15 * PAGE, 0);
    process.madvise(AT, PAGE, Mman.MADV_INVAL);
    assertFault(MemoryFault.Reason.NOT_MAPPED, () -> cpu.get(JAVA_LONG, AT));
    long part = process.mmap(0, PAGE, RW, Mman.MAP_SHARED | Mman.MAP_VPAGETABLE, fd, 3 * PAGE + 8);
    process.mcontrol(part, PAGE, Mman.MADV_SETMAP, root);
    assertThat(cpu.get(JAVA_LONG, part - 8)).isEqualTo(8);
  }

  @Test
  void M24_callsWithBadInput() {
    List<Mapping> before = process.vmspace().mappings();
    fails(Errno.EINVAL, Mman.PROT_READ, VIRTUAL, fd, 0);
    fails(Errno.EINVAL, Mman.PROT_NONE, VIRTUAL, fd, 0);
    fails(Errno.EINVAL, RW, Mman.MAP_PRIVATE | Mman.MAP_VPAGETABLE, fd, 0);
    fails(Errno.EINVAL, RW, Mman.MAP_VPAGETABLE, fd, 0);
    fails(Errno.EINVAL, RW, VIRTUAL | Mman.MAP_WIRED, fd, 0);
    fails(Errno.EINVAL, RW, VIRTUAL | Mman.MAP_ANON, -1, 0);
    fails(Errno.EINVAL, RW, Mman.MAP_GROWSDOWN | Mman.MAP_VPAGETABLE, -1, 0);
    fails(Errno.EBADF, RW, VIRTUAL, 99, 0);
    fails(Errno.EINVAL, RW, VIRTUAL, fd, -PAGE);
    fails(Errno.EOVERFLOW, RW, VIRTUAL, fd, 1L << 47);
    int reader = process.shmOpen("/m", Mman.O_RDONLY);
    fails(Errno.EACCES, RW, VIRTUAL, reader, 0);
    assertThat(process.vmspace().mappings()).isEqualTo(before);
    process.mmap(AT, 2 * PAGE, RW, VIRTUAL, fd, (1L << 47) - 2 * PAGE);
    process.mmap(page(3), PAGE, RW, Mman.MAP_SHARED | Mman.MAP_FIXED, fd, 0);
    process.mcontrol(AT, 3 * PAGE, Mman.MADV_SETMAP, 0);
    process.mcontrol(page(2), PAGE, Mman.MADV_SETMAP, LINEAR);
    process.mcontrol(AT, 0, Mman.MADV_SETMAP, LINEAR);
    String shown = process.vmspace().show();
    assertErrno(Errno.EINVAL, () -> process.mcontrol(AT, 4 * PAGE, Mman.MADV_SETMAP, LINEAR));
    assertErrno(Errno.EINVAL, () -> process.mcontrol(AT, -1, Mman.MADV_SETMAP, 0));
    assertErrno(Errno.EINVAL, () -> process.mcontrol(0, PAGE, Mman.MADV_SETMAP, 0));
    assertErrno(Errno.EINVAL, () -> process.mcontrol(AT, PAGE, 13, 0));
    assertErrno(Errno.EINVAL, () -> process.mcontrol(AT, PAGE, -1, 0));
    assertErrno(Errno.EINVAL, () -> process.mcontrol(AT, PAGE, Mman.MADV_SPACEAVAIL, 0));
    assertErrno(Errno.EINVAL, () -> process.madvise(AT, PAGE, Mman.MADV_SETMAP));
    assertErrno(Errno.EINVAL, () -> process.mlock(AT, PAGE));
    assertErrno(Errno.EINVAL, () -> process.mlockall(Mman.MCL_CURRENT));
    assertThat(process.vmspace().show()).isEqualTo(shown);
    process.mcontrol(AT, 4 * PAGE, Mman.MADV_RANDOM, -1);
  }

  private void fails(Errno errno, int prot, int flags, int descriptor, long offset) {
    assertErrno(errno, () -> process.mmap(AT, 2 * PAGE, prot, flags, descriptor, offset));
  }
}
