package org.juvm.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.juvm.KernelMemory;

@Tag("threads")
class KernelMemoryOracleTest {
  private static KernelMemory.Usage run(KernelMemoryOracle.Setting setting, int rounds) {
    Choices choices = Choices.fresh();
    System.out.println(setting + ", " + choices);
    try {
      return new KernelMemoryOracle(setting).run(Budget.rounds(Choices.times(rounds)), choices);
    } catch (AssertionError e) {
      throw new AssertionError(setting + ", " + choices, e);
    }
  }

  @Test
  void K8_K9_whatIsGivenOutIsNobodyElses() {
    assertThat(run(KernelMemoryOracle.Setting.NOTHING, 12_000).failures()).isZero();
  }

  @Test
  void K5_K7_theLimitIsReachedAndWaitedFor() {
    KernelMemory.Usage usage = run(KernelMemoryOracle.Setting.LIMIT, 12_000);
    assertThat(usage.failures()).isPositive();
    assertThat(usage.waits()).isPositive();
  }

  @Test
  void K5_K6_theSystemsMemoryComesAndGoes() {
    assertThat(run(KernelMemoryOracle.Setting.MEMORY, 6_000).failures()).isPositive();
  }

  @Test
  void K5_K6_theSystemsMemoryGoesToSwapThatFails() {
    assertThat(run(KernelMemoryOracle.Setting.MEMORY_WITH_SWAP, 6_000).allocations()).isPositive();
  }
}
