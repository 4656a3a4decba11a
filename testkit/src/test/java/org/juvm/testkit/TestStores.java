package org.juvm.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.juvm.store.FileStore;

/** Stores for tests that are no tests of stores. */
final class TestStores {
  private TestStores() {}

  /** A temporary file, which is gone when it is closed. */
  static FileStore temporary() {
    try {
      return FileStore.temporary(Path.of(System.getProperty("java.io.tmpdir", "")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
