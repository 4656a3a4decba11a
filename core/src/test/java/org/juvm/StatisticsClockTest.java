package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Protection;

/** The page of statistics while threads read it, and its clock. */
class StatisticsClockTest {
  private static final long AT = 1 << 20;
  private static final int PAGE = Program.PAGE;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  /** What threads have thrown that they must not. */
  private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();

  private Thread start(Runnable action) {
    Thread thread =
        new Thread(
            () -> {
              try {
                action.run();
              } catch (Throwable e) {
                failures.add(e);
              }
            });
    thread.start();
    return thread;
  }

  private static void join(List<Thread> threads) throws InterruptedException {
    for (Thread thread : threads) {
      thread.join();
    }
  }

  private static List<Thread> clocks() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("juvm-clock"))
        .toList();
  }

  /** A writer that does nothing but write: it keeps ticks at half the sequence. */
  @Test
  void M25_readingsAreOfOneMoment() throws InterruptedException {
    Vm vm = vms.boot(64);
    MemorySegment page = Arena.ofAuto().allocate(PAGE, 8);
    DeviceMemory memory = vm.newDeviceMemory(page);
    StatisticsWriter writer =
        new StatisticsWriter(
            vm, StatisticsWriter.BootTime.now(InstantSource.system()), page.address());
    writer.tick();
    AtomicBoolean enough = new AtomicBoolean();
    List<Thread> readers = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      readers.add(
          start(
              () -> {
                Program program = Program.in(vm);
                program.space.map(
                    MapRequest.of(memory, 0, PAGE).protection(Protection.READ).at(AT));
                StatisticsReading last = StatisticsReading.read(program.cpu, AT);
                int changed = 0;
                for (int n = 0; (n < 20_000 || changed < 100) && failures.isEmpty(); n++) {
                  StatisticsReading next = StatisticsReading.read(program.cpu, AT);
                  long ticks = next.value(StatisticsField.TICKS);
                  assertThat(next.value(StatisticsField.SEQUENCE)).isEqualTo(2 * ticks);
                  assertThat(ticks).isGreaterThanOrEqualTo(last.value(StatisticsField.TICKS));
                  assertThat(next.value(StatisticsField.UPTIME))
                      .isGreaterThanOrEqualTo(last.value(StatisticsField.UPTIME));
                  if (ticks != last.value(StatisticsField.TICKS)) {
                    changed++;
                  }
                  last = next;
                }
                program.cpu.close();
                program.space.close();
              }));
    }
    Thread writing =
        start(
            () -> {
              while (!enough.get()) {
                writer.tick();
              }
            });
    join(readers);
    enough.set(true);
    writing.join();
    assertThat(failures).isEmpty();
    memory.close();
  }

  @Test
  void M25_oneOfManyFirstCallersMakesIt() throws InterruptedException {
    Vm vm = vms.boot(64);
    ConcurrentLinkedQueue<StatisticsPage> seen = new ConcurrentLinkedQueue<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      threads.add(start(() -> seen.add(vm.statisticsPage())));
    }
    join(threads);
    assertThat(failures).isEmpty();
    assertThat(seen).hasSize(8).containsOnly(vm.statisticsPage());
    assertThat(vm.statistics().usedFrames()).isEqualTo(1);
    assertThat(vm.audit()).isEmpty();
  }

  @Test
  void M25_clockSurvivesInterruptsAndEndsWithTheSystem() throws InterruptedException {
    List<Thread> others = clocks();
    Vm vm = vms.boot(64);
    assertThat(clocks()).hasSameElementsAs(others);
    Program program = Program.in(vm);
    program.space.map(MapRequest.of(vm.statisticsPage()).at(AT));
    List<Thread> mine = new ArrayList<>(clocks());
    mine.removeAll(others);
    assertThat(mine).hasSize(1).allMatch(Thread::isDaemon);
    long ticks = StatisticsReading.read(program.cpu, AT).value(StatisticsField.TICKS);
    mine.getFirst().interrupt();
    while (StatisticsReading.read(program.cpu, AT).value(StatisticsField.TICKS) < ticks + 2) {
      Thread.onSpinWait();
    }
    Thread.currentThread().interrupt();
    vm.close();
    assertThat(Thread.interrupted()).isTrue();
    assertThat(mine.getFirst().isAlive()).isFalse();
  }

  @Test
  void M25_clockSurvivesEveryError() {
    AtomicLong ticks = new AtomicLong();
    StatisticsClock clock =
        new StatisticsClock(
            () -> {
              if (ticks.incrementAndGet() % 2 == 0) {
                throw new AssertionError();
              }
              throw new IllegalStateException();
            });
    clock.start();
    while (ticks.get() < 4) {
      Thread.onSpinWait();
    }
    clock.stop();
    clock.stop();
    assertThat(ticks.get()).isGreaterThanOrEqualTo(4);
  }

  /** Systems come and go while their pages are asked for, mapped, read and inherited. */
  @Test
  void M25_closeWhileThreadsReadAndFork() throws InterruptedException {
    for (int round = 0; round < 20; round++) {
      Vm vm = vms.boot(256);
      AtomicLong readings = new AtomicLong();
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        threads.add(start(() -> readUntilClosed(vm, readings)));
      }
      while (readings.get() < 20L * round && failures.isEmpty()) {
        Thread.onSpinWait();
      }
      vm.close();
      join(threads);
      assertThat(failures).isEmpty();
    }
  }

  private static void readUntilClosed(Vm vm, AtomicLong readings) {
    try {
      Program program = Program.in(vm);
      program.space.map(MapRequest.of(vm.statisticsPage()).at(AT));
      while (true) {
        Program child = program.fork();
        long seen = StatisticsReading.read(program.cpu, AT).value(StatisticsField.TICKS);
        assertThat(StatisticsReading.read(child.cpu, AT).value(StatisticsField.TICKS))
            .isGreaterThanOrEqualTo(seen)
            .isPositive();
        readings.incrementAndGet();
        child.cpu.close();
        child.space.close();
      }
    } catch (MemoryFault | IllegalStateException e) {
      assertThat(vm.isClosed()).isTrue();
    }
  }
}
