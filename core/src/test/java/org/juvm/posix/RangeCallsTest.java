package org.juvm.posix;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.posix.PosixAssertions.AT;
import static org.juvm.posix.PosixAssertions.END;
import static org.juvm.posix.PosixAssertions.FIXED;
import static org.juvm.posix.PosixAssertions.PAGE;
import static org.juvm.posix.PosixAssertions.RW;
import static org.juvm.posix.PosixAssertions.assertErrno;
import static org.juvm.posix.PosixAssertions.assertFault;
import static org.juvm.posix.PosixAssertions.map;
import static org.juvm.posix.PosixAssertions.page;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.Cpu;
import org.juvm.Mapping;
import org.juvm.MemoryFault;
import org.juvm.Vm;
import org.juvm.Vmspace;

/** What munmap, mprotect, minherit, mimmutable and mremap do. */
class RangeCallsTest {

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

  private List<Long> words(long address, int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> cpu.get(JAVA_LONG, address + (long) i * PAGE))
        .toList();
  }

  private void fill(int pages) {
    map(process, 0, pages, RW);
    for (int i = 0; i < pages; i++) {
      cpu.set(JAVA_LONG, page(i), i + 1);
    }
  }

  @Test
  void X_munmapFreesWithHoles() {
    fill(4);
    process.munmap(page(1), 1);
    process.munmap(AT - PAGE, 5 * PAGE);
    assertThat(process.vmspace().mappings()).isEmpty();
    assertThat(vm.statistics().usedFrames()).isZero();
    assertFault(MemoryFault.Reason.NOT_MAPPED, () -> cpu.get(JAVA_LONG, AT));
    process.munmap(Vmspace.MINIMUM_ADDRESS, END - Vmspace.MINIMUM_ADDRESS);
  }

  @Test
  void X_mprotectMeansAllPagesOfTheRange() {
    fill(4);
    process.mprotect(page(1) + 1, PAGE, Mman.PROT_READ);
    cpu.set(JAVA_LONG, page(0), 9);
    assertFault(MemoryFault.Reason.PROTECTION, () -> cpu.set(JAVA_LONG, page(1), 9));
    assertFault(MemoryFault.Reason.PROTECTION, () -> cpu.set(JAVA_LONG, page(2), 9));
    cpu.set(JAVA_LONG, page(3), 9);
    process.mprotect(AT, 4 * PAGE, Mman.PROT_NONE);
    assertFault(MemoryFault.Reason.PROTECTION, () -> cpu.get(JAVA_LONG, page(3)));
    process.mprotect(AT, 4 * PAGE, Mman.PROT_WRITE);
    assertThat(words(AT, 4)).containsExactly(9L, 2L, 3L, 9L);
  }

  @Test
  void X_minheritRulesTheFork() {
    fill(4);
    process.minherit(page(0), 1, Mman.MAP_INHERIT_SHARE);
    process.minherit(page(1), 1, Mman.MAP_INHERIT_COPY);
    process.minherit(page(2), 1, Mman.MAP_INHERIT_ZERO);
    process.minherit(page(3), 1, Mman.MAP_INHERIT_NONE);
    try (PosixProcess child = process.fork()) {
      cpu.attach(child.vmspace());
      assertThat(words(AT, 3)).containsExactly(1L, 2L, 0L);
      assertFault(MemoryFault.Reason.NOT_MAPPED, () -> cpu.get(JAVA_LONG, page(3)));
      for (int i = 0; i < 3; i++) {
        cpu.set(JAVA_LONG, page(i), 7);
      }
    }
    cpu.attach(process.vmspace());
    assertThat(words(AT, 4)).containsExactly(7L, 2L, 3L, 4L);
  }

  @Test
  void X_mimmutableRefusesEveryChange() {
    fill(3);
    process.mimmutable(page(1) + 1, 1);
    for (int first = 0; first < 2; first++) {
      long from = page(first);
      assertErrno(Errno.EPERM, () -> process.munmap(from, 2 * PAGE));
      assertErrno(Errno.EPERM, () -> process.mprotect(from, 2 * PAGE, Mman.PROT_NONE));
      assertErrno(Errno.EPERM, () -> process.minherit(from, 2 * PAGE, Mman.MAP_INHERIT_ZERO));
      assertErrno(Errno.EPERM, () -> process.mmap(from, 2 * PAGE, RW, FIXED, -1, 0));
      assertErrno(Errno.EPERM, () -> process.mremap(from, 2 * PAGE, 0, PAGE, 0));
    }
    assertThat(words(AT, 3)).containsExactly(1L, 2L, 3L);
    cpu.set(JAVA_LONG, page(1), 5);
    process.mimmutable(page(1), PAGE);
    try (PosixProcess child = process.fork()) {
      assertErrno(Errno.EPERM, () -> child.munmap(page(1), PAGE));
    }
    process.exec(null);
    assertThat(process.mmap(page(1), PAGE, RW, FIXED, -1, 0)).isEqualTo(page(1));
    process.munmap(page(1), PAGE);
  }

  @Test
  void X_mimmutableKeepsWhatCannotBeWritten() {
    fill(1);
    process.mprotect(AT, PAGE, Mman.PROT_READ);
    process.mimmutable(AT, PAGE);
    assertErrno(Errno.EPERM, () -> process.madvise(AT, PAGE, Mman.MADV_FREE));
    assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(1);
  }

  @Test
  void X_mremapGrowsInPlaceAndMoves() {
    fill(2);
    assertThat(process.mremap(AT, 2 * PAGE, 0, 4 * PAGE, 0)).isEqualTo(AT);
    assertThat(words(AT, 4)).containsExactly(1L, 2L, 0L, 0L);
    map(process, 4, 1, Mman.PROT_READ);
    long moved = process.mremap(AT, 4 * PAGE, page(32), 6 * PAGE, 0);
    assertThat(moved).isEqualTo(page(32));
    assertThat(words(moved, 6)).containsExactly(1L, 2L, 0L, 0L, 0L, 0L);
    assertFault(MemoryFault.Reason.NOT_MAPPED, () -> cpu.get(JAVA_LONG, AT));
    assertThat(process.mremap(moved, 6 * PAGE, 0, PAGE, 0)).isEqualTo(moved);
    assertFault(MemoryFault.Reason.NOT_MAPPED, () -> cpu.get(JAVA_LONG, moved + PAGE));
    assertThat(vm.statistics().usedFrames()).isOne();
  }

  @Test
  void X_mremapFixedAndAligned() {
    fill(2);
    int fixed = Mman.MAP_FIXED;
    assertThat(process.mremap(AT, 2 * PAGE, page(8), 3 * PAGE, fixed)).isEqualTo(page(8));
    assertThat(words(page(8), 3)).containsExactly(1L, 2L, 0L);
    map(process, 20, 1, RW);
    assertErrno(Errno.ENOMEM, () -> process.mremap(page(8), 3 * PAGE, page(19), 3 * PAGE, fixed));
    assertThat(words(page(8), 3)).containsExactly(1L, 2L, 0L);
    long aligned = process.mremap(page(8), 3 * PAGE, 0, 3 * PAGE, Mman.MAP_ALIGNED(24));
    assertThat(aligned % (1 << 24)).isZero();
    assertThat(words(aligned, 3)).containsExactly(1L, 2L, 0L);
    assertThat(process.mremap(aligned, 3 * PAGE, 0, 2 * PAGE, Mman.MAP_ALIGNED(24)))
        .isEqualTo(aligned);
  }

  @Test
  void X_mremapDuplicates() {
    fill(2);
    int fixed = Mman.MAP_REMAPDUP | Mman.MAP_FIXED;
    assertThat(process.mremap(AT, 2 * PAGE, page(8), 2 * PAGE, fixed)).isEqualTo(page(8));
    cpu.set(JAVA_LONG, page(9), 7);
    cpu.set(JAVA_LONG, page(0), 6);
    assertThat(words(AT, 2)).containsExactly(6L, 7L);
    assertThat(words(page(8), 2)).containsExactly(6L, 7L);
    long more = process.mremap(AT, 2 * PAGE, 0, 4 * PAGE, Mman.MAP_REMAPDUP);
    assertThat(words(more, 4)).containsExactly(6L, 7L, 0L, 0L);
    long less = process.mremap(AT, 2 * PAGE, 0, PAGE, Mman.MAP_REMAPDUP | Mman.MAP_ALIGNED(20));
    assertThat(less % (1 << 20)).isZero();
    cpu.set(JAVA_LONG, less, 5);
    assertThat(words(more, 2)).containsExactly(5L, 7L);
    assertThat(process.mremap(AT, PAGE, page(40), 3 * PAGE, fixed)).isEqualTo(page(40));
    assertThat(words(page(40), 3)).containsExactly(5L, 0L, 0L);
    // Between the two copies there is no room for this one to grow: it goes again.
    List<Mapping> before = process.vmspace().mappings();
    assertErrno(Errno.ENOMEM, () -> process.mremap(AT, PAGE, page(39), 2 * PAGE, fixed));
    assertThat(process.vmspace().mappings()).isEqualTo(before);
  }

  /** It had moved already when what was added could not be wired. */
  @Test
  void X_mremapThatCannotBeWiredHasNotMoved() {
    fill(2);
    map(process, 2, 1, Mman.PROT_READ);
    process.setrlimit(Mman.RLIMIT_MEMLOCK, PAGE);
    process.mlockall(Mman.MCL_FUTURE);
    List<Mapping> before = process.vmspace().mappings();
    assertErrno(Errno.ENOMEM, () -> process.mremap(AT, 2 * PAGE, 0, 4 * PAGE, 0));
    assertErrno(
        Errno.ENOMEM, () -> process.mremap(AT, 2 * PAGE, page(9), 4 * PAGE, Mman.MAP_FIXED));
    assertThat(process.vmspace().mappings()).isEqualTo(before);
    assertThat(words(AT, 2)).containsExactly(1L, 2L);
  }
}
