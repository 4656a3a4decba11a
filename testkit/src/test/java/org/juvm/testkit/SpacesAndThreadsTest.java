package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.Cpu;
import org.juvm.MapException;
import org.juvm.MemoryFault;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Access;
import org.juvm.base.Inheritance;
import org.juvm.base.Protection;

/** Promises that only several threads can break. */
@Tag("threads")
class SpacesAndThreadsTest {
  private static final long AT = 1 << 20;
  private static final int PAGE = 4096;

  /** Apart by a page table and a node of an amap, so that they are protected in different steps. */
  private static final long APART = 600L * PAGE;

  @RegisterExtension final VmExtension vms = new VmExtension();

  /**
   * A child is a snapshot of one moment: if it has a store, it has all stores that came before it,
   * also those of other threads that the storing thread has seen.
   */
  @Test
  void M19_childIsConsistentUnderConcurrentWriters() {
    Vm vm = vms.boot();
    Vmspace space = vm.newVmspace();
    space.map(AT, 3 * APART, Protection.READ_WRITE);
    // Entries of their own.
    space.protect(AT + APART, PAGE, Protection.READ_WRITE_EXECUTE);
    AtomicBoolean stop = new AtomicBoolean();
    Crew crew = new Crew();
    crew.add(
        "first",
        () -> {
          try (Cpu cpu = vm.newCpu()) {
            cpu.attach(space);
            for (long i = 1; !stop.get(); i++) {
              cpu.atomics().setRelease(JAVA_LONG, AT, i);
              cpu.atomics().setRelease(JAVA_LONG, AT + APART, i);
            }
          }
        });
    crew.add(
        "follower",
        () -> {
          try (Cpu cpu = vm.newCpu()) {
            cpu.attach(space);
            while (!stop.get()) {
              long seen = cpu.atomics().getAcquire(JAVA_LONG, AT + APART);
              cpu.atomics().setRelease(JAVA_LONG, AT + 2 * APART, seen);
            }
          }
        });
    crew.add(
        "forker",
        () -> {
          try (Cpu cpu = vm.newCpu()) {
            for (int i = 0; i < Choices.times(1500) && !crew.hasFailed(); i++) {
              try (Vmspace child = space.fork()) {
                cpu.attach(child);
                long third = cpu.get(JAVA_LONG, AT + 2 * APART);
                long second = cpu.get(JAVA_LONG, AT + APART);
                long first = cpu.get(JAVA_LONG, AT);
                assertThat(first).isBetween(second, second + 1);
                assertThat(second).isGreaterThanOrEqualTo(third);
                // And it stays as it is, whatever the parent does.
                cpu.attach(space);
                long now = cpu.get(JAVA_LONG, AT);
                assertThat(now).isGreaterThanOrEqualTo(first);
                cpu.attach(child);
                assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(first);
                assertThat(cpu.get(JAVA_LONG, AT + 2 * APART)).isEqualTo(third);
              }
            }
          } finally {
            stop.set(true);
          }
        });
    crew.run();
  }

  /** A copy made for one thread is what the others of the same space see, at once. */
  @Test
  void F3_copyInOneThreadIsSeenByTheOthers() {
    Vm vm = vms.boot();
    Vmspace space = vm.newVmspace();
    space.map(AT, PAGE, Protection.READ_WRITE);
    AtomicLong written = new AtomicLong();
    AtomicBoolean stop = new AtomicBoolean();
    Crew crew = new Crew();
    for (int i = 0; i < 2; i++) {
      crew.add(
          "reader " + i,
          () -> {
            try (Cpu cpu = vm.newCpu()) {
              cpu.attach(space);
              while (!stop.get()) {
                long least = written.get();
                assertThat(cpu.get(JAVA_LONG, AT)).isGreaterThanOrEqualTo(least);
              }
            }
          });
    }
    crew.add(
        "writer",
        () -> {
          try (Cpu cpu = vm.newCpu()) {
            cpu.attach(space);
            for (long i = 1; i < Choices.times(3000) && !crew.hasFailed(); i++) {
              try (Vmspace child = space.fork()) {
                cpu.set(JAVA_LONG, AT, i);
                written.set(i);
                assertThat(child.isExited()).isFalse();
              }
            }
          } finally {
            stop.set(true);
          }
        });
    crew.run();
    assertThat(vm.statistics().copies()).isPositive();
  }

  @Test
  void noIncrementIsLostWhileOthersFork() {
    Vm vm = vms.boot();
    Vmspace space = vm.newVmspace();
    space.map(AT, 2 * PAGE, Protection.READ_WRITE);
    space.inherit(AT + PAGE, PAGE, Inheritance.SHARE);
    int threads = 4;
    int each = Choices.times(30_000);
    AtomicLong running = new AtomicLong(threads);
    AtomicLong children = new AtomicLong();
    Crew crew = new Crew();
    for (int i = 0; i < threads; i++) {
      int number = i;
      crew.add(
          "adder " + i,
          () -> {
            try (Cpu cpu = vm.newCpu()) {
              cpu.attach(space);
              for (int k = 0; k < each; k++) {
                if (number % 2 == 0) {
                  cpu.atomics().getAndAdd(JAVA_LONG, AT, 1L);
                } else {
                  long old;
                  do {
                    old = cpu.atomics().getVolatile(JAVA_LONG, AT);
                  } while (!cpu.atomics().compareAndSet(JAVA_LONG, AT, old, old + 1));
                }
                cpu.atomics().getAndAdd(JAVA_LONG, AT + PAGE, 1L);
              }
            } finally {
              running.decrementAndGet();
            }
          });
    }
    crew.add(
        "forker",
        () -> {
          try (Cpu cpu = vm.newCpu()) {
            do {
              try (Vmspace child = space.fork()) {
                cpu.attach(child);
                long counted = cpu.get(JAVA_LONG, AT);
                cpu.atomics().getAndAdd(JAVA_LONG, AT + PAGE, 1L);
                assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(counted);
                children.incrementAndGet();
              }
            } while (running.get() > 0);
          }
        });
    crew.run();
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(space);
      assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo((long) threads * each);
      assertThat(cpu.get(JAVA_LONG, AT + PAGE)).isEqualTo((long) threads * each + children.get());
    }
  }

  /**
   * Whatever threads are doing when the system ends under them, it is an exception that they get.
   */
  @Test
  void closeUnderLoad() {
    for (int round = 0; round < Choices.times(40); round++) {
      Vm vm = Vm.builder().memory(4 << 20).boot();
      Vmspace space = vm.newVmspace();
      space.map(AT, 64 * PAGE, Protection.READ_WRITE);
      AtomicLong progress = new AtomicLong();
      Choices choices = Choices.fresh();
      Crew crew = new Crew();
      for (int i = 0; i < 4; i++) {
        Choices own = choices.split();
        int number = i;
        crew.add(
            "user " + i,
            () -> {
              try (Cpu cpu = vm.newCpu()) {
                cpu.attach(space);
                while (true) {
                  try {
                    use(space, cpu, own, number);
                  } catch (MemoryFault | MapException e) {
                    // Another user has unmapped it, or it is the end.
                    progress.incrementAndGet();
                  }
                  progress.incrementAndGet();
                }
              } catch (IllegalStateException e) {
                assertThat(e).hasMessageMatching(".*(closed|has ended).*");
              }
            });
      }
      int enough = 500 + choices.below(3000);
      crew.add(
          "closer",
          () -> {
            while (progress.get() < enough && !crew.hasFailed()) {
              Thread.onSpinWait();
            }
            vm.close();
          });
      crew.run();
    }
  }

  private static void use(Vmspace space, Cpu cpu, Choices choices, int number) {
    long page = AT + choices.below(64) * (long) PAGE;
    switch (choices.below(8)) {
      case 0 -> {
        space.unmap(page, PAGE);
        space.map(page, PAGE, Protection.READ_WRITE);
      }
      case 1 -> space.fork().close();
      case 2 -> cpu.bulk().fill(page, 2 * PAGE, (byte) number);
      case 3 -> cpu.bulk().window(page, PAGE, Access.WRITE, segment -> segment.fill((byte) number));
      case 4 -> {
        space.protect(page, PAGE, Protection.READ);
        space.protect(page, PAGE, Protection.READ_WRITE);
      }
      case 5 -> cpu.atomics().getAndAdd(JAVA_LONG, page, 1L);
      default -> cpu.set(JAVA_LONG, page, cpu.get(JAVA_LONG, page) + 1);
    }
  }
}
