import org.jspecify.annotations.NullMarked;

/** Linear memory of WebAssembly instances in a Juvm address space, and their fork. */
@NullMarked
module org.juvm.wasm {
  requires static org.jspecify;
  requires transitive org.juvm.core;
  requires transitive run.endive.runtime;
  requires transitive run.endive.wasm;
  requires run.endive.compiler;
  requires run.endive.wasi;
}
