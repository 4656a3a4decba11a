import org.jspecify.annotations.NullMarked;

/**
 * A virtual memory system: address spaces, demand paging and copy-on-write for programs on the JVM.
 */
@NullMarked
@SuppressWarnings("module") // it is compiled before the module that some packages are exported to
module org.juvm.core {
  requires static transitive org.jspecify;

  exports org.juvm;
  exports org.juvm.base;
  exports org.juvm.posix;
  exports org.juvm.store;
  exports org.juvm.page to
      org.juvm.sim;
  exports org.juvm.pageout to
      org.juvm.sim;
}
