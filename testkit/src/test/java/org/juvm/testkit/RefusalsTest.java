package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.Cpu;
import org.juvm.MapException;
import org.juvm.MapRequest;
import org.juvm.Mapping;
import org.juvm.SharedMemory;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Inheritance;
import org.juvm.base.Limit;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;

/** What is refused has changed nothing, and what must be possible is not refused. */
class RefusalsTest {
  private static final long AT = 1 << 20;
  private static final int PAGE = 4096;

  @RegisterExtension final VmExtension vms = new VmExtension();

  private static void assertLimit(Runnable operation) {
    assertThatThrownBy(operation::run)
        .isInstanceOfSatisfying(
            MapException.class, e -> assertThat(e.reason()).isEqualTo(MapException.Reason.LIMIT));
  }

  @Test
  void whatCannotBeWiredReplacesNothing() {
    Vm vm = vms.boot();
    Vmspace space = vm.newVmspace();
    space.map(AT, 4 * PAGE, Protection.READ_WRITE);
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(space);
      cpu.set(JAVA_LONG, AT, 7);
      space.setLimit(Limit.LOCKED, PAGE);
      MapRequest request = MapRequest.anonymous(4 * PAGE).replacing(AT);
      assertLimit(() -> space.map(request.wired()));
      space.paging().wireAll(false, true);
      assertLimit(() -> space.map(MapRequest.anonymous(4 * PAGE).replacing(AT)));
      assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(7);
    }
  }

  @Test
  void whatCannotBeWiredIsNotMoved() {
    Vmspace space = vms.boot().newVmspace();
    space.map(AT, 4 * PAGE, Protection.READ_WRITE);
    space.map(AT + 4 * PAGE, PAGE, Protection.READ);
    space.paging().wireAll(false, true);
    space.setLimit(Limit.LOCKED, PAGE);
    List<String> before = Entries.layout(space);
    assertLimit(() -> space.remap(AT, 4 * PAGE, 8 * PAGE));
    assertThat(Entries.layout(space)).isEqualTo(before);
  }

  @Test
  void wireAllThatIsRefusedKeepsWhatWasSaidAboutTheFuture() {
    Vm vm = vms.boot();
    Vmspace space = vm.newVmspace();
    space.paging().wireAll(false, true);
    SharedMemory memory = vm.sharedMemory().create(2 * PAGE);
    space.map(MapRequest.of(memory, 0, 2 * PAGE).at(AT).shared());
    space.paging().unwire(AT, 2 * PAGE);
    memory.resize(PAGE);
    assertThatThrownBy(() -> space.paging().wireAll(true, true)).isInstanceOf(MapException.class);
    space.map(AT + 4 * PAGE, PAGE, Protection.READ_WRITE);
    assertThat(space.paging().wiredBytes()).isEqualTo(PAGE);
  }

  @Test
  void whatIsDoubledIsWiredIfEverythingIs() {
    Vmspace space = vms.boot().newVmspace();
    space.map(AT, 4 * PAGE, Protection.READ_WRITE);
    space.paging().wireAll(false, true);
    long second = space.duplicate(AT, 4 * PAGE);
    assertThat(space.paging().wiredBytes()).isEqualTo(4 * PAGE);
    assertThat(space.paging().resident(second, 4 * PAGE)).doesNotContain(false);
  }

  /** A limit that is less than what there is stops growth and nothing else. */
  @Test
  void lowLimitsForbidOnlyMore() {
    Vmspace space = vms.boot().newVmspace();
    space.map(AT, 8 * PAGE, Protection.READ_WRITE);
    space.paging().wire(AT, 4 * PAGE);
    space.setLimit(Limit.ADDRESS_SPACE, PAGE);
    space.setLimit(Limit.LOCKED, PAGE);
    space.paging().wire(AT, 4 * PAGE);
    space.paging().wireAll(false, false);
    assertLimit(() -> space.paging().wire(AT, 5 * PAGE));
    assertThat(space.remap(AT, 8 * PAGE, 7 * PAGE)).isEqualTo(AT);
    space.map(MapRequest.anonymous(2 * PAGE).replacing(AT + 5 * PAGE));
    assertLimit(() -> space.remap(AT, 7 * PAGE, 8 * PAGE));
  }

  @Test
  void whatIsAddedToAStackIsNone() {
    Vmspace space = vms.boot().newVmspace();
    long low = space.map(MapRequest.stack(16 * PAGE).guard(PAGE).at(AT));
    long start = space.mappings().getFirst().start();
    long length = low + 16 * PAGE - start;
    assertThat(space.remap(start, length, length + PAGE)).isEqualTo(start);
    Mapping added = space.mappings().getLast();
    assertThat(added.length()).isEqualTo(PAGE);
    assertThat(added.flags()).doesNotContain(MapFlag.STACK);
  }

  @Test
  void execKeepsRandomPlacement() {
    Vm vm = vms.boot();
    Vmspace space = vm.newVmspace();
    space.randomizePlacement(5);
    Vmspace fresh = space.exec(null);
    assertThat(fresh.map(PAGE, Protection.READ)).isNotEqualTo(1 << 16);
  }

  /** The page stays where it is until it is not wired any more; no audit minds. */
  @Test
  void wiredPageBeyondTheEnd() {
    Vm vm = vms.boot();
    Vmspace space = vm.newVmspace();
    SharedMemory memory = vm.sharedMemory().create(2 * PAGE);
    space.map(MapRequest.of(memory, 0, 2 * PAGE).at(AT).shared());
    space.paging().wire(AT, 2 * PAGE);
    memory.resize(PAGE);
    assertThat(vm.audit()).isEmpty();
    assertThat(vm.statistics().usedFrames()).isEqualTo(2);
    space.paging().unwire(AT, 2 * PAGE);
    assertThat(vm.statistics().usedFrames()).isEqualTo(1);
  }

  @Test
  void childHasNoEntriesThatOnlyWiringsSetApart() {
    Vmspace space = vms.boot().newVmspace();
    space.map(AT, 8 * PAGE, Protection.READ_WRITE);
    space.paging().wire(AT + 2 * PAGE, PAGE);
    space.inherit(AT, 8 * PAGE, Inheritance.ZERO);
    assertThat(space.mappings()).hasSize(3);
    assertThat(space.fork().mappings()).hasSize(1);
  }
}
