package org.juvm;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.juvm.store.FileStore;
import org.juvm.store.Store;

/** Where the anonymous pages of one system go when memory is short. Thread-safe. */
public final class Swap {
  private final Vm vm;

  Swap(Vm vm) {
    this.vm = vm;
  }

  void addTemporary(long bytes) {
    try {
      Store store = FileStore.temporary(Path.of(System.getProperty("java.io.tmpdir", "")));
      vm.machine().swap().add("temporary", store, bytes, 0, false);
    } catch (IOException e) {
      throw new UncheckedIOException("no temporary file for swap", e);
    }
    vm.daemon().start();
  }
}
