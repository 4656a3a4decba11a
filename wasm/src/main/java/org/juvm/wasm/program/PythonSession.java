package org.juvm.wasm.program;

import io.trino.wasm.python.Python;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.juvm.wasm.WasmProcess;
import org.juvm.wasm.WasmProgram;
import run.endive.runtime.HostFunction;
import run.endive.runtime.Memory;
import run.endive.runtime.TrapException;
import run.endive.wasm.types.FunctionType;
import run.endive.wasm.types.MemoryLimits;
import run.endive.wasm.types.ValType;

/**
 * CPython 3.13 with its standard library, in whose module {@code __main__} scripts run one after
 * the other.
 *
 * <p>What a script has imported and computed is there for the next one, and for the children of a
 * {@linkplain #fork() fork}.
 *
 * <p>Used by one thread at a time, with a stack of 100 MiB or more.
 */
public final class PythonSession implements AutoCloseable {
  /** The only directory that scripts can open: the interpreter learnt of it when it was built. */
  public static final String DIRECTORY = "/guest";

  /** A file that the interpreter finds there while it starts: what runs its scripts. */
  private static final String DRIVER = "guest.py";

  /** Another one: names and values. The interpreter read its environment when it was built. */
  private static final String VARIABLES = "environ";

  private static final String NAME = "python";

  /** Types of values that cross the border, as the module numbers them. */
  private static final int ROW = 0;

  private static final int ARRAY = 1;
  private static final int INTEGER = 5;
  private static final int STRING = 11;
  private static final int BYTES = 12;
  private static final byte PRESENT = 1;

  /** The compiled module, loaded when the first session starts. */
  private static final class Code {
    static final WasmProgram PROGRAM = load();

    /** The module declares a maximum of 64 MiB; the vm has a better one. */
    private static WasmProgram load() {
      var module = Python.load();
      var declared = module.memorySection().orElseThrow().getMemory(0).limits();
      return WasmProgram.precompiled(module, Python::create)
          .withMemoryLimits(new MemoryLimits(declared.initialPages(), Memory.RUNTIME_MAX_PAGES));
    }
  }

  private final GuestEnvironment environment;
  private final WasmProcess process;

  private PythonSession(GuestEnvironment environment, WasmProcess process) {
    this.environment = environment;
    this.process = process;
  }

  /**
   * Starts an interpreter.
   *
   * @param environment where the memory comes from, and what scripts can see
   * @return the session, to be closed by the caller
   * @throws IllegalArgumentException if the environment has another directory than {@link
   *     #DIRECTORY}
   */
  public static PythonSession start(GuestEnvironment environment) {
    for (var directory : environment.directories().keySet()) {
      if (!directory.equals(DIRECTORY)) {
        throw new IllegalArgumentException("not " + DIRECTORY + ": directory=" + directory);
      }
    }
    try {
      var driver = Files.createTempDirectory("juvm-python");
      try {
        writeDriver(driver, environment.variables());
        return start(environment, driver);
      } finally {
        Files.deleteIfExists(driver.resolve(DRIVER));
        Files.deleteIfExists(driver.resolve(VARIABLES));
        Files.delete(driver);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void writeDriver(Path directory, Map<String, String> variables)
      throws IOException {
    try (var driver = PythonSession.class.getResourceAsStream(DRIVER)) {
      Files.copy(Objects.requireNonNull(driver), directory.resolve(DRIVER));
    }
    var text = new StringBuilder();
    variables.forEach((name, value) -> text.append(name).append('=').append(value).append('\0'));
    Files.writeString(directory.resolve(VARIABLES), text);
  }

  /** While it starts, the interpreter sees the driver; from then on, what scripts are to see. */
  private static PythonSession start(GuestEnvironment environment, Path driver) {
    var beginning = host(environment.withDirectories(Map.of(DIRECTORY, driver)));
    var host = new ReplaceableHost(beginning);
    var process = Code.PROGRAM.start(environment.memories(), host);
    try {
      process.call(
          "setup",
          allocate(process, "run\0".getBytes(StandardCharsets.UTF_8)),
          allocate(process, words(ROW, 3, BYTES, STRING, ARRAY, STRING)),
          allocate(process, words(INTEGER)));
      host.replaceBy(host(environment));
      return new PythonSession(environment, process);
    } catch (RuntimeException | Error e) {
      process.close();
      throw e;
    }
  }

  private static WasiHost host(GuestEnvironment environment) {
    var returnError =
        new HostFunction(
            "trino",
            "return_error",
            FunctionType.of(
                List.of(ValType.I32, ValType.I32, ValType.I32, ValType.I32, ValType.I32),
                List.of()),
            (instance, arguments) -> {
              throw new TrapException(
                  "python: "
                      + instance.memory().readString((int) arguments[1], (int) arguments[2]));
            });
    return new WasiHost(environment, NAME, returnError);
  }

  /**
   * Makes a second interpreter in the same state, which goes its own way from here. Files that the
   * parent has opened are not open in the child.
   *
   * @return the child, to be closed by the caller
   * @throws UnsupportedOperationException if the memory of this session is not in a vm
   */
  public PythonSession fork() {
    return new PythonSession(environment, process.fork(host(environment)));
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
   * Runs a script in {@code __main__}. An exception that it does not catch is printed on standard
   * error, and the session goes on.
   *
   * @param name what tracebacks and {@code sys.argv[0]} call it
   * @param source the script, UTF-8 unless its first lines say otherwise
   * @param arguments the rest of {@code sys.argv}
   * @return the argument of {@code sys.exit}, 1 after an exception, else 0
   */
  public int run(String name, byte[] source, List<String> arguments) {
    int call = allocate(process, encode(name, source, arguments));
    int result = process.callInt("execute", call);
    process.call("deallocate", call);
    int status = process.memory().readInt(result + Integer.BYTES + 1);
    process.call("deallocate", result);
    return status;
  }

  /**
   * Runs a script in {@code __main__}, see {@link #run(String, byte[], List)}.
   *
   * @param source the script
   * @return the argument of {@code sys.exit}, 1 after an exception, else 0
   */
  public int run(String source) {
    return run("<string>", source.getBytes(StandardCharsets.UTF_8), List.of());
  }

  private static byte[] encode(String name, byte[] source, List<String> arguments) {
    var out = new ByteArrayOutputStream();
    out.write(PRESENT);
    encode(out, source);
    encode(out, name.getBytes(StandardCharsets.UTF_8));
    out.write(PRESENT);
    out.writeBytes(words(arguments.size()));
    arguments.forEach(argument -> encode(out, argument.getBytes(StandardCharsets.UTF_8)));
    return out.toByteArray();
  }

  private static void encode(ByteArrayOutputStream out, byte[] value) {
    out.write(PRESENT);
    out.writeBytes(words(value.length));
    out.writeBytes(value);
  }

  private static byte[] words(int... values) {
    var buffer = ByteBuffer.allocate(values.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int value : values) {
      buffer.putInt(value);
    }
    return buffer.array();
  }

  /** Copies bytes into memory of the guest. */
  private static int allocate(WasmProcess process, byte[] bytes) {
    int address = process.callInt("allocate", bytes.length);
    process.memory().write(address, bytes);
    return address;
  }

  /** Ends the interpreter and gives its memory back. */
  @Override
  public void close() {
    process.close();
  }
}
