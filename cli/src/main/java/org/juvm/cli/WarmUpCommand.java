package org.juvm.cli;

import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.Writer;
import java.util.concurrent.Callable;
import org.juvm.Vm;
import org.juvm.wasm.program.GuestEnvironment;
import org.juvm.wasm.program.JavaScriptSession;
import org.juvm.wasm.program.PythonSession;
import org.juvm.wasm.program.SqliteSession;
import picocli.CommandLine.Command;

/** Starts each program once, for a JVM that remembers which classes were loaded. */
@Command(name = "warm-up", hidden = true, description = "Starts each built-in program once.")
final class WarmUpCommand implements Callable<Integer> {
  private static final long MEMORY_BYTES = 256L << 20;

  WarmUpCommand() {}

  @Override
  public Integer call() throws Exception {
    try (var vm = Vm.builder().memory(MEMORY_BYTES).boot()) {
      return GuestThread.call(() -> start(vm));
    } catch (Exception | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static int start(Vm vm) {
    var nothing = OutputStream.nullOutputStream();
    var environment = GuestEnvironment.in(vm).withOutput(nothing, nothing);
    try (var sqlite = SqliteSession.open(environment);
        var javaScript = JavaScriptSession.start(environment);
        var python = PythonSession.start(environment)) {
      sqlite.query("create table t (a); insert into t values (1); select a from t");
      javaScript.run("console.log('ready')");
      python.run("print('ready')");
    }
    StatisticsReport.print(vm, new PrintWriter(Writer.nullWriter()));
    return ExitStatus.OK;
  }
}
