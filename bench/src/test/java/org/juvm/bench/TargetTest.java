package org.juvm.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TargetTest {
  @Test
  void atMost_looksAtTheValueAlone() {
    Target target = Target.atMost(10, "<= 10 ns");

    assertThat(target.judge(Double.NaN, 10)).isEqualTo(Verdict.MET);
    assertThat(target.judge(Double.NaN, 12)).isEqualTo(Verdict.NEAR);
    assertThat(target.judge(Double.NaN, 12.1)).isEqualTo(Verdict.MISSED);
  }

  @Test
  void ratioAtLeast_wantsMore() {
    Target target = Target.ratioAtLeast(0.5);

    assertThat(target.judge(100, 50)).isEqualTo(Verdict.MET);
    assertThat(target.judge(100, 45)).isEqualTo(Verdict.NEAR);
    assertThat(target.judge(100, 20)).isEqualTo(Verdict.MISSED);
  }

  @Test
  void overBaselineAtMost_lessThanTheBaseline_isMet() {
    Target target = Target.overBaselineAtMost(150, "<= +150 ns");

    assertThat(target.judge(400, 390)).isEqualTo(Verdict.MET);
    assertThat(target.judge(400, 551)).isEqualTo(Verdict.NEAR);
    assertThat(target.judge(400, 600)).isEqualTo(Verdict.MISSED);
  }

  @Test
  void and_theWorseCounts() {
    Target target = Target.atMost(10, "<= 10 ns").and(Target.ratioAtMost(2));

    assertThat(target.text()).isEqualTo("<= 10 ns, <= 2x");
    assertThat(target.judge(1, 9)).isEqualTo(Verdict.MISSED);
    assertThat(target.judge(5, 9)).isEqualTo(Verdict.MET);
  }

  @Test
  void judge_noBaseline_isUnknown() {
    assertThat(Target.ratioAtMost(2).judge(Double.NaN, 9)).isEqualTo(Verdict.UNKNOWN);
  }

  @Test
  void judge_noTarget_isNone() {
    assertThat(Target.NONE.judge(1, 9)).isEqualTo(Verdict.NONE);
  }
}
