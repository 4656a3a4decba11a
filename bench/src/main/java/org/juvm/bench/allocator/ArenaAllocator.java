package org.juvm.bench.allocator;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;

/** A confined arena for each piece of memory, which only the thread that has it can give back. */
public final class ArenaAllocator implements Allocator {
  /** One. */
  public ArenaAllocator() {}

  @Override
  public Object allocate(long bytes) {
    Arena arena = Arena.ofConfined();
    arena.allocate(bytes).set(ValueLayout.JAVA_LONG_UNALIGNED, 0, bytes);
    return arena;
  }

  @Override
  public void free(Object memory) {
    ((Arena) memory).close();
  }
}
