package org.juvm.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.juvm.base.Replacement;
import org.juvm.sim.Replay;
import org.juvm.sim.Trace;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code juvm replay}: how well page replacement would have done on recorded references. */
@Command(
    name = "replay",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Replays traces of page references under the page replacement of Juvm.",
      "Prints how many of the references find their page in memory, in percent,",
      "beside the best that is possible (optimum) and exact LRU."
    })
final class ReplayCommand implements Callable<Integer> {
  /** If the user names none: of the different pages of a trace, in percent. */
  private static final int[] USUAL_PERCENT = {5, 10, 20, 35, 50, 70, 90};

  private static final int BAR_LENGTH = 60;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(
      paramLabel = "TRACE",
      arity = "1..*",
      description = {
        "A file with a block number on each line, or an access like 's 0x1fffff50 4'.",
        "May be compressed by gzip."
      })
  private List<Path> files = List.of();

  @Option(
      names = "--policy",
      paramLabel = "NAME",
      split = ",",
      converter = PolicyConverter.class,
      description = {
        "two-queue, clock, clock-pro or adaptive-clock-pro. Can be repeated. Default: all."
      })
  private List<Replacement> policies = List.of();

  @Option(
      names = "--frames",
      paramLabel = "N",
      split = ",",
      description = {
        "Pages that fit into memory. Can be repeated.",
        "Default: 5 to 90 %% of the pages of the trace."
      })
  private List<Integer> frames = List.of();

  @Option(names = "--chart", description = "Draw the figures, too.")
  private boolean chart;

  ReplayCommand() {}

  /** Reads the names of policies for picocli. */
  static final class PolicyConverter implements ITypeConverter<Replacement> {
    PolicyConverter() {}

    @Override
    public Replacement convert(String text) {
      return Arrays.stream(Replacement.values())
          .filter(policy -> name(policy).equals(text))
          .findFirst()
          .orElseThrow(() -> new TypeConversionException("no such policy: '" + text + "'"));
    }
  }

  private static String name(Replacement policy) {
    return policy.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  @Override
  public Integer call() {
    for (int number : frames) {
      if (number <= 0) {
        throw Failure.usage("--frames: not a number of pages: " + number);
      }
    }
    var out = spec.commandLine().getOut();
    for (var file : files) {
      replay(out, file, read(file));
      out.flush();
    }
    return ExitStatus.OK;
  }

  private static Trace read(Path file) {
    try {
      return Trace.read(file);
    } catch (IOException e) {
      throw Failure.unreadable(file, e);
    }
  }

  private void replay(PrintWriter out, Path file, Trace trace) {
    var chosen = policies.isEmpty() ? List.of(Replacement.values()) : policies;
    List<String> names = new ArrayList<>(List.of("optimum", "lru"));
    chosen.forEach(policy -> names.add(name(policy)));
    out.printf("%s: %d references to %d pages%n%n", file, trace.references(), trace.distinct());
    out.printf("%10s", "frames");
    names.forEach(name -> out.printf("  %8s", name));
    out.println();
    List<String> bars = new ArrayList<>();
    for (int number : frames(trace)) {
      // More frames than pages make no difference.
      int used = Math.min(number, trace.distinct());
      IntStream.Builder hits = IntStream.builder();
      hits.add(Replay.optimalHits(trace, used)).add(Replay.lruHits(trace, used));
      chosen.forEach(policy -> hits.add(Replay.hits(trace, policy, used)));
      double[] percent =
          hits.build().mapToDouble(hit -> 100.0 * hit / trace.references()).toArray();
      out.printf("%10d", number);
      for (int i = 0; i < percent.length; i++) {
        int width = Math.max(8, names.get(i).length());
        out.printf(Locale.ROOT, "  %" + width + ".1f", percent[i]);
        bars.add(bar(i == 0 ? number + " frames" : "", names.get(i), percent[i]));
      }
      out.println();
    }
    out.println();
    if (chart) {
      bars.forEach(out::println);
      out.println();
    }
  }

  private List<Integer> frames(Trace trace) {
    return frames.isEmpty()
        ? Arrays.stream(USUAL_PERCENT)
            .map(percent -> Math.max(1, (int) ((long) trace.distinct() * percent / 100)))
            .distinct()
            .boxed()
            .toList()
        : frames;
  }

  private static String bar(String group, String name, double percent) {
    return String.format(
        Locale.ROOT,
        "%17s  %-18s %s %.1f",
        group,
        name,
        "#".repeat((int) Math.round(percent * BAR_LENGTH / 100)),
        percent);
  }
}
