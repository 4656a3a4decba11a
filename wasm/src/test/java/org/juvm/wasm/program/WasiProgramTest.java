package org.juvm.wasm.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.juvm.wasm.WasmBuilder.I32;
import static org.juvm.wasm.WasmBuilder.code;
import static org.juvm.wasm.WasmBuilder.i32;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.juvm.wasm.WasmBuilder;
import org.juvm.wasm.WithVm;
import run.endive.runtime.TrapException;
import run.endive.wasm.MalformedException;
import run.endive.wasm.WasmEngineException;

class WasiProgramTest extends WithVm {
  private static final int[] NONE = {};
  private static final String WASI = "wasi_snapshot_preview1";

  @TempDir private Path directory;

  private final ByteArrayOutputStream output = new ByteArrayOutputStream();

  private WasiProgram load(WasmBuilder builder) throws IOException {
    var file = directory.resolve("program.wasm");
    Files.write(file, builder.build());
    return WasiProgram.load(file);
  }

  private GuestEnvironment environment() {
    return GuestEnvironment.in(vm).withOutput(output, OutputStream.nullOutputStream());
  }

  /**
   * Reads up to ten bytes from standard input, writes them to standard output, and exits with 7.
   */
  private static WasmBuilder echo() {
    var builder =
        new WasmBuilder()
            .memory(1, 1)
            .exportMemory()
            .importFunction(WASI, "fd_read", new int[] {I32, I32, I32, I32}, new int[] {I32})
            .importFunction(WASI, "fd_write", new int[] {I32, I32, I32, I32}, new int[] {I32})
            .importFunction(WASI, "proc_exit", new int[] {I32}, NONE)
            .activeData(0, code(64, 0, 0, 0, 10, 0, 0, 0));
    builder.function(
        "_start",
        NONE,
        NONE,
        code(0x41, 0, 0x41, 0, 0x41, 1, 0x41, 4, 0x10, 0, 0x1a),
        code(0x41, 1, 0x41, 0, 0x41, 1, 0x41, 4, 0x10, 1, 0x1a),
        code(0x41, 7, 0x10, 2));
    return builder;
  }

  @Test
  void standardStreamsAndTheExitStatusPassThrough() throws IOException {
    var input = new ByteArrayInputStream("hello".getBytes(StandardCharsets.UTF_8));
    assertThat(load(echo()).run(environment().withInput(input))).isEqualTo(7);
    assertThat(output.toString(StandardCharsets.UTF_8)).isEqualTo("hello");
  }

  @Test
  void aProgramThatReturnsHasSucceeded() throws IOException {
    var builder = new WasmBuilder().memory(1, 1).exportMemory();
    builder.function("_start", NONE, NONE, code());
    assertThat(load(builder).run(environment())).isZero();
  }

  @Test
  void argumentsFollowTheNameOfTheFile() throws IOException {
    var builder =
        new WasmBuilder()
            .memory(1, 1)
            .exportMemory()
            .importFunction(WASI, "args_sizes_get", new int[] {I32, I32}, new int[] {I32})
            .importFunction(WASI, "proc_exit", new int[] {I32}, NONE);
    builder.function(
        "_start",
        NONE,
        NONE,
        code(0x41, 0, 0x41, 4, 0x10, 0, 0x1a),
        code(0x41, 0, 0x28, 0, 4),
        code(0x10, 1));
    assertThat(load(builder).run(environment().withArguments(List.of("a", "bc"))))
        .isEqualTo("program.wasm".length() + 1 + 2 + 3);
  }

  @Test
  void aTrapIsAnException() throws IOException {
    var builder = new WasmBuilder().memory(1, 1).exportMemory();
    builder.function("_start", NONE, NONE, code(0));
    var program = load(builder);
    assertThatThrownBy(() -> program.run(environment())).isInstanceOf(TrapException.class);
    var outside = new WasmBuilder().memory(1, 1).exportMemory();
    outside.function("_start", NONE, NONE, i32(-1), code(0x28, 0, 0, 0x1a));
    var reader = load(outside);
    assertThatThrownBy(() -> reader.run(environment()))
        .isInstanceOf(WasmEngineException.class)
        .hasMessageContaining("out of bounds memory access");
  }

  @Test
  void otherFilesAreRefused() throws IOException {
    var text = Files.writeString(directory.resolve("text"), "#!/bin/sh");
    var library = new WasmBuilder().memory(1, 1).exportMemory();
    assertThatThrownBy(() -> WasiProgram.load(text))
        .isInstanceOf(MalformedException.class)
        .hasMessage("not a WebAssembly module");
    assertThatThrownBy(() -> load(library))
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining("_start");
  }
}
