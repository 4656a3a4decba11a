package org.juvm.wasm.program;

import io.roastedroot.quickjs4j.core.JavyPluginModule;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.juvm.wasm.WasmProcess;
import org.juvm.wasm.WasmProgram;
import run.endive.runtime.HostFunction;
import run.endive.runtime.TrapException;
import run.endive.wasm.types.FunctionType;
import run.endive.wasm.types.ValType;

/**
 * QuickJS with its global object, in which scripts run one after the other.
 *
 * <p>Each script is a module: its declarations are its own, what it puts into {@code globalThis}
 * stays for the next one and for the children of a {@linkplain #fork() fork}.
 *
 * <p>Used by one thread at a time.
 */
public final class JavaScriptSession implements AutoCloseable {
  private static final String NAME = "js";
  private static final int FAILED = 1;

  /** The compiled module, loaded when the first session starts. */
  private static final class Code {
    static final WasmProgram PROGRAM =
        WasmProgram.precompiled(JavyPluginModule.load(), JavyPluginModule::create);
  }

  private final GuestEnvironment environment;
  private final PanicFilter errors;
  private final WasmProcess process;

  private JavaScriptSession(GuestEnvironment environment, PanicFilter errors, WasmProcess process) {
    this.environment = environment;
    this.errors = errors;
    this.process = process;
  }

  /**
   * Starts an interpreter.
   *
   * @param environment where the memory comes from, and what scripts can see
   * @return the session, to be closed by the caller
   */
  public static JavaScriptSession start(GuestEnvironment environment) {
    var errors = new PanicFilter(environment.errors());
    var process = Code.PROGRAM.start(environment.memories(), host(environment, errors));
    try {
      process.call("initialize_runtime");
      return new JavaScriptSession(environment, errors, process);
    } catch (RuntimeException | Error e) {
      process.close();
      throw e;
    }
  }

  private static WasiHost host(GuestEnvironment environment, PanicFilter errors) {
    var invokeJava =
        new HostFunction(
            "endive",
            "invoke",
            FunctionType.of(
                List.of(
                    ValType.I32, ValType.I32, ValType.I32, ValType.I32, ValType.I32, ValType.I32),
                List.of(ValType.I32)),
            (instance, arguments) -> {
              throw new TrapException("java_invoke: there is nothing to invoke");
            });
    return new WasiHost(environment.withOutput(environment.output(), errors), NAME, invokeJava);
  }

  /**
   * Makes a second interpreter in the same state, which goes its own way from here.
   *
   * @return the child, to be closed by the caller
   * @throws UnsupportedOperationException if the memory of this session is not in a vm
   */
  public JavaScriptSession fork() {
    var childErrors = new PanicFilter(environment.errors());
    return new JavaScriptSession(
        environment, childErrors, process.fork(host(environment, childErrors)));
  }

  /**
   * The running module.
   *
   * @return the process that this session drives
   */
  public WasmProcess process() {
    return process;
  }

  /**
   * Runs a script. Errors that it does not catch go to standard error; the session cannot be used
   * after one.
   *
   * @param source text of a module
   * @return 0, or 1 if the script does not parse or did not catch an error
   */
  public int run(String source) {
    try {
      int code = compile(source);
      int bytecode = process.memory().readInt(code);
      int length = process.memory().readInt(code + Integer.BYTES);
      process.call("eval", bytecode, length, 0, 0);
      return 0;
    } catch (TrapException e) {
      if (errors.finish()) {
        return FAILED;
      }
      throw e;
    }
  }

  /** Returns the address of a pair of address and length. */
  private int compile(String source) {
    var bytes = source.getBytes(StandardCharsets.UTF_8);
    int text = process.callInt("cabi_realloc", 0, 0, 1, bytes.length);
    process.memory().write(text, bytes);
    int code = process.callInt("compileSrc", text, bytes.length);
    process.call("abi_free", text, bytes.length, 1);
    return code;
  }

  /** Ends the interpreter and gives its memory back. */
  @Override
  public void close() {
    process.close();
  }
}
