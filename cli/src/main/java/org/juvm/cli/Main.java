package org.juvm.cli;

import static java.util.Objects.requireNonNull;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The juvm command. */
@Command(
    name = "juvm",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Runs WebAssembly programs whose memory is in Juvm address spaces.",
    subcommands = {
      RunCommand.class,
      DemoCommand.class,
      ReplayCommand.class,
      BenchCommand.class,
      WarmUpCommand.class
    })
public final class Main implements Runnable {
  @Spec private CommandSpec spec;

  private Main(CommandSpec none) {
    spec = none;
  }

  /**
   * Runs the command and ends the JVM with its exit status.
   *
   * @param arguments the command line
   */
  public static void main(String[] arguments) {
    System.exit(run(arguments));
  }

  /** Runs the command and returns its exit status. */
  static int run(String... arguments) {
    var command = new CommandLine(new Main(CommandSpec.create()));
    command.setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8));
    command.setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8));
    command.setStopAtPositional(true); // what follows a program is its own
    for (var withoutProgram : List.of("bench", "replay")) {
      requireNonNull(command.getSubcommands().get(withoutProgram)).setStopAtPositional(false);
    }
    command.setParameterExceptionHandler((e, ignored) -> usage(e));
    command.setExecutionExceptionHandler(
        (e, at, ignored) -> {
          if (e instanceof Failure.Exit exit) {
            return report(at, exit.failure());
          }
          throw e;
        });
    return command.execute(arguments);
  }

  private static int usage(ParameterException e) {
    var message = e.getMessage() == null ? "bad command line" : e.getMessage();
    return report(
        e.getCommandLine(),
        new Failure(ExitStatus.USAGE, message.lines().findFirst().orElse(message)));
  }

  /** Prints the one line that the user gets to see. */
  static int report(CommandLine command, Failure failure) {
    command.getErr().println("juvm: " + failure.message());
    command.getErr().flush();
    return failure.status();
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "no command: try 'juvm --help'");
  }
}
