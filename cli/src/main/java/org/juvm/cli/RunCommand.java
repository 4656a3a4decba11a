package org.juvm.cli;

import java.io.BufferedOutputStream;
import java.io.Console;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.juvm.wasm.program.GuestEnvironment;
import org.juvm.wasm.program.PythonSession;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code juvm run}: one program, from start to end. */
@Command(
    name = "run",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Runs a WebAssembly program.",
    footer = {
      "",
      "PROGRAM is the path of a WASI preview 1 command (a .wasm file), or",
      "  python SCRIPT [ARGS]  runs a script with CPython 3.13; its one --dir is HOST::/guest,",
      "  sqlite [FILE.sql]     runs statements from a file or standard input with SQLite,",
      "  js SCRIPT [ARGS]      runs a module with QuickJS.",
      "",
      "The exit status is that of the program; 2 for a mistake on the command line,",
      "134 if the program trapped, 137 if it needed more than its memory."
    })
final class RunCommand implements Callable<Integer> {
  private static final int BUFFER_BYTES = 64 << 10;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private SystemOptions system = new SystemOptions();

  @Option(
      names = "--dir",
      paramLabel = "HOST::GUEST",
      description = "A directory that the program may use, and the path that it knows it by.")
  private List<String> directories = List.of();

  @Option(
      names = "--env",
      paramLabel = "NAME=VALUE",
      description = "An environment variable of the program.")
  private List<String> variables = List.of();

  @Option(names = "--stat", description = "Prints what the vm did, to standard error, at the end.")
  private boolean statistics;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "PROGRAM",
      description = "What to run, see below.")
  private @Nullable String program;

  @Parameters(index = "1..*", paramLabel = "ARGS", description = "Arguments of the program.")
  private List<String> arguments = List.of();

  RunCommand() {}

  @Override
  public Integer call() throws Exception {
    var output = standardOutput();
    if (program == null) {
      throw Failure.usage("no program: try 'juvm run --help'");
    }
    var guest = ProgramName.resolve(program, arguments);
    var visible = directories();
    var defined = variables();
    try (var vm = system.boot()) {
      var environment =
          GuestEnvironment.in(vm)
              .withInput(guest.input(new TiedInput(System.in, output)))
              .withOutput(output, new TiedOutput(System.err, output))
              .withArguments(guest.arguments())
              .withDirectories(visible)
              .withVariables(defined);
      int status = run(guest, environment);
      output.flush();
      if (statistics) {
        StatisticsReport.print(vm, spec.commandLine().getErr());
      }
      return status;
    }
  }

  private int run(ProgramName guest, GuestEnvironment environment) throws IOException {
    try {
      return GuestThread.call(() -> guest.program().run(environment));
    } catch (Throwable e) {
      environment.output().flush();
      return Main.report(spec.commandLine(), Failure.of(e, system.budget()));
    }
  }

  /** Buffered, but for a terminal, which shows what is written at once. */
  private static OutputStream standardOutput() {
    return isTerminal()
        ? new PrintStream(System.out, true, StandardCharsets.UTF_8)
        : new BufferedOutputStream(System.out, BUFFER_BYTES);
  }

  private static boolean isTerminal() {
    return Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent();
  }

  private Map<String, Path> directories() {
    var result = new LinkedHashMap<String, Path>();
    for (var option : directories) {
      int separator = option.indexOf("::");
      var host = Path.of(separator < 0 ? option : option.substring(0, separator));
      var guest = separator < 0 ? option : option.substring(separator + 2);
      if (!host.toFile().isDirectory()) {
        throw Failure.usage("--dir: not a directory: '" + host + "'");
      }
      if (ProgramName.PYTHON.equals(program) && !guest.equals(PythonSession.DIRECTORY)) {
        throw Failure.usage(
            "--dir: python has one directory, HOST::%s: '%s'"
                .formatted(PythonSession.DIRECTORY, option));
      }
      if (guest.isEmpty()) {
        throw Failure.usage("--dir: no path for the guest: '" + option + "'");
      }
      if (result.put(guest, host) != null) {
        throw Failure.usage("--dir: given twice: '" + guest + "'");
      }
    }
    return result;
  }

  private Map<String, String> variables() {
    var result = new LinkedHashMap<String, String>();
    for (var option : variables) {
      int equals = option.indexOf('=');
      if (equals <= 0) {
        throw Failure.usage("--env: not NAME=VALUE: '" + option + "'");
      }
      result.put(option.substring(0, equals), option.substring(equals + 1));
    }
    return result;
  }
}
