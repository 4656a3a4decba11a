import org.jspecify.annotations.NullMarked;

/** Measures Juvm against the JVM's own memory and the operating system's. */
@NullMarked
@SuppressWarnings("requires-automatic") // JMH has no module descriptor
module org.juvm.bench {
  requires static transitive org.jspecify;
  requires io.netty.buffer;
  requires java.management;
  requires jdk.management;
  requires org.juvm.core;
  requires org.juvm.sim;
  requires org.juvm.wasm;
  requires jmh.core;

  exports org.juvm.bench;
}
