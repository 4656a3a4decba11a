package org.juvm.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("threads")
class PagingSoakTest {
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void sixThreadsOnFourTimesTheMemory(boolean faults) {
    Choices choices = Choices.fresh();
    PagingSoak soak = new PagingSoak(faults);
    String seen = soak.run(Budget.rounds(Choices.times(3000)), choices);
    assertThat(soak.forks()).as("forks, %s: %s", choices, seen).isGreaterThan(100);
  }
}
