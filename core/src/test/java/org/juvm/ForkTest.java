package org.juvm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.AuditedVms.assertFault;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Access;
import org.juvm.base.Inheritance;
import org.juvm.base.Protection;

/** What a child gets, and what becomes of memory that several spaces refer to. */
class ForkTest {
  private static final long AT = 1 << 20;
  private static final int PAGE = 4096;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  @Test
  void M13_inheritShareSeesWritesBothWays() {
    Vm vm = vms.boot(64);
    Vmspace parent = vm.newVmspace();
    Cpu mine = vm.newCpu();
    Cpu its = vm.newCpu();
    mine.attach(parent);
    parent.map(AT, 4 * PAGE, Protection.READ_WRITE);
    parent.inherit(AT, 2 * PAGE, Inheritance.SHARE);
    mine.set(JAVA_LONG, AT, 1);
    mine.set(JAVA_LONG, AT + 2 * PAGE, 1);
    Vmspace child = parent.fork();
    its.attach(child);
    mine.set(JAVA_LONG, AT, 2);
    assertThat(its.get(JAVA_LONG, AT)).isEqualTo(2);
    its.set(JAVA_LONG, AT + PAGE, 3);
    assertThat(mine.get(JAVA_LONG, AT + PAGE)).isEqualTo(3);
    its.set(JAVA_LONG, AT + 2 * PAGE, 4);
    assertThat(mine.get(JAVA_LONG, AT + 2 * PAGE)).isEqualTo(1);
    parent.close();
    assertThat(its.get(JAVA_LONG, AT)).isEqualTo(2);
    assertThat(vm.statistics().usedFrames()).isEqualTo(3);
  }

  /** Shared memory that was copied on write before must be one memory for all who share it. */
  @Test
  void A2_copyInSharedAmapIsSeenByAllSharers() {
    Vm vm = vms.boot(64);
    Vmspace parent = vm.newVmspace();
    List<Cpu> cpus = List.of(vm.newCpu(), vm.newCpu(), vm.newCpu(), vm.newCpu());
    cpus.get(0).attach(parent);
    parent.map(AT, PAGE, Protection.READ_WRITE);
    cpus.get(0).set(JAVA_LONG, AT, 1);
    Vmspace snapshot = parent.fork();
    parent.inherit(AT, PAGE, Inheritance.SHARE);
    Vmspace second = parent.fork();
    Vmspace third = second.fork();
    cpus.get(1).attach(second);
    cpus.get(2).attach(third);
    cpus.get(3).attach(snapshot);
    for (Cpu cpu : cpus) {
      assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(1);
    }
    cpus.get(2).set(JAVA_LONG, AT, 2);
    assertThat(cpus.get(0).get(JAVA_LONG, AT)).isEqualTo(2);
    assertThat(cpus.get(1).get(JAVA_LONG, AT)).isEqualTo(2);
    assertThat(cpus.get(3).get(JAVA_LONG, AT)).isEqualTo(1);
    assertThat(vm.statistics().usedFrames()).isEqualTo(2);
    second.inherit(AT, PAGE, Inheritance.COPY);
    try (Vmspace copy = second.fork()) {
      cpus.get(0).set(JAVA_LONG, AT, 3);
      assertThat(cpus.get(2).get(JAVA_LONG, AT)).isEqualTo(3);
      cpus.get(3).attach(copy);
      assertThat(cpus.get(3).get(JAVA_LONG, AT)).isEqualTo(2);
    }
  }

  @Test
  void M13_inheritZeroAndNone() {
    Vm vm = vms.boot(64);
    Vmspace parent = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(parent);
    parent.map(AT, 3 * PAGE, Protection.READ_WRITE);
    cpu.bulk().fill(AT, 3 * PAGE, (byte) 1);
    parent.inherit(AT, PAGE, Inheritance.ZERO);
    parent.inherit(AT + PAGE, PAGE, Inheritance.NONE);
    Vmspace child = parent.fork();
    assertThat(child.mappings()).hasSize(2);
    cpu.attach(child);
    assertThat(cpu.get(JAVA_LONG, AT)).isZero();
    assertFault(MemoryFault.Reason.NOT_MAPPED, AT + PAGE, () -> cpu.get(JAVA_LONG, AT + PAGE));
    assertThat(cpu.get(JAVA_LONG, AT + 2 * PAGE)).isEqualTo(0x0101010101010101L);
    cpu.set(JAVA_LONG, AT, 5);
    // Attributes are inherited, too.
    try (Vmspace grandchild = child.fork()) {
      cpu.attach(grandchild);
      assertThat(cpu.get(JAVA_LONG, AT)).isZero();
    }
    cpu.attach(parent);
    assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(0x0101010101010101L);
  }

  @Test
  void M19_generationsAreIsolated() {
    Vm vm = vms.boot(512);
    Cpu cpu = vm.newCpu();
    List<Vmspace> line = new ArrayList<>();
    line.add(vm.newVmspace());
    line.getFirst().map(AT, 64 * PAGE, Protection.READ_WRITE);
    for (int generation = 0; generation < 32; generation++) {
      cpu.attach(line.getLast());
      for (int page = generation; page < 64; page++) {
        cpu.set(JAVA_LONG, AT + (long) page * PAGE, generation);
        if (page > generation + 8) {
          break;
        }
      }
      line.add(line.getLast().fork());
    }
    for (int generation = 0; generation < 32; generation++) {
      cpu.attach(line.get(generation));
      for (int page = 0; page <= generation + 9 && page < 64; page++) {
        assertThat(cpu.get(JAVA_LONG, AT + (long) page * PAGE))
            .as("page %d of generation %d", page, generation)
            .isEqualTo(Math.min(page, generation));
      }
    }
    Collections.shuffle(line, new Random(3));
    line.forEach(
        space -> {
          space.close();
          assertThat(vm.audit()).isEmpty();
        });
    assertThat(vm.statistics().usedFrames()).isZero();
  }

  @Test
  void M19_thousandChildren() {
    Vm vm = vms.boot(4096);
    Vmspace parent = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    cpu.attach(parent);
    parent.map(AT, 700 * PAGE, Protection.READ_WRITE);
    for (int page = 0; page < 700; page++) {
      cpu.set(JAVA_LONG, AT + (long) page * PAGE, page);
    }
    List<Vmspace> children = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      children.add(parent.fork());
    }
    assertThat(vm.statistics().usedFrames()).isEqualTo(700);
    for (int i = 0; i < 1000; i++) {
      cpu.attach(children.get(i));
      cpu.set(JAVA_LONG, AT + (long) (i % 700) * PAGE, -i - 1);
    }
    assertThat(vm.statistics().usedFrames()).isEqualTo(1700);
    assertThat(vm.audit()).isEmpty();
    for (int i = 0; i < 1000; i++) {
      cpu.attach(children.get(i));
      int page = i % 700;
      assertThat(cpu.get(JAVA_LONG, AT + (long) page * PAGE)).isEqualTo(-i - 1);
      assertThat(cpu.get(JAVA_LONG, AT + (long) (page + 1) % 700 * PAGE))
          .isEqualTo((page + 1) % 700);
    }
    Collections.shuffle(children, new Random(5));
    children.forEach(Vmspace::close);
    assertThat(vm.statistics().usedFrames()).isEqualTo(700);
    cpu.attach(parent);
    assertThat(cpu.get(JAVA_LONG, AT + 699 * PAGE)).isEqualTo(699);
  }

  /** Sparse memory shared by fork, both sides partly unmapped: what nobody refers to is free. */
  @Test
  void A4_partialUnmapFreesExactlyWhatNobodyRefersTo() {
    Random random = new Random(7);
    int pages = 1000;
    Vm vm = vms.boot(4096);
    for (int round = 0; round < 10; round++) {
      Vmspace parent = vm.newVmspace();
      Cpu cpu = vm.newCpu();
      cpu.attach(parent);
      parent.map(AT, (long) pages * PAGE, Protection.READ_WRITE);
      boolean[] touched = new boolean[pages];
      for (int page = 0; page < pages; page++) {
        if (random.nextInt(3) == 0) {
          cpu.set(JAVA_LONG, AT + (long) page * PAGE, page);
          touched[page] = true;
        }
      }
      List<Vmspace> spaces = List.of(parent, parent.fork(), parent.fork());
      boolean[][] mapped = new boolean[3][pages];
      for (boolean[] one : mapped) {
        java.util.Arrays.fill(one, true);
      }
      for (int step = 0; step < 60; step++) {
        int who = random.nextInt(3);
        int from = random.nextInt(pages);
        int to = Math.min(pages, from + 1 + random.nextInt(200));
        spaces.get(who).unmap(AT + (long) from * PAGE, (long) (to - from) * PAGE);
        java.util.Arrays.fill(mapped[who], from, to, false);
        int expected = 0;
        for (int page = 0; page < pages; page++) {
          boolean any = mapped[0][page] || mapped[1][page] || mapped[2][page];
          expected += touched[page] && any ? 1 : 0;
        }
        assertThat(vm.statistics().usedFrames()).as("step %d", step).isEqualTo(expected);
      }
      assertThat(vm.audit()).isEmpty();
      spaces.forEach(Vmspace::close);
      cpu.close();
      assertThat(vm.statistics().usedFrames()).isZero();
      assertThat(vm.statistics().amapNodes()).isZero();
    }
  }

  @Test
  void A9_windowKeepsItsPageWhereItIs() {
    Vm vm = vms.boot(64);
    Vmspace parent = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    Cpu other = vm.newCpu();
    cpu.attach(parent);
    parent.map(AT, 2 * PAGE, Protection.READ_WRITE);
    List<Vmspace> children = new ArrayList<>();
    cpu.bulk()
        .window(
            AT,
            PAGE,
            Access.WRITE,
            segment -> {
              segment.set(JAVA_LONG, 0, 1);
              children.add(parent.fork());
              segment.set(JAVA_LONG, 0, 2);
              children.add(parent.fork());
              segment.set(JAVA_LONG, 0, 3);
            });
    assertThat(cpu.get(JAVA_LONG, AT)).isEqualTo(3);
    for (int i = 0; i < 2; i++) {
      other.attach(children.get(i));
      assertThat(other.get(JAVA_LONG, AT)).isEqualTo(i + 1);
    }
    assertThat(vm.statistics().usedFrames()).isEqualTo(3);
  }

  @Test
  void A9_windowOutlivesItsMapping() {
    Vm vm = vms.boot(16);
    Vmspace space = vm.newVmspace();
    Cpu cpu = vm.newCpu();
    Cpu other = vm.newCpu();
    cpu.attach(space);
    other.attach(space);
    space.map(AT, 2 * PAGE, Protection.READ_WRITE);
    cpu.bulk()
        .window(
            AT,
            2 * PAGE,
            Access.WRITE,
            segment -> {
              space.unmap(AT, PAGE);
              assertThat(vm.statistics().usedFrames()).isPositive();
              space.map(AT, PAGE, Protection.READ_WRITE);
              // All other frames are in use, and none of them is that of the window.
              long more = space.map(20 * PAGE, Protection.READ_WRITE);
              try {
                other.bulk().fill(more, 20 * PAGE, (byte) 9);
              } catch (MemoryFault e) {
                assertThat(e.reason()).isEqualTo(MemoryFault.Reason.OUT_OF_MEMORY);
              }
              segment.fill((byte) 1);
              assertThat(other.get(JAVA_LONG, more)).isEqualTo(0x0909090909090909L);
              space.unmap(more, 20 * PAGE);
            });
    assertThat(cpu.get(JAVA_LONG, AT)).isZero();
  }
}
