package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.juvm.AuditedVms.assertFault;
import static org.juvm.AuditedVms.assertRefused;
import static org.juvm.AuditedVms.awaitWaiting;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Access;
import org.juvm.base.KernelFlag;
import org.juvm.base.Protection;

/** Memory that belongs to no address space. */
class KernelMapTest {
  private static final long PAGE = 4096;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  private static Cpu kernelCpu(Vm vm) {
    Cpu cpu = vm.newCpu();
    cpu.attach(vm.kernel());
    return cpu;
  }

  @Test
  void K1_kernelAddressesAreNoProgramsAndTheFirstAreReserved() {
    Vm vm = vms.boot(256);
    assertThat(KernelMap.MINIMUM_ADDRESS).isGreaterThanOrEqualTo(Vmspace.MAXIMUM_ADDRESS);
    long first = KernelMap.MINIMUM_ADDRESS;
    assertRefused(MapException.Reason.IMMUTABLE, () -> vm.kernel().free(first, PAGE));
    try (Cpu cpu = kernelCpu(vm)) {
      assertFault(MemoryFault.Reason.PROTECTION, first, () -> cpu.get(JAVA_LONG, first));
      long address = vm.kernel().allocate(PAGE);
      assertThat(address).isGreaterThan(first);
      cpu.set(JAVA_LONG, address, 42);
      Vmspace vmspace = vm.newVmspace();
      cpu.attach(vmspace);
      assertFault(MemoryFault.Reason.NOT_MAPPED, address, () -> cpu.get(JAVA_LONG, address));
      cpu.attach(vm.kernel());
      assertThat(cpu.get(JAVA_LONG, address)).isEqualTo(42);
    }
    assertThat(vm.vmspaces()).hasSize(1);
  }

  @Test
  void K1_anIdleKernelCostsNoMemory() {
    Vm vm = vms.boot(64);
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  @Test
  void K2_submapsAreAtAPlaceOrFound() {
    Vm vm = vms.boot(256);
    KernelMap found = vm.kernel().submap(16 * PAGE, true);
    long place = KernelMap.MINIMUM_ADDRESS + (1L << 40);
    KernelMap fixed = vm.kernel().submapAt(place, 8 * PAGE, false);
    assertThat(fixed.start()).isEqualTo(place);
    assertThat(fixed.end()).isEqualTo(place + 8 * PAGE);
    assertRefused(
        MapException.Reason.OCCUPIED, () -> vm.kernel().submapAt(place + PAGE, PAGE, true));
    assertRefused(MapException.Reason.SUBMAP, () -> vm.kernel().free(place, PAGE));
    long inner = found.allocate(PAGE);
    assertThat(inner).isBetween(found.start(), found.end() - PAGE);
    found.close();
    assertThat(vm.statistics().usedFrames()).isZero();
    assertThatThrownBy(() -> found.allocate(PAGE)).isInstanceOf(IllegalStateException.class);
    KernelMap again = vm.kernel().submapAt(found.start(), 16 * PAGE, true);
    again.close();
    again.close();
    fixed.close();
  }

  @Test
  void K2_aSubmapThatIsNotPageableHasWiredMemoryOnly() {
    Vm vm = vms.boot(256);
    KernelMap wired = vm.kernel().submap(16 * PAGE, false);
    assertRefused(MapException.Reason.NO_ACCESS, () -> wired.allocateOnDemand(PAGE));
    assertThat(wired.isPageable()).isFalse();
    wired.free(wired.allocate(PAGE), PAGE);
  }

  @Test
  void K2_F14_faultsFindTheirWayThroughTwoLevelsOfSubmaps() {
    Vm vm = vms.boot(256);
    KernelMap outer = vm.kernel().submap(64 * PAGE, true);
    KernelMap inner = outer.submap(16 * PAGE, true);
    long address = inner.allocateOnDemand(4 * PAGE);
    try (Cpu cpu = kernelCpu(vm)) {
      long faults = vm.statistics().faults();
      cpu.set(JAVA_LONG, address + PAGE, 7);
      assertThat(cpu.get(JAVA_LONG, address + PAGE)).isEqualTo(7);
      assertThat(cpu.get(JAVA_LONG, address)).isZero();
      assertThat(vm.statistics().faults()).isGreaterThan(faults);
    }
    outer.close();
    assertThat(vm.statistics().usedFrames()).isZero();
    assertThatThrownBy(() -> inner.allocate(PAGE)).isInstanceOf(IllegalStateException.class);
    inner.close();
  }

  @Test
  void K3_K4_whatIsUnmappedIsFreeAtOnceAndComesBackAsZeros() {
    Vm vm = vms.boot(256);
    long address = vm.kernel().allocateOnDemand(8 * PAGE);
    try (Cpu cpu = kernelCpu(vm)) {
      for (int i = 0; i < 8; i++) {
        cpu.set(JAVA_LONG, address + i * PAGE, i + 1);
      }
      assertThat(vm.statistics().usedFrames()).isEqualTo(8);
      vm.kernel().free(address + 2 * PAGE, 3 * PAGE);
      assertThat(vm.statistics().usedFrames()).isEqualTo(5);
      assertFault(
          MemoryFault.Reason.NOT_MAPPED,
          address + 2 * PAGE,
          () -> cpu.get(JAVA_LONG, address + 2 * PAGE));
      assertThat(cpu.get(JAVA_LONG, address + 5 * PAGE)).isEqualTo(6);
      assertThat(vm.kernel().allocateOnDemand(3 * PAGE)).isEqualTo(address + 2 * PAGE);
      assertThat(cpu.get(JAVA_LONG, address + 3 * PAGE)).isZero();
    }
    vm.kernel().free(address, 8 * PAGE);
    assertThat(vm.statistics().usedFrames()).isZero();
    assertRefused(MapException.Reason.NOT_MAPPED, () -> vm.kernel().free(address, PAGE));
  }

  @Test
  void K4_pagesInSwapGoWithTheirAddresses() {
    Vm vm = vms.bootWithSwap(64, 256);
    long address = vm.kernel().allocateOnDemand(128 * PAGE);
    try (Cpu cpu = kernelCpu(vm)) {
      for (int i = 0; i < 128; i++) {
        cpu.set(JAVA_LONG, address + i * PAGE, i);
      }
      assertThat(vm.swap().pagesInUse()).isPositive();
      for (int i = 0; i < 128; i++) {
        assertThat(cpu.get(JAVA_LONG, address + i * PAGE)).isEqualTo(i);
      }
      vm.kernel().free(address, 128 * PAGE);
    }
    assertThat(vm.audit()).isEmpty();
    assertThat(vm.swap().pagesInUse()).isZero();
  }

  @Test
  void O1_kernelMemoryGoesToSwapOnlyOnceThereIsSome() {
    Vm vm = vms.boot(64);
    long address = vm.kernel().allocateOnDemand(128 * PAGE);
    try (Cpu cpu = kernelCpu(vm)) {
      int stored = 0;
      try {
        for (; stored < 128; stored++) {
          cpu.set(JAVA_LONG, address + stored * PAGE, stored);
        }
      } catch (MemoryFault e) {
        assertThat(e.reason()).isEqualTo(MemoryFault.Reason.OUT_OF_MEMORY);
      }
      assertThat(stored).isBetween(32, 64);
      SwapDevice device = vm.swap().addTemporary(256 * PAGE, 0, false);
      for (int i = stored; i < 128; i++) {
        cpu.set(JAVA_LONG, address + i * PAGE, i);
      }
      for (int i = 0; i < 128; i++) {
        assertThat(cpu.get(JAVA_LONG, address + i * PAGE)).isEqualTo(i);
      }
      vm.kernel().free(address + 32 * PAGE, 96 * PAGE);
      vm.swap().remove(device);
      for (int i = 0; i < 32; i++) {
        assertThat(cpu.get(JAVA_LONG, address + i * PAGE)).isEqualTo(i);
      }
    }
  }

  @Test
  void S2_swapOffFindsPagesInSubmaps() {
    Vm vm = vms.bootWithSwap(64, 256);
    Vmspace vmspace = vm.newVmspace();
    long user = vmspace.submap(48 * PAGE).map(24 * PAGE, Protection.READ_WRITE);
    long kernel = vm.kernel().submap(48 * PAGE, true).allocateOnDemand(24 * PAGE);
    long filler = vmspace.map(64 * PAGE, Protection.READ_WRITE);
    try (Cpu cpu = vm.newCpu();
        Cpu inKernel = kernelCpu(vm)) {
      cpu.attach(vmspace);
      for (int i = 0; i < 24; i++) {
        cpu.set(JAVA_LONG, user + i * PAGE, i);
        inKernel.set(JAVA_LONG, kernel + i * PAGE, i);
      }
      cpu.bulk().fill(filler, 64 * PAGE, (byte) 1);
      vmspace.unmap(filler, 64 * PAGE);
      vm.swap().remove(vm.swap().devices().getFirst());
      for (int i = 0; i < 24; i++) {
        assertThat(cpu.get(JAVA_LONG, user + i * PAGE)).isEqualTo(i);
        assertThat(inKernel.get(JAVA_LONG, kernel + i * PAGE)).isEqualTo(i);
      }
    }
  }

  @Test
  void K5_withoutWaitingItIsAllOrNothing() {
    Vm vm = vms.bootWithSwap(64, 256);
    KernelMap kernel = vm.kernel();
    long before = vm.statistics().usedFrames();
    assertRefused(
        MapException.Reason.NO_MEMORY, () -> kernel.allocate(80 * PAGE, KernelFlag.NO_WAIT));
    assertThat(vm.statistics().usedFrames()).isEqualTo(before);
    assertRefused(MapException.Reason.NO_MEMORY, () -> kernel.allocate(80 * PAGE));
    assertThat(vm.audit()).isEmpty();
    assertThat(vm.statistics().usedFrames()).isEqualTo(before);
    kernel.free(kernel.allocate(16 * PAGE, KernelFlag.NO_WAIT), 16 * PAGE);
  }

  @Test
  void K5_K6_withWaitingOthersPagesMakeRoom() {
    Vm vm = vms.bootWithSwap(128, 1024);
    Vmspace vmspace = vm.newVmspace();
    long user = vmspace.map(256 * PAGE, Protection.READ_WRITE);
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(vmspace);
      for (int i = 0; i < 256; i++) {
        cpu.set(JAVA_LONG, user + i * PAGE, i);
      }
      long address = vm.kernel().allocate(64 * PAGE, KernelFlag.ZERO);
      for (int i = 0; i < 256; i++) {
        assertThat(cpu.get(JAVA_LONG, user + i * PAGE)).isEqualTo(i);
      }
      cpu.attach(vm.kernel());
      for (int i = 0; i < 64; i++) {
        assertThat(cpu.get(JAVA_LONG, address + i * PAGE)).isZero();
      }
      assertThat(vm.audit()).isEmpty();
      vm.kernel().free(address, 64 * PAGE);
    }
  }

  @Test
  void K5_addressesWithoutMemoryFaultUntilTheyArePopulated() {
    Vm vm = vms.boot(64);
    KernelMap kernel = vm.kernel();
    long address = kernel.reserve(1L << 40);
    assertThat(vm.statistics().usedFrames()).isZero();
    long part = address + (1L << 39);
    try (Cpu cpu = kernelCpu(vm)) {
      assertFault(MemoryFault.Reason.PROTECTION, part, () -> cpu.get(JAVA_LONG, part));
      kernel.populate(part, 4 * PAGE, KernelFlag.ZERO);
      assertThat(vm.statistics().usedFrames()).isEqualTo(4);
      cpu.set(JAVA_LONG, part + PAGE, 5);
      assertRefused(
          MapException.Reason.NOT_MAPPED, () -> kernel.populate(part + 3 * PAGE, 2 * PAGE));
      assertRefused(
          MapException.Reason.NOT_MAPPED, () -> kernel.depopulate(part + 3 * PAGE, 2 * PAGE));
      assertRefused(
          MapException.Reason.NO_MEMORY, () -> kernel.populate(part + 4 * PAGE, 80 * PAGE));
      kernel.depopulate(part, 2 * PAGE);
      assertThat(vm.statistics().usedFrames()).isEqualTo(2);
      assertFault(
          MemoryFault.Reason.PROTECTION, part + PAGE, () -> cpu.get(JAVA_LONG, part + PAGE));
      kernel.populate(part, 2 * PAGE, KernelFlag.ZERO);
      assertThat(cpu.get(JAVA_LONG, part + PAGE)).isZero();
    }
    assertThat(vm.audit()).isEmpty();
    kernel.free(address, 1L << 40);
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  @Test
  void K5_M15_wiredMemoryIsThereWithoutAFaultAndStays() {
    Vm vm = vms.bootWithSwap(128, 1024);
    long address = vm.kernel().allocate(8 * PAGE);
    Vmspace vmspace = vm.newVmspace();
    long user = vmspace.map(256 * PAGE, Protection.READ_WRITE);
    try (Cpu cpu = kernelCpu(vm)) {
      long faults = vm.statistics().faults();
      for (int i = 0; i < 8; i++) {
        cpu.set(JAVA_LONG, address + i * PAGE, i);
      }
      assertThat(vm.statistics().faults()).isEqualTo(faults);
      cpu.attach(vmspace);
      for (int i = 0; i < 256; i++) {
        cpu.set(JAVA_LONG, user + i * PAGE, i);
      }
      cpu.attach(vm.kernel());
      faults = vm.statistics().faults();
      for (int i = 0; i < 8; i++) {
        assertThat(cpu.get(JAVA_LONG, address + i * PAGE)).isEqualTo(i);
      }
      assertThat(vm.statistics().faults()).isEqualTo(faults);
    }
  }

  @Test
  void K6_contiguousMemoryIsOneWindow() {
    Vm vm = vms.boot(64);
    Vmspace vmspace = vm.newVmspace();
    long user = vmspace.map(64 * PAGE, Protection.READ_WRITE);
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(vmspace);
      // All frames are used once, and every other one, in some order, is free again.
      int used = 0;
      try {
        for (; used < 64; used++) {
          cpu.set(JAVA_LONG, user + used * PAGE, used);
        }
      } catch (MemoryFault e) {
        assertThat(e.reason()).isEqualTo(MemoryFault.Reason.OUT_OF_MEMORY);
      }
      for (int i = 0; i < used; i += 2) {
        vmspace.unmap(user + i * PAGE, PAGE);
      }
      assertRefused(
          MapException.Reason.NO_MEMORY,
          () -> vm.kernel().allocate(4 * PAGE, KernelFlag.CONTIGUOUS));
      vm.kernel().free(vm.kernel().allocate(4 * PAGE), 4 * PAGE);
      vmspace.unmap(user + 8 * PAGE, 16 * PAGE);
      long address = vm.kernel().allocate(8 * PAGE, KernelFlag.CONTIGUOUS);
      cpu.attach(vm.kernel());
      int[] windows = new int[1];
      cpu.bulk().window(address, 8 * PAGE, Access.READ, segment -> windows[0]++);
      assertThat(windows[0]).isEqualTo(1);
      for (int i = 0; i < 8; i++) {
        assertThat(cpu.get(JAVA_LONG, address + i * PAGE)).isZero();
      }
    }
  }

  @Test
  void K6_contiguousMemoryIsMadeFreeOrRefused() {
    Vm vm = vms.bootWithSwap(256, 1024);
    Vmspace vmspace = vm.newVmspace();
    long user = vmspace.map(512 * PAGE, Protection.READ_WRITE);
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(vmspace);
      for (int i = 0; i < 512; i++) {
        cpu.set(JAVA_LONG, user + i * PAGE, i);
      }
      assertRefused(
          MapException.Reason.NO_MEMORY,
          () -> vm.kernel().allocate(300 * PAGE, KernelFlag.CONTIGUOUS));
      try {
        long address = vm.kernel().allocate(100 * PAGE, KernelFlag.CONTIGUOUS);
        vm.kernel().free(address, 100 * PAGE);
      } catch (MapException e) {
        assertThat(e.reason()).isEqualTo(MapException.Reason.NO_MEMORY);
      }
      assertThat(vm.audit()).isEmpty();
      for (int i = 0; i < 512; i++) {
        assertThat(cpu.get(JAVA_LONG, user + i * PAGE)).isEqualTo(i);
      }
    }
  }

  @Test
  void K7_whatCanNeverFitIsRefusedAtOnce() {
    Vm vm = vms.boot(64);
    KernelMap submap = vm.kernel().submap(8 * PAGE, true);
    assertRefused(
        MapException.Reason.NO_SPACE,
        () -> submap.allocateOnDemand(9 * PAGE, KernelFlag.WAIT_FOR_SPACE));
    long address = submap.allocateOnDemand(6 * PAGE, KernelFlag.WAIT_FOR_SPACE);
    assertRefused(MapException.Reason.NO_SPACE, () -> submap.allocateOnDemand(3 * PAGE));
    submap.free(address, 6 * PAGE);
    // Not even the whole kernel has so much: some of its addresses are reserved for ever.
    KernelMap kernel = vm.kernel();
    assertRefused(
        MapException.Reason.NO_SPACE,
        () -> kernel.reserve(kernel.end() - kernel.start(), KernelFlag.WAIT_FOR_SPACE));
  }

  @Test
  void K7_K8_aWaiterForSpaceIsWokenByAFree() throws Exception {
    Vm vm = vms.boot(64);
    KernelMap submap = vm.kernel().submap(8 * PAGE, true);
    long first = submap.allocate(5 * PAGE);
    long second = submap.allocate(3 * PAGE);
    FutureTask<Long> waiter =
        new FutureTask<>(() -> submap.allocateOnDemand(6 * PAGE, KernelFlag.WAIT_FOR_SPACE));
    Thread thread = Thread.ofPlatform().start(waiter);
    awaitWaiting(thread);
    submap.free(first, 5 * PAGE);
    awaitWaiting(thread);
    assertThat(waiter.isDone()).isFalse();
    submap.free(second, PAGE);
    assertThat(waiter.get()).isEqualTo(submap.start());
  }

  @Test
  void K7_theEndOfASubmapEndsTheWait() throws Exception {
    Vm vm = vms.boot(64);
    KernelMap submap = vm.kernel().submap(8 * PAGE, true);
    submap.allocate(5 * PAGE);
    FutureTask<Long> waiter =
        new FutureTask<>(() -> submap.allocateOnDemand(6 * PAGE, KernelFlag.WAIT_FOR_SPACE));
    Thread thread = Thread.ofPlatform().start(waiter);
    awaitWaiting(thread);
    submap.close();
    assertThatThrownBy(waiter::get).hasCauseInstanceOf(IllegalStateException.class);
  }

  @Test
  void K5_tryLockGivesUpWhenTheMapIsLocked() throws Exception {
    Vm vm = vms.boot(64);
    KernelMap submap = vm.kernel().submap(8 * PAGE, true);
    CountDownLatch locked = new CountDownLatch(1);
    AtomicBoolean done = new AtomicBoolean();
    Thread holder =
        Thread.ofPlatform()
            .start(
                () -> {
                  submap.map().lockWrite();
                  locked.countDown();
                  while (!done.get()) {
                    Thread.onSpinWait();
                  }
                  submap.map().unlockWrite();
                });
    locked.await();
    assertRefused(MapException.Reason.LOCKED, () -> submap.allocate(PAGE, KernelFlag.TRY_LOCK));
    // Others do not wait for the lock of a submap.
    vm.kernel().free(vm.kernel().allocate(PAGE, KernelFlag.TRY_LOCK), PAGE);
    done.set(true);
    holder.join();
    submap.free(submap.allocate(PAGE, KernelFlag.TRY_LOCK), PAGE);
  }

  @Test
  void wrongArgumentsChangeNothing() {
    Vm vm = vms.boot(64);
    KernelMap kernel = vm.kernel();
    KernelMap submap = kernel.submap(4 * PAGE, true);
    assertThatThrownBy(() -> kernel.allocate(0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> kernel.allocate(-1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> kernel.reserve(Long.MAX_VALUE))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> kernel.free(kernel.start() + 1, PAGE))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> submap.free(submap.start(), 5 * PAGE))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> kernel.free(0, PAGE)).isInstanceOf(IllegalArgumentException.class);
    assertRefused(MapException.Reason.NO_SPACE, () -> submap.allocate(5 * PAGE));
    Vm other = vms.boot(64);
    try (Cpu cpu = other.newCpu()) {
      assertThatThrownBy(() -> cpu.attach(kernel)).isInstanceOf(IllegalArgumentException.class);
    }
    kernel.close();
    kernel.free(kernel.allocate(PAGE), PAGE);
  }

  @Test
  void closingTheSystemEndsTheKernel() {
    Vm vm = vms.boot(64);
    KernelMap submap = vm.kernel().submap(8 * PAGE, true);
    long address = submap.allocate(PAGE);
    Cpu cpu = kernelCpu(vm);
    cpu.set(JAVA_LONG, address, 1);
    vm.close();
    assertThatThrownBy(() -> cpu.set(JAVA_LONG, address, 1))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> submap.allocate(PAGE)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> submap.free(address, PAGE)).isInstanceOf(IllegalStateException.class);
    submap.close();
    cpu.close();
  }
}
