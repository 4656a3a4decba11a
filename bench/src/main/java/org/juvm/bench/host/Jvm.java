package org.juvm.bench.host;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Further JVMs like this one: same executable, same class path, same options. */
public final class Jvm {
  private static final String NATIVE_ACCESS = "--enable-native-access=ALL-UNNAMED";

  /** JMH uses it. */
  private static final String UNSAFE = "--sun-misc-unsafe-memory-access=allow";

  private Jvm() {}

  /** The launcher of this JVM. */
  public static String executable() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  /** Options of this JVM, but for those that are about how it started. */
  public static List<String> options() {
    List<String> options = new ArrayList<>();
    for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (!isAboutStart(option)) {
        options.add(option);
      }
    }
    options.add(NATIVE_ACCESS);
    options.add(UNSAFE);
    return options;
  }

  private static boolean isAboutStart(String option) {
    return option.equals(NATIVE_ACCESS)
        || option.equals(UNSAFE)
        || option.startsWith("-XX:AOT")
        || option.startsWith("-Xlog:")
        || option.startsWith("-javaagent:")
        || option.startsWith("-agentpath:")
        || option.startsWith("-agentlib:");
  }

  /**
   * Runs a class in a JVM of its own.
   *
   * @param main the class
   * @param arguments its arguments
   * @return the figures that it printed
   * @throws IllegalStateException if it fails
   */
  public static Map<String, Double> run(Class<?> main, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(executable());
    command.addAll(options());
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    command.addAll(arguments);
    return Figures.of(command);
  }
}
