package org.juvm.wasm.program;

import java.util.ArrayList;
import java.util.List;
import org.juvm.wasm.GuestHost;
import run.endive.runtime.HostFunction;
import run.endive.runtime.ImportValues;
import run.endive.wasi.WasiOptions;
import run.endive.wasi.WasiPreview1;

/** The system interface of one process, and what its program imports beside it. */
final class WasiHost implements GuestHost {
  private final WasiPreview1 wasi;
  private final ImportValues imports;

  /**
   * Makes the host of one process.
   *
   * @param programName what the guest sees as its first argument
   * @param functions what the program imports beside the system interface
   */
  WasiHost(GuestEnvironment environment, String programName, HostFunction... functions) {
    var arguments = new ArrayList<>(List.of(programName));
    arguments.addAll(environment.arguments());
    var options =
        WasiOptions.builder()
            .withStdin(environment.input())
            .withStdout(environment.output())
            .withStderr(environment.errors())
            .withArguments(arguments);
    environment.variables().forEach(options::withEnvironment);
    environment.directories().forEach(options::withDirectory);
    wasi = WasiPreview1.builder().withOptions(options.build()).build();
    imports =
        ImportValues.builder().addFunction(wasi.toHostFunctions()).addFunction(functions).build();
  }

  @Override
  public ImportValues imports() {
    return imports;
  }

  @Override
  public void close() {
    wasi.close();
  }
}
