package org.juvm;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.juvm.object.PageSource;
import org.juvm.trace.Counter;
import org.juvm.trace.Counters;

/** A client's pager as memory objects see it. */
final class ClientPages implements PageSource {
  private final Pager pager;
  private final Counters counters;

  ClientPages(Pager pager, Counters counters) {
    this.pager = pager;
    this.counters = counters;
  }

  @Override
  public boolean isReadOnly() {
    return !(pager instanceof WritablePager);
  }

  @Override
  public void read(long page, byte[] bytes) throws IOException {
    pager.read(page, MemorySegment.ofArray(bytes));
  }

  @Override
  public void write(long page, byte[] bytes) throws IOException {
    if (!(pager instanceof WritablePager writable)) {
      throw new IOException("the pager only reads");
    }
    boolean written = false;
    try {
      writable.write(page, MemorySegment.ofArray(bytes));
      written = true;
    } finally {
      counters.add(written ? Counter.PAGE_OUTS : Counter.WRITE_ERRORS, 1);
    }
  }
}
