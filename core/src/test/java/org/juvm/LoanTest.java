package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.juvm.AuditedVms.assertFault;
import static org.juvm.AuditedVms.assertRefused;
import static org.juvm.Program.PAGE;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.juvm.base.Access;
import org.juvm.base.Inheritance;
import org.juvm.base.Protection;

/** Pages on loan: what is lent does not change, and what was lent goes on. */
class LoanTest {
  private static final long AT = 1 << 20;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  /** The i-th page must still begin with i + 1. */
  private static void assertNumbered(Loan loan) {
    int page = 0;
    for (MemorySegment segment : loan.segments()) {
      for (long at = 0; at < segment.byteSize(); at += PAGE) {
        assertThat(segment.get(JAVA_LONG, at)).isEqualTo(++page);
      }
    }
    assertThat((long) page * PAGE).isEqualTo(loan.length());
  }

  private Program numbered(Vm vm, int pages) {
    Program program = Program.in(vm);
    program.space.map(AT, (long) pages * PAGE, Protection.READ_WRITE);
    program.number(AT, pages);
    return program;
  }

  @Test
  void P4_bytesAreLentWithoutACopy() throws IOException {
    Vm vm = vms.boot(64);
    Program program = numbered(vm, 8);
    long used = program.usedFrames();
    try (Loan loan = program.space.lend(AT, 8 * PAGE)) {
      assertNumbered(loan);
      assertThat(program.usedFrames()).isEqualTo(used);
      assertThat(loan.segments()).allMatch(MemorySegment::isReadOnly);
      assertThat(program.get(AT)).isEqualTo(1);
      assertThat(program.usedFrames()).as("reading breaks nothing").isEqualTo(used);
      assertThat(vm.audit()).isEmpty();
    }
    program.set(AT, 5);
    assertThat(program.usedFrames()).as("nobody else has it any more").isEqualTo(used);
  }

  @Test
  void P4_writesOfAFileBreakTheLoan(@TempDir Path directory) throws IOException {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    Path path = directory.resolve("file");
    Files.write(path, new byte[2 * PAGE]);
    try (MappedFile file =
        vm.files().open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      long at = 1L << 30;
      program.space.map(MapRequest.of(file, 0, 2L * PAGE).shared().at(at));
      program.set(at, 7);
      try (Loan loan = program.space.lend(at, PAGE)) {
        byte[] changed = new byte[8];
        changed[0] = 9;
        file.write(0, changed);
        assertThat(program.get(at)).isEqualTo(9);
        assertThat(loan.segments().getFirst().get(JAVA_LONG, 0)).isEqualTo(7);
      }
      assertThat(program.get(at)).isEqualTo(9);
    }
  }

  @Test
  void P4_storeBreaksTheLoan() {
    Vm vm = vms.boot(64);
    Program program = numbered(vm, 4);
    long used = program.usedFrames();
    try (Loan loan = program.space.lend(AT, 4 * PAGE)) {
      program.set(AT + PAGE, 20);
      program.set(AT + PAGE + 8, 21);
      assertThat(program.usedFrames()).isEqualTo(used + 1);
      assertNumbered(loan);
      assertThat(program.get(AT + PAGE)).isEqualTo(20);
      assertThat(vm.audit()).isEmpty();
    }
    assertThat(program.usedFrames()).isEqualTo(used);
    assertThat(program.get(AT + PAGE)).isEqualTo(20);
    assertThat(program.get(AT + PAGE + 8)).isEqualTo(21);
  }

  @Test
  void P4_loanSurvivesUnmapAndExit() {
    Vm vm = vms.boot(64);
    Program program = numbered(vm, 4);
    Loan first = program.space.lend(AT, 2 * PAGE);
    Loan second = program.space.lend(AT, 4 * PAGE);
    program.space.unmap(AT, PAGE);
    assertFault(MemoryFault.Reason.NOT_MAPPED, AT, () -> program.get(AT));
    assertNumbered(first);
    program.space.close();
    assertNumbered(second);
    assertThat(vm.audit()).isEmpty();
    assertThat(program.usedFrames()).isEqualTo(4);
    second.close();
    assertThat(program.usedFrames()).isEqualTo(2);
    assertNumbered(first);
    first.close();
    first.close();
    assertThat(program.usedFrames()).isZero();
    program.cpu.close();
  }

  @Test
  void P4_loanSurvivesTheSystem() {
    Vm vm = vms.boot(64);
    Program program = numbered(vm, 4);
    Loan loan = program.space.lend(AT, 4 * PAGE);
    vm.close();
    assertNumbered(loan);
    loan.close();
  }

  @Test
  void P4_loanSurvivesOtherChanges() {
    Vm vm = vms.boot(64);
    Program program = numbered(vm, 4);
    try (Loan loan = program.space.lend(AT, 4 * PAGE)) {
      program.space.protect(AT, 4 * PAGE, Protection.NONE);
      program.space.protect(AT, 4 * PAGE, Protection.READ_WRITE);
      long moved = program.space.remap(AT, 4 * PAGE, 4 * PAGE, 1 << 24, 1 << 24);
      program.set(moved, 100);
      program.space.paging().discard(moved + PAGE, PAGE);
      assertThat(program.get(moved + PAGE)).isZero();
      assertNumbered(loan);
      assertThat(program.get(moved)).isEqualTo(100);
    }
  }

  /** The page goes back to where it came from: it can leave memory again. */
  @Test
  void P4_bug10_pageOfALoanThatHasEndedCanGo() {
    try (Vm vm = Vm.builder().memory(64 * PAGE).swap(256 * PAGE).boot()) {
      Program program = numbered(vm, 16);
      Loan loan = program.space.lend(AT, 16 * PAGE);
      long other = program.space.map(100 * PAGE, Protection.READ_WRITE);
      program.number(other, 100);
      assertNumbered(loan);
      assertThat(program.space.paging().resident(AT, 16 * PAGE)).doesNotContain(false);
      assertThat(vm.audit()).isEmpty();
      loan.close();
      for (int round = 0; round < 4; round++) {
        program.number(other, 100);
      }
      assertThat(program.space.paging().resident(AT, 16 * PAGE)).contains(false);
      for (int i = 0; i < 16; i++) {
        assertThat(program.get(AT + (long) i * PAGE)).isEqualTo(i + 1);
      }
      assertThat(vm.audit()).isEmpty();
    }
  }

  @Test
  void P4_pagesInSwapAreBroughtIn() {
    try (Vm vm = Vm.builder().memory(64 * PAGE).swap(256 * PAGE).boot()) {
      Program program = numbered(vm, 16);
      long other = program.space.map(100 * PAGE, Protection.READ_WRITE);
      program.number(other, 100);
      program.number(other, 100);
      assertThat(program.space.paging().resident(AT, 16 * PAGE)).contains(false);
      try (Loan loan = program.space.lend(AT, 16 * PAGE)) {
        assertNumbered(loan);
        program.set(AT, 50);
        program.number(other, 100);
        assertNumbered(loan);
      }
      assertThat(program.get(AT)).isEqualTo(50);
      assertThat(vm.audit()).isEmpty();
    }
  }

  @Test
  void P4_bug11_untouchedMemoryIsLentWithoutAPage() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    program.space.map(AT, 1L << 30, Protection.READ_WRITE);
    program.set(AT + (1 << 29), 7);
    long used = program.usedFrames();
    try (Loan loan = program.space.lend(AT, 1L << 30)) {
      assertThat(program.usedFrames()).isEqualTo(used);
      assertThat(loan.segments().stream().mapToLong(MemorySegment::byteSize).sum())
          .isEqualTo(1L << 30);
      assertThat(loan.segments().getFirst().get(JAVA_LONG, 0)).isZero();
      program.set(AT, 8);
      assertThat(loan.segments().getFirst().get(JAVA_LONG, 0)).isZero();
    }
  }

  @Test
  void P4_forkAndLoan() {
    Vm vm = vms.boot(64);
    Program parent = numbered(vm, 4);
    Loan before = parent.space.lend(AT, 4 * PAGE);
    Program child = parent.fork();
    try (Loan ofChild = child.space.lend(AT, 4 * PAGE)) {
      parent.set(AT, 10);
      child.set(AT, 11);
      child.set(AT + PAGE, 12);
      parent.set(AT + PAGE, 13);
      assertNumbered(before);
      assertNumbered(ofChild);
      assertThat(vm.audit()).isEmpty();
    }
    child.space.close();
    parent.set(AT + 2 * PAGE, 14);
    assertNumbered(before);
    before.close();
    assertThat(parent.get(AT)).isEqualTo(10);
    assertThat(parent.get(AT + PAGE)).isEqualTo(13);
    assertThat(parent.get(AT + 2 * PAGE)).isEqualTo(14);
    assertThat(vm.statistics().usedFrames()).isEqualTo(4);
    child.cpu.close();
  }

  @Test
  void P4_sharedAmapSeesTheNewPage() {
    Vm vm = vms.boot(64);
    Program parent = numbered(vm, 2);
    parent.space.inherit(AT, 2 * PAGE, Inheritance.SHARE);
    Program child = parent.fork();
    assertThat(child.get(AT)).isEqualTo(1);
    try (Loan loan = parent.space.lend(AT, 2 * PAGE)) {
      child.set(AT, 30);
      assertThat(parent.get(AT)).isEqualTo(30);
      parent.set(AT, 31);
      assertThat(child.get(AT)).isEqualTo(31);
      assertNumbered(loan);
    }
    assertThat(vm.statistics().usedFrames()).isEqualTo(2);
  }

  @Test
  void P4_objectsAreLentThroughAnyMapping() {
    Vm vm = vms.boot(64);
    Program owner = Program.in(vm);
    Program other = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().create(4 * PAGE)) {
      owner.space.map(MapRequest.of(memory, 0, 4 * PAGE).shared().at(AT));
      other.space.map(MapRequest.of(memory, 0, 4 * PAGE).at(AT));
      owner.number(AT, 4);
      assertThat(other.get(AT)).isEqualTo(1);
      Loan shared = owner.space.lend(AT, 4 * PAGE);
      Loan through = other.space.lend(AT, 4 * PAGE);
      other.set(AT, 40);
      assertNumbered(through);
      owner.set(AT, 41);
      owner.set(AT + PAGE, 42);
      assertThat(other.get(AT + PAGE)).as("not private before a store").isEqualTo(42);
      assertNumbered(shared);
      assertNumbered(through);
      assertThat(vm.audit()).isEmpty();
      memory.resize(PAGE + 8);
      memory.resize(4 * PAGE);
      assertThat(owner.get(AT + PAGE)).isEqualTo(42);
      assertThat(owner.get(AT + 2 * PAGE)).isZero();
      assertNumbered(shared);
      assertThat(vm.audit()).isEmpty();
      shared.close();
      through.close();
      assertThat(owner.get(AT)).isEqualTo(41);
      assertThat(other.get(AT)).isEqualTo(40);
    }
  }

  /** The part of a page beyond a new end reads as zeros, but not on loan. */
  @Test
  void P4_resizeBreaksTheLoanOfTheLastPage() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().create(PAGE)) {
      program.space.map(MapRequest.of(memory, 0, PAGE).shared().at(AT));
      program.cpu.bulk().fill(AT, PAGE, (byte) 3);
      try (Loan loan = program.space.lend(AT, PAGE)) {
        memory.resize(100);
        assertThat(program.cpu.get(JAVA_BYTE, AT + 100)).isZero();
        assertThat(loan.segments().getFirst().get(JAVA_BYTE, 100)).isEqualTo((byte) 3);
      }
    }
  }

  @Test
  void P4_wiredPagesAreNotLent() {
    Vm vm = vms.boot(64);
    Program program = numbered(vm, 4);
    program.space.paging().wire(AT + 2 * PAGE, PAGE);
    assertRefused(MapException.Reason.WIRED, () -> program.space.lend(AT, 4 * PAGE));
    assertThat(vm.audit()).as("and nothing else is").isEmpty();
    program.space.paging().unwire(AT + 2 * PAGE, PAGE);
    program
        .cpu
        .bulk()
        .window(
            AT,
            PAGE,
            Access.READ,
            page ->
                assertRefused(MapException.Reason.WIRED, () -> program.space.lend(AT, 4 * PAGE)));
    program.space.lend(AT, 4 * PAGE).close();
  }

  @Test
  void P4_wiringAndWindowsBreakTheLoan() {
    Vm vm = vms.boot(64);
    Program program = numbered(vm, 4);
    try (Loan loan = program.space.lend(AT, 4 * PAGE)) {
      program.space.protect(AT, PAGE, Protection.READ);
      program.space.paging().wire(AT, PAGE);
      program.space.protect(AT, PAGE, Protection.READ_WRITE);
      program.set(AT, 60);
      program.cpu.bulk().window(AT + PAGE, 2 * PAGE, Access.WRITE, page -> page.fill((byte) 9));
      program.space.debug().write(AT + 3 * PAGE, MemorySegment.ofArray(new byte[] {8}), 0, 1);
      assertNumbered(loan);
      assertThat(vm.audit()).isEmpty();
    }
    assertThat(program.get(AT)).isEqualTo(60);
    assertThat(program.cpu.get(JAVA_BYTE, AT + PAGE)).isEqualTo((byte) 9);
    assertThat(program.cpu.get(JAVA_BYTE, AT + 3 * PAGE)).isEqualTo((byte) 8);
    program.space.paging().unwire(AT, PAGE);
  }

  @Test
  void P4_whatCannotBeReadIsNotLent() {
    Vm vm = vms.boot(64);
    Program program = numbered(vm, 2);
    assertFault(
        MemoryFault.Reason.NOT_MAPPED, AT + 2 * PAGE, () -> program.space.lend(AT, 4 * PAGE));
    program.space.protect(AT + PAGE, PAGE, Protection.NONE);
    assertFault(MemoryFault.Reason.PROTECTION, AT + PAGE, () -> program.space.lend(AT, 2 * PAGE));
    assertThat(vm.audit()).isEmpty();
    program.set(AT, 2);
    assertThat(vm.statistics().usedFrames()).isEqualTo(2);
  }

  @Test
  void P4_storeThatFindsNoMemoryFailsAndTheLoanStays() {
    Vm vm = vms.boot(32);
    Program program = numbered(vm, 32);
    try (Loan loan = program.space.lend(AT, 32 * PAGE)) {
      assertFault(MemoryFault.Reason.OUT_OF_MEMORY, AT, () -> program.set(AT, 70));
      assertThat(program.get(AT)).isEqualTo(1);
      assertNumbered(loan);
    }
    program.set(AT, 70);
  }

  @Test
  void P4_segmentsBelongToTheirThreadAndEndWithTheLoan() throws InterruptedException {
    Vm vm = vms.boot(64);
    Program program = numbered(vm, 1);
    Loan loan = program.space.lend(AT, PAGE);
    MemorySegment segment = loan.segments().getFirst();
    Throwable[] thrown = new Throwable[1];
    Thread other =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    loan.close();
                  } catch (WrongThreadException e) {
                    thrown[0] = e;
                  }
                });
    other.join();
    assertThat(thrown[0]).isInstanceOf(WrongThreadException.class);
    assertNumbered(loan);
    loan.close();
    assertThatIllegalStateException().isThrownBy(() -> segment.get(JAVA_LONG, 0));
    Loan forAll = program.space.lendToAll(AT, PAGE);
    Thread closer = Thread.ofPlatform().start(forAll::close);
    closer.join();
    assertThatIllegalStateException()
        .isThrownBy(() -> forAll.segments().getFirst().get(JAVA_LONG, 0));
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> program.space.lend(AT + 1, PAGE));
  }

  @Test
  void P4_aLoanIsWrittenToAChannel(@TempDir Path directory) throws IOException {
    Vm vm = vms.boot(64);
    Program program = numbered(vm, 8);
    Path file = directory.resolve("pages");
    try (Loan loan = program.space.lendToAll(AT, 8 * PAGE);
        FileChannel channel =
            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      program.number(AT + 8, 8);
      for (MemorySegment segment : loan.segments()) {
        channel.write(segment.asByteBuffer());
      }
    }
    byte[] written = Files.readAllBytes(file);
    assertThat(written).hasSize(8 * PAGE);
    MemorySegment pages = MemorySegment.ofArray(written);
    for (int i = 0; i < 8; i++) {
      long at = (long) i * PAGE;
      assertThat(pages.get(JAVA_LONG.withByteAlignment(1), at)).isEqualTo(i + 1);
      assertThat(pages.get(JAVA_LONG.withByteAlignment(1), at + 8)).isZero();
    }
  }
}
