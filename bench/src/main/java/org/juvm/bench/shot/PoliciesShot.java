package org.juvm.bench.shot;

import java.util.LinkedHashMap;
import java.util.Map;
import org.juvm.Cpu;
import org.juvm.Statistics;
import org.juvm.Vm;
import org.juvm.base.Replacement;
import org.juvm.sim.Replay;
import org.juvm.sim.Trace;

/**
 * The accesses of {@link OvercommitShot} under each replacement policy: accesses for each second,
 * and how many of them found their page in memory. Beside it what exact LRU and the optimum would
 * find, with as many frames and none of them kept free.
 */
final class PoliciesShot implements Shot {
  @Override
  public Map<String, Double> measure(Scale scale) {
    int pages = (int) (scale.pick(8L << 20, 128L << 20, 256L << 20) / Region.PAGE);
    int frames = pages / OvercommitShot.TIMES;
    int rounds = scale.times(1, 2, 5);
    ZipfAccesses accesses = new ZipfAccesses(pages, scale.times(20_000, 500_000, 1_000_000));
    Map<String, Double> figures = new LinkedHashMap<>();
    Trace trace = Trace.of(accesses.pages());
    figures.put("lru.hits", (double) Replay.lruHits(trace, frames) / accesses.count());
    figures.put("optimum.hits", (double) Replay.optimalHits(trace, frames) / accesses.count());
    // Once for the compiler, which has seen all of them when it counts.
    measure(figures, accesses, pages, 0);
    measure(figures, accesses, pages, rounds);
    return figures;
  }

  private static void measure(
      Map<String, Double> figures, ZipfAccesses accesses, int pages, int rounds) {
    for (Replacement policy : Replacement.values()) {
      Series hits = new Series();
      Series rates = new Series();
      try (Vm vm =
              Vm.builder()
                  .memory((long) pages / OvercommitShot.TIMES * Region.PAGE)
                  .swap(2L * pages * Region.PAGE)
                  .replacement(policy)
                  .boot();
          Cpu cpu = vm.newCpu()) {
        Region region = OvercommitShot.written(vm, cpu, pages);
        for (int i = -1; i < rounds; i++) {
          Statistics start = vm.statistics();
          double time = accesses.run(region);
          long ins = vm.statistics().swapIns() - start.swapIns();
          if (i >= 0) {
            hits.add(1 - (double) ins / accesses.count());
            rates.add(1e9 / time);
          }
        }
      }
      if (rounds > 0) {
        figures.put(policy.name() + ".hits", hits.median());
        figures.put(policy.name() + ".rate", rates.median());
      }
    }
  }
}
