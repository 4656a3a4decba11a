package org.juvm;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.juvm.anon.Amap;
import org.juvm.base.Access;
import org.juvm.base.PageSize;
import org.juvm.pmap.Pmap;
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
  /**
   * A store of a run keeps shootdowns waiting, so it is bounded: half a millisecond or so. Much
   * less would cost a third of the speed, because the host copies differently from 2.5 MiB on.
   */
  private static final long MAXIMUM_RUN_BYTES = 4 << 20;

  /** A run that is tried again is not made shorter than this. */
  private static final long MINIMUM_RUN_BYTES = 256;

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
    for (long done = 0, limit = MAXIMUM_RUN_BYTES; done < length; ) {
      long from = address + done;
      Pmap tables = processor.checkedPmap(from, Access.READ);
      long revocations = tables.revocations();
      tlb.announce(Tlb.EVERYWHERE);
      long at = tables.loadAddress(from);
      long run = at == Pmap.MISS ? 0 : loadRun(tables, from, at, Math.min(limit, length - done));
      tlb.withdraw();
      if (run == 0) {
        processor.miss(from, Access.READ);
        continue;
      }
      MemorySegment.copy(Native.ALL, at, target, targetOffset + done, run);
      VarHandle.acquireFence();
      if (tables.revocations() == revocations) {
        done += run;
        limit = MAXIMUM_RUN_BYTES;
      } else {
        limit = shorter(run);
      }
    }
  }

  /** How far the translation of an address goes on without a gap, in bytes, at most limit. */
  private long loadRun(Pmap tables, long address, long at, long limit) {
    long run = (long) pageSize.bytes() - pageSize.offset(address);
    while (run < limit && tables.loadAddress(address + run) == at + run) {
      run += pageSize.bytes();
    }
    return Math.min(run, limit);
  }

  /** A run that something was revoked under is tried again shorter, so that it succeeds at last. */
  private static long shorter(long run) {
    return Math.max(MINIMUM_RUN_BYTES, run / 2);
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
      long run = 0;
      Pmap tables = beginStores(to);
      try {
        long at = tables.storeAddress(to);
        if (at != Pmap.MISS) {
          run = storeRun(tables, to, at, length - done);
          MemorySegment.copy(source, sourceOffset + done, Native.ALL, at, run);
        }
      } finally {
        tlb.withdraw();
      }
      done += progress(to, run);
    }
  }

  /** Announces stores; the caller withdraws. */
  private Pmap beginStores(long address) {
    Pmap tables = processor.checkedPmap(address, Access.WRITE);
    tlb.announce(Tlb.EVERYWHERE);
    return tables;
  }

  private long storeRun(Pmap tables, long address, long at, long left) {
    long limit = Math.min(left, MAXIMUM_RUN_BYTES);
    long run = (long) pageSize.bytes() - pageSize.offset(address);
    while (run < limit && tables.storeAddress(address + run) == at + run) {
      run += pageSize.bytes();
    }
    return Math.min(run, limit);
  }

  /** Faults a page in if nothing could be stored to it. */
  private long progress(long address, long stored) {
    if (stored == 0) {
      processor.miss(address, Access.WRITE);
    }
    return stored;
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
      long run = 0;
      Pmap tables = beginStores(to);
      try {
        long at = tables.storeAddress(to);
        if (at != Pmap.MISS) {
          run = storeRun(tables, to, at, length - done);
          Native.ALL.asSlice(at, run).fill(value);
        }
      } finally {
        tlb.withdraw();
      }
      done += progress(to, run);
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
    boolean samePage = pageSize.vpn(from) == pageSize.vpn(to);
    long source;
    long target;
    Pmap tables = beginStores(to);
    try {
      long revocations = tables.revocations();
      target = tables.storeAddress(to);
      // In the same page the announcement covers the source, too.
      source = samePage && target != Pmap.MISS ? target + (from - to) : tables.loadAddress(from);
      if (source != Pmap.MISS && target != Pmap.MISS) {
        Native.copy(source, target, length);
        VarHandle.acquireFence();
        return samePage || tables.revocations() == revocations;
      }
    } finally {
      tlb.withdraw();
    }
    if (source == Pmap.MISS) {
      processor.miss(from, Access.READ);
    } else {
      processor.miss(to, Access.WRITE);
    }
    return false;
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
    for (long done = 0, limit = MAXIMUM_RUN_BYTES; done < length; ) {
      long from = address + done;
      Pmap tables = processor.checkedPmap(from, Access.READ);
      long revocations = tables.revocations();
      tlb.announce(Tlb.EVERYWHERE);
      long at = tables.loadAddress(from);
      long run = at == Pmap.MISS ? 0 : loadRun(tables, from, at, Math.min(limit, length - done));
      tlb.withdraw();
      if (run == 0) {
        processor.miss(from, Access.READ);
        continue;
      }
      long start = otherOffset + done;
      long found = MemorySegment.mismatch(Native.ALL, at, at + run, other, start, start + run);
      VarHandle.acquireFence();
      if (tables.revocations() == revocations) {
        if (found >= 0) {
          return done + found;
        }
        done += run;
        limit = MAXIMUM_RUN_BYTES;
      } else {
        limit = shorter(run);
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
    processor.lend(address, access, (int) Math.min(pages, MAXIMUM_WINDOW_PAGES));
    @Nullable Amap amap = processor.fault.amap();
    int frame = processor.fault.frame();
    int wired = processor.fault.wired();
    try (Arena arena = Arena.ofConfined()) {
      long run = Math.min(limit, pageSize.address(wired) - pageSize.offset(address));
      MemorySegment segment = Native.segment(processor.nativeAddress(frame, address), run, arena);
      action.accept(access == Access.READ ? segment.asReadOnly() : segment);
      return run;
    } finally {
      processor.giveBack(amap, frame, wired, access);
    }
  }

  private static void checkLength(long length) {
    if (length < 0) {
      throw new IllegalArgumentException("length is negative: length=" + length);
    }
  }
}
