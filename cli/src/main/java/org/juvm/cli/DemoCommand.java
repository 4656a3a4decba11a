package org.juvm.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code juvm demo}: things to see. */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Shows what Juvm can do.",
    subcommands = SqliteForkDemo.class)
final class DemoCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  DemoCommand() {}

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "no demo: try 'juvm demo --help'");
  }
}
