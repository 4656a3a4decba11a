package org.juvm.testkit;

import java.util.Arrays;
import java.util.Collection;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What shared memory must be like: pages that are made when they are asked for. */
final class ModelObject {
  private final int pageSize;
  private final NavigableMap<Long, ModelFrame> frames = new TreeMap<>();
  private long size;

  ModelObject(int pageSize, long size) {
    this.pageSize = pageSize;
    this.size = size;
  }

  long size() {
    return size;
  }

  private long pages(long bytes) {
    return Math.ceilDiv(bytes, (long) pageSize);
  }

  boolean contains(long index) {
    return index < pages(size);
  }

  @Nullable ModelFrame find(long index) {
    return frames.get(index);
  }

  ModelFrame get(long index) {
    return frames.computeIfAbsent(index, _ -> new ModelFrame(new byte[pageSize]));
  }

  Collection<ModelFrame> frames() {
    return frames.values();
  }

  /** What is cut off is gone, but wired pages keep their frames; what is added is zeros. */
  void resize(long newSize) {
    long end = Math.min(size, newSize);
    size = newSize;
    frames.tailMap(pages(newSize)).values().removeIf(frame -> frame.wirings == 0);
    frames.forEach(
        (index, frame) -> {
          long keep = Math.clamp(end - index * pageSize, 0, pageSize);
          Arrays.fill(frame.bytes, (int) keep, pageSize, (byte) 0);
        });
  }

  /** Takes wirings of a page back; one that was cut off goes with the last. */
  void unwire(long index, int wirings) {
    ModelFrame frame = get(index);
    frame.wirings -= wirings;
    if (frame.wirings == 0 && !contains(index)) {
      frames.remove(index);
    }
  }
}
