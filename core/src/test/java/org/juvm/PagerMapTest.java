package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.juvm.AuditedVms.assertRefused;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Protection;
import org.juvm.store.MemoryStore;

/** The system's own buffers for encrypted pages, on the kernel's pager map. */
class PagerMapTest {
  private static final long PAGE = 4096;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  @Test
  void K2_buffersAreWiredMemoryOfASubmapAndTakeAThirtySecondAtMost() {
    for (int frames : new int[] {64, 1024, 8192}) {
      Vm vm = vms.boot(frames);
      assertThat(vm.statistics().usedFrames()).isZero();
      SwapDevice _ = vm.swap().addTemporary(64 * PAGE, 0, false);
      assertThat(vm.statistics().usedFrames()).isZero();
      SwapDevice _ = vm.swap().addTemporary(64 * PAGE, 0, true);
      long buffers = vm.statistics().usedFrames();
      assertThat(buffers).isBetween(1L, Math.max(1, frames / 32L));
      SwapDevice _ = vm.swap().addTemporary(64 * PAGE, 0, true);
      assertThat(vm.statistics().usedFrames()).isEqualTo(buffers);
      assertThat(vm.kernel().show()).contains("submap");
    }
  }

  @Test
  void K5_withoutMemoryForOneBufferTheDeviceIsRefused() {
    Vm vm = vms.boot(64);
    Vmspace vmspace = vm.newVmspace();
    long user = vmspace.map(64 * PAGE, Protection.READ_WRITE);
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(vmspace);
      assertThatThrownBy(() -> cpu.bulk().fill(user, 64 * PAGE, (byte) 1))
          .isInstanceOf(MemoryFault.class);
      long used = vm.statistics().usedFrames();
      assertRefused(
          MapException.Reason.NO_MEMORY, () -> vm.swap().addTemporary(64 * PAGE, 0, true));
      assertThat(vm.statistics().usedFrames()).isEqualTo(used);
      assertThat(vm.swap().devices()).isEmpty();
      vmspace.unmap(user, 8 * PAGE);
      SwapDevice _ = vm.swap().addTemporary(64 * PAGE, 0, true);
      assertThat(vm.audit()).isEmpty();
    }
  }

  @Test
  void K5_aDeviceThatIsRefusedMakesNoBuffers() {
    Vm vm = vms.boot(1024);
    assertThatThrownBy(() -> vm.swap().add("odd", new MemoryStore(), PAGE + 1, 0, true))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> vm.swap().add("none", new MemoryStore(), 0, 0, true))
        .isInstanceOf(IllegalArgumentException.class);
    MemoryStore store = new MemoryStore();
    SwapDevice _ = vm.swap().add("plain", store, 64 * PAGE, 0, false);
    assertThatThrownBy(() -> vm.swap().add("again", store, 64 * PAGE, 0, true))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(vm.statistics().usedFrames()).isZero();
    assertThat(vm.kernel().show()).doesNotContain("submap");
  }
}
