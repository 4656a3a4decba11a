package org.juvm.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("threads")
class KernelSoakTest {
  @ParameterizedTest
  @CsvSource({
    "false, false, false, 800",
    "true, false, false, 2500",
    "true, true, false, 2500",
    "false, false, true, 4000",
    "true, true, true, 4000"
  })
  void theKernelAndProgramsInOneLittleMemory(
      boolean swap, boolean faults, boolean closing, int rounds) {
    Choices choices = Choices.fresh();
    KernelSoak soak = new KernelSoak(swap, faults, closing);
    try {
      soak.run(Budget.rounds(Choices.times(rounds)), choices);
    } catch (AssertionError e) {
      throw new AssertionError("with " + choices, e);
    }
    assertThat(soak.seen()).as("pages seen, %s", choices).isPositive();
  }
}
