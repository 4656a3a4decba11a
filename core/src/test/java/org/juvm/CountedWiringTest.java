package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Protection;
import org.juvm.fault.Wirer;
import org.juvm.map.MapOutcome;

/** Wirings by the system itself, which are counted, beside those by the program, which are not. */
class CountedWiringTest {
  private static final long AT = 1 << 20;
  private static final int PAGE = 4096;
  private static final long END = AT + 4 * PAGE;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  private static Wirer wirer(Vmspace space) {
    return new Wirer(space.map(), space.vm().faults());
  }

  private static int wirings(Vmspace space) {
    assertThat(space.mappings()).hasSize(1);
    return space.mappings().getFirst().wirings();
  }

  @Test
  void M14_eachWiringOfTheSystemIsTakenBack() {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    space.map(AT, 4 * PAGE, Protection.READ_WRITE);
    assertThat(wirer(space).wire(AT, END, false)).isEqualTo(MapOutcome.DONE);
    assertThat(wirer(space).wire(AT, END, false)).isEqualTo(MapOutcome.DONE);
    space.paging().wire(AT, 4 * PAGE);
    space.paging().wire(AT, 4 * PAGE);
    assertThat(wirings(space)).isEqualTo(3);
    assertThat(vm.statistics().usedFrames()).isEqualTo(4);
    space.paging().unwire(AT, 4 * PAGE);
    assertThat(wirings(space)).isEqualTo(2);
    assertThat(space.paging().wiredBytes()).isZero();
    assertThat(wirer(space).unwire(AT, END, false)).isEqualTo(MapOutcome.DONE);
    assertThat(wirer(space).unwire(AT, END, false)).isEqualTo(MapOutcome.DONE);
    assertThat(wirings(space)).isZero();
    assertThat(wirer(space).unwire(AT, END, false)).isEqualTo(MapOutcome.WIRED);
  }

  @Test
  void M14_theProgramCannotTakeAWiringOfTheSystemBack() {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    space.map(AT, 4 * PAGE, Protection.READ_WRITE);
    assertThat(wirer(space).wire(AT, END, false)).isEqualTo(MapOutcome.DONE);
    space.paging().unwire(AT, 4 * PAGE);
    space.paging().unwireAll();
    assertThat(wirings(space)).isEqualTo(1);
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(space);
      cpu.set(JAVA_LONG, AT, 7);
      Vmspace child = space.fork();
      assertThat(vm.statistics().usedFrames()).as("copied at once").isEqualTo(8);
      cpu.set(JAVA_LONG, AT, 8);
      cpu.attach(child);
      assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(7);
    }
    assertThat(wirer(space).unwire(AT, END, false)).isEqualTo(MapOutcome.DONE);
  }
}
