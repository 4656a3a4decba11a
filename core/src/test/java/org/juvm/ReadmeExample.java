package org.juvm;

import java.lang.foreign.ValueLayout;
import org.juvm.base.Protection;

/** The example of the README, which a test compares with it line by line. */
final class ReadmeExample {
  private ReadmeExample() {}

  static String run() {
    StringBuilder out = new StringBuilder();
    // README begin
    try (Vm vm = Vm.builder().memory(64 << 20).boot();
        Vmspace parent = vm.newVmspace();
        Cpu cpu = vm.newCpu()) {
      long address = parent.map(16 << 20, Protection.READ_WRITE); // nothing is there yet
      cpu.attach(parent);
      cpu.bulk().fill(address, 16 << 20, (byte) 1); // 4,096 page faults
      try (Vmspace child = parent.fork()) { // a snapshot, in microseconds
        cpu.set(ValueLayout.JAVA_LONG, address, 42); // copies one page
        cpu.attach(child);
        out.append(cpu.get(ValueLayout.JAVA_BYTE, address)); // 1
        out.append(' ').append(vm.statistics().copies()); // 1
        out.append(' ').append(vm.statistics().usedFrames()); // 4097 of 16384
      }
    }
    // README end
    return out.toString();
  }
}
