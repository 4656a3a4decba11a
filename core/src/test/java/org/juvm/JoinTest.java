package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.juvm.Program.PAGE;

import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Advice;
import org.juvm.base.Inheritance;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;

/** When mappings are split, and when neighbours are one again. */
class JoinTest {
  private static final long AT = 1 << 20;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  /** Changes that can be undone: applied to a range, with true to make and false to undo. */
  private static Map<String, BiConsumer<Vmspace, Boolean>> changes(long at, long length) {
    Map<String, BiConsumer<Vmspace, Boolean>> all = new LinkedHashMap<>();
    all.put(
        "protection",
        (s, on) -> s.protect(at, length, on ? Protection.READ : Protection.READ_WRITE));
    all.put(
        "inheritance", (s, on) -> s.inherit(at, length, on ? Inheritance.SHARE : Inheritance.COPY));
    all.put("advice", (s, on) -> s.paging().advise(at, length, on ? Advice.RANDOM : Advice.NORMAL));
    all.put("NO_CORE", (s, on) -> s.paging().conceal(at, length, on));
    all.put("NO_SYNC", (s, on) -> s.paging().writeLazily(at, length, on));
    all.put(
        "wiring",
        (s, on) -> {
          if (on) {
            s.paging().wire(at, length);
          } else {
            s.paging().unwire(at, length);
          }
        });
    return all;
  }

  @Test
  void M7_oneAttributeSetsApartAndWithoutItAllIsOne() {
    Vm vm = vms.boot(64);
    for (boolean touched : new boolean[] {false, true}) {
      Program program = Program.in(vm);
      program.space.map(AT, 6 * PAGE, Protection.READ_WRITE);
      if (touched) {
        program.number(AT, 6);
      }
      for (int first : new int[] {0, 2, 4}) {
        changes(AT + (long) first * PAGE, 2 * PAGE)
            .forEach(
                (name, change) -> {
                  change.accept(program.space, true);
                  assertThat(program.space.mappings())
                      .as("%s of page %d, touched: %s", name, first, touched)
                      .hasSize(first == 2 ? 3 : 2);
                  change.accept(program.space, false);
                  assertThat(program.space.mappings())
                      .as("%s of page %d, touched: %s", name, first, touched)
                      .hasSize(1);
                });
      }
      for (int i = 0; i < 6; i++) {
        assertThat(program.get(AT + (long) i * PAGE)).isEqualTo(touched ? i + 1 : 0);
      }
    }
  }

  @Test
  void M7_allAttributesTogetherUndoneInAnotherOrder() {
    Program program = Program.in(vms.boot(64));
    program.space.map(AT, 6 * PAGE, Protection.READ_WRITE);
    program.number(AT, 6);
    Map<String, BiConsumer<Vmspace, Boolean>> changes = changes(AT + PAGE, 3 * PAGE);
    changes.values().forEach(change -> change.accept(program.space, true));
    assertThat(program.layout(AT)).containsExactly("0+1 rw-", "1+3 r--", "4+2 rw-");
    for (BiConsumer<Vmspace, Boolean> change : List.copyOf(changes.values()).reversed()) {
      assertThat(program.space.mappings()).hasSize(3);
      change.accept(program.space, false);
    }
    assertThat(program.layout(AT)).containsExactly("0+6 rw-");
  }

  /** What cannot be undone must be done to all before they are one. */
  @Test
  void M7_maximumAndImmutability() {
    Vmspace space = vms.boot(64).newVmspace();
    space.map(AT, 3 * PAGE, Protection.READ);
    space.protectMaximum(AT + PAGE, PAGE, Protection.READ);
    assertThat(space.mappings()).hasSize(3);
    space.protectMaximum(AT, 3 * PAGE, Protection.READ);
    assertThat(space.mappings()).hasSize(1);
    space.makeImmutable(AT, PAGE);
    assertThat(space.mappings()).hasSize(2);
    space.makeImmutable(AT + 2 * PAGE, PAGE);
    assertThat(space.mappings()).hasSize(3);
    space.makeImmutable(AT, 3 * PAGE);
    assertThat(space.mappings()).hasSize(1);
  }

  @Test
  void M7_partsOfSharedMemoryJoinIfTheyFollowOneAnother() {
    Vm vm = vms.boot(64);
    Vmspace space = vm.newVmspace();
    try (SharedMemory memory = vm.sharedMemory().create(8 * PAGE);
        SharedMemory other = vm.sharedMemory().create(8 * PAGE)) {
      space.map(MapRequest.of(memory, 0, PAGE).at(AT));
      space.map(MapRequest.of(memory, 2 * PAGE, PAGE).at(AT + 2 * PAGE));
      space.map(MapRequest.of(memory, PAGE, PAGE).at(AT + PAGE));
      assertThat(space.mappings()).as("in one piece").hasSize(1);
      space.map(MapRequest.of(memory, 4 * PAGE, PAGE).at(AT + 3 * PAGE));
      assertThat(space.mappings()).as("a page is left out").hasSize(2);
      space.map(MapRequest.of(other, 5 * PAGE, PAGE).at(AT + 4 * PAGE));
      assertThat(space.mappings()).as("another memory").hasSize(3);
      space.map(MapRequest.of(other, 6 * PAGE, PAGE).shared().at(AT + 5 * PAGE));
      assertThat(space.mappings()).as("stores go elsewhere").hasSize(4);
      space.map(MapRequest.anonymous(PAGE).at(AT + 6 * PAGE));
      assertThat(space.mappings()).as("no shared memory").hasSize(5);
    }
  }

  @Test
  void M4_everyPropertyIsKeptAndSetsApart() {
    Vmspace space = vms.boot(64).newVmspace();
    long at = AT;
    space.map(MapRequest.anonymous(PAGE).at(at));
    for (MapFlag flag :
        EnumSet.of(MapFlag.NO_CORE, MapFlag.NO_SYNC, MapFlag.NO_FAULT, MapFlag.IMMUTABLE)) {
      at += PAGE;
      space.map(MapRequest.anonymous(PAGE).at(at).flag(flag));
      assertThat(space.mappings().getLast().flags()).isEqualTo(Set.of(flag));
    }
    assertThat(space.mappings()).hasSize(5);
    space.map(
        MapRequest.anonymous(PAGE)
            .at(at + PAGE)
            .protection(Protection.READ_EXECUTE)
            .maximum(Protection.READ_EXECUTE)
            .inheritance(Inheritance.ZERO)
            .advice(Advice.SEQUENTIAL)
            .flag(MapFlag.NO_CORE)
            .flag(MapFlag.NO_SYNC));
    Mapping last = space.mappings().getLast();
    assertThat(last.protection()).isEqualTo(Protection.READ_EXECUTE);
    assertThat(last.maximum()).isEqualTo(Protection.READ_EXECUTE);
    assertThat(last.inheritance()).isEqualTo(Inheritance.ZERO);
    assertThat(last.advice()).isEqualTo(Advice.SEQUENTIAL);
    assertThat(last.flags()).containsExactlyInAnyOrder(MapFlag.NO_CORE, MapFlag.NO_SYNC);
    assertThat(last.wirings()).isZero();
    for (MapFlag flag : EnumSet.of(MapFlag.STACK, MapFlag.USER_WIRED)) {
      assertThatIllegalArgumentException().isThrownBy(() -> MapRequest.anonymous(1).flag(flag));
    }
  }

  /** Equal neighbours join whatever the properties are, before, behind and on both sides. */
  @Test
  void M4_equalPropertiesJoinOnBothSides() {
    Program program = Program.in(vms.boot(64));
    MapRequest request =
        MapRequest.anonymous(PAGE)
            .flag(MapFlag.NO_CORE)
            .advice(Advice.RANDOM)
            .inheritance(Inheritance.SHARE);
    program.space.map(request.at(AT));
    program.space.map(request.at(AT + PAGE));
    program.space.map(request.at(AT - PAGE));
    program.space.map(request.at(AT + 3 * PAGE));
    program.space.map(request.at(AT + 2 * PAGE));
    assertThat(program.layout(AT)).containsExactly("-1+5 rw-");
  }

  /** Memory that has pages already grows into its neighbourhood: it stays one mapping. */
  @Test
  void A5_memoryWithPagesGrowsBackwardsAndForwards() {
    Program program = Program.in(vms.boot(512));
    long middle = AT + 128L * PAGE;
    program.space.map(middle, PAGE, Protection.READ_WRITE);
    program.set(middle, 128);
    for (int i = 1; i <= 128; i++) {
      program.space.map(middle - (long) i * PAGE, PAGE, Protection.READ_WRITE);
      program.set(middle - (long) i * PAGE, 128 - i);
      program.space.map(middle + (long) i * PAGE, PAGE, Protection.READ_WRITE);
      program.set(middle + (long) i * PAGE, 128 + i);
      assertThat(program.space.mappings()).as("step %d", i).hasSize(1);
    }
    for (int i = 0; i <= 256; i++) {
      assertThat(program.get(AT + (long) i * PAGE)).isEqualTo(i);
    }
    assertThat(program.usedFrames()).isEqualTo(257);
    program.space.unmap(AT + 10 * PAGE, 200L * PAGE);
    assertThat(program.usedFrames()).isEqualTo(57);
    assertThat(program.get(AT + 210L * PAGE)).isEqualTo(210);
  }

  /** Memory that a child refers to must not grow under its feet. */
  @Test
  void A5_sharedMemoryDoesNotGrow() {
    Program parent = Program.in(vms.boot(64));
    parent.space.map(AT, 2 * PAGE, Protection.READ_WRITE);
    parent.number(AT, 2);
    parent.space.inherit(AT, 2 * PAGE, Inheritance.SHARE);
    Program child = parent.fork();
    MapRequest request = MapRequest.anonymous(PAGE).inheritance(Inheritance.SHARE);
    parent.space.map(request.at(AT - PAGE));
    parent.space.map(request.at(AT + 2 * PAGE));
    parent.set(AT - PAGE, 7);
    parent.set(AT + 2 * PAGE, 8);
    assertThat(parent.space.mappings()).hasSize(3);
    assertThat(child.layout(AT)).containsExactly("0+2 rw-");
    child.space.map(AT - PAGE, PAGE, Protection.READ_WRITE);
    assertThat(child.get(AT - PAGE)).isZero();
    assertThat(child.get(AT + PAGE)).isEqualTo(2);
  }

  /** A clip in the middle of a mapping of shared memory keeps the pages where they belong. */
  @Test
  void M8_clippedSharedMemoryKeepsItsOffsets() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().create(8 * PAGE)) {
      long whole = program.space.map(MapRequest.of(memory, 0, 8 * PAGE).shared());
      program.number(whole, 8);
      program.space.map(MapRequest.of(memory, PAGE, 6 * PAGE).at(AT));
      program.set(AT + 2 * PAGE, 44);
      program.space.protect(AT + PAGE, 3 * PAGE, Protection.READ);
      program.space.unmap(AT + 4 * PAGE, PAGE);
      assertThat(program.layout(AT).subList(1, 4)).containsExactly("0+1 rw-", "1+3 r--", "5+1 rw-");
      assertThat(program.space.mappings().stream().map(Mapping::offset).toList())
          .containsExactly(0L, 1L * PAGE, 2L * PAGE, 6L * PAGE);
      assertThat(program.get(AT)).isEqualTo(2);
      assertThat(program.get(AT + PAGE)).isEqualTo(3);
      assertThat(program.get(AT + 2 * PAGE)).isEqualTo(44);
      assertThat(program.get(AT + 5 * PAGE)).isEqualTo(7);
    }
  }
}
