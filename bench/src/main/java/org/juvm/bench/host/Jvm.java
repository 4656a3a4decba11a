package org.juvm.bench;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.juvm.bench.host.Figures;
import org.juvm.bench.shot.Scale;
import org.juvm.bench.shot.Shot;
import org.juvm.bench.shot.ShotMain;

/** Further JVMs like this one: same executable, same class path, same options. */
final class Jvm {
  private Jvm() {}

  static String executable() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  /** Options of this JVM, but for those that are about how it started. */
  static List<String> options() {
    List<String> options = new ArrayList<>();
    for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (!isAboutStart(option)) {
        options.add(option);
      }
    }
    options.add("--enable-native-access=ALL-UNNAMED");
    // JMH uses it.
    options.add("--sun-misc-unsafe-memory-access=allow");
    return options;
  }

  private static boolean isAboutStart(String option) {
    return option.startsWith("-XX:AOT")
        || option.startsWith("-Xlog:")
        || option.startsWith("-javaagent:")
        || option.startsWith("-agentpath:")
        || option.startsWith("-agentlib:");
  }

  /** Runs a shot in a JVM of its own. */
  static Map<String, Double> run(Shot.Kind kind, Scale scale) {
    List<String> command = new ArrayList<>();
    command.add(executable());
    command.addAll(options());
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(ShotMain.class.getName());
    command.add(kind.name());
    command.add(scale.name());
    return Figures.of(command);
  }
}
