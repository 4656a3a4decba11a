package org.juvm.wasm.program;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.juvm.wasm.WasmProgram;
import run.endive.wasi.WasiExitException;
import run.endive.wasm.MalformedException;
import run.endive.wasm.Parser;
import run.endive.wasm.types.ExternalType;

/** A command for WASI preview 1: a module that exports {@code _start} and a memory. */
public final class WasiProgram implements GuestProgram {
  private static final String ENTRY = "_start";
  private static final int MAGIC_LENGTH = 4;

  private final WasmProgram program;
  private final String name;

  private WasiProgram(WasmProgram program, String name) {
    this.program = program;
    this.name = name;
  }

  /**
   * Reads a command and compiles it to Java bytecode.
   *
   * @param file a binary module
   * @return the command
   * @throws IOException if the file cannot be read
   * @throws run.endive.wasm.WasmEngineException if it is not a valid module, or not a command
   */
  public static WasiProgram load(Path file) throws IOException {
    var bytes = Files.readAllBytes(file);
    if (!isModule(bytes)) {
      throw new MalformedException("not a WebAssembly module");
    }
    return of(WasmProgram.compiled(Parser.parse(bytes)), file.getFileName().toString());
  }

  /**
   * A command whose module is at hand.
   *
   * @param program a module that exports {@code _start}
   * @param name what the guest sees as its first argument
   * @return the command
   * @throws MalformedException if the module has no such export
   */
  public static WasiProgram of(WasmProgram program, String name) {
    var exports = program.module().exportSection();
    for (int i = 0; i < exports.exportCount(); i++) {
      var export = exports.getExport(i);
      if (export.exportType() == ExternalType.FUNCTION && export.name().equals(ENTRY)) {
        return new WasiProgram(program, name);
      }
    }
    throw new MalformedException("not a WASI command: it does not export " + ENTRY);
  }

  private static boolean isModule(byte[] bytes) {
    return bytes.length >= MAGIC_LENGTH
        && bytes[0] == 0
        && bytes[1] == 'a'
        && bytes[2] == 's'
        && bytes[3] == 'm';
  }

  @Override
  public int run(GuestEnvironment environment) {
    try (var process = program.start(environment.memories(), new WasiHost(environment, name))) {
      process.call(ENTRY);
      return 0;
    } catch (WasiExitException exit) {
      return exit.exitCode();
    }
  }
}
