package org.juvm.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.juvm.Cpu;
import org.juvm.KernelMap;
import org.juvm.Vm;

/** Histories of the kernel's maps, beside a model. */
@Tag("threads")
class KernelMapModelTest {
  private static final int PAGE_SIZE = 1024;

  private static Vm boot(int frames, int swapPages) {
    return Vm.builder()
        .memory((long) frames * PAGE_SIZE)
        .pageSize(PAGE_SIZE)
        .swap((long) swapPages * PAGE_SIZE)
        .boot();
  }

  /** One history of a submap, so that the audit's view of the whole does not depend on it. */
  private static long history(Vm vm, Choices choices, int steps, boolean little, boolean exact) {
    try (Cpu cpu = vm.newCpu();
        KernelMap map = vm.kernel().submap(256L * PAGE_SIZE, true)) {
      cpu.attach(vm.kernel());
      KernelMapModel model = new KernelMapModel(map, cpu, choices, little);
      for (int i = 0; i < steps; i++) {
        model.step();
        if (exact) {
          assertThat(vm.statistics().usedFrames()).isEqualTo(model.frames());
        }
      }
      model.check();
      if (exact) {
        assertThat(vm.audit()).isEmpty();
      }
      if (choices.oneIn(2)) {
        model.clear();
        assertThat(map.mappedBytes()).isZero();
      }
      return model.refused();
    }
  }

  /** What one thread does to a system. */
  @FunctionalInterface
  private interface Work {
    void run(Vm vm, Choices choices);
  }

  private static void with(Vm vm, Work work) {
    Choices choices = Choices.fresh();
    try (vm) {
      work.run(vm, choices);
      assertThat(vm.audit()).isEmpty();
      assertThat(vm.statistics().usedFrames()).isZero();
    } catch (AssertionError | RuntimeException e) {
      throw new AssertionError("with " + choices, e);
    }
  }

  @Test
  void K2_K3_K4_K5_historiesInAmpleMemory() {
    with(
        boot(4096, 0),
        (vm, choices) -> {
          for (int i = Choices.times(60); i > 0; i--) {
            assertThat(history(vm, choices.split(), 300, false, true)).isZero();
            assertThat(vm.statistics().usedFrames()).isZero();
          }
        });
  }

  @Test
  void K5_withoutMemoryItIsAllOrNothing() {
    with(
        boot(48, 0),
        (vm, choices) -> {
          long refused = 0;
          for (int i = Choices.times(60); i > 0; i--) {
            refused += history(vm, choices.split(), 300, true, true);
            assertThat(vm.statistics().usedFrames()).isZero();
          }
          assertThat(refused).isPositive();
        });
  }

  @Test
  void K5_O1_historiesWithSwap() {
    with(
        boot(48, 4096),
        (vm, choices) -> {
          for (int i = Choices.times(40); i > 0; i--) {
            long _ = history(vm, choices.split(), 300, true, false);
            assertThat(vm.audit()).isEmpty();
          }
        });
  }

  @Test
  void K2_F14_threadsInSubmapsOfTheirOwn() {
    for (int frames : new int[] {4096, 96}) {
      with(
          boot(frames, frames == 96 ? 4096 : 0),
          (vm, choices) -> {
            Crew crew = new Crew();
            for (int i = 0; i < 4; i++) {
              Choices own = choices.split();
              crew.add(
                  "history " + i,
                  () -> {
                    for (int k = Choices.times(20); k > 0 && !crew.hasFailed(); k--) {
                      long _ = history(vm, own, 300, frames == 96, false);
                    }
                  });
            }
            crew.run();
          });
    }
  }
}
