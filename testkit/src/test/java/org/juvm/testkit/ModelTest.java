package org.juvm.testkit;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random histories over several forked spaces, compared with the model after every step. */
class ModelTest {
  private static final int STEPS = 3000;
  private static final int SHRINKING_ATTEMPTS = 2000;

  @ParameterizedTest
  @ValueSource(ints = {1024, 4096})
  void randomHistoriesAreThoseOfTheModel(int pageSize) {
    Choices choices = Choices.fresh();
    for (int i = 0; i < Choices.times(6); i++) {
      List<Command> history = Command.history(choices, STEPS);
      Throwable failure = failure(pageSize, history);
      if (failure != null) {
        List<Command> shrunk =
            Shrinker.shrink(history, part -> failure(pageSize, part) != null, SHRINKING_ATTEMPTS);
        StringBuilder message = new StringBuilder(choices + ", shortest history:");
        shrunk.forEach(command -> message.append("\n  ").append(command));
        Throwable last = failure(pageSize, shrunk);
        throw new AssertionError(message.toString(), last == null ? failure : last);
      }
    }
  }

  private static @Nullable Throwable failure(int pageSize, List<Command> history) {
    try (Duel duel = new Duel(pageSize)) {
      duel.run(history);
      return null;
    } catch (Throwable e) {
      return e;
    }
  }
}
