package org.juvm.bench;

import java.util.Collection;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.juvm.bench.host.KernelProgram;
import org.juvm.bench.shot.Scale;
import org.juvm.bench.shot.Series;
import org.juvm.bench.shot.Shot;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Where rows are measured: runs JMH benchmarks, shots and the kernel's program, each in processes
 * of their own, and remembers what several rows want to know.
 */
final class Lab {
  private final Scale scale;
  private final boolean forks;
  private final Consumer<String> progress;
  private final Map<Shot.Kind, Map<String, Double>> shots = new EnumMap<>(Shot.Kind.class);
  private @Nullable Map<String, Double> kernel;

  /**
   * A laboratory.
   *
   * @param scale how much to measure
   * @param forks false to stay in this process, for tests
   * @param progress is told what is being measured
   */
  Lab(Scale scale, boolean forks, Consumer<String> progress) {
    this.scale = scale;
    this.forks = forks;
    this.progress = progress;
  }

  Scale scale() {
    return scale;
  }

  // ---- JMH ----

  /**
   * Runs the benchmarks of a class in turn, several rounds, each round of each in a JVM of its own.
   *
   * @param benchmarks the class
   * @param methods pattern of the names of the methods
   * @param parameters values for its parameters, instead of those that it has
   * @return nanoseconds for each operation by name of method, medians over all rounds
   */
  Map<String, Double> jmh(Class<?> benchmarks, String methods, Map<String, String> parameters) {
    // Another run of JMH on this machine would disturb the figures, but must not keep this one out.
    System.setProperty("jmh.ignoreLock", "true");
    int rounds = scale.times(1, 1, 3);
    Map<String, Series> series = new LinkedHashMap<>();
    for (int i = 0; i < rounds; i++) {
      progress.accept(
          "%s%s, round %d of %d"
              .formatted(benchmarks.getSimpleName(), describe(parameters), i + 1, rounds));
      for (RunResult result : run(benchmarks, methods, parameters)) {
        collect(result, series);
      }
    }
    Map<String, Double> medians = new LinkedHashMap<>();
    series.forEach((name, values) -> medians.put(name, values.median()));
    return medians;
  }

  private static String describe(Map<String, String> parameters) {
    return parameters.isEmpty() ? "" : " " + parameters;
  }

  private Collection<RunResult> run(
      Class<?> benchmarks, String methods, Map<String, String> parameters) {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include("^" + Pattern.quote(benchmarks.getName()) + "\\.(" + methods + ")$")
            .verbosity(VerboseMode.SILENT)
            .shouldFailOnError(true)
            .jvm(Jvm.executable())
            .jvmArgs(Jvm.options().toArray(String[]::new))
            .warmupIterations(scale.times(1, 3, 4))
            .warmupTime(TimeValue.milliseconds(scale.pick(1, 100, 200)))
            .measurementIterations(scale.times(1, 4, 5))
            .measurementTime(TimeValue.milliseconds(scale.pick(1, 100, 150)));
    if (!forks) {
      options.forks(0);
    }
    parameters.forEach(options::param);
    try {
      return new Runner(options.build()).run();
    } catch (RunnerException e) {
      throw new IllegalStateException("JMH failed: " + benchmarks.getName(), e);
    }
  }

  private static void collect(RunResult result, Map<String, Series> series) {
    BenchmarkParams params = result.getParams();
    String benchmark = params.getBenchmark();
    String name = benchmark.substring(benchmark.lastIndexOf('.') + 1);
    Series values = series.computeIfAbsent(name, key -> new Series());
    for (BenchmarkResult fork : result.getBenchmarkResults()) {
      for (IterationResult iteration : fork.getIterationResults()) {
        values.add(iteration.getPrimaryResult().getScore());
      }
    }
  }

  // ---- shots ----

  /** What a shot measures; once for all rows that ask. */
  Map<String, Double> shot(Shot.Kind kind) {
    Map<String, Double> known = shots.get(kind);
    if (known == null) {
      progress.accept(kind.name().toLowerCase(Locale.ROOT).replace('_', ' '));
      known = forks ? Jvm.run(kind, scale) : kind.create().measure(scale);
      shots.put(kind, known);
    }
    return known;
  }

  // ---- the kernel ----

  /** What the kernel's own faults and forks take; empty where there is no C compiler. */
  Map<String, Double> kernel() {
    Map<String, Double> known = kernel;
    if (known == null) {
      progress.accept("kernel");
      known =
          KernelProgram.run(
              scale.pick(4L << 20, 256L << 20, 1L << 30) / 4096, scale.times(1, 3, 5));
      kernel = known;
    }
    return known;
  }

  /** The same, but NaN instead of nothing. */
  double kernel(String name) {
    return kernel().getOrDefault(name, Double.NaN);
  }

  /** A note for figures that miss their baseline. */
  String kernelNote() {
    return kernel().isEmpty() ? "no baseline: no C compiler" : "";
  }
}
