package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.util.List;

/** An address space and a processor that is attached to it, as a test sees a program. */
final class Program {
  static final int PAGE = 4096;

  final Vm vm;
  final Vmspace space;
  final Cpu cpu;

  Program(Vmspace space) {
    vm = space.vm();
    this.space = space;
    cpu = vm.newCpu();
    cpu.attach(space);
  }

  static Program in(Vm vm) {
    return new Program(vm.newVmspace());
  }

  Program fork() {
    return new Program(space.fork());
  }

  long get(long address) {
    return cpu.get(JAVA_LONG, address);
  }

  void set(long address, long value) {
    cpu.set(JAVA_LONG, address, value);
  }

  /** Stores i + 1 at the start of the i-th page. */
  void number(long at, int pages) {
    for (int i = 0; i < pages; i++) {
      set(at + (long) i * PAGE, i + 1);
    }
  }

  /** The mappings by page number from an address on, with their protection. */
  List<String> layout(long from) {
    return space.mappings().stream()
        .map(m -> (m.start() - from) / PAGE + "+" + m.length() / PAGE + " " + m.protection())
        .toList();
  }

  long usedFrames() {
    return vm.statistics().usedFrames();
  }
}
