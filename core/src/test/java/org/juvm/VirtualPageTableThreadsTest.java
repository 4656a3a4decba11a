package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.Program.PAGE;
import static org.juvm.base.VirtualPte.ACCESSED;
import static org.juvm.base.VirtualPte.MODIFIED;
import static org.juvm.base.VirtualPte.WRITABLE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.juvm.base.Protection;
import org.juvm.base.VirtualPte;

/**
 * A guest's kernel changes tables, clears marks and switches roots, while tasks load and store. A
 * page says which one it is, so that whoever sees it knows through which translation. A page that
 * is not mapped any more has a pattern that nobody may store over.
 */
class VirtualPageTableThreadsTest {
  private static final int VIRTUAL_PAGES = 16;
  private static final int SPARE_PAGES = 6;
  private static final int TASKS = 2;
  private static final int ROUNDS = 3000 * Integer.getInteger("juvm.test.scale", 1);
  private static final int HOG_PAGES = 64;
  private static final long PATTERN = 0x5ca1ab1eL;

  private final AtomicBoolean done = new AtomicBoolean();
  private final AtomicLong accesses = new AtomicLong();
  private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();

  /** For each virtual page: version, the offset behind it, and 1 while that is being changed. */
  private final AtomicLongArray states = new AtomicLongArray(VIRTUAL_PAGES);

  private static long address(int page) {
    return 0x7_0000_0000L + (long) page * PAGE;
  }

  /** Where a task stores its own values. */
  private static int slot(int task) {
    return 8 + task * 8;
  }

  // ---- tasks ----

  private Thread start(Vmspace space, Guest kernel, long seed, int task) {
    return Thread.ofPlatform()
        .start(
            () -> {
              Program program = new Program(space);
              Guest guest = kernel.in(program);
              SplittableRandom random = new SplittableRandom(seed);
              try {
                while (!done.get()) {
                  use(guest, random, task);
                  accesses.incrementAndGet();
                }
              } catch (RuntimeException | Error e) {
                failures.add(e);
              } finally {
                program.cpu.close();
              }
            });
  }

  private void use(Guest guest, SplittableRandom random, int task) {
    int page = random.nextInt(VIRTUAL_PAGES);
    if (random.nextInt(3) == 0) {
      guest.set(address(page) + slot(task), random.nextLong() | 1);
      return;
    }
    long before = states.get(page);
    long seen = guest.get(address(page));
    if (states.get(page) == before && (before & 1) == 0) {
      assertThat(seen).isEqualTo(offset(before));
    } else {
      assertThat(seen % PAGE).isZero();
    }
  }

  private static long offset(long state) {
    return state & 0xffff_f000L;
  }

  // ---- the kernel ----

  private final long[] behind = new long[VIRTUAL_PAGES];
  private final boolean[] stored = new boolean[VIRTUAL_PAGES];
  private final ArrayDeque<Long> spare = new ArrayDeque<>();

  private static void retire(Guest guest, long offset) {
    for (int at = 0; at < 64; at += 8) {
      guest.setPhysical(offset + at, PATTERN + offset + at);
    }
  }

  /** Nobody has stored to a page since it was not mapped any more. */
  private static void recycle(Guest guest, long offset) {
    for (int at = 0; at < 64; at += 8) {
      assertThat(guest.physical(offset + at)).isEqualTo(PATTERN + offset + at);
      guest.setPhysical(offset + at, at == 0 ? offset : 0);
    }
  }

  private void remap(Guest guest, long root, int page) {
    long offset = spare.remove();
    recycle(guest, offset);
    long state = states.get(page);
    states.set(page, state | 1);
    long place = Guest.PHYSICAL + guest.place(root, address(page), 0);
    long entry = VirtualPte.of(offset, WRITABLE);
    long old = guest.program.cpu.atomics().getAndSet(JAVA_LONG, place, entry);
    guest.invalidate(address(page), PAGE);
    assertThat(VirtualPte.page(old, guest.pageSize) * PAGE).isEqualTo(behind[page]);
    checkMarks(guest, page, old);
    retire(guest, behind[page]);
    spare.add(behind[page]);
    behind[page] = offset;
    stored[page] = false;
    states.set(page, (((state >>> 32) + 1) << 32) | offset);
  }

  /** What was stored was marked, in this entry or in one that had its marks cleared. */
  private void checkMarks(Guest guest, int page, long old) {
    stored[page] |= (old & MODIFIED) != 0;
    assertThat(old & (ACCESSED | MODIFIED)).isNotEqualTo(MODIFIED);
    for (int task = 0; task < TASKS; task++) {
      assertThat(stored[page] || guest.physical(behind[page] + slot(task)) == 0).isTrue();
    }
  }

  /** Clears marks, as one does who wants to know which pages are used. */
  private void scan(Guest guest, long root, int page) {
    long place = Guest.PHYSICAL + guest.place(root, address(page), 0);
    long cleared = ~(ACCESSED | MODIFIED);
    long old = guest.program.cpu.atomics().getAndBitwiseAnd(JAVA_LONG, place, cleared);
    guest.invalidate(address(page), PAGE);
    stored[page] |= (old & MODIFIED) != 0;
  }

  private void boot(Guest guest, long[] roots) {
    for (int page = 0; page < VIRTUAL_PAGES; page++) {
      behind[page] = guest.newPage();
      guest.setPhysical(behind[page], behind[page]);
      states.set(page, behind[page]);
      guest.map(roots[0], address(page), behind[page], WRITABLE);
    }
    // The second address space has the same tables but for the highest one.
    int top = guest.levels() - 1;
    guest.change(roots[1], address(0), top, guest.entry(roots[0], address(0), top));
    for (int i = 0; i < SPARE_PAGES; i++) {
      long offset = guest.newPage();
      retire(guest, offset);
      spare.add(offset);
    }
    guest.setRoot(roots[0]);
  }

  private void run(Guest guest, SplittableRandom random, long hog) {
    long[] roots = {guest.newRoot(), guest.newRoot()};
    boot(guest, roots);
    Vmspace space = guest.program.space;
    Thread[] threads = new Thread[TASKS];
    for (int task = 0; task < TASKS; task++) {
      threads[task] = start(space, guest, random.nextLong(), task);
    }
    try {
      for (int i = 0; i < ROUNDS && failures.isEmpty(); i++) {
        int page = random.nextInt(VIRTUAL_PAGES);
        switch (random.nextInt(8)) {
          case 0 -> guest.setRoot(roots[i & 1]);
          case 1, 2, 3 -> scan(guest, roots[0], page);
          default -> remap(guest, roots[0], page);
        }
        if (hog != 0) {
          guest.program.set(hog + (long) random.nextInt(HOG_PAGES) * PAGE, i);
        }
      }
      while (accesses.get() < ROUNDS && failures.isEmpty()) {
        Thread.onSpinWait();
      }
    } finally {
      done.set(true);
      for (Thread thread : threads) {
        join(thread);
      }
    }
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {128, 32})
  void M24_noAccessByATranslationThatWasInvalidated(int frames) {
    long seed = new SplittableRandom().nextLong();
    SplittableRandom random = new SplittableRandom(seed);
    try (Vm vm = Vm.builder().memory((long) frames * PAGE).swap(512 * PAGE).boot()) {
      Guest guest = Guest.boot(vm, 40);
      boolean little = frames < 64;
      long hog = guest.program.space.map((long) HOG_PAGES * PAGE, Protection.READ_WRITE);
      run(guest, random, little ? hog : 0);
      assertThat(failures).isEmpty();
      assertThat(vm.audit()).isEmpty();
      assertThat(vm.statistics().swapIns() > 0).isEqualTo(little);
    } catch (RuntimeException | Error e) {
      throw new AssertionError("seed " + seed, e);
    }
  }

  /** Marks do not undo what the guest stores to the entry at the same moment. */
  @Test
  void M24_marksAreSetInEntriesThatAreChanging() {
    try (Vm vm = Vm.builder().memory(128 * PAGE).boot()) {
      Guest guest = Guest.boot(vm, 40);
      long root = guest.newRoot();
      guest.map(root, 0, guest.newPage(), WRITABLE);
      guest.setRoot(root);
      MemorySegment bytes = Arena.ofAuto().allocate(8);
      DebugAccess debug = guest.program.space.debug();
      Thread task =
          Thread.ofPlatform()
              .start(
                  () -> {
                    while (!done.get()) {
                      // Each walks anew, and marks what was cleared.
                      debug.write(Guest.VIRTUAL, bytes, 0, 8);
                      accesses.incrementAndGet();
                    }
                  });
      Atomics atomics = guest.program.cpu.atomics();
      long place = Guest.PHYSICAL + guest.place(root, 0, 0);
      long marked = 0;
      try {
        for (long i = 0; i < 100L * ROUNDS || accesses.get() < ROUNDS; i++) {
          // The bits from 52 on are the guest's own: they count.
          assertThat(atomics.getAndAdd(JAVA_LONG, place, 1L << 52) >>> 52).isEqualTo(i & 0xfff);
          long old = atomics.getAndBitwiseAnd(JAVA_LONG, place, ~(ACCESSED | MODIFIED));
          marked += old & MODIFIED;
        }
      } finally {
        done.set(true);
        join(task);
      }
      assertThat(marked).isPositive();
      assertThat(vm.audit()).isEmpty();
    }
  }
}
