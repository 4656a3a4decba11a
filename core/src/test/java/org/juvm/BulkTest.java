package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.juvm.AuditedVms.assertFault;

import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Access;
import org.juvm.base.Protection;

/** Ranges and atomics; the random histories of the testkit do the rest. */
class BulkTest {
  private static final long AT = 1 << 20;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  /**
   * Source and target must not drive each other out of the translation cache for ever, whatever
   * size it has.
   */
  @Test
  void copyBetweenPagesOfOneTlbSlot() throws InterruptedException {
    Vm vm = vms.boot(4096);
    Vmspace space = vm.newVmspace();
    space.map(AT, 64 << 20, Protection.READ_WRITE);
    CountDownLatch done = new CountDownLatch(1);
    Thread copier =
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  try (Cpu cpu = vm.newCpu()) {
                    cpu.attach(space);
                    cpu.bulk().fill(AT, 4096, (byte) 5);
                    for (long apart = 64 << 12; apart <= 16 << 20; apart *= 2) {
                      cpu.bulk().copy(AT, AT + apart, 4096);
                      cpu.bulk().copy(AT + apart, AT + 2 * apart, 4096);
                      assertThat(cpu.get(JAVA_BYTE, AT + 2 * apart)).isEqualTo((byte) 5);
                    }
                    done.countDown();
                  }
                });
    // No time limit: a copy that gets nowhere shows as fills without end.
    while (copier.isAlive() && vm.statistics().tlbFills() < 1_000_000) {
      Thread.onSpinWait();
    }
    assertThat(vm.statistics().tlbFills()).isLessThan(1_000_000);
    copier.join();
    assertThat(done.getCount()).isZero();
  }

  @Test
  void partsBeforeTheFaultAreDone() {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(space);
    space.map(AT, 2 * 4096, Protection.READ_WRITE);
    space.map(AT + 2 * 4096, 4096, Protection.READ);
    long from = AT + 4000;
    assertFault(
        MemoryFault.Reason.PROTECTION, AT + 8192, () -> cpu.bulk().fill(from, 8192, (byte) 7));
    byte[] bytes = new byte[8192];
    assertFault(
        MemoryFault.Reason.NOT_MAPPED,
        AT + 12288,
        () -> cpu.bulk().read(from + 4096, bytes, 0, 8192));
    assertThat(bytes[0]).isEqualTo((byte) 7);
    assertThat(bytes[95]).isEqualTo((byte) 7);
    assertThat(bytes[96]).isZero();
    cpu.bulk().setString(from, "größer als eine Seite".repeat(30));
    assertThat(cpu.bulk().getString(from)).isEqualTo("größer als eine Seite".repeat(30));
  }

  @Test
  void badRangesAreRefused() {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(space);
    space.map(AT, 4096, Protection.READ_WRITE);
    Bulk bulk = cpu.bulk();
    assertThatIllegalArgumentException().isThrownBy(() -> bulk.fill(AT, -1, (byte) 0));
    assertThatIllegalArgumentException().isThrownBy(() -> bulk.copy(AT, AT, -1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> bulk.window(AT, -1, Access.READ, segment -> {}));
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> bulk.read(AT, new byte[4], 2, 3));
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> bulk.write(AT, new byte[4], 0, -1));
    assertFault(MemoryFault.Reason.NOT_MAPPED, -8, () -> bulk.fill(-8, Long.MAX_VALUE, (byte) 0));
    assertFault(
        MemoryFault.Reason.NOT_MAPPED, AT + 4096, () -> bulk.fill(AT, Long.MAX_VALUE, (byte) 0));
  }

  /** An exception of the action does not leave the pages wired. */
  @Test
  void windowWhoseActionThrows() {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(space);
    space.map(AT, 4096, Protection.READ_WRITE);
    assertThatExceptionOfType(ArithmeticException.class)
        .isThrownBy(
            () ->
                cpu.bulk()
                    .window(
                        AT,
                        8,
                        Access.WRITE,
                        segment -> {
                          throw new ArithmeticException();
                        }));
    space.unmap(AT, 4096);
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  @Test
  void alignedAddressWithUnalignedLayout() {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(space);
    space.map(AT, 4096, Protection.READ_WRITE);
    for (int i = 0; i < 3; i++) {
      assertThat(cpu.atomics().getAndAdd(JAVA_INT_UNALIGNED, AT, 1)).isEqualTo(i);
      assertThat(cpu.atomics().getVolatile(JAVA_INT_UNALIGNED, AT)).isEqualTo(i + 1);
    }
  }

  @Test
  void misalignedAccessIsRefused() {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(space);
    space.map(AT, 4096, Protection.READ_WRITE);
    for (int i = 0; i < 3; i++) {
      assertThatIllegalArgumentException().isThrownBy(() -> cpu.get(JAVA_LONG, AT + 4));
      assertThatIllegalArgumentException().isThrownBy(() -> cpu.set(JAVA_LONG, AT + 4, 1));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> cpu.atomics().getAndAdd(JAVA_INT, AT + 2, 1));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> cpu.atomics().getVolatile(JAVA_LONG, AT + 4));
      cpu.set(JAVA_LONG, AT, 0);
      // The announcement of the refused store is gone, or this would wait for ever.
      space.protect(AT, 4096, Protection.READ);
      space.protect(AT, 4096, Protection.READ_WRITE);
    }
  }
}
