package org.juvm.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.juvm.bench.host.Jvm;
import org.juvm.bench.host.KernelProgram;
import org.juvm.bench.micro.Micro;
import org.juvm.bench.micro.MicroMain;
import org.juvm.bench.shot.Scale;
import org.juvm.bench.shot.Shot;
import org.juvm.bench.shot.ShotMain;

/**
 * Where rows are measured: runs JMH benchmarks, shots and the kernel's program, each in processes
 * of their own, and remembers what several rows want to know.
 */
final class Lab {
  private final Scale scale;
  private final boolean forks;
  private final @Nullable Path traces;
  private final Consumer<String> progress;
  private final Map<Shot.Kind, Map<String, Double>> shots = new EnumMap<>(Shot.Kind.class);
  private @Nullable Map<String, Double> kernel;

  /**
   * A laboratory.
   *
   * @param scale how much to measure
   * @param forks false to stay in this process, for tests
   * @param traces directory of traces to replay, or null
   * @param progress is told what is being measured
   */
  Lab(Scale scale, boolean forks, @Nullable Path traces, Consumer<String> progress) {
    this.scale = scale;
    this.forks = forks;
    this.traces = traces;
    this.progress = progress;
  }

  Scale scale() {
    return scale;
  }

  /** Where traces are, with the results of reference simulators; null if nobody has said so. */
  @Nullable Path traces() {
    return traces;
  }

  /** Tells whoever waits for the result. */
  void say(String what) {
    progress.accept("  " + what);
  }

  /**
   * Runs benchmarks of a class under JMH.
   *
   * @param benchmarks the class
   * @param methods pattern of the names of the methods
   * @param parameters values for its parameters, instead of those that it has
   * @return nanoseconds for each operation by name of method, and bytes of heap, as {@link Micro}
   *     says
   */
  Map<String, Double> jmh(Class<?> benchmarks, String methods, Map<String, String> parameters) {
    say("%s %s".formatted(benchmarks.getSimpleName(), describe(parameters)));
    if (!forks) {
      return new Micro(benchmarks, methods, parameters, scale).measureHere();
    }
    List<String> arguments = new ArrayList<>();
    arguments.add(benchmarks.getName());
    arguments.add(methods);
    arguments.add(scale.name());
    parameters.forEach((name, value) -> arguments.add(name + "=" + value));
    return Jvm.run(MicroMain.class, arguments);
  }

  private static String describe(Map<String, String> parameters) {
    return parameters.isEmpty() ? "" : parameters.toString();
  }

  /** What a shot measures; once for all rows that ask. */
  Map<String, Double> shot(Shot.Kind kind) {
    Map<String, Double> known = shots.get(kind);
    if (known == null) {
      say(kind.name().toLowerCase(Locale.ROOT).replace('_', ' '));
      known =
          forks
              ? Jvm.run(ShotMain.class, List.of(kind.name(), scale.name()))
              : kind.create().measure(scale);
      shots.put(kind, known);
    }
    return known;
  }

  /** What the kernel's own faults and forks take; empty where there is no C compiler. */
  Map<String, Double> kernel() {
    Map<String, Double> known = kernel;
    if (known == null) {
      say("kernel, in C");
      long bytes = scale.pick(4L << 20, 256L << 20, 1L << 30);
      known = KernelProgram.run(bytes / 4096, scale.times(1, 3, 5));
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
