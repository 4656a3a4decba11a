package org.juvm;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.juvm.base.PageSize;
import org.juvm.map.Machine;
import org.juvm.object.FileObject;
import org.juvm.object.PageRequest;
import org.juvm.page.FrameTable;
import org.juvm.ram.Native;

/**
 * Copies bytes between a client's memory and the pages of a file, which are wired while that is
 * done, a page at a time. For one call of one thread.
 *
 * <p>Source: {@code ubc_uiomove} of {@code uvm_bio.c}.
 */
final class FileCopier {
  private static final int PROCESSOR = 0;

  private final FileObject file;
  private final Machine machine;
  private final PageSize pageSize;
  private final PageRequest request = new PageRequest(PROCESSOR);

  FileCopier(FileObject file, Machine machine) {
    this.file = file;
    this.machine = machine;
    pageSize = machine.pageSize();
  }

  private long size() {
    file.lock();
    try {
      return file.size();
    } finally {
      file.unlock();
    }
  }

  /** Wires a page; the rest of what is to be copied is read with it, if it has to be read. */
  private int use(long position, long rest, boolean store) throws IOException {
    long more = pageSize.vpn(position + rest - 1) - pageSize.vpn(position);
    if (more > 0) {
      request.readAhead((int) Math.min(more, PageRequest.MAXIMUM_PAGES - 1));
    } else {
      request.readAheadAsLearned(PageRequest.MAXIMUM_PAGES - 1);
    }
    return file.use(request, pageSize.vpn(position), store);
  }

  /** Returns how many bytes were copied. */
  long read(long position, MemorySegment target, long offset, long length) throws IOException {
    long done = 0;
    while (done < length) {
      long at = position + done;
      long run = Math.min(Math.min(length - done, restOfPage(at)), size() - at);
      int frame = run <= 0 ? FrameTable.NONE : use(at, length - done, false);
      if (frame == FrameTable.NONE) {
        return done;
      }
      try {
        MemorySegment.copy(Native.ALL, address(frame, at), target, offset + done, run);
      } finally {
        file.endUse(PROCESSOR, pageSize.vpn(at), false);
      }
      done += run;
    }
    return done;
  }

  /** Returns how many bytes were copied: all. */
  long write(long position, MemorySegment source, long offset, long length) throws IOException {
    long end = position + length;
    for (long done = 0; done < length; ) {
      long at = position + done;
      if (size() < end) {
        file.extend(end);
      }
      long run = Math.min(length - done, restOfPage(at));
      int frame = use(at, length - done, true);
      if (frame == FrameTable.NONE) {
        // Cut off by another thread meanwhile.
        continue;
      }
      try {
        MemorySegment.copy(source, offset + done, Native.ALL, address(frame, at), run);
      } finally {
        file.endUse(PROCESSOR, pageSize.vpn(at), true);
      }
      done += run;
    }
    return length;
  }

  private long restOfPage(long position) {
    return (long) pageSize.bytes() - pageSize.offset(position);
  }

  private long address(int frame, long position) {
    return machine.ram().address(frame) + pageSize.offset(position);
  }
}
