package org.juvm.testkit.kernel;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A function of the host's C library, whose arguments are longs and ints and whose result is
 * negative if it failed. Addresses are passed as longs.
 */
@SuppressWarnings("restricted") // calls the kernel
final class Linux {
  /** By number; the same on all machines for the errors that are met here. */
  private static final Map<Integer, String> ERRORS =
      Map.ofEntries(
          Map.entry(1, "EPERM"),
          Map.entry(2, "ENOENT"),
          Map.entry(7, "E2BIG"),
          Map.entry(9, "EBADF"),
          Map.entry(11, "EAGAIN"),
          Map.entry(12, "ENOMEM"),
          Map.entry(13, "EACCES"),
          Map.entry(14, "EFAULT"),
          Map.entry(16, "EBUSY"),
          Map.entry(17, "EEXIST"),
          Map.entry(19, "ENODEV"),
          Map.entry(22, "EINVAL"),
          Map.entry(27, "EFBIG"),
          Map.entry(75, "EOVERFLOW"),
          Map.entry(95, "EOPNOTSUPP"));

  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private final MethodHandle handle;
  private final String name;
  private final MemorySegment state;

  /**
   * Links a function; for use by one thread.
   *
   * @param arena how long
   * @param name of the function
   * @param fixed how many of its arguments are not variadic
   * @param result layout of what it returns
   * @param arguments their layouts
   */
  Linux(Arena arena, String name, int fixed, MemoryLayout result, MemoryLayout... arguments) {
    List<Linker.Option> options = new ArrayList<>();
    options.add(Linker.Option.captureCallState("errno"));
    if (fixed < arguments.length) {
      options.add(Linker.Option.firstVariadicArg(fixed));
    }
    Linker linker = Linker.nativeLinker();
    MethodHandle linked =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow(name),
            FunctionDescriptor.of(result, arguments),
            options.toArray(Linker.Option[]::new));
    this.name = name;
    state = arena.allocate(STATE);
    handle =
        linked
            .bindTo(state)
            .asType(linked.bindTo(state).type().changeReturnType(long.class))
            .asSpreader(Object[].class, arguments.length);
  }

  static Linux ofRange(Arena arena, String name) {
    return new Linux(arena, name, 2, JAVA_INT, JAVA_LONG, JAVA_LONG);
  }

  static Linux ofRangeAndInt(Arena arena, String name) {
    return new Linux(arena, name, 3, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
  }

  /** Calls it. */
  Answer call(Object... arguments) {
    try {
      long result = (long) handle.invokeExact(arguments);
      if (result != -1) {
        return Answer.of(result);
      }
    } catch (Throwable e) {
      throw new AssertionError(name, e);
    }
    int number = (int) ERRNO.get(state, 0L);
    return Answer.failed(ERRORS.getOrDefault(number, "errno " + number));
  }
}
