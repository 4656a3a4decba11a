package org.juvm.cli;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/** Error output, which appears after all output that was written before it. */
final class TiedOutput extends FilterOutputStream {
  private final OutputStream before;

  TiedOutput(OutputStream output, OutputStream before) {
    super(output);
    this.before = before;
  }

  @Override
  public void write(int b) throws IOException {
    before.flush();
    out.write(b);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    before.flush();
    out.write(bytes, offset, length);
  }
}
