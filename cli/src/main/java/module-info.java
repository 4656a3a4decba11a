import org.jspecify.annotations.NullMarked;

/** The juvm command. */
@NullMarked
module org.juvm.cli {
  requires static org.jspecify;
  requires org.juvm.core;
  requires org.juvm.wasm;
  requires org.juvm.bench;
}
