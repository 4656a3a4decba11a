package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.juvm.base.Protection;

class SwapTest {
  private static final int PAGE = 4096;

  @Test
  void D1_memoryLargerThanTheBudget() {
    try (Vm vm = Vm.builder().memory(64 * PAGE).swap(1024 * PAGE).boot();
        Vmspace space = vm.newVmspace();
        Cpu cpu = vm.newCpu()) {
      cpu.attach(space);
      long at = space.map(512 * PAGE, Protection.READ_WRITE);
      for (int round = 0; round < 3; round++) {
        for (long page = 0; page < 512; page++) {
          if (round > 0) {
            assertThat(cpu.get(ValueLayout.JAVA_LONG, at + page * PAGE))
                .isEqualTo(page + round - 1);
          }
          cpu.set(ValueLayout.JAVA_LONG, at + page * PAGE, page + round);
        }
      }
      try (Vmspace child = space.fork()) {
        for (long page = 0; page < 512; page += 3) {
          cpu.set(ValueLayout.JAVA_LONG, at + page * PAGE, -page);
        }
        cpu.attach(child);
        for (long page = 0; page < 512; page++) {
          assertThat(cpu.get(ValueLayout.JAVA_LONG, at + page * PAGE)).isEqualTo(page + 2);
        }
        cpu.attach(space);
      }
      System.out.println(vm.statistics());
      assertThat(vm.audit()).isEmpty();
    }
  }
}
