package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReadmeTest {
  /** The build runs a module's tests in the directory of the module. */
  private static final Path ROOT = Path.of("..");

  private static final Path EXAMPLE = Path.of("src/test/java/org/juvm/ReadmeExample.java");

  @Test
  void exampleDoesWhatItsCommentsSay() {
    assertThat(ReadmeExample.run()).isEqualTo("1 1 4097");
  }

  @Test
  void exampleInTheReadmeIsTheOneThatIsCompiled() throws IOException {
    assertThat(between(ROOT.resolve("README.md"), "```java", "```"))
        .isEqualTo(between(EXAMPLE, "    // README begin", "    // README end"));
  }

  /** The lines between two marks, without their common indentation. */
  private static List<String> between(Path file, String begin, String end) throws IOException {
    List<String> lines = Files.readAllLines(file);
    int from = lines.indexOf(begin) + 1;
    int to = from + lines.subList(from, lines.size()).indexOf(end);
    assertThat(from).isPositive();
    return List.of(String.join("\n", lines.subList(from, to)).stripIndent().strip());
  }
}
