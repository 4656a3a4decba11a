package org.juvm.bench.shot;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much memory the host has to spare. */
final class HostSize {
  private static final long LARGE = 8L << 30;
  private static final long LARGE_ENOUGH = 14L << 30;
  private static final long SMALLER = 2L << 30;

  private HostSize() {}

  /** The size of the largest region that is measured: 8 GiB, or 2 GiB where that is too much. */
  static long largeRegion() {
    return available() >= LARGE_ENOUGH ? LARGE : SMALLER;
  }

  private static long available() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
        if (line.startsWith("MemAvailable:")) {
          return Long.parseLong(line.replaceAll("\\D", "")) << 10;
        }
      }
    } catch (IOException e) {
      // Not Linux: nothing is known.
    }
    return 0;
  }
}
