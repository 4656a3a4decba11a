package org.juvm.wasm;

import run.endive.runtime.ImportValues;

/**
 * The world around one process: what it imports, and what must be closed when it ends.
 *
 * <p>Each process, and each child that it forks, has a host of its own.
 */
public interface GuestHost extends AutoCloseable {
  /**
   * What the process may call.
   *
   * @return functions, and for modules that import them, memories, tables, globals and tags
   */
  ImportValues imports();

  /** Gives back what the host holds. Called once, by {@link WasmProcess#close()}. */
  @Override
  void close();

  /**
   * A host that only answers calls.
   *
   * @param imports what the process may call
   * @return a host with nothing to close
   */
  static GuestHost of(ImportValues imports) {
    return new GuestHost() {
      @Override
      public ImportValues imports() {
        return imports;
      }

      @Override
      public void close() {}
    };
  }
}
