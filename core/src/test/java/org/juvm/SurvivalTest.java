package org.juvm;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What was synced is in the file, even if the process is killed. */
class SurvivalTest {
  private static final int ROUNDS = 600;

  @TempDir Path directory;

  @Test
  @Timeout(120)
  void M16_whatWasSyncedSurvivesTheProcess() throws IOException, InterruptedException {
    Path path = Files.write(directory.resolve("file"), new byte[SyncingProgram.PAGES * 4096]);
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-ea",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                SyncingProgram.class.getName(),
                path.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    long synced = 0;
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(process.getInputStream(), US_ASCII))) {
      while (synced < ROUNDS) {
        String line = lines.readLine();
        assertThat(line).as("the process lives").isNotNull();
        synced = Long.parseLong(line);
      }
    } finally {
      Process _ = process.destroyForcibly();
      int _ = process.waitFor();
    }
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.nativeOrder());
    for (long round = 1; round <= synced; round++) {
      assertThat(bytes.getLong((int) SyncingProgram.position(round))).isEqualTo(round);
    }
  }
}
