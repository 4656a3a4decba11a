package org.juvm.bench.micro;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.juvm.bench.shot.Scale;
import org.juvm.bench.shot.Series;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Runs the benchmarks of one class under JMH. The class may say how long and how often it is
 * measured.
 */
public final class Micro {
  /** Behind the name of a method: bytes of the heap that an operation of it allocates. */
  public static final String HEAP = ".heap";

  private static final String HEAP_OF_PROFILER = "gc.alloc.rate.norm";

  private final Class<?> benchmarks;
  private final String methods;
  private final Map<String, String> parameters;
  private final Scale scale;

  /**
   * A run.
   *
   * @param benchmarks the class
   * @param methods pattern of the names of the methods
   * @param parameters values for its parameters, instead of those that it has
   * @param scale how much to measure
   */
  public Micro(Class<?> benchmarks, String methods, Map<String, String> parameters, Scale scale) {
    this.benchmarks = benchmarks;
    this.methods = methods;
    this.parameters = parameters;
    this.scale = scale;
  }

  /**
   * Runs the benchmarks in turn, several rounds, each round of each in a JVM of its own.
   *
   * @param jvm the executable
   * @param options options for these JVMs
   * @return nanoseconds for each operation by name of method, and bytes with {@link #HEAP} behind
   *     the name, medians over all rounds
   */
  public Map<String, Double> measure(String jvm, List<String> options) {
    return measure(
        builder -> builder.jvm(jvm).jvmArgs(options.toArray(String[]::new)), scale.times(1, 1, 2));
  }

  /** Runs the benchmarks once, in this JVM. For tests. */
  public Map<String, Double> measureHere() {
    return measure(builder -> builder.forks(0), 1);
  }

  /** Sets where to run. */
  private interface Place {
    /** Sets it. */
    ChainedOptionsBuilder set(ChainedOptionsBuilder builder);
  }

  private Map<String, Double> measure(Place place, int rounds) {
    // Another run of JMH on this machine would disturb the figures, but must not keep this one out.
    System.setProperty("jmh.ignoreLock", "true");
    Map<String, Series> series = new LinkedHashMap<>();
    for (int i = 0; i < rounds; i++) {
      try {
        for (RunResult result : new Runner(place.set(builder()).build()).run()) {
          collect(result, series);
        }
      } catch (RunnerException e) {
        throw new IllegalStateException("JMH failed: " + benchmarks.getName(), e);
      }
    }
    Map<String, Double> medians = new LinkedHashMap<>();
    series.forEach((name, values) -> medians.put(name, values.median()));
    return medians;
  }

  private ChainedOptionsBuilder builder() {
    ChainedOptionsBuilder builder =
        new OptionsBuilder()
            .include("^" + Pattern.quote(benchmarks.getName()) + "\\.(" + methods + ")$")
            .verbosity(VerboseMode.SILENT)
            .addProfiler(GCProfiler.class)
            .shouldFailOnError(true)
            .warmupIterations(scale.times(1, 4, 5))
            .warmupTime(TimeValue.milliseconds(scale.pick(1, 150, 300)));
    if (scale == Scale.TINY || !benchmarks.isAnnotationPresent(Measurement.class)) {
      builder
          .measurementIterations(scale.times(1, 4, 5))
          .measurementTime(TimeValue.milliseconds(scale.pick(1, 100, 100)));
    }
    parameters.forEach(builder::param);
    return builder;
  }

  private static void collect(RunResult result, Map<String, Series> series) {
    String benchmark = result.getParams().getBenchmark();
    String name = benchmark.substring(benchmark.lastIndexOf('.') + 1);
    Series values = series.computeIfAbsent(name, key -> new Series());
    Series heap = series.computeIfAbsent(name + HEAP, key -> new Series());
    for (BenchmarkResult fork : result.getBenchmarkResults()) {
      for (IterationResult iteration : fork.getIterationResults()) {
        // Of each thread, so that one that has to wait for a processor does not spoil both.
        for (Result<?> thread : iteration.getRawPrimaryResults()) {
          values.add(thread.getScore());
        }
        Result<?> allocated = iteration.getSecondaryResults().get(HEAP_OF_PROFILER);
        heap.add(allocated == null ? Double.NaN : allocated.getScore());
      }
    }
  }
}
