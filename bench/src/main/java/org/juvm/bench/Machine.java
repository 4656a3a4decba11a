package org.juvm.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a reader must know about the machine.
 *
 * @param processor name of the processor
 * @param processors how many there are
 * @param jvm name and version of the JVM
 * @param kernel name and version of the operating system
 * @param load average number of threads that wanted to run in the last minute; negative if unknown
 */
record Machine(String processor, int processors, String jvm, String kernel, double load) {
  /** More than this for each processor, before anything is measured, is other people's work. */
  private static final double BUSY = 0.3;

  /** The machine that this runs on, now. */
  static Machine here() {
    return new Machine(
        processorName(),
        Runtime.getRuntime().availableProcessors(),
        System.getProperty("java.vm.name") + " " + Runtime.version(),
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        loadAverage());
  }

  /** That the machine is busy, if it is. */
  Optional<String> warning() {
    return load > BUSY * processors
        ? Optional.of(
            String.format(
                Locale.ROOT,
                "warning: the machine is busy (load %.2f): figures will be too high",
                load))
        : Optional.empty();
  }

  private static String processorName() {
    for (String line : lines("/proc/cpuinfo")) {
      if (line.startsWith("model name")) {
        return line.substring(line.indexOf(':') + 1).strip();
      }
    }
    return System.getProperty("os.arch", "unknown");
  }

  private static double loadAverage() {
    List<String> lines = lines("/proc/loadavg");
    return lines.isEmpty() ? -1 : Double.parseDouble(lines.get(0).split(" ", 2)[0]);
  }

  private static List<String> lines(String file) {
    try {
      return Files.readAllLines(Path.of(file));
    } catch (IOException e) {
      return List.of();
    }
  }
}
