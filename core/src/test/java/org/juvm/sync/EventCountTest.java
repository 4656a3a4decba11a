package org.juvm.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.juvm.base.VmPanic;

/** Waiting for something that was seen to be missing. */
class EventCountTest {

  /** A waiter reads the count under the lock, so an event in between is not missed. */
  @Test
  @Timeout(60)
  void noWakeUpIsLost() throws InterruptedException {
    EventCount events = new EventCount();
    RankedLock lock = new RankedLock(LockRank.MAP);
    int[] turn = new int[1];
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      int mine = i;
      threads.add(Thread.ofPlatform().start(() -> takeTurns(events, lock, turn, mine)));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(turn[0]).isEqualTo(2000);
  }

  private static void takeTurns(EventCount events, RankedLock lock, int[] turn, int mine) {
    for (int done = 0; done < 1000; ) {
      lock.lock();
      long seen = events.count();
      boolean isMine = turn[0] % 2 == mine;
      if (isMine) {
        turn[0]++;
        done++;
        events.advance();
      }
      lock.unlock();
      if (!isMine) {
        events.await(seen);
      }
    }
  }

  @Test
  @Timeout(60)
  void anInterruptIsKeptAndEndsNoWait() throws InterruptedException {
    EventCount events = new EventCount();
    AtomicBoolean interrupted = new AtomicBoolean();
    Thread waiter =
        Thread.ofPlatform()
            .start(
                () -> {
                  Thread.currentThread().interrupt();
                  events.await(0);
                  interrupted.set(Thread.currentThread().isInterrupted() && events.count() == 1);
                });
    events.advance();
    waiter.join();
    assertThat(interrupted).isTrue();
  }

  @Test
  void nobodyWaitsWithALock() {
    EventCount events = new EventCount();
    RankedLock lock = new RankedLock(LockRank.MAP);
    lock.lock();
    try {
      assertThatThrownBy(() -> events.await(0)).isInstanceOf(VmPanic.class);
    } finally {
      lock.unlock();
    }
  }
}
