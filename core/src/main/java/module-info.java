import org.jspecify.annotations.NullMarked;

/**
 * A virtual memory system: address spaces, demand paging and copy-on-write for programs on the JVM.
 */
@NullMarked
module org.juvm.core {
  requires static transitive org.jspecify;

  exports org.juvm;
  exports org.juvm.base;
  exports org.juvm.posix;
  exports org.juvm.store;
}
