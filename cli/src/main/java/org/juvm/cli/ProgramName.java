package org.juvm.cli;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.juvm.wasm.program.GuestProgram;
import org.juvm.wasm.program.JavaScriptProgram;
import org.juvm.wasm.program.PythonProgram;
import org.juvm.wasm.program.SqliteProgram;
import org.juvm.wasm.program.WasiProgram;
import run.endive.wasm.WasmEngineException;

/**
 * What PROGRAM and ARGS of {@code juvm run} stand for.
 *
 * @param program what runs
 * @param arguments what it gets as its arguments
 * @param script what it reads as standard input, if not that of the command
 */
record ProgramName(GuestProgram program, List<String> arguments, @Nullable InputStream script) {
  static final String PYTHON = "python";

  /**
   * Finds the program and reads the files that it is made of.
   *
   * @throws Failure.Exit if there is no such program
   */
  static ProgramName resolve(String name, List<String> arguments) {
    return switch (name) {
      case PYTHON -> {
        var file = script(name, arguments);
        yield new ProgramName(
            new PythonProgram(arguments.getFirst(), read(file)), rest(arguments), null);
      }
      case "js" -> {
        var file = script(name, arguments);
        yield new ProgramName(new JavaScriptProgram(text(file)), rest(arguments), null);
      }
      case "sqlite" -> sqlite(arguments);
      default -> new ProgramName(module(path(name)), arguments, null);
    };
  }

  private static ProgramName sqlite(List<String> arguments) {
    if (arguments.size() > 1) {
      throw Failure.usage("sqlite: too many arguments: '" + arguments.get(1) + "'");
    }
    var script =
        arguments.isEmpty() ? null : new ByteArrayInputStream(read(path(arguments.getFirst())));
    return new ProgramName(new SqliteProgram(), List.of(), script);
  }

  private static GuestProgram module(Path file) {
    try {
      return WasiProgram.load(file);
    } catch (IOException e) {
      throw unreadable(file, e);
    } catch (WasmEngineException e) {
      throw Failure.usage(
          file + ": " + String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
    }
  }

  private static Path script(String program, List<String> arguments) {
    if (arguments.isEmpty()) {
      throw Failure.usage(program + ": no script given");
    }
    return path(arguments.getFirst());
  }

  private static Path path(String name) {
    try {
      return Path.of(name);
    } catch (InvalidPathException e) {
      throw Failure.usage("not a path: '" + name + "'");
    }
  }

  private static byte[] read(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (CharacterCodingException e) {
      throw Failure.usage(file + ": not UTF-8 text");
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private static Failure.Exit unreadable(Path file, IOException e) {
    return Files.isDirectory(file)
        ? Failure.usage(file + ": is a directory")
        : Failure.unreadable(file, e);
  }

  private static List<String> rest(List<String> arguments) {
    return arguments.subList(1, arguments.size());
  }

  /** What the program reads, given the standard input of the command. */
  InputStream input(InputStream standard) {
    return script == null ? standard : script;
  }
}
