import org.jspecify.annotations.NullMarked;

/** A model to compare Juvm with, generators of operations, and an audit after each test. */
@NullMarked
module org.juvm.testkit {
  requires static transitive org.jspecify;
  requires transitive org.juvm.core;
  requires transitive org.junit.jupiter.api;

  exports org.juvm.testkit;
}
