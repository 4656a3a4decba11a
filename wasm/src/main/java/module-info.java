import org.jspecify.annotations.NullMarked;

/** Linear memory of WebAssembly instances in a Juvm address space, and their fork. */
@NullMarked
@SuppressWarnings("requires-automatic") // the programs are published without module descriptors
module org.juvm.wasm {
  requires static transitive org.jspecify;
  requires transitive org.juvm.core;
  requires transitive run.endive.runtime;
  requires transitive run.endive.wasm;
  requires run.endive.compiler;
  requires run.endive.wasi;
  requires quickjs4j;
  requires trino.wasm.python;

  exports org.juvm.wasm;
  exports org.juvm.wasm.program;
}
