package org.juvm.wasm.program;

/** Something that runs from start to end, as a command of a shell does. Thread-safe. */
@FunctionalInterface
public interface GuestProgram {
  /**
   * Runs the program on the calling thread. Guests recurse deeply; some need a stack of 100 MiB and
   * more.
   *
   * @param environment where its memory comes from, and what it sees of the world
   * @return its exit status, 0 for success
   * @throws run.endive.wasm.WasmEngineException if the program traps or does not link
   * @throws org.juvm.MemoryFault if its memory is a vmspace and the vm has no page left
   */
  int run(GuestEnvironment environment);
}
