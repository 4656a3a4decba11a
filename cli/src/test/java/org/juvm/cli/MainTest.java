package org.juvm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The command as its user sees it: what it prints and its exit status. */
class MainTest {
  @TempDir private Path directory;

  private final PrintStream realOut = System.out;
  private final PrintStream realErr = System.err;
  private final InputStream realIn = System.in;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @BeforeEach
  void redirect() {
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
  }

  @AfterEach
  void restore() {
    System.setOut(realOut);
    System.setErr(realErr);
    System.setIn(realIn);
  }

  private String file(String name, String content) throws IOException {
    return Files.writeString(directory.resolve(name), content).toString();
  }

  private String out() {
    return out.toString(StandardCharsets.UTF_8);
  }

  private void assertOneErrorLine(String... parts) {
    var text = err.toString(StandardCharsets.UTF_8);
    assertThat(text.lines()).hasSize(1);
    assertThat(text).startsWith("juvm: ").doesNotContain("Exception");
    for (var part : parts) {
      assertThat(text).contains(part);
    }
  }

  @Test
  void aScriptOfEachLanguageRuns() throws IOException {
    var javaScript = file("s.js", "console.log('js', scriptArgs)");
    var python = file("s.py", "import sys\nprint('python', sys.argv[1:])");
    var sql = file("s.sql", "select 'sqlite', 6 * 7;");
    assertThat(Main.run("run", "js", javaScript, "--memory", "1")).isZero();
    assertThat(Main.run("run", "python", python, "-x", "y")).isZero();
    assertThat(Main.run("run", "sqlite", sql)).isZero();
    assertThat(out()).isEqualTo("js --memory,1\npython ['-x', 'y']\nsqlite|42\n");
    assertThat(err.size()).isZero();
  }

  @Test
  void sqliteReadsStandardInput() {
    System.setIn(new ByteArrayInputStream("select 'in';".getBytes(StandardCharsets.UTF_8)));
    assertThat(Main.run("run", "sqlite")).isZero();
    assertThat(out()).isEqualTo("in\n");
  }

  @Test
  void aPythonScriptSeesDirectoriesAndVariables() throws IOException {
    file("module.py", "name = 'found'");
    var script =
        file(
            "s.py",
            """
            import os, sys, module
            open('/guest/written', 'w').write(os.environ['COLOUR'])
            print(module.name)
            sys.exit(3)
            """);
    assertThat(
            Main.run(
                "run",
                "--dir",
                directory + "::/guest",
                "--env",
                "COLOUR=blue",
                "--env",
                "PYTHONPATH=/guest",
                "python",
                script))
        .isEqualTo(3);
    assertThat(out()).isEqualTo("found\n");
    assertThat(directory.resolve("written")).hasContent("blue");
  }

  @Test
  void statisticsFollowTheOutput() throws IOException {
    var script = file("s.sql", "select 1;");
    assertThat(Main.run("run", "--stat", "--memory", "8m", "sqlite", script)).isZero();
    assertThat(err.toString(StandardCharsets.UTF_8).lines())
        .anyMatch(line -> line.strip().equals("2048 pages managed"))
        .anyMatch(line -> line.contains("zero filled"));
  }

  @Test
  void aGuestThatNeedsTooMuchMemoryIsStopped() throws IOException {
    var script = file("s.js", "const a = []; for (;;) a.push(new Uint8Array(100000).fill(1));");
    assertThat(Main.run("run", "--memory", "16m", "js", script)).isEqualTo(137);
    assertOneErrorLine("out of memory", "16 MiB", "--memory");
  }

  @Test
  void aTrapIsOneLine() throws IOException {
    byte[] trap = {
      0, 'a', 's', 'm', 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 10, 1, 6,
      '_', 's', 't', 'a', 'r', 't', 0, 0, 10, 5, 1, 3, 0, 0, 0x0b
    };
    var file = Files.write(directory.resolve("trap.wasm"), trap);
    assertThat(Main.run("run", file.toString())).isEqualTo(134);
    assertOneErrorLine("trap", "unreachable");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "nonsense",
        "run",
        "run --nonsense",
        "run --nonsense js s.js",
        "run --memory 12q sqlite",
        "run --memory 1 sqlite",
        "run --memory -5m sqlite",
        "run --memory 99999999999999999g sqlite",
        "run --memory",
        "run --env NAME sqlite",
        "run --env =x sqlite",
        "run --dir /does/not/exist::/x sqlite",
        "run --dir /:: sqlite",
        "run --dir /::/x --dir /::/x sqlite",
        "run --dir /::/data python s.py",
        "run js",
        "run python",
        "run js /does/not/exist.js",
        "run python /does/not/exist.py",
        "run sqlite /does/not/exist.sql",
        "run sqlite a b",
        "run /does/not/exist.wasm",
        "run /",
        "run js /",
        "demo",
        "demo sqlite-fork --rows 1 --forks 2",
        "demo sqlite-fork --rows many",
        "replay",
        "replay /does/not/exist.trace",
        "replay /",
        "replay s.py",
        "replay --frames 0 s.py",
        "replay --frames -1 s.py",
        "replay --frames 1,x s.py",
        "replay --frames 99999999999 s.py",
        "replay --policy fastest s.py",
        "replay --nonsense s.py"
      })
  void mistakesAreOneLine(String line) throws IOException {
    var script = file("s.py", "");
    var arguments = line.isEmpty() ? new String[0] : line.replace("s.py", script).split(" ");
    assertThat(Main.run(arguments)).isEqualTo(2);
    assertOneErrorLine();
    assertThat(out()).isEmpty();
  }

  @Test
  void aFileThatIsNotAModuleIsRefused() throws IOException {
    assertThat(Main.run("run", file("text", "#!/bin/sh"))).isEqualTo(2);
    assertOneErrorLine("not a WebAssembly module");
    err.reset();
    var broken = Files.write(directory.resolve("b"), new byte[] {0, 'a', 's', 'm', 9, 9});
    assertThat(Main.run("run", broken.toString())).isEqualTo(2);
    assertOneErrorLine(broken.toString());
  }

  @Test
  void helpAndVersionSucceed() {
    assertThat(Main.run("--help")).isZero();
    assertThat(Main.run("run", "--help")).isZero();
    assertThat(Main.run("--version")).isZero();
    assertThat(out()).contains("Usage: juvm", "PROGRAM", "--memory", "juvm ", "Java 25");
  }

  @Test
  void aTraceIsReplayedUnderEveryPolicy() throws IOException {
    var trace = file("loop.trace", "1\n2\n3\n4\n".repeat(100));
    assertThat(Main.run("replay", trace, "--frames", "3,4")).isZero();
    assertThat(out().lines())
        .anyMatch(line -> line.contains("400 references to 4 pages"))
        .anyMatch(line -> line.contains("two-queue") && line.contains("adaptive-clock-pro"))
        .anyMatch(line -> line.matches(" +3 +66\\.\\d +0\\.0 .*"))
        .anyMatch(line -> line.matches(" +4( +99\\.0){6}"));
    assertThat(err.size()).isZero();
  }

  @Test
  void aReplayIsDrawn() throws IOException {
    var trace = file("loop.trace", "1\n2\n".repeat(100));
    assertThat(Main.run("replay", "--policy", "clock", "--chart", "--frames", "2", trace)).isZero();
    assertThat(out()).contains("clock").contains("####").doesNotContain("two-queue");
  }

  @Test
  void aTraceThatIsNoneIsRefused() throws IOException {
    assertThat(Main.run("replay", file("t", "1\n2\nl 0xZZ\n"))).isEqualTo(2);
    assertOneErrorLine("line 3");
    err.reset();
    var cut = Files.write(directory.resolve("cut.gz"), new byte[] {0x1f, (byte) 0x8b, 8, 0});
    assertThat(Main.run("replay", cut.toString())).isEqualTo(2);
    assertOneErrorLine("cut.gz");
  }

  @Test
  void theForkDemoHoldsWhatItPromises() {
    assertThat(Main.run("demo", "sqlite-fork", "--rows", "1000", "--forks", "10")).isZero();
    assertThat(out())
        .contains("children whose rows and integrity_check are right: 10 of 10")
        .contains("parent: unchanged, integrity_check ok")
        .contains("audit: ok");
  }

  @Test
  void theForkDemoNeedsMemory() {
    assertThat(Main.run("demo", "sqlite-fork", "--memory", "128k")).isEqualTo(137);
    assertOneErrorLine("out of memory");
  }

  @Test
  void everyProgramCanBeWarmedUp() {
    assertThat(Main.run("warm-up")).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "65536, 65536, 64 KiB",
    "512k, 524288, 512 KiB",
    "64M, 67108864, 64 MiB",
    "1g, 1073741824, 1 GiB",
    "2gb, 2147483648, 2 GiB",
    "65537, 65537, 65537 bytes"
  })
  void sizesHaveUnits(String text, long bytes, String formatted) {
    assertThat(new MemorySize.Converter().convert(text).bytes()).isEqualTo(bytes);
    assertThat(MemorySize.format(bytes)).isEqualTo(formatted);
  }
}
