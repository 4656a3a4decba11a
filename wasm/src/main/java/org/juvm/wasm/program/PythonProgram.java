package org.juvm.wasm.program;

import java.io.IOException;
import java.io.UncheckedIOException;
import run.endive.wasi.WasiExitException;

/** One Python script, run by CPython as on its command line. */
public final class PythonProgram implements GuestProgram {
  private final String name;
  private final byte[] source;

  /**
   * Takes a script.
   *
   * @param name what tracebacks and {@code sys.argv[0]} call it
   * @param source the script, UTF-8 unless its first lines say otherwise
   */
  public PythonProgram(String name, byte[] source) {
    this.name = name;
    this.source = source.clone();
  }

  @Override
  public int run(GuestEnvironment environment) {
    try (var session = PythonSession.start(environment)) {
      int status = session.run(name, source, environment.arguments());
      session.run("import atexit; atexit._run_exitfuncs()");
      environment.output().flush();
      return status;
    } catch (WasiExitException e) {
      return e.exitCode();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
