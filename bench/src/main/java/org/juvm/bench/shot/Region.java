package org.juvm.bench.shot;

import java.lang.foreign.ValueLayout;
import org.juvm.Cpu;
import org.juvm.Vmspace;
import org.juvm.base.Access;
import org.juvm.base.Protection;
import org.juvm.bench.host.HostMemory;

/** A mapping, and the loops over its pages that are timed. */
final class Region {
  static final int PAGE = 4096;

  final Cpu cpu;
  final long address;
  final int pages;

  Region(Cpu cpu, long address, int pages) {
    this.cpu = cpu;
    this.address = address;
    this.pages = pages;
  }

  /** Maps memory in the address space that the processor uses. */
  static Region map(Vmspace space, Cpu cpu, int pages) {
    long address = space.map((long) pages * PAGE, Protection.READ_WRITE);
    return new Region(cpu, address, pages);
  }

  long address(int page) {
    return address + (long) page * PAGE;
  }

  /** Writes to every page. Returns nanoseconds for each. */
  double write() {
    return write(cpu);
  }

  double write(Cpu by) {
    long start = System.nanoTime();
    for (int i = 0; i < pages; i++) {
      by.set(ValueLayout.JAVA_LONG, address(i), i);
    }
    return (double) (System.nanoTime() - start) / pages;
  }

  /** Where the frames of the pages are, page by page. */
  long[] frames(Cpu by) {
    long[] frames = new long[pages];
    int[] page = {0};
    by.bulk()
        .window(
            address,
            (long) pages * PAGE,
            Access.READ,
            run -> {
              for (long at = 0; at < run.byteSize(); at += PAGE) {
                frames[page[0]++] = run.address() + at;
              }
            });
    return frames;
  }

  /** Fills frames with zeros, one by one. Returns nanoseconds for each. */
  static double zero(long[] frames) {
    long start = System.nanoTime();
    for (long frame : frames) {
      HostMemory.zero(frame, PAGE);
    }
    return (double) (System.nanoTime() - start) / frames.length;
  }

  /** Copies frames, one by one. Returns nanoseconds for each. */
  static double copy(long[] sources, long[] targets) {
    long start = System.nanoTime();
    for (int i = 0; i < sources.length; i++) {
      HostMemory.copy(sources[i], targets[i], PAGE);
    }
    return (double) (System.nanoTime() - start) / sources.length;
  }
}
