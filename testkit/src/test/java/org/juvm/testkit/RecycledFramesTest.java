package org.juvm.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("threads")
class RecycledFramesTest {

  @ParameterizedTest
  @CsvSource({
    "UNMAP, STORE, 1, 1000",
    "UNMAP, STORE, 3, 50",
    "UNMAP, BULK_STORE, 1, 500",
    "EXIT, STORE, 1, 500",
    "EXIT, BULK_STORE, 3, 50",
    "PROTECT, STORE, 1, 1666",
    "PROTECT, BULK_STORE, 1, 833",
    "FORK, STORE, 1, 833",
    "FORK, STORE, 3, 50",
    "FORK, BULK_STORE, 1, 333"
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
    "UNMAP, LOAD, 1, 1000",
    "UNMAP, LOAD, 3, 50",
    "UNMAP, BULK_LOAD, 1, 500",
    "EXIT, LOAD, 1, 500"
  })
  void staleReadOfRecycledFrame(
      RecycledFrames.Way way, RecycledFrames.Use use, int users, int rounds) {
    RecycledFrames frames = new RecycledFrames(way, use, users);
    Choices choices = Choices.fresh();
    frames.run(Budget.rounds(Choices.times(rounds)), choices);
    assertThat(frames.staleLoads()).as("stale loads, %s", choices).isZero();
  }
}
