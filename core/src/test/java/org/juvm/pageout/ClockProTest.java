package org.juvm.pageout;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.juvm.base.Replacement;
import org.juvm.page.ReplacementPolicy;

/** Hot and cold pages. */
class ClockProTest {
  private static final int FRAMES = 100;

  private final Bits bits = new Bits(FRAMES);

  /** Pages that are used again and again stay, however many others are read once. */
  @ParameterizedTest
  @EnumSource(names = {"CLOCK_PRO", "ADAPTIVE_CLOCK_PRO"})
  void D4_readingMuchOnceDoesNotFlush(Replacement replacement) {
    ReplacementPolicy policy =
        ReplacementPolicies.create(replacement, FRAMES, bits, ClockSettings.DEFAULT);
    for (int frame = 0; frame < FRAMES; frame++) {
      policy.enqueue(frame, frame, false);
    }
    boolean[] original = new boolean[FRAMES];
    Arrays.fill(original, true);
    for (int page = 1000; page < 3000; page++) {
      policy.beginScan(0, 0, false);
      int victim = policy.selectVictim();
      policy.evicted(victim);
      original[victim] = false;
      policy.enqueue(victim, page, false);
      for (int frame = 0; frame < 50; frame++) {
        bits.use(frame);
      }
    }
    for (int frame = 0; frame < 50; frame++) {
      assertThat(original[frame]).as("frame %d", frame).isTrue();
      assertThat(policy.isActive(frame)).as("frame %d", frame).isTrue();
    }
  }

  @Test
  void D4_aPageThatComesBackInItsTestPeriodIsHot() {
    ReplacementPolicy policy = new ClockPro(FRAMES, bits, ClockPro.Allocation.FIXED);
    for (int frame = 0; frame < FRAMES; frame++) {
      policy.enqueue(frame, frame, false);
    }
    assertThat(policy.activePages()).isEqualTo(95);
    policy.beginScan(0, 0, false);
    int frame = policy.selectVictim();
    assertThat(frame).isEqualTo(95);
    policy.evicted(frame);
    policy.enqueue(frame, 95, false);
    assertThat(policy.isActive(frame)).isTrue();
    assertThat(policy.activePages()).as("another one is cold instead").isEqualTo(95);
  }

  @Test
  void D4_aPageThatIsGoneForGoodHasNoHistory() {
    ReplacementPolicy policy = new ClockPro(FRAMES, bits, ClockPro.Allocation.FIXED);
    for (int frame = 0; frame < FRAMES; frame++) {
      policy.enqueue(frame, frame, false);
    }
    policy.beginScan(0, 0, false);
    int frame = policy.selectVictim();
    policy.evicted(frame);
    policy.forget(95);
    policy.enqueue(frame, 95, false);
    assertThat(policy.isInactive(frame)).isTrue();
  }
}
