package org.juvm.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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

  @ParameterizedTest
  @CsvSource({"false, 6000", "true, 2000"})
  void fourThreadsChangeOneMap(boolean paging, int rounds) {
    Choices choices = Choices.fresh();
    Statistics statistics = new MapSoak(paging).run(Budget.rounds(Choices.times(rounds)), choices);
    assertThat(statistics.copies()).as("pages copied, %s", choices).isPositive();
    assertThat(statistics.forks()).isGreaterThan(100);
  }
}
