package org.juvm.swap;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.juvm.base.PageSize;
import org.juvm.ram.Native;
import org.juvm.ram.Ram;
import org.juvm.store.MemoryStore;
import org.juvm.store.PageIo;

/** A swap space and frames whose contents say what they are. */
final class SwapFixture implements AutoCloseable {
  static final int FRAMES = 400;
  static final PageSize PAGE = new PageSize(10);

  final Ram ram = new Ram(FRAMES, PAGE);
  final SwapSpace space = new SwapSpace(new PageIo(ram.segment(), PAGE));

  SwapArea add(String name, int slots, int priority) {
    return space.add(name, new MemoryStore(), PAGE.address(slots), priority, null);
  }

  static int first(long run) {
    return (int) (run >>> 32);
  }

  static int count(long run) {
    return (int) run;
  }

  /** Frames from one on. */
  static int[] frames(int first, int count) {
    return IntStream.range(first, first + count).toArray();
  }

  void fill(int frame, long text) {
    for (int i = 0; i < PAGE.bytes(); i += Long.BYTES) {
      Native.setLong(ram.address(frame) + i, text * 1_000_003 + i);
    }
  }

  void check(int frame, long text) {
    for (int i = 0; i < PAGE.bytes(); i += Long.BYTES) {
      assertThat(Native.getLong(ram.address(frame) + i)).isEqualTo(text * 1_000_003 + i);
    }
  }

  @Override
  public void close() {
    space.close();
  }
}
