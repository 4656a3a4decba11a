package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A process that stores to a mapped file for ever, and says what it has synced. */
final class SyncingProgram {
  static final int PAGES = 64;
  private static final int PAGE = 4096;

  private SyncingProgram() {}

  /** In round i, where i counts from 1, the word of this number in page i % PAGES becomes i. */
  static long position(long round) {
    return round % PAGES * PAGE + round / PAGES % (PAGE / Long.BYTES) * Long.BYTES;
  }

  public static void main(String[] arguments) throws IOException {
    try (Vm vm = Vm.builder().memory(32 * PAGE).boot();
        Vmspace space = vm.newVmspace();
        Cpu cpu = vm.newCpu();
        MappedFile file = vm.files().open(Path.of(arguments[0]), StandardOpenOption.WRITE)) {
      cpu.attach(space);
      long at = space.map(MapRequest.of(file, 0, (long) PAGES * PAGE).shared());
      for (long round = 1; round < Long.MAX_VALUE; round++) {
        cpu.set(JAVA_LONG, at + position(round), round);
        if (round % 3 == 0) {
          file.sync();
          System.out.println(round);
        } else if (round % 3 == 1) {
          space.paging().clean(at + round % PAGES * PAGE, PAGE, false);
          System.out.println(round);
        }
      }
    }
  }
}
