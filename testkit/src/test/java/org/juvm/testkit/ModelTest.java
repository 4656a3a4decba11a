package org.juvm.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Random histories over several forked spaces, compared with the model after every step: in ample
 * memory, and in little memory with swap.
 */
class ModelTest {
  private static final int STEPS = 3000;
  private static final int AUDIT_EVERY = 64;
  private static final int SHRINKING_ATTEMPTS = 2000;

  /** Pages that have left memory in histories that were run to their end. */
  private long evictions;

  @ParameterizedTest
  @CsvSource({"1024, false", "4096, false", "1024, true", "4096, true"})
  void randomHistoriesAreThoseOfTheModel(int pageSize, boolean paging) {
    Choices choices = Choices.fresh();
    for (int i = 0; i < Choices.times(paging ? 4 : 6); i++) {
      List<Command> history = Command.history(choices, STEPS);
      Throwable failure = failure(pageSize, paging, AUDIT_EVERY, history);
      if (failure != null) {
        List<Command> shrunk =
            Shrinker.shrink(
                untilFailure(pageSize, paging, history),
                part -> failure(pageSize, paging, AUDIT_EVERY, part) != null,
                SHRINKING_ATTEMPTS);
        StringBuilder message = new StringBuilder(choices + ", shortest history:");
        shrunk.forEach(command -> message.append("\n  ").append(command));
        Throwable last = failure(pageSize, paging, 1, shrunk);
        throw new AssertionError(message.toString(), last == null ? failure : last);
      }
    }
    assertThat(evictions > 0).as("whether pages have left memory, %s", choices).isEqualTo(paging);
  }

  /** What comes after the step that failed is of no use. */
  private static List<Command> untilFailure(int pageSize, boolean paging, List<Command> history) {
    try (Duel duel = new Duel(pageSize, paging, AUDIT_EVERY)) {
      try {
        duel.run(history);
      } catch (Throwable e) {
        return history.subList(0, Math.min(history.size(), duel.done() + 1));
      }
      return history;
    }
  }

  private @Nullable Throwable failure(
      int pageSize, boolean paging, int auditEvery, List<Command> history) {
    try (Duel duel = new Duel(pageSize, paging, auditEvery)) {
      duel.run(history);
      evictions += duel.evictions();
      return null;
    } catch (Throwable e) {
      return e;
    }
  }
}
