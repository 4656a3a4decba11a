package org.juvm.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.juvm.base.Replacement;

/** Hits of policies and yardsticks. */
class ReplayTest {
  private static final int LOOP_PAGES = 1011;
  private static final int ZIGZAG_PAGES = 2001;

  private final long seed = Long.getLong("juvm.test.seed", System.nanoTime());

  /** 500 times the same pages in the same order. */
  private static final Trace LOOP =
      Trace.of(LongStream.range(0, 500L * LOOP_PAGES).map(i -> i % LOOP_PAGES));

  /** 26 times up and down again, each end once. */
  private static final Trace ZIGZAG =
      Trace.of(
          LongStream.rangeClosed(0, 26L * (ZIGZAG_PAGES - 1))
              .map(
                  i -> {
                    long at = i % (2 * (ZIGZAG_PAGES - 1));
                    return Math.min(at, 2 * (ZIGZAG_PAGES - 1) - at);
                  }));

  /** As the author of CLOCK-Pro prints it. */
  private static String percent(Trace trace, int hits) {
    int faults = trace.references() - hits;
    return String.format(Locale.ROOT, "%.1f", 100 - (float) faults / trace.references() * 100);
  }

  @ParameterizedTest
  @CsvSource({
    "50, 24500, 4.7",
    "202, 100500, 19.0",
    "505, 251995, 47.4",
    "909, 453591, 85.3",
  })
  void T20_aLoop(int frames, int optimum, String clockPro) {
    assertThat(LOOP.distinct()).isEqualTo(LOOP_PAGES);
    assertThat(Replay.optimalHits(LOOP, frames)).isEqualTo(optimum);
    assertThat(Replay.lruHits(LOOP, frames)).isZero();
    assertThat(Replay.hits(LOOP, Replacement.CLOCK, frames)).isZero();
    assertThat(percent(LOOP, Replay.hits(LOOP, Replacement.CLOCK_PRO, frames))).isEqualTo(clockPro);
  }

  @ParameterizedTest
  @CsvSource({
    "100, 2475, 2475, 2475, 0.2",
    "1000, 24975, 24975, 24975, 2.4",
    "1400, 34975, 34975, 20376, 38.5",
    "1800, 44975, 44975, 24979, 76.9",
  })
  void T20_upAndDown(int frames, int optimum, int lru, int clock, String clockPro) {
    assertThat(ZIGZAG.references()).isEqualTo(52_001);
    assertThat(Replay.optimalHits(ZIGZAG, frames)).isEqualTo(optimum);
    assertThat(Replay.lruHits(ZIGZAG, frames)).isEqualTo(lru);
    assertThat(Replay.hits(ZIGZAG, Replacement.CLOCK, frames)).isEqualTo(clock);
    assertThat(percent(ZIGZAG, Replay.hits(ZIGZAG, Replacement.CLOCK_PRO, frames)))
        .isEqualTo(clockPro);
  }

  /** Every row of the reference results, where the traces are. */
  @Test
  void T20_publicTraces() throws IOException {
    // Beside the project, or beside the directory that it is in.
    Path module = Path.of(System.getProperty("basedir", "")).toAbsolutePath();
    Path beside = module.resolve("../../shared/traces");
    Path traces = Files.exists(beside) ? beside : module.resolve("../../../shared/traces");
    assumeThat(traces.resolve("expected.csv")).exists();
    List<String> rows = Files.readAllLines(traces.resolve("expected.csv"));
    String name = "";
    Trace trace = LOOP;
    for (String row : rows.subList(1, rows.size())) {
      String[] cells = row.split(",", -1);
      if (!cells[0].equals(name)) {
        name = cells[0];
        trace = Trace.read(traces.resolve(name + ".trace.gz"));
      }
      int frames = Integer.parseInt(cells[3]);
      String found =
          String.join(
              ",",
              name,
              String.valueOf(trace.references()),
              String.valueOf(trace.distinct()),
              cells[3],
              String.valueOf(Replay.optimalHits(trace, frames)),
              String.valueOf(Replay.lruHits(trace, frames)),
              String.valueOf(Replay.hits(trace, Replacement.CLOCK, frames)),
              percent(trace, Replay.hits(trace, Replacement.CLOCK_PRO, frames)));
      assertThat(found).isEqualTo(row);
    }
  }

  /** a b c | a is used | d takes b, which was not | b takes c | a is there still. */
  @Test
  void D4_secondChanceByHand() {
    Trace trace = Trace.of(LongStream.of(1, 2, 3, 1, 4, 2, 1));
    assertThat(Replay.hits(trace, Replacement.CLOCK, 3)).isEqualTo(2);
    assertThat(Replay.lruHits(trace, 3)).isEqualTo(2);
    assertThat(Replay.optimalHits(trace, 3)).isEqualTo(3);
  }

  @Test
  void D4_yardsticksAgainstTheirDefinitions() {
    SplittableRandom random = new SplittableRandom(seed);
    for (int round = 0; round < 30; round++) {
      long[] pages = random.longs(300, 0, 30).toArray();
      Trace trace = Trace.of(LongStream.of(pages));
      int frames = random.nextInt(1, 31);
      assertThat(Replay.optimalHits(trace, frames))
          .as("seed %d", seed)
          .isEqualTo(simulate(pages, frames, at -> nextUse(pages, at)));
      assertThat(Replay.lruHits(trace, frames))
          .as("seed %d", seed)
          .isEqualTo(simulate(pages, frames, at -> pages.length - at));
    }
  }

  /** Evicts the page whose last use scores highest. */
  private static int simulate(long[] pages, int frames, ToIntFunction<Integer> score) {
    Set<Integer> lastUses = new HashSet<>();
    int hits = 0;
    for (int i = 0; i < pages.length; i++) {
      long page = pages[i];
      if (lastUses.removeIf(at -> pages[at] == page)) {
        hits++;
      } else if (lastUses.size() == frames) {
        lastUses.remove(
            lastUses.stream()
                .max((a, b) -> Integer.compare(score.applyAsInt(a), score.applyAsInt(b)))
                .orElseThrow());
      }
      lastUses.add(i);
    }
    return hits;
  }

  private static int nextUse(long[] pages, int at) {
    return IntStream.range(at + 1, pages.length)
        .filter(i -> pages[i] == pages[at])
        .findFirst()
        .orElse(pages.length);
  }

  @ParameterizedTest
  @EnumSource
  void D4_noPolicyBeatsTheOptimum(Replacement replacement) {
    SplittableRandom random = new SplittableRandom(seed);
    for (int round = 0; round < 30; round++) {
      Trace trace = Trace.of(random.longs(2000, 0, 100).map(page -> page * page / 50));
      for (int frames : new int[] {1, 2, 3, 7, 30, trace.distinct()}) {
        assertThat(Replay.hits(trace, replacement, frames))
            .as("seed %d", seed)
            .isBetween(0, Replay.optimalHits(trace, frames));
      }
      assertThat(Replay.hits(trace, replacement, trace.distinct()))
          .as("seed %d", seed)
          .isEqualTo(trace.references() - trace.distinct());
    }
  }

  /** A loop that is too large gets what fits of it, where LRU gets nothing. */
  @Test
  void D4_adaptiveClockProKeepsPartOfALoop() {
    int hits = Replay.hits(LOOP, Replacement.ADAPTIVE_CLOCK_PRO, 505);
    assertThat(hits).isGreaterThan(Replay.optimalHits(LOOP, 505) * 95 / 100);
  }
}
