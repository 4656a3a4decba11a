package org.juvm;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.function.Consumer;
import org.juvm.anon.Amap;
import org.juvm.base.Access;
import org.juvm.base.PageSize;
import org.juvm.pmap.Tlb;
import org.juvm.ram.Native;

/**
 * Access to ranges of memory. A view of a {@link Cpu}, under the same rules.
 *
 * <p>A range is worked on in runs of pages whose frames follow one another. If a page in the middle
 * cannot be accessed, {@link MemoryFault} is thrown and what lies before it is done. Against other
 * threads a range is no more atomic than an array.
 */
public final class Bulk {
  /** A store of a run keeps shootdowns waiting, so it is bounded. */
  private static final long MAXIMUM_RUN_BYTES = 64 << 10;

  /** The longest run of a window, in pages. */
  private static final int MAXIMUM_WINDOW_PAGES = 512;

  private final Processor processor;
  private final Tlb tlb;
  private final PageSize pageSize;

  Bulk(Processor processor) {
    this.processor = processor;
    tlb = processor.tlb;
    pageSize = processor.pageSize();
  }

  // ---- copying out ----

  /**
   * Copies memory to an array.
   *
   * @param address first address
   * @param target receives the bytes
   * @param targetOffset where in it
   * @param length number of bytes
   */
  public void read(long address, byte[] target, int targetOffset, int length) {
    Objects.checkFromIndexSize(targetOffset, length, target.length);
    read(address, MemorySegment.ofArray(target), targetOffset, length);
  }

  /**
   * Copies memory to a segment.
   *
   * @param address first address
   * @param target receives the bytes
   * @param targetOffset where in it
   * @param length number of bytes
   */
  public void read(long address, MemorySegment target, long targetOffset, long length) {
    Objects.checkFromIndexSize(targetOffset, length, target.byteSize());
    for (long done = 0; done < length; ) {
      long from = address + done;
      long at = loadAddress(from);
      long run = loadRun(from, at, length - done);
      MemorySegment.copy(Native.ALL, at, target, targetOffset + done, run);
      if (isRunValid(from, run)) {
        done += run;
      }
    }
  }

  /** The native address of a byte, for loads that will be validated. */
  private long loadAddress(long address) {
    long at = tlb.loadAddress(address, 0);
    while (at == Tlb.MISS) {
      processor.miss(address, Access.READ);
      at = tlb.loadAddress(address, 0);
    }
    return at;
  }

  /** How far the translations at an address go on without a gap, in bytes, at most limit. */
  private long loadRun(long address, long at, long limit) {
    long run = (long) pageSize.bytes() - pageSize.offset(address);
    while (run < limit
        && run < MAXIMUM_RUN_BYTES
        && tlb.loadAddress(address + run, 0) == at + run) {
      run += pageSize.bytes();
    }
    return Math.min(run, limit);
  }

  private boolean isRunValid(long address, long run) {
    for (long at = pageSize.truncate(address); at < address + run; at += pageSize.bytes()) {
      if (!tlb.isLoadValid(at)) {
        return false;
      }
    }
    return true;
  }

  // ---- copying in ----

  /**
   * Copies an array to memory.
   *
   * @param address first address
   * @param source the bytes
   * @param sourceOffset where in it
   * @param length number of bytes
   */
  public void write(long address, byte[] source, int sourceOffset, int length) {
    Objects.checkFromIndexSize(sourceOffset, length, source.length);
    write(address, MemorySegment.ofArray(source), sourceOffset, length);
  }

  /**
   * Copies a segment to memory.
   *
   * @param address first address
   * @param source the bytes
   * @param sourceOffset where in it
   * @param length number of bytes
   */
  public void write(long address, MemorySegment source, long sourceOffset, long length) {
    Objects.checkFromIndexSize(sourceOffset, length, source.byteSize());
    for (long done = 0; done < length; ) {
      long to = address + done;
      long at = beginStores(to);
      try {
        long run = storeRun(to, at, length - done);
        MemorySegment.copy(source, sourceOffset + done, Native.ALL, at, run);
        done += run;
      } finally {
        tlb.endStore();
      }
    }
  }

  /** Announces stores and finds the native address of a byte; the caller must end it. */
  private long beginStores(long address) {
    while (true) {
      tlb.beginStores();
      long at = tlb.storeAddress(address);
      if (at != Tlb.MISS) {
        return at;
      }
      tlb.endStore();
      processor.miss(address, Access.WRITE);
    }
  }

  private long storeRun(long address, long at, long limit) {
    long run = (long) pageSize.bytes() - pageSize.offset(address);
    while (run < limit && run < MAXIMUM_RUN_BYTES && tlb.storeAddress(address + run) == at + run) {
      run += pageSize.bytes();
    }
    return Math.min(run, limit);
  }

  /**
   * Sets all bytes of a range.
   *
   * @param address first address
   * @param length number of bytes
   * @param value the value of each
   */
  public void fill(long address, long length, byte value) {
    checkLength(length);
    for (long done = 0; done < length; ) {
      long to = address + done;
      long at = beginStores(to);
      try {
        long run = storeRun(to, at, length - done);
        Native.ALL.asSlice(at, run).fill(value);
        done += run;
      } finally {
        tlb.endStore();
      }
    }
  }

  // ---- inside ----

  /**
   * Copies a range to another one of the same address space. They may overlap: the target has the
   * bytes that the source had before.
   *
   * @param source first address of the bytes
   * @param target first address of where they go
   * @param length number of bytes
   */
  public void copy(long source, long target, long length) {
    checkLength(length);
    boolean backwards = source < target && target < source + length;
    for (long left = length; left > 0; ) {
      long run = left;
      long from;
      long to;
      if (backwards) {
        run = Math.min(run, pageSize.offset(source + left - 1) + 1L);
        run = Math.min(run, pageSize.offset(target + left - 1) + 1L);
        from = source + left - run;
        to = target + left - run;
      } else {
        from = source + length - left;
        to = target + length - left;
        run = Math.min(run, pageSize.bytes() - pageSize.offset(from));
        run = Math.min(run, pageSize.bytes() - pageSize.offset(to));
      }
      if (copyInPages(from, to, run)) {
        left -= run;
      }
    }
  }

  /** Copies between two pages. Returns false if that must be done again. */
  private boolean copyInPages(long from, long to, long length) {
    if (tlb.loadAddress(from, 0) == Tlb.MISS) {
      processor.miss(from, Access.READ);
    }
    long target = beginStores(to);
    try {
      if (pageSize.vpn(from) == pageSize.vpn(to)) {
        // The announcement covers the source, too, which is part of the target's page.
        Native.copy(target + (from - to), target, length);
        return true;
      }
      long source = tlb.loadAddress(from, 0);
      if (source == Tlb.MISS) {
        return false;
      }
      Native.copy(source, target, length);
      return tlb.isLoadValid(from);
    } finally {
      tlb.endStore();
    }
  }

  /**
   * Compares memory with a segment.
   *
   * @param address first address
   * @param other the segment
   * @param otherOffset where in it
   * @param length number of bytes to compare
   * @return offset of the first byte that differs, or -1 if there is none
   */
  public long mismatch(long address, MemorySegment other, long otherOffset, long length) {
    Objects.checkFromIndexSize(otherOffset, length, other.byteSize());
    for (long done = 0; done < length; ) {
      long from = address + done;
      long at = loadAddress(from);
      long run = loadRun(from, at, length - done);
      long start = otherOffset + done;
      long found = MemorySegment.mismatch(Native.ALL, at, at + run, other, start, start + run);
      if (isRunValid(from, run)) {
        if (found >= 0) {
          return done + found;
        }
        done += run;
      }
    }
    return -1;
  }

  // ---- strings ----

  /**
   * Reads a zero-terminated string.
   *
   * @param address of its first byte
   * @return the bytes before the zero, as UTF-8
   */
  public String getString(long address) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    byte[] part = new byte[pageSize.bytes()];
    for (long from = address; ; ) {
      int length = pageSize.bytes() - pageSize.offset(from);
      read(from, part, 0, length);
      for (int i = 0; i < length; i++) {
        if (part[i] == 0) {
          bytes.write(part, 0, i);
          return bytes.toString(StandardCharsets.UTF_8);
        }
      }
      bytes.write(part, 0, length);
      from += length;
    }
  }

  /**
   * Writes a zero-terminated string.
   *
   * @param address of its first byte
   * @param string the string, written as UTF-8
   */
  public void setString(long address, String string) {
    byte[] bytes = string.getBytes(StandardCharsets.UTF_8);
    write(address, bytes, 0, bytes.length);
    write(address + bytes.length, new byte[1], 0, 1);
  }

  // ---- windows ----

  /**
   * Shows a range as real segments, one for each run of pages whose frames follow one another, in
   * ascending order. Loops over a segment run at the speed of the machine.
   *
   * <p>The pages of a segment are wired while the action has it: they stay where they are, whatever
   * happens to the mapping, and a fork copies them for the child at once. A segment can be used
   * only by this thread and only during the action. What is written to a page that another thread
   * unmaps or protects meanwhile is lost, or seen, as if it had been written just before.
   *
   * @param address first address
   * @param length number of bytes
   * @param access READ for read-only segments
   * @param action called for each segment; may use other cpus, but not this one
   */
  public void window(long address, long length, Access access, Consumer<MemorySegment> action) {
    checkLength(length);
    for (long done = 0; done < length; ) {
      done += windowRun(address + done, length - done, access, action);
    }
  }

  private long windowRun(long address, long limit, Access access, Consumer<MemorySegment> action) {
    long pages = pageSize.vpn(pageSize.offset(address) + limit - 1) + 1;
    processor.wire(address, access, (int) Math.min(pages, MAXIMUM_WINDOW_PAGES));
    Amap amap = processor.fault.amap();
    int frame = processor.fault.frame();
    int wired = processor.fault.wired();
    try (Arena arena = Arena.ofConfined()) {
      long run = Math.min(limit, pageSize.address(wired) - pageSize.offset(address));
      MemorySegment segment = Native.segment(processor.nativeAddress(frame, address), run, arena);
      action.accept(access == Access.READ ? segment.asReadOnly() : segment);
      return run;
    } finally {
      processor.unwire(amap, frame, wired);
    }
  }

  private static void checkLength(long length) {
    if (length < 0) {
      throw new IllegalArgumentException("length is negative: length=" + length);
    }
  }
}
