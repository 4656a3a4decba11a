package org.juvm.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Traces as they are read. */
class TraceTest {
  @TempDir private Path directory;

  private Trace read(String content) throws IOException {
    return Trace.read(Files.writeString(directory.resolve("trace"), content));
  }

  private static int[] pages(Trace trace) {
    return IntStream.range(0, trace.references()).map(trace::page).toArray();
  }

  @Test
  void D4_blockNumbers() throws IOException {
    Trace trace = read("7\n7\r\n*\n# words\n\n900000000000000000\n 7 \n3");
    assertThat(pages(trace)).containsExactly(0, 0, 1, 0, 2);
    assertThat(trace.distinct()).isEqualTo(3);
  }

  @Test
  void D4_addresses() throws IOException {
    Trace trace =
        read("s 0x1fffff50 1\nl 0x1fffff58 4\nl 0x0 8\ns 0xffe 4\nl 0xfffffffffffff000 1");
    assertThat(pages(trace)).as("the fourth touches two pages").containsExactly(0, 0, 1, 1, 2, 3);
  }

  @Test
  void D4_compressed() throws IOException {
    Path file = directory.resolve("trace.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write("1\n2\n1\n".getBytes(StandardCharsets.US_ASCII));
    }
    assertThat(pages(Trace.read(file))).containsExactly(0, 1, 0);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1\n12x\n",
        "1\n9999999999999999999\n",
        "1\nl 0x\n",
        "1\nl 1000 4\n",
        "1\ns 0x10000000000000000 4\n",
        "1\nl 0x1000\n",
        "1\nl 0x1000 9999999999\n"
      })
  void D4_badLinesAreNamed(String content) {
    assertThatThrownBy(() -> read(content))
        .isInstanceOf(TraceException.class)
        .hasMessageContaining("line 2");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "\n", "nothing here\n"})
  void D4_nothingIsNoTrace(String content) {
    assertThatThrownBy(() -> read(content)).isInstanceOf(TraceException.class);
  }
}
