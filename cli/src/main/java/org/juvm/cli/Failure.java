package org.juvm.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.juvm.MemoryFault;
import org.juvm.base.Access;
import run.endive.wasm.UnlinkableException;
import run.endive.wasm.WasmEngineException;

/**
 * Why the command cannot go on, in one line for its user.
 *
 * @param status the exit status
 * @param message what is wrong, without the name of the command
 */
record Failure(int status, String message) {

  /** How the engine's interpreter begins its message when it meets, for example, a vector. */
  private static final String UNKNOWN_INSTRUCTION = "Machine doesn't recognize Instruction";

  /** Thrown by a subcommand that has found the reason itself. */
  static final class Exit extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Failure failure;

    Exit(int status, String message) {
      super(message, null, false, false);
      failure = new Failure(status, message);
    }

    Failure failure() {
      return failure;
    }
  }

  /** A mistake in what the user asked for. */
  static Exit usage(String message) {
    return new Exit(ExitStatus.USAGE, message);
  }

  /** A file that cannot be read. */
  static Exit unreadable(Object file, IOException e) {
    return usage(file + ": " + describe(e));
  }

  private static String describe(IOException e) {
    if (e instanceof NoSuchFileException) {
      return "no such file";
    }
    if (e instanceof FileSystemException failure && failure.getReason() != null) {
      return failure.getReason();
    }
    var message = e.getMessage();
    return message == null ? "cannot be read" : firstLine(message);
  }

  /**
   * Finds words for what ended a guest.
   *
   * @param cause what was thrown
   * @param budget what the program may use, in words
   * @return the failure
   * @throws RuntimeException the cause itself, if it is a defect of Juvm
   */
  static Failure of(Throwable cause, String budget) {
    return switch (cause) {
      case Exit exit -> exit.failure();
      case MemoryFault fault when fault.reason() == MemoryFault.Reason.OUT_OF_MEMORY ->
          new Failure(
              ExitStatus.OUT_OF_MEMORY,
              "out of memory: the program needs more than its budget of %s, see --memory and --swap"
                  .formatted(budget));
      case MemoryFault fault ->
          new Failure(
              ExitStatus.TRAPPED,
              "memory fault: %s of 0x%x: %s"
                  .formatted(
                      fault.access() == Access.READ ? "load" : "store",
                      fault.address(),
                      fault.reason()));
      case UnlinkableException e -> new Failure(ExitStatus.USAGE, "cannot link: " + line(e));
      case WasmEngineException e -> new Failure(ExitStatus.TRAPPED, "trap: " + line(e));
      case StackOverflowError e -> new Failure(ExitStatus.TRAPPED, "trap: call stack exhausted");
      case OutOfMemoryError e ->
          new Failure(ExitStatus.OUT_OF_MEMORY, "out of memory: Java heap: " + line(e));
      case UncheckedIOException e ->
          new Failure(ExitStatus.FAILED, "input or output failed: " + line(e));
      case RuntimeException e when line(e).startsWith(UNKNOWN_INSTRUCTION) ->
          new Failure(
              ExitStatus.USAGE, "the program has an instruction that the engine does not know");
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException(cause);
    };
  }

  private static String line(Throwable e) {
    var message = e.getMessage();
    return message == null ? e.getClass().getSimpleName() : firstLine(message);
  }

  private static String firstLine(String message) {
    return message.lines().findFirst().orElse("");
  }
}
