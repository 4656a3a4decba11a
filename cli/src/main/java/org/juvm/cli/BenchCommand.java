package org.juvm.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.juvm.bench.Bench;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code juvm bench}: how fast it is here, compared with the JVM's own memory and the kernel. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Measures Juvm, and in the same run what it is to be compared with.",
      "Prints a table; takes about nine minutes, and wants a machine that does nothing else."
    })
final class BenchCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "ROW",
      description = "Rows to measure, for instance T6. Default: all but W1.")
  private List<String> rows = List.of();

  @Option(names = "--quick", description = "Rough figures in a minute or two.")
  private boolean quick;

  @Option(names = "--list", description = "Print the rows and measure nothing.")
  private boolean list;

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description = "Write the figures to a file, too, as JSON.")
  private @Nullable Path json;

  @Option(
      names = "--traces",
      paramLabel = "DIR",
      description = "Traces for T20: NAME.trace.gz, and what to expect in expected.csv.")
  private @Nullable Path traces;

  BenchCommand() {}

  @Override
  public Integer call() {
    if (list) {
      Bench.list(System.out);
      return ExitStatus.OK;
    }
    var bench = bench();
    try {
      return bench.run(System.out, System.err, json) ? ExitStatus.OK : ExitStatus.FAILED;
    } catch (IOException e) {
      throw new Failure.Exit(ExitStatus.FAILED, json + ": cannot be written");
    }
  }

  private Bench bench() {
    try {
      return Bench.of(rows, quick, traces);
    } catch (IllegalArgumentException e) {
      throw Failure.usage(e.getMessage() + ": see 'juvm bench --list'");
    }
  }
}
