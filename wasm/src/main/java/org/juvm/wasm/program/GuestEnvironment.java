package org.juvm.wasm.program;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.juvm.Vm;
import org.juvm.wasm.VmMemory;
import run.endive.runtime.Memory;
import run.endive.wasm.types.MemoryLimits;

/**
 * What a program sees of the world: its memory, its standard streams, its arguments, its variables
 * and the directories that it may open. Immutable, but for the streams.
 *
 * @param memories makes the memory of each process
 * @param input standard input
 * @param output standard output
 * @param errors standard error
 * @param arguments arguments, without the name of the program
 * @param variables environment variables
 * @param directories host directories under the absolute paths that the guest knows them by
 */
public record GuestEnvironment(
    Function<MemoryLimits, Memory> memories,
    InputStream input,
    OutputStream output,
    OutputStream errors,
    List<String> arguments,
    Map<String, String> variables,
    Map<String, Path> directories) {

  /** Takes copies of the collections; the order of the maps is kept. */
  public GuestEnvironment {
    arguments = List.copyOf(arguments);
    variables = Collections.unmodifiableMap(new LinkedHashMap<>(variables));
    directories = Collections.unmodifiableMap(new LinkedHashMap<>(directories));
  }

  /**
   * Nothing but memory: empty input, output that is thrown away.
   *
   * @param memories makes the memory of each process
   * @return the environment
   */
  public static GuestEnvironment of(Function<MemoryLimits, Memory> memories) {
    return new GuestEnvironment(
        memories,
        InputStream.nullInputStream(),
        OutputStream.nullOutputStream(),
        OutputStream.nullOutputStream(),
        List.of(),
        Map.of(),
        Map.of());
  }

  /**
   * Nothing but memory in a vm.
   *
   * @param vm where each process gets a vmspace
   * @return the environment
   */
  public static GuestEnvironment in(Vm vm) {
    return of(limits -> VmMemory.allocate(vm, limits));
  }

  /**
   * The same environment with other standard input.
   *
   * @param input what the guest reads
   * @return the environment
   */
  public GuestEnvironment withInput(InputStream input) {
    return new GuestEnvironment(memories, input, output, errors, arguments, variables, directories);
  }

  /**
   * The same environment with other outputs.
   *
   * @param output standard output
   * @param errors standard error
   * @return the environment
   */
  public GuestEnvironment withOutput(OutputStream output, OutputStream errors) {
    return new GuestEnvironment(memories, input, output, errors, arguments, variables, directories);
  }

  /**
   * The same environment with other arguments.
   *
   * @param arguments arguments, without the name of the program
   * @return the environment
   */
  public GuestEnvironment withArguments(List<String> arguments) {
    return new GuestEnvironment(memories, input, output, errors, arguments, variables, directories);
  }

  /**
   * The same environment with other variables.
   *
   * @param variables environment variables
   * @return the environment
   */
  public GuestEnvironment withVariables(Map<String, String> variables) {
    return new GuestEnvironment(memories, input, output, errors, arguments, variables, directories);
  }

  /**
   * The same environment with other directories.
   *
   * @param directories host directories under the absolute paths that the guest knows them by
   * @return the environment
   */
  public GuestEnvironment withDirectories(Map<String, Path> directories) {
    return new GuestEnvironment(memories, input, output, errors, arguments, variables, directories);
  }
}
