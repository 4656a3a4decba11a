package org.juvm;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import org.juvm.base.Protection;

/**
 * A program that uses more memory than it has, by keeping pages compressed: they are decompressed
 * when they are accessed, and compressed when memory is short.
 */
final class DecompressExample implements WritablePager {
  private final byte[][] compressed;

  DecompressExample(int pages) {
    compressed = new byte[pages][0];
  }

  @Override
  public void read(long page, MemorySegment into) throws IOException {
    byte[] packed = compressed[(int) page];
    if (packed.length == 0) {
      return; // never written: zeros
    }
    byte[] bytes = new byte[(int) into.byteSize()];
    Inflater inflater = new Inflater();
    try {
      inflater.setInput(packed);
      if (inflater.inflate(bytes) != bytes.length) {
        throw new IOException("page is too short: page=" + page);
      }
    } catch (DataFormatException e) {
      throw new IOException("page is damaged: page=" + page, e);
    } finally {
      inflater.end();
    }
    into.copyFrom(MemorySegment.ofArray(bytes));
  }

  @Override
  public void write(long page, MemorySegment from) {
    Deflater deflater = new Deflater(Deflater.BEST_SPEED);
    deflater.setInput(from.toArray(ValueLayout.JAVA_BYTE));
    deflater.finish();
    byte[] packed = new byte[(int) from.byteSize() + 64];
    int length = deflater.deflate(packed);
    deflater.end();
    compressed[(int) page] = Arrays.copyOf(packed, length);
  }

  private long size() {
    long size = 0;
    for (byte[] page : compressed) {
      size += page.length;
    }
    return size;
  }

  /** Fills 4 MiB in a system with 512 KiB, and adds it all up again. */
  static String run() {
    DecompressExample pager = new DecompressExample(1024);
    try (Vm vm = Vm.builder().memory(512 << 10).boot();
        PagedMemory memory = vm.newPagedMemory(pager, 4 << 20);
        Vmspace space = vm.newVmspace();
        Cpu cpu = vm.newCpu()) {
      long at =
          space.map(MapRequest.of(memory, 0, 4 << 20).shared().protection(Protection.READ_WRITE));
      cpu.attach(space);
      for (long i = 0; i < 4 << 20; i += 8) {
        cpu.set(ValueLayout.JAVA_LONG, at + i, i >> 12);
      }
      long sum = 0;
      for (long i = 0; i < 4 << 20; i += 8) {
        sum += cpu.get(ValueLayout.JAVA_LONG, at + i);
      }
      return sum + " " + (pager.size() < 512 << 10);
    }
  }
}
