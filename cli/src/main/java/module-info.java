import org.jspecify.annotations.NullMarked;

/** The juvm command. */
@NullMarked
module org.juvm.cli {
  requires static org.jspecify;
  requires info.picocli;
  requires org.juvm.bench;
  requires org.juvm.core;
  requires org.juvm.sim;
  requires org.juvm.wasm;

  opens org.juvm.cli to
      info.picocli;
}
