import org.jspecify.annotations.NullMarked;

/** The replacement policies of Juvm, run over traces of page references. */
@NullMarked
module org.juvm.sim {
  requires static transitive org.jspecify;
  requires transitive org.juvm.core;

  exports org.juvm.sim;
}
