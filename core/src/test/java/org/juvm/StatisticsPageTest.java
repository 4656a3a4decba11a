package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.juvm.AuditedVms.assertFault;
import static org.juvm.AuditedVms.assertRefused;
import static org.juvm.Program.PAGE;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.juvm.base.Access;
import org.juvm.base.Advice;
import org.juvm.base.Inheritance;
import org.juvm.base.Protection;
import org.juvm.base.Replacement;
import org.juvm.trace.Counter;

/** The page of statistics as programs see it. */
class StatisticsPageTest {
  private static final long AT = 1 << 20;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  private static Program mapped(Vm vm) {
    Program program = Program.in(vm);
    assertThat(program.space.map(MapRequest.of(vm.statisticsPage()).at(AT))).isEqualTo(AT);
    return program;
  }

  private static StatisticsReading read(Program program) {
    return StatisticsReading.read(program.cpu, AT);
  }

  private static long ticks(Program program) {
    return program.get(AT + StatisticsField.TICKS.offset());
  }

  /** The clock's thread needs the host's processor; this ends when it had it. */
  private static void awaitTicks(Program program, long more) {
    long until = ticks(program) + more;
    while (ticks(program) < until) {
      Thread.onSpinWait();
    }
  }

  @Test
  void M25_spacesAndChildrenSeeOnePageThatAdvances() {
    Vm vm = vms.boot(64);
    Program one = mapped(vm);
    Program two = mapped(vm);
    Program child = one.fork();
    long before = ticks(one);
    assertThat(before).isPositive();
    awaitTicks(child, 2);
    assertThat(ticks(one)).isGreaterThan(before);
    assertThat(ticks(two)).isGreaterThan(before);
    long seen = ticks(two);
    assertThat(ticks(child)).isGreaterThanOrEqualTo(seen);
    assertThat(vm.statisticsPage()).isSameAs(vm.statisticsPage());
    assertThat(vm.statistics().usedFrames()).isEqualTo(1);
  }

  @Test
  void M25_layoutStaysAsItIs() {
    StatisticsField[] fields = StatisticsField.values();
    for (int i = 0; i < fields.length; i++) {
      assertThat(fields[i].offset()).isEqualTo(8 * i);
    }
    // New ones come behind these.
    assertThat(List.of(fields).subList(0, 45))
        .extracting(StatisticsField::name)
        .startsWith("MAGIC", "VERSION", "LENGTH", "SEQUENCE", "PAGE_SIZE", "MEMORY", "BOOT_TIME")
        .endsWith("HEAVY_FENCES", "LOANS", "LOAN_BREAKS");
    assertThat(fields.length * 8).isLessThanOrEqualTo(1024);
  }

  @Test
  void M25_documentSaysTheSame() throws IOException {
    assertThat(
            Files.readAllLines(Path.of("..", "docs", "statistics-page.md")).stream()
                .filter(line -> line.matches("\\| \\d+ \\| `.*"))
                .map(line -> line.replaceAll("\\| (\\d+) \\| `(\\w+)`.*", "$1 $2")))
        .containsExactlyElementsOf(
            Arrays.stream(StatisticsField.values())
                .map(field -> field.offset() + " " + field.name())
                .toList());
  }

  @ParameterizedTest
  @ValueSource(ints = {1024, 4096, 65536})
  void M25_headerAndSizes(int pageSize) {
    long before = Instant.now().toEpochMilli();
    Vm vm = vms.boot(64, pageSize);
    Program program = Program.in(vm);
    long at = program.space.map(MapRequest.of(vm.statisticsPage()));
    StatisticsReading reading = StatisticsReading.read(program.cpu, at);
    assertThat(reading.value(StatisticsField.MAGIC)).isEqualTo(StatisticsField.MAGIC_NUMBER);
    assertThat(reading.value(StatisticsField.VERSION)).isEqualTo(1);
    assertThat(reading.value(StatisticsField.LENGTH)).isEqualTo(360);
    assertThat(reading.value(StatisticsField.PAGE_SIZE)).isEqualTo(pageSize);
    assertThat(reading.value(StatisticsField.MEMORY)).isEqualTo(64);
    assertThat(reading.value(StatisticsField.TICK_LENGTH)).isEqualTo(10_000_000);
    assertThat(reading.value(StatisticsField.BOOT_TIME))
        .isBetween(before - 1, Instant.now().toEpochMilli() + 1);
    assertThat(reading.toString()).contains("TICKS");
    byte[] rest = new byte[pageSize - 360];
    program.cpu.bulk().read(at + 360, rest, 0, rest.length);
    assertThat(rest).containsOnly(0);
    assertThat(vm.statisticsPage().size()).isEqualTo(pageSize);
  }

  @Test
  void M25_timeNeverGoesBackwards() {
    Vm vm = vms.boot(64);
    Program program = mapped(vm);
    StatisticsReading last = read(program);
    long end = last.value(StatisticsField.TICKS) + 5;
    while (last.value(StatisticsField.TICKS) < end) {
      // The events of processors that are gone count, and count once.
      Program other = program.fork();
      other.set(other.space.map(PAGE, Protection.READ_WRITE), 1);
      other.cpu.close();
      other.space.close();
      StatisticsReading next = read(program);
      for (StatisticsField field : StatisticsField.values()) {
        if (field.counter() != null
            || field == StatisticsField.TICKS
            || field == StatisticsField.UPTIME
            || field == StatisticsField.SEQUENCE) {
          assertThat(next.value(field)).as(field.name()).isGreaterThanOrEqualTo(last.value(field));
        }
      }
      last = next;
    }
  }

  @Test
  void M25_agreesWithStatisticsWhenNothingRuns() {
    Vm vm = vms.bootWithSwap(64, 256);
    Program program = mapped(vm);
    long anonymous = program.space.map(100L * PAGE, Protection.READ_WRITE);
    program.number(anonymous, 100);
    Program child = program.fork();
    child.set(anonymous, 1);
    StatisticsReading reading;
    Statistics before;
    Statistics after;
    do {
      before = vm.statistics();
      awaitTicks(program, 2);
      reading = read(program);
      after = vm.statistics();
    } while (!before.equals(after));
    assertThat(reading.value(StatisticsField.FREE)).isEqualTo(after.freeFrames());
    assertThat(reading.value(StatisticsField.SWAP)).isEqualTo(256);
    assertThat(reading.value(StatisticsField.SWAP_IN_USE)).isEqualTo(after.swapPagesInUse());
    assertThat(reading.value(StatisticsField.FAULTS)).isEqualTo(after.faults());
    assertThat(reading.value(StatisticsField.ZERO_FILLS)).isEqualTo(after.zeroFills());
    assertThat(reading.value(StatisticsField.COPIES)).isEqualTo(after.copies());
    assertThat(reading.value(StatisticsField.OBJECT_PAGES)).isEqualTo(after.objectPages());
    assertThat(reading.value(StatisticsField.SWAP_OUTS)).isEqualTo(after.swapOuts()).isPositive();
    assertThat(reading.value(StatisticsField.EVICTIONS)).isEqualTo(after.evictions());
    assertThat(reading.value(StatisticsField.FORKS)).isEqualTo(after.forks()).isEqualTo(1);
    assertThat(reading.value(StatisticsField.MAPS)).isEqualTo(after.maps()).isEqualTo(2);
    assertThat(reading.value(StatisticsField.TLB_FILLS)).isEqualTo(after.tlbFills());
  }

  @Test
  void M25_everyCounterIsShown() {
    assertThat(Arrays.stream(StatisticsField.values()).map(StatisticsField::counter))
        .contains(Counter.values());
  }

  @Test
  void M25_nobodyCanStore() {
    Vm vm = vms.boot(64);
    Program program = mapped(vm);
    Vmspace space = program.space;
    assertFault(MemoryFault.Reason.PROTECTION, AT, () -> program.set(AT, 1));
    assertFault(
        MemoryFault.Reason.PROTECTION,
        AT,
        () -> program.cpu.atomics().getAndAdd(JAVA_LONG, AT, 1L));
    assertThatExceptionOfType(MemoryFault.class)
        .isThrownBy(() -> program.cpu.bulk().window(AT, PAGE, Access.WRITE, bytes -> {}));
    assertThatExceptionOfType(MemoryFault.class)
        .isThrownBy(() -> space.debug().write(AT, MemorySegment.ofArray(new byte[8]), 0, 8));
    for (Protection more :
        List.of(Protection.READ_WRITE, Protection.READ_EXECUTE, Protection.READ_WRITE_EXECUTE)) {
      assertRefused(MapException.Reason.MAXIMUM_PROTECTION, () -> space.protect(AT, PAGE, more));
      MapRequest request = MapRequest.of(vm.statisticsPage()).maximum(more).protection(more);
      assertRefused(MapException.Reason.MAXIMUM_PROTECTION, () -> space.map(request));
    }
    space.protect(AT, PAGE, Protection.NONE);
    assertFault(MemoryFault.Reason.PROTECTION, AT, () -> program.get(AT));
    space.protect(AT, PAGE, Protection.READ);
    assertThat(read(program).value(StatisticsField.TICKS)).isPositive();
    assertThat(space.mappings().getFirst().maximum()).isEqualTo(Protection.READ);
  }

  @Test
  void M25_inheritance() {
    Vm vm = vms.boot(64);
    StatisticsPage page = vm.statisticsPage();
    Program program = mapped(vm);
    program.space.map(MapRequest.of(page).at(AT + PAGE).inheritance(Inheritance.COPY));
    program.space.map(MapRequest.of(page).at(AT + 2 * PAGE).inheritance(Inheritance.NONE));
    program.space.map(MapRequest.of(page).at(AT + 3 * PAGE).inheritance(Inheritance.ZERO));
    long anonymous = program.space.map(PAGE, Protection.READ_WRITE);
    program.set(anonymous, 4);
    Program child = program.fork();
    awaitTicks(child, 1);
    long now = child.get(AT + PAGE + StatisticsField.TICKS.offset());
    assertThat(ticks(program)).isGreaterThanOrEqualTo(now);
    assertFault(MemoryFault.Reason.NOT_MAPPED, AT + 2 * PAGE, () -> child.get(AT + 2 * PAGE));
    assertThat(child.get(AT + 3 * PAGE)).isZero();
    child.set(anonymous, 5);
    assertThat(program.get(anonymous)).isEqualTo(4);
    awaitTicks(program, 1);
    assertThat(child.fork().get(AT + PAGE + StatisticsField.TICKS.offset())).isGreaterThan(now);
    assertThat(vm.audit()).isEmpty();
  }

  /** One bit protects all that the parent has, also what the child does not inherit. */
  @Test
  void M25_forkIsNotSlower() {
    Vm vm = vms.boot(64);
    Program program = mapped(vm);
    long copied = program.space.map(PAGE, Protection.READ_WRITE);
    long kept = program.space.map(MapRequest.anonymous(PAGE).inheritance(Inheritance.NONE));
    program.set(copied, 1);
    program.set(kept, 1);
    Program child = program.fork();
    long before = vm.statistics().direct();
    program.set(kept, 2);
    assertThat(vm.statistics().direct()).isEqualTo(before + 1);
    program.set(copied, 2);
    assertThat(child.get(copied)).isEqualTo(1);
    assertThat(program.get(AT)).isEqualTo(StatisticsField.MAGIC_NUMBER);
  }

  @Test
  void M25_unmapExecAndExitReleaseIt() {
    Vm vm = vms.boot(64);
    Program program = mapped(vm);
    long before = ticks(program);
    program.space.unmap(AT, PAGE);
    assertFault(MemoryFault.Reason.NOT_MAPPED, AT, () -> program.get(AT));
    assertThat(vm.audit()).isEmpty();
    program.space.map(MapRequest.of(vm.statisticsPage()).at(AT));
    assertThat(ticks(program)).isGreaterThanOrEqualTo(before);
    long moved = program.space.remap(AT, PAGE, PAGE, 1 << 25, 1 << 25);
    assertThat(program.get(moved)).isEqualTo(StatisticsField.MAGIC_NUMBER);
    Vmspace fresh = program.space.exec(null);
    assertThat(vm.audit()).isEmpty();
    fresh.map(MapRequest.of(vm.statisticsPage()).at(AT));
    fresh.close();
    assertThat(vm.audit()).isEmpty();
    assertThat(vm.statistics().usedFrames()).isEqualTo(1);
  }

  @Test
  void M25_itIsOnePage() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    StatisticsPage page = vm.statisticsPage();
    program.space.map(MapRequest.of(page, 0, 3 * PAGE).at(AT));
    assertThat(program.get(AT)).isEqualTo(StatisticsField.MAGIC_NUMBER);
    assertFault(MemoryFault.Reason.BEYOND_END, AT + PAGE, () -> program.get(AT + PAGE));
    assertThat(program.space.paging().resident(AT, 3 * PAGE)).containsExactly(true, false, false);
    assertRefused(
        MapException.Reason.BEYOND_END,
        () -> program.space.map(MapRequest.of(page, PAGE, PAGE).wired()));
    Vm other = vms.boot(64);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> other.newVmspace().map(MapRequest.of(page)));
  }

  @Test
  void M25_itIsNoMemoryOfTheProgram() {
    Vm vm = vms.boot(64);
    Program program = mapped(vm);
    Paging paging = program.space.paging();
    assertThat(paging.anonymousPages()).isZero();
    paging.wire(AT, PAGE);
    Program child = program.fork();
    assertThat(vm.audit()).isEmpty();
    paging.unwire(AT, PAGE);
    assertRefused(MapException.Reason.WIRED, () -> program.space.lend(AT, PAGE));
    program.space.paging().advise(AT, PAGE, Advice.RANDOM);
    assertThat(child.get(AT)).isEqualTo(StatisticsField.MAGIC_NUMBER);
    byte[] bytes = new byte[8];
    program.space.debug().read(AT, MemorySegment.ofArray(bytes), 0, 8);
    program.cpu.bulk().window(AT, PAGE, Access.READ, all -> assertThat(all.isReadOnly()).isTrue());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> StatisticsReading.read(program.cpu, AT + 8));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> StatisticsReading.read(program.cpu, AT + 4));
    assertThat(program.space.show()).contains("device");
    assertThat(vm.statistics().usedFrames()).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource(Replacement.class)
  void M25_itStaysWhenMemoryAndSwapAreFull(Replacement policy) {
    Vm vm = Vm.builder().memory(64L * PAGE).swap(32L * PAGE).replacement(policy).boot();
    try (vm) {
      Program program = mapped(vm);
      long anonymous = program.space.map(200L * PAGE, Protection.READ_WRITE);
      program.space.paging().wire(anonymous, 20L * PAGE);
      assertThatExceptionOfType(MemoryFault.class)
          .isThrownBy(() -> program.number(anonymous, 200))
          .matches(fault -> fault.reason() == MemoryFault.Reason.OUT_OF_MEMORY);
      assertThat(program.space.paging().resident(AT, PAGE)).containsExactly(true);
      Program child = Program.in(vm);
      child.space.map(MapRequest.of(vm.statisticsPage()).at(AT));
      awaitTicks(child, 2);
      assertThat(read(program).value(StatisticsField.OUT_OF_MEMORY)).isPositive();
      assertThat(vm.audit()).isEmpty();
    }
  }

  @Test
  void M25_noMemoryForIt() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    long anonymous = program.space.map(64L * PAGE, Protection.READ_WRITE);
    assertThatExceptionOfType(MemoryFault.class).isThrownBy(() -> program.number(anonymous, 65));
    assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(vm::statisticsPage);
    assertThat(vm.audit()).isEmpty();
    program.space.unmap(anonymous, 64L * PAGE);
    program.space.map(MapRequest.of(vm.statisticsPage()).at(AT));
    assertThat(ticks(program)).isPositive();
  }

  @Test
  void M25_costsNothingBeforeTheFirstCall() {
    Vm vm = vms.boot(64);
    assertThat(vm.statistics().freeFrames()).isEqualTo(64);
    assertThat(vm.audit()).isEmpty();
    StatisticsPage page = vm.statisticsPage();
    assertThat(page).isNotNull();
    assertThat(vm.statistics().freeFrames()).isEqualTo(63);
    assertThat(vm.audit()).isEmpty();
    vm.close();
    vm.close();
    assertThatIllegalStateException().isThrownBy(vm::statisticsPage);
    assertThatIllegalStateException().isThrownBy(page::reference);
  }
}
