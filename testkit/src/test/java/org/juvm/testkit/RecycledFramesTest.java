package org.juvm.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("threads")
class RecycledFramesTest {

  @ParameterizedTest
  @CsvSource({
    "UNMAP, STORE, 1, 400",
    "UNMAP, STORE, 3, 400",
    "UNMAP, BULK_STORE, 1, 400",
    "EXIT, STORE, 1, 400",
    "EXIT, BULK_STORE, 3, 150",
    "PROTECT, STORE, 1, 400",
    "PROTECT, BULK_STORE, 1, 400",
    "FORK, STORE, 1, 400",
    "FORK, STORE, 3, 60",
    "FORK, BULK_STORE, 1, 400"
  })
  void lateWriteIntoRecycledFrame(
      RecycledFrames.Way way, RecycledFrames.Use use, int users, int rounds) {
    RecycledFrames frames = new RecycledFrames(way, use, users);
    Choices choices = Choices.fresh();
    frames.run(Budget.rounds(Choices.times(rounds)), choices);
    assertThat(frames.lateStores()).as("late stores, %s", choices).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "UNMAP, LOAD, 1, 400",
    "UNMAP, LOAD, 3, 400",
    "UNMAP, BULK_LOAD, 1, 400",
    "EXIT, LOAD, 1, 400"
  })
  void staleReadOfRecycledFrame(
      RecycledFrames.Way way, RecycledFrames.Use use, int users, int rounds) {
    RecycledFrames frames = new RecycledFrames(way, use, users);
    Choices choices = Choices.fresh();
    frames.run(Budget.rounds(Choices.times(rounds)), choices);
    assertThat(frames.staleLoads()).as("stale loads, %s", choices).isZero();
  }
}
