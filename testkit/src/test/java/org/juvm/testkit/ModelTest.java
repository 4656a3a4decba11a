package org.juvm.testkit;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random histories over several forked spaces, compared with the model after every step. */
class ModelTest {
  private static final int STEPS = 3000;
  private static final int AUDIT_EVERY = 64;
  private static final int SHRINKING_ATTEMPTS = 2000;

  @ParameterizedTest
  @ValueSource(ints = {1024, 4096})
  void randomHistoriesAreThoseOfTheModel(int pageSize) {
    Choices choices = Choices.fresh();
    for (int i = 0; i < Choices.times(6); i++) {
      List<Command> history = Command.history(choices, STEPS);
      Throwable failure = failure(pageSize, AUDIT_EVERY, history);
      if (failure != null) {
        List<Command> shrunk =
            Shrinker.shrink(
                untilFailure(pageSize, history),
                part -> failure(pageSize, AUDIT_EVERY, part) != null,
                SHRINKING_ATTEMPTS);
        StringBuilder message = new StringBuilder(choices + ", shortest history:");
        shrunk.forEach(command -> message.append("\n  ").append(command));
        Throwable last = failure(pageSize, 1, shrunk);
        throw new AssertionError(message.toString(), last == null ? failure : last);
      }
    }
  }

  /** What comes after the step that failed is of no use. */
  private static List<Command> untilFailure(int pageSize, List<Command> history) {
    try (Duel duel = new Duel(pageSize, AUDIT_EVERY)) {
      try {
        duel.run(history);
      } catch (Throwable e) {
        return history.subList(0, Math.min(history.size(), duel.done() + 1));
      }
      return history;
    }
  }

  private static @Nullable Throwable failure(int pageSize, int auditEvery, List<Command> history) {
    try (Duel duel = new Duel(pageSize, auditEvery)) {
      duel.run(history);
      return null;
    } catch (Throwable e) {
      return e;
    }
  }
}
