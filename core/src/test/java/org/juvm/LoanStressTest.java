package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.Program.PAGE;

import java.lang.foreign.MemorySegment;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.juvm.base.Protection;

/** Loans while others store, fork and throw everything out of memory. */
class LoanStressTest {
  private static final long AT = 1 << 20;
  private static final int PAGES = 64;
  private static final int LOANS = 1500;

  private final AtomicBoolean done = new AtomicBoolean();
  private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();

  /** What a thread does again and again. */
  @FunctionalInterface
  private interface Step {
    void run(Program program, SplittableRandom random);
  }

  private Thread start(Vmspace space, long seed, Step step) {
    return Thread.ofPlatform()
        .start(
            () -> {
              Program program = new Program(space);
              SplittableRandom random = new SplittableRandom(seed);
              try {
                while (!done.get()) {
                  step.run(program, random);
                }
              } catch (RuntimeException | Error e) {
                failures.add(e);
              } finally {
                program.cpu.close();
              }
            });
  }

  private static long sum(Loan loan) {
    long sum = 0;
    for (MemorySegment segment : loan.segments()) {
      for (long at = 0; at < segment.byteSize(); at += 512) {
        sum = sum * 31 + segment.get(JAVA_LONG, at);
      }
    }
    return sum;
  }

  private static void store(Program program, SplittableRandom random) {
    long page = random.nextInt(PAGES);
    program.set(AT + page * PAGE + random.nextInt(8) * 512L, random.nextLong());
  }

  private static void fork(Program program, SplittableRandom random) {
    try (Vmspace child = program.space.fork()) {
      program.cpu.attach(child);
      store(program, random);
      try (Loan loan = child.lend(AT, 4 * PAGE)) {
        long before = sum(loan);
        store(program, random);
        assertThat(sum(loan)).isEqualTo(before);
      }
    } finally {
      program.cpu.attach(program.space);
    }
  }

  /** The seed is printed if it fails. */
  @Test
  void P4_loansWhileOthersStoreForkAndPageOut() throws InterruptedException {
    long seed = new SplittableRandom().nextLong();
    try (Vm vm = Vm.builder().memory(160 * PAGE).swap(2048 * PAGE).boot()) {
      Program program = Program.in(vm);
      program.space.map(AT, PAGES * PAGE, Protection.READ_WRITE);
      long other = program.space.map(256 * PAGE, Protection.READ_WRITE);
      Thread[] threads = {
        start(program.space, seed, LoanStressTest::store),
        start(program.space, seed + 1, LoanStressTest::store),
        start(program.space, seed + 2, LoanStressTest::fork),
        start(
            program.space,
            seed + 3,
            (hog, random) -> hog.set(other + random.nextInt(256) * (long) PAGE, random.nextLong()))
      };
      SplittableRandom random = new SplittableRandom(seed + 4);
      for (int i = 0; i < LOANS && failures.isEmpty(); i++) {
        int first = random.nextInt(PAGES - 8);
        try (Loan one = program.space.lend(AT + (long) first * PAGE, 8 * PAGE);
            Loan two = program.space.lend(AT + (long) random.nextInt(PAGES) * PAGE, PAGE)) {
          long before = sum(one) ^ sum(two);
          for (int j = 0; j < 8; j++) {
            program.set(AT + (long) (first + j) * PAGE, random.nextLong());
          }
          assertThat(sum(one) ^ sum(two)).as("seed " + seed).isEqualTo(before);
        }
      }
      done.set(true);
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(failures).as("seed " + seed).isEmpty();
      assertThat(vm.audit()).as("seed " + seed).isEmpty();
    }
  }

  /** The same on shared memory, of which everybody sees one version. */
  @Test
  void P4_loansOfSharedMemory() throws InterruptedException {
    long seed = new SplittableRandom().nextLong();
    try (Vm vm = Vm.builder().memory(96 * PAGE).swap(1024 * PAGE).boot()) {
      SharedMemory memory = vm.sharedMemory().create(PAGES * PAGE);
      MapRequest request = MapRequest.of(memory, 0, PAGES * PAGE).shared().at(AT);
      Program program = Program.in(vm);
      Program second = Program.in(vm);
      program.space.map(request);
      second.space.map(request);
      long other = second.space.map(128 * PAGE, Protection.READ_WRITE);
      Thread[] threads = {
        start(second.space, seed, LoanStressTest::store),
        start(second.space, seed + 1, LoanStressTest::store),
        start(
            second.space,
            seed + 2,
            (hog, random) -> hog.set(other + random.nextInt(128) * (long) PAGE, 1))
      };
      SplittableRandom random = new SplittableRandom(seed + 3);
      for (int i = 0; i < LOANS && failures.isEmpty(); i++) {
        long at = AT + (long) random.nextInt(PAGES - 8) * PAGE;
        try (Loan loan = program.space.lend(at, 8 * PAGE)) {
          long before = sum(loan);
          program.set(at, i);
          assertThat(program.get(at)).isNotEqualTo(-1);
          assertThat(sum(loan)).as("seed " + seed).isEqualTo(before);
        }
      }
      done.set(true);
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(failures).as("seed " + seed).isEmpty();
      assertThat(vm.audit()).as("seed " + seed).isEmpty();
    }
  }
}
