package org.juvm.wasm.program;

import org.juvm.wasm.GuestHost;
import run.endive.runtime.HostFunction;
import run.endive.runtime.ImportFunction;
import run.endive.runtime.ImportValues;

/**
 * A host of functions that can be replaced by another one with the same functions while its process
 * is idle. For the thread that uses the process.
 */
final class ReplaceableHost implements GuestHost {
  private final ImportValues imports;
  private GuestHost current;

  ReplaceableHost(GuestHost first) {
    current = first;
    var builder = ImportValues.builder();
    for (int i = 0; i < first.imports().functionCount(); i++) {
      builder.addFunction(delegate(first.imports().function(i), i));
    }
    imports = builder.build();
  }

  private HostFunction delegate(ImportFunction function, int index) {
    return new HostFunction(
        function.module(),
        function.name(),
        function.functionType(),
        (instance, arguments) ->
            current.imports().function(index).handle().apply(instance, arguments));
  }

  void replaceBy(GuestHost next) {
    current.close();
    current = next;
  }

  @Override
  public ImportValues imports() {
    return imports;
  }

  @Override
  public void close() {
    current.close();
  }
}
