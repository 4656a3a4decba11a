package org.juvm.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.juvm.base.VmPanic;
import org.juvm.ram.Host;
import org.juvm.sync.LockOrder;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;

/** A lock that a thread may own. */
@Tag("threads")
class StripeLockTest {
  private static final int USES = 200;
  private static final int LOOKS = 4;
  private static final int THREADS = 3;
  private static final int ROUNDS = 4_000_000;

  private static final int TAKES = 10_000;

  /** The lock, and what it guards: two counts that are equal. */
  private static final class Guarded extends StripeLock {
    long first;
    long second;

    void use() {
      long before = first;
      first = before + 1;
      // Long enough to be met by somebody who should not be here.
      for (int i = 0; i < LOOKS; i++) {
        Thread.onSpinWait();
      }
      if (second != before) {
        throw new AssertionError("somebody else is here: " + second + " instead of " + before);
      }
      second = before + 1;
    }
  }

  private static long me() {
    return Thread.currentThread().threadId();
  }

  private static void useOften(Guarded lock) {
    for (int i = 0; i < USES; i++) {
      if (!lock.enter(me())) {
        assertThat(lock.tryTake(me(), true)).isTrue();
      }
      lock.use();
      lock.release();
    }
  }

  @Test
  void aThreadThatComesOftenOwnsItUntilItIsTakenAway() throws Exception {
    Guarded lock = new Guarded();
    assertThat(lock.enter(me())).isFalse();
    useOften(lock);
    boolean owned = lock.enter(me());
    assertThat(owned).isEqualTo(Host.ASYMMETRIC_FENCE);
    if (owned) {
      lock.release();
      FutureTask<Boolean> other =
          new FutureTask<>(
              () -> {
                assertThat(lock.tryTake()).isFalse();
                lock.take();
                lock.use();
                lock.release();
                return lock.tryTake();
              });
      Thread.ofPlatform().start(other);
      assertThat(other.get()).isTrue();
      assertThat(lock.enter(me())).isFalse();
      assertThat(lock.tryTake()).isFalse();
      lock.release();
    }
    useOften(lock);
    assertThat(lock.first).isEqualTo(lock.second);
  }

  @Test
  void anOwnerThatIsGoneLosesItInTheEnd() throws Exception {
    Guarded lock = new Guarded();
    FutureTask<Void> owner = new FutureTask<>(() -> useOften(lock), null);
    Thread.ofPlatform().start(owner);
    owner.get();
    int misses = 0;
    while (!lock.tryTake(me(), true)) {
      misses++;
      assertThat(misses).isLessThan(100_000);
    }
    lock.use();
    lock.release();
  }

  @Test
  void whoHasItTakesNoLockThatComesBefore() {
    Guarded lock = new Guarded();
    useOften(lock);
    boolean owned = lock.enter(me());
    assertThat(owned).isEqualTo(Host.ASYMMETRIC_FENCE);
    if (!owned) {
      assertThat(lock.tryTake()).isTrue();
    }
    RankedLock before = new RankedLock(LockRank.OBJECT);
    RankedLock after = new RankedLock(LockRank.POOL);
    assertThatThrownBy(before::lock).isInstanceOf(VmPanic.class);
    assertThatThrownBy(LockOrder::noneHeld).isInstanceOf(VmPanic.class);
    after.lock();
    after.unlock();
    lock.release();
    before.lock();
    before.unlock();
  }

  @Test
  void virtualThreadsDoNotOwnIt() {
    Guarded lock = new Guarded();
    for (int i = 0; i < USES; i++) {
      assertThat(lock.tryTake(me(), false)).isTrue();
      lock.use();
      lock.release();
    }
    assertThat(lock.enter(me())).isFalse();
  }

  /** Owners come and go, others take it away from them; nobody is there with another. */
  @Test
  void oneThreadAtATime() throws Exception {
    Guarded lock = new Guarded();
    List<FutureTask<Long>> tasks = new ArrayList<>();
    for (int t = 0; t < THREADS; t++) {
      SplittableRandom random = new SplittableRandom(t);
      tasks.add(new FutureTask<>(() -> compete(lock, random)));
    }
    tasks.forEach(task -> Thread.ofPlatform().start(task));
    long uses = 0;
    for (FutureTask<Long> task : tasks) {
      uses += task.get();
    }
    assertThat(lock.first).isEqualTo(uses);
    assertThat(lock.second).isEqualTo(uses);
  }

  /** Released in any case: else nobody would hear of the failure. */
  private static void useAndRelease(Guarded lock) {
    try {
      lock.use();
    } finally {
      lock.release();
    }
  }

  /** A thread that finds only late that it is the owner no more leaves the next owner's mark. */
  @Test
  void K9_whoWasTheOwnerDoesNotDisturbTheNext() throws Exception {
    Guarded lock = new Guarded();
    AtomicBoolean done = new AtomicBoolean();
    List<FutureTask<Void>> owners = new ArrayList<>();
    for (int t = 0; t < THREADS; t++) {
      owners.add(
          new FutureTask<>(
              () -> {
                while (!done.get()) {
                  if (lock.enter(me()) || lock.tryTake(me(), true)) {
                    useAndRelease(lock);
                  }
                }
              },
              null));
    }
    owners.forEach(owner -> Thread.ofPlatform().start(owner));
    try {
      SplittableRandom random = new SplittableRandom(1);
      for (int i = 0; i < TAKES; i++) {
        for (int pause = random.nextInt(2000); pause > 0; pause--) {
          Thread.onSpinWait();
        }
        lock.take();
        useAndRelease(lock);
      }
    } finally {
      done.set(true);
    }
    for (FutureTask<Void> owner : owners) {
      owner.get();
    }
    assertThat(lock.first).isEqualTo(lock.second);
  }

  private static long compete(Guarded lock, SplittableRandom random) {
    long uses = 0;
    boolean taking = false;
    for (int i = 0; i < ROUNDS; i++) {
      if (i % 5000 == 0) {
        // Sometimes a thread only takes what it is given, so that it may own it.
        taking = random.nextInt(3) == 0;
      }
      if (!lock.enter(me()) && !lock.tryTake(me(), true)) {
        if (!taking || random.nextInt(256) != 0) {
          continue;
        }
        lock.take();
      }
      try {
        lock.use();
      } finally {
        // Also when it fails: others wait for it.
        lock.release();
      }
      uses++;
    }
    return uses;
  }
}
