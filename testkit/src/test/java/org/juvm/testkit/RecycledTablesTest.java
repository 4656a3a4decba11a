package org.juvm.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** If this fails it may take the whole process with it. */
@Tag("threads")
class RecycledTablesTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void walkThroughRecycledPageTable(int users) {
    RecycledTables tables = new RecycledTables();
    int rounds = Choices.times(600);
    tables.run(Budget.rounds(rounds), users, Choices.fresh());
    assertThat(tables.rounds()).isEqualTo(rounds);
  }
}
