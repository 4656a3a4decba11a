package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.juvm.Cpu;
import org.juvm.KernelMap;
import org.juvm.MapRequest;
import org.juvm.MemoryFault;
import org.juvm.PagingProbe;
import org.juvm.SharedMemory;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Access;
import org.juvm.base.Advice;
import org.juvm.base.Protection;
import org.juvm.trace.Counter;

/** Faults of the kernel go the way of all faults. */
class KernelFaultTest {
  private static final long PAGE = 4096;
  private static final int PAGES = 8;

  private static Map<Counter, Long> counts(Vm vm, Cpu cpu) {
    Map<Counter, Long> counts = new EnumMap<>(Counter.class);
    for (Counter counter :
        new Counter[] {
          Counter.FAULTS,
          Counter.UNRESOLVED,
          Counter.DIRECT,
          Counter.COPIES,
          Counter.ZERO_FILLS,
          Counter.OBJECT_PAGES,
          Counter.PROMOTIONS,
          Counter.MAJOR_FAULTS,
          Counter.NEIGHBOURS,
          Counter.SWAP_INS,
          Counter.READ_ERRORS
        }) {
      counts.put(counter, PagingProbe.count(vm, counter) + PagingProbe.count(cpu, counter));
    }
    return counts;
  }

  /** What faults in pages that are not there, that have gone to swap, and without a page count. */
  private static Map<Counter, Long> counted(Vm vm, Cpu cpu, long at, Vmspace other) {
    for (int i = 0; i < PAGES; i++) {
      assertThat(cpu.get(JAVA_LONG, at + i * PAGE)).isZero();
      cpu.set(JAVA_LONG, at + i * PAGE, i);
    }
    try (Cpu filler = vm.newCpu()) {
      filler.attach(other);
      long fill = other.map(96 * PAGE, Protection.READ_WRITE);
      for (int round = 0; PagingProbe.slotsInUse(vm) == 0 || round < 3; round++) {
        filler.bulk().fill(fill, 96 * PAGE, (byte) round);
      }
      other.unmap(fill, 96 * PAGE);
    }
    for (int i = 0; i < PAGES; i++) {
      assertThat(cpu.get(JAVA_LONG, at + i * PAGE)).isEqualTo(i);
    }
    try {
      long found = cpu.get(JAVA_LONG, at + PAGES * PAGE);
      throw new AssertionError("there is a page: " + found);
    } catch (MemoryFault e) {
      assertThat(e.reason()).isEqualTo(MemoryFault.Reason.NOT_MAPPED);
    }
    return counts(vm, cpu);
  }

  private static Map<Counter, Long> inKernel(int depth) {
    try (Vm vm = Vm.builder().memory(64 * PAGE).swap(512 * PAGE).boot();
        Cpu cpu = vm.newCpu()) {
      KernelMap map = vm.kernel();
      for (int i = 0; i < depth; i++) {
        map = map.submap((64L >> i) * PAGE, true);
      }
      cpu.attach(map);
      return counted(vm, cpu, map.allocateOnDemand(PAGES * PAGE), vm.newVmspace());
    }
  }

  private static Map<Counter, Long> inSharedMemory() {
    try (Vm vm = Vm.builder().memory(64 * PAGE).swap(512 * PAGE).boot();
        Cpu cpu = vm.newCpu();
        SharedMemory memory = vm.sharedMemory().create(PAGES * PAGE)) {
      Vmspace space = vm.newVmspace();
      cpu.attach(space);
      long at = space.map(MapRequest.of(memory, 0, PAGES * PAGE).shared().advice(Advice.RANDOM));
      return counted(vm, cpu, at, vm.newVmspace());
    }
  }

  @Test
  void F14_F15_faultsInTheKernelAndInItsSubmapsCountAsThoseOfSharedMemory() {
    Map<Counter, Long> user = inSharedMemory();
    for (int depth = 0; depth <= 3; depth++) {
      assertThat(inKernel(depth)).as("submaps: %d", depth).isEqualTo(user);
    }
    assertThat(user.get(Counter.SWAP_INS)).isPositive();
    assertThat(user.get(Counter.UNRESOLVED)).isEqualTo(1);
  }

  @Test
  void F14_aWindowInASubmapIsWiredWhileItIsUsed() {
    try (Vm vm = Vm.builder().memory(64 * PAGE).swap(512 * PAGE).boot();
        Cpu cpu = vm.newCpu();
        Cpu second = vm.newCpu()) {
      KernelMap map = vm.kernel().submap(32 * PAGE, true).submap(16 * PAGE, true);
      long at = map.allocateOnDemand(PAGES * PAGE);
      cpu.attach(map);
      Vmspace other = vm.newVmspace();
      second.attach(other);
      long fill = other.map(96 * PAGE, Protection.READ_WRITE);
      long[] next = new long[1];
      cpu.bulk()
          .window(
              at,
              PAGES * PAGE,
              Access.WRITE,
              segment -> {
                second.bulk().fill(fill, 96 * PAGE, (byte) 1);
                for (long i = 0; i < segment.byteSize(); i += PAGE) {
                  segment.set(JAVA_LONG, i, ++next[0]);
                }
              });
      for (int i = 0; i < PAGES; i++) {
        assertThat(cpu.get(JAVA_LONG, at + i * PAGE)).isEqualTo(i + 1);
      }
      assertThat(vm.audit()).isEmpty();
    }
  }
}
