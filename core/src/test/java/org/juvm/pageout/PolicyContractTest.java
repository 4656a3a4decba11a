package org.juvm.pageout;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.juvm.base.Replacement;
import org.juvm.page.ReplacementPolicy;

/** What holds for every policy. */
class PolicyContractTest {
  private static final int FRAMES = 200;

  private final long seed = Long.getLong("juvm.test.seed", System.nanoTime());
  private final Bits bits = new Bits(FRAMES);

  private ReplacementPolicy policy(Replacement replacement) {
    return ReplacementPolicies.create(replacement, FRAMES, bits, ClockSettings.DEFAULT);
  }

  private static void fill(ReplacementPolicy policy) {
    for (int frame = 0; frame < FRAMES; frame++) {
      policy.enqueue(frame, frame, frame % 3 == 0);
    }
  }

  @ParameterizedTest
  @EnumSource
  void D1_nothingIsOfferedWhereNothingIs(Replacement replacement) {
    ReplacementPolicy policy = policy(replacement);
    assertThat(policy.selectVictim()).isEqualTo(ReplacementPolicy.NONE);
    policy.beginScan(FRAMES, 10, false);
    assertThat(policy.selectVictim()).isEqualTo(ReplacementPolicy.NONE);
    policy.enqueue(7, 7, false);
    policy.dequeue(7);
    policy.dequeue(7);
    policy.forget(7);
    policy.activate(7);
    policy.deactivate(7);
    policy.kept(7);
    policy.beginScan(FRAMES, 10, false);
    assertThat(policy.selectVictim()).isEqualTo(ReplacementPolicy.NONE);
    assertThat(policy.isEnqueued(7)).isFalse();
  }

  @ParameterizedTest
  @EnumSource
  void D1_aScanEndsAndOffersEverythingEvenIfAllIsUsedAllTheTime(Replacement replacement) {
    ReplacementPolicy policy = policy(replacement);
    fill(policy);
    bits.stuck = true;
    policy.beginScan(0, 10, false);
    Set<Integer> taken = new HashSet<>();
    for (int i = 0; i < FRAMES; i++) {
      int victim = policy.selectVictim();
      assertThat(victim).isNotNegative();
      policy.evicted(victim);
      assertThat(taken.add(victim)).isTrue();
    }
    assertThat(policy.selectVictim()).isEqualTo(ReplacementPolicy.NONE);
  }

  @ParameterizedTest
  @EnumSource
  void D1_whatWasKeptIsNotOfferedAgainInTheScan(Replacement replacement) {
    ReplacementPolicy policy = policy(replacement);
    fill(policy);
    for (int scan = 0; scan < 5; scan++) {
      bits.stuck = scan % 2 == 1;
      policy.beginScan(0, 10, false);
      Set<Integer> kept = new HashSet<>();
      for (int i = 0; i < FRAMES; i++) {
        int victim = policy.selectVictim();
        assertThat(victim).isNotNegative();
        policy.kept(victim);
        assertThat(kept.add(victim)).isTrue();
      }
      assertThat(policy.selectVictim()).isEqualTo(ReplacementPolicy.NONE);
      assertThat(policy.activePages() + policy.inactivePages()).isEqualTo(FRAMES);
    }
  }

  @ParameterizedTest
  @EnumSource
  void D1_adviceIsHeard(Replacement replacement) {
    ReplacementPolicy policy = policy(replacement);
    fill(policy);
    policy.beginScan(0, 10, false);
    int victim = policy.selectVictim();
    policy.evicted(victim);
    int advised = (victim + 100) % FRAMES;
    bits.use(advised);
    policy.deactivate(advised);
    policy.beginScan(1, 10, false);
    assertThat(policy.selectVictim()).isEqualTo(advised);
    policy.activate(advised);
    policy.beginScan(1, 10, false);
    assertThat(policy.selectVictim()).isNotEqualTo(advised);
  }

  /** A model that knows only which pages are there; each is offered at last. */
  @ParameterizedTest
  @EnumSource
  void D4_randomHistories(Replacement replacement) {
    SplittableRandom random = new SplittableRandom(seed);
    for (int round = 0; round < 20 * Integer.getInteger("juvm.test.scale", 1); round++) {
      ReplacementPolicy policy = policy(replacement);
      Set<Integer> model = new HashSet<>();
      for (int step = 0; step < 3000; step++) {
        step(policy, model, random);
        assertThat(policy.activePages() + policy.inactivePages())
            .as("seed %d, step %d", seed, step)
            .isEqualTo(model.size());
      }
      for (int frame = 0; frame < FRAMES; frame++) {
        assertThat(policy.isEnqueued(frame)).as("seed %d", seed).isEqualTo(model.contains(frame));
        assertThat(policy.isActive(frame) || policy.isInactive(frame))
            .as("seed %d", seed)
            .isEqualTo(model.contains(frame));
      }
      policy.beginScan(0, 1, false);
      while (!model.isEmpty()) {
        takeOne(policy, model);
      }
    }
  }

  private void step(ReplacementPolicy policy, Set<Integer> model, SplittableRandom random) {
    int frame = random.nextInt(FRAMES);
    switch (random.nextInt(10)) {
      case 0, 1, 2 -> {
        if (model.add(frame)) {
          // Few identities, each at most once in memory, so that pages come back.
          policy.enqueue(frame, frame + FRAMES * random.nextLong(3), random.nextBoolean());
        }
      }
      case 3 -> {
        model.remove(frame);
        policy.dequeue(frame);
      }
      case 4 -> policy.activate(frame);
      case 5 -> policy.deactivate(frame);
      case 6 -> policy.forget(frame + FRAMES * random.nextLong(3));
      case 7 -> bits.use(frame);
      default -> {
        policy.beginScan(FRAMES - model.size(), random.nextInt(30), random.nextBoolean());
        for (int i = random.nextInt(5); i > 0 && !model.isEmpty(); i--) {
          if (random.nextInt(4) == 0) {
            int victim = policy.selectVictim();
            assertThat(victim == ReplacementPolicy.NONE || model.contains(victim))
                .as("seed %d", seed)
                .isTrue();
            if (victim != ReplacementPolicy.NONE) {
              policy.kept(victim);
            }
          } else {
            int victim = policy.selectVictim();
            if (victim != ReplacementPolicy.NONE) {
              assertThat(model.remove(victim)).as("seed %d", seed).isTrue();
              policy.evicted(victim);
            }
          }
        }
      }
    }
  }

  private void takeOne(ReplacementPolicy policy, Set<Integer> model) {
    int victim = policy.selectVictim();
    assertThat(model.remove(victim)).as("seed %d, victim %d", seed, victim).isTrue();
    policy.evicted(victim);
  }

  /** Two threads whose frames come and go, and a daemon. A byte says who has the frame. */
  @ParameterizedTest
  @EnumSource
  void D4_pagesComeAndGoWhileTheDaemonLooks(Replacement replacement) throws InterruptedException {
    ReplacementPolicy policy = policy(replacement);
    boolean[] present = new boolean[FRAMES];
    Object[] owners = new Object[FRAMES];
    for (int frame = 0; frame < FRAMES; frame++) {
      owners[frame] = new Object();
    }
    AtomicBoolean ended = new AtomicBoolean();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread[] faulting = new Thread[2];
    for (int i = 0; i < faulting.length; i++) {
      SplittableRandom random = new SplittableRandom(seed + i);
      faulting[i] =
          new Thread(
              () -> {
                while (!ended.get()) {
                  come(policy, present, owners, random);
                }
              });
      faulting[i].setUncaughtExceptionHandler((thread, e) -> failure.set(e));
      faulting[i].start();
    }
    SplittableRandom random = new SplittableRandom(seed + 2);
    try {
      for (int scan = 0; scan < 300; scan++) {
        policy.beginScan(10, 20, random.nextBoolean());
        int victim = policy.selectVictim();
        for (int i = 0; i < 50 && victim != ReplacementPolicy.NONE; i++) {
          synchronized (owners[victim]) {
            if (present[victim] && random.nextInt(5) != 0) {
              present[victim] = false;
              policy.evicted(victim);
            } else {
              policy.kept(victim);
            }
          }
          victim = policy.selectVictim();
        }
      }
    } finally {
      ended.set(true);
      for (Thread thread : faulting) {
        thread.join();
      }
    }
    assertThat(failure.get()).as("seed %d", seed).isNull();
    int pages = 0;
    for (int frame = 0; frame < FRAMES; frame++) {
      pages += present[frame] ? 1 : 0;
      assertThat(policy.isEnqueued(frame)).as("seed %d", seed).isEqualTo(present[frame]);
    }
    assertThat(policy.activePages() + policy.inactivePages()).as("seed %d", seed).isEqualTo(pages);
    policy.beginScan(0, 1, false);
    for (int i = 0; i < pages; i++) {
      int victim = policy.selectVictim();
      assertThat(victim).as("seed %d", seed).isNotNegative();
      assertThat(present[victim]).as("seed %d", seed).isTrue();
      policy.evicted(victim);
    }
    assertThat(policy.selectVictim()).isEqualTo(ReplacementPolicy.NONE);
  }

  private void come(
      ReplacementPolicy policy, boolean[] present, Object[] owners, SplittableRandom random) {
    int frame = random.nextInt(FRAMES);
    synchronized (owners[frame]) {
      if (!present[frame]) {
        policy.enqueue(frame, frame, random.nextBoolean());
        present[frame] = true;
      } else {
        switch (random.nextInt(6)) {
          case 0, 1 -> {
            policy.dequeue(frame);
            present[frame] = false;
          }
          case 2 -> policy.deactivate(frame);
          case 3 -> policy.activate(frame);
          default -> bits.use(frame);
        }
      }
    }
  }
}
