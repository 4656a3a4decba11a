package org.juvm.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.juvm.Statistics;

@Tag("threads")
class SoakTest {
  @Test
  void eightThreadsOnTwoSpaces() {
    Choices choices = Choices.fresh();
    Statistics statistics = new Soak().run(Budget.rounds(Choices.times(1500)), choices);
    assertThat(statistics.copies()).as("pages copied, %s", choices).isPositive();
    assertThat(statistics.forks()).isGreaterThan(100);
  }

  @Test
  void fourThreadsChangeOneMap() {
    Choices choices = Choices.fresh();
    Statistics statistics = new MapSoak().run(Budget.rounds(Choices.times(6000)), choices);
    assertThat(statistics.copies()).as("pages copied, %s", choices).isPositive();
    assertThat(statistics.forks()).isGreaterThan(100);
  }
}
