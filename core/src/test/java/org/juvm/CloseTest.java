package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Access;
import org.juvm.base.Protection;

/** The ends of lives, and who may do what. */
class CloseTest {
  private static final long AT = 1 << 20;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  private static void assertEveryAccessThrows(Cpu cpu) {
    assertThatIllegalStateException().isThrownBy(() -> cpu.get(JAVA_LONG, AT));
    assertThatIllegalStateException().isThrownBy(() -> cpu.set(JAVA_LONG, AT, 1));
    assertThatIllegalStateException().isThrownBy(() -> cpu.get(JAVA_INT_UNALIGNED, AT + 4094));
    assertThatIllegalStateException().isThrownBy(() -> cpu.set(JAVA_INT_UNALIGNED, AT + 4094, 1));
    assertThatIllegalStateException().isThrownBy(() -> cpu.atomics().getAndAdd(JAVA_INT, AT, 1));
    assertThatIllegalStateException().isThrownBy(() -> cpu.atomics().getVolatile(JAVA_INT, AT));
    assertThatIllegalStateException().isThrownBy(() -> cpu.bulk().read(AT, new byte[8], 0, 8));
    assertThatIllegalStateException().isThrownBy(() -> cpu.bulk().write(AT, new byte[8], 0, 8));
    assertThatIllegalStateException().isThrownBy(() -> cpu.bulk().copy(AT, AT + 4096, 8));
    assertThatIllegalStateException().isThrownBy(() -> cpu.bulk().fill(AT, 8, (byte) 1));
    assertThatIllegalStateException()
        .isThrownBy(() -> cpu.bulk().window(AT, 8, Access.READ, segment -> {}));
  }

  private Cpu cpuInUse(Vm vm) {
    Vmspace space = vm.newVmspace();
    space.map(AT, 3 * 4096, Protection.READ_WRITE);
    Cpu cpu = vm.newCpu();
    cpu.attach(space);
    cpu.bulk().fill(AT, 3 * 4096, (byte) 1);
    for (int i = 0; i < 3; i++) {
      cpu.set(JAVA_LONG, AT, cpu.get(JAVA_LONG, AT) + 1);
    }
    return cpu;
  }

  @Test
  void detachedCpuThrows() {
    Cpu cpu = cpuInUse(vms.boot(64));
    cpu.detach();
    assertEveryAccessThrows(cpu);
    cpu.detach();
    cpu.close();
    cpu.close();
    assertEveryAccessThrows(cpu);
  }

  @Test
  void closedSystemThrows() {
    Vm vm = vms.boot(64);
    Cpu cpu = cpuInUse(vm);
    Vmspace space = vm.newVmspace();
    vm.close();
    vm.close();
    assertEveryAccessThrows(cpu);
    assertThatIllegalStateException().isThrownBy(vm::newVmspace);
    assertThatIllegalStateException().isThrownBy(vm::newCpu);
    assertThatIllegalStateException().isThrownBy(vm::audit);
    assertThatIllegalStateException().isThrownBy(vm::statistics);
    assertThatIllegalStateException().isThrownBy(space::fork);
    assertThatIllegalStateException().isThrownBy(() -> space.map(4096, Protection.READ));
    assertThatIllegalStateException().isThrownBy(() -> cpu.attach(space));
    cpu.close();
    space.close();
  }

  @Test
  void closeInsideAWindow() {
    Vm vm = vms.boot(64);
    Cpu cpu = cpuInUse(vm);
    cpu.bulk()
        .window(
            AT,
            4096,
            Access.WRITE,
            segment -> {
              vm.close();
              segment.fill((byte) 1);
            });
    assertEveryAccessThrows(cpu);
  }

  @Test
  void cpuOfAnotherThread() throws InterruptedException {
    Vm vm = vms.boot(64);
    Cpu cpu = cpuInUse(vm);
    AtomicReference<Throwable> thrown = new AtomicReference<>(new AssertionError("nothing"));
    Vmspace space = vm.newVmspace();
    space.map(AT, 4096, Protection.READ_WRITE);
    Thread other =
        new Thread(
            () -> {
              try {
                // More than the cached translations: a page that was never touched.
                cpu.get(JAVA_LONG, AT + (8 << 20));
              } catch (WrongThreadException e) {
                thrown.set(e);
              }
              cpu.attach(space);
              cpu.set(JAVA_LONG, AT, 42);
            });
    other.start();
    other.join();
    assertThat(thrown.get()).isInstanceOf(WrongThreadException.class);
    assertThatExceptionOfType(WrongThreadException.class)
        .isThrownBy(() -> cpu.get(JAVA_LONG, AT + (8 << 20)));
    cpu.attach(space);
    assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(42);
  }

  @Test
  void spaceOfAnotherSystem() {
    Cpu cpu = cpuInUse(vms.boot(64));
    Vmspace foreign = vms.boot(64).newVmspace();
    assertThatIllegalArgumentException().isThrownBy(() -> cpu.attach(foreign));
    assertThat(cpu.vmspace()).isNotNull();
  }
}
