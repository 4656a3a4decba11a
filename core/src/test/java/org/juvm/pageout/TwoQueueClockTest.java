package org.juvm.pageout;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Active and inactive pages. */
class TwoQueueClockTest {
  private static final int FRAMES = 300;

  private final Bits bits = new Bits(FRAMES);
  private final TwoQueueClock clock = new TwoQueueClock(FRAMES, bits, ClockSettings.DEFAULT);

  private void enqueue(int from, int to, boolean file) {
    for (int frame = from; frame < to; frame++) {
      clock.enqueue(frame, frame, file);
    }
  }

  private int take() {
    int victim = clock.selectVictim();
    assertThat(victim).isNotNegative();
    clock.evicted(victim);
    return victim;
  }

  private List<Integer> take(int count) {
    List<Integer> taken = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      taken.add(take());
    }
    return taken;
  }

  @Test
  void D1_aThirdIsInactive() {
    enqueue(0, 300, false);
    assertThat(clock.activePages()).isEqualTo(300);
    assertThat(clock.inactivePages()).isZero();
    clock.beginScan(0, 10, false);
    assertThat(take()).isZero();
    assertThat(clock.activePages()).isEqualTo(201);
    assertThat(clock.inactivePages()).isEqualTo(98);
    assertThat(clock.isEnqueued(0)).isFalse();
    assertThat(clock.isInactive(1)).isTrue();
    assertThat(clock.isActive(299)).isTrue();
  }

  @Test
  void D1_moreThanTheFreeTargetIsInactive() {
    enqueue(0, 300, false);
    clock.beginScan(0, 199, false);
    take();
    assertThat(clock.inactivePages()).isEqualTo(199);
  }

  @Test
  void D1_touchedAfterDeactivationIsActiveAgain() {
    enqueue(0, 300, false);
    clock.beginScan(0, 10, false);
    take();
    bits.use(1);
    bits.use(3);
    assertThat(take(2)).containsExactly(2, 4);
    assertThat(clock.isActive(1)).isTrue();
    assertThat(clock.isActive(3)).isTrue();
  }

  @Test
  void D1_usedActivePagesAreSparedOnce() {
    enqueue(0, 300, false);
    for (int frame = 0; frame < 50; frame++) {
      bits.use(frame);
    }
    clock.beginScan(0, 10, false);
    assertThat(take()).isEqualTo(50);
    assertThat(bits.isReferenced(0)).isFalse();
  }

  @Test
  void D1_whatWillNotBeUsedGoesFirst() {
    enqueue(0, 300, false);
    bits.use(200);
    clock.deactivate(200);
    clock.deactivate(250);
    clock.deactivate(260);
    clock.activate(250);
    bits.use(260);
    clock.beginScan(0, 10, false);
    assertThat(take(2)).containsExactly(200, 0);
    assertThat(clock.isActive(250)).isTrue();
    assertThat(clock.isActive(260)).as("used after the advice").isTrue();
  }

  @Test
  void D3_filesGoBeforeTooFewAnonymousPages() {
    enqueue(0, 20, false);
    enqueue(20, 300, true);
    clock.beginScan(0, 10, false);
    assertThat(take(100)).allMatch(frame -> frame >= 20);
    assertThat(clock.isActive(0)).isTrue();
  }

  @Test
  void D3_anonymousPagesGoBeforeTooFewOfFiles() {
    enqueue(0, 20, true);
    enqueue(20, 300, false);
    clock.beginScan(0, 10, false);
    assertThat(take(100)).allMatch(frame -> frame >= 20);
    clock.beginScan(0, 10, true);
    assertThat(take(200)).as("swap is full: files go").anyMatch(frame -> frame < 20);
  }
}
