package org.juvm.cli;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** Input that first lets its reader's questions out. */
final class TiedInput extends FilterInputStream {
  private final OutputStream output;

  TiedInput(InputStream input, OutputStream output) {
    super(input);
    this.output = output;
  }

  @Override
  public int read() throws IOException {
    output.flush();
    return super.read();
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    output.flush();
    return super.read(bytes, offset, length);
  }
}
