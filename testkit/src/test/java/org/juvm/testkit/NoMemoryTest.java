package org.juvm.testkit;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.juvm.Cpu;
import org.juvm.MapException;
import org.juvm.MapRequest;
import org.juvm.MemoryFault;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Inheritance;
import org.juvm.base.Protection;

/**
 * Operations that need many frames at once, with every number of free frames from none to enough:
 * each either is done or has changed nothing.
 */
class NoMemoryTest {
  private static final long AT = 1 << 20;
  private static final int PAGE = 4096;
  private static final int PAGES = 12;
  private static final int FRAMES = 64;

  /** What is tried. */
  enum Operation {
    WIRE(false),
    WIRE_ALL(false),
    MAP_WIRED(false),
    FORK_WIRED(true),
    FORK_WIRED_SHARED(true),
    DUPLICATE_WIRED(true),
    REMAP_WIRED(false);

    /** Whether the frames are as before if it fails; else those that it had got are kept. */
    final boolean givesBack;

    Operation(boolean givesBack) {
      this.givesBack = givesBack;
    }
  }

  private final Vm vm = Vm.builder().memory((long) FRAMES * PAGE).pageSize(PAGE).boot();
  private final Vmspace space = vm.newVmspace();
  private final Vmspace hog = vm.newVmspace();

  /** Where the first page is now. */
  private long data = AT;

  private void prepare(Operation operation, Cpu cpu) {
    cpu.attach(space);
    space.map(AT, (long) PAGES * PAGE, Protection.READ_WRITE);
    // Entries of their own, so that there is something to take back.
    space.protect(AT + 4 * PAGE, 4 * PAGE, Protection.READ_WRITE_EXECUTE);
    switch (operation) {
      case WIRE, WIRE_ALL, MAP_WIRED -> cpu.set(JAVA_LONG, AT, 7);
      case REMAP_WIRED -> {
        cpu.set(JAVA_LONG, AT, 7);
        space.map(AT + (long) PAGES * PAGE, PAGE, Protection.READ);
        space.paging().wireAll(false, true);
      }
      case FORK_WIRED -> wire(cpu, Protection.READ_WRITE);
      case FORK_WIRED_SHARED -> {
        wire(cpu, Protection.READ);
        space.inherit(AT, (long) PAGES * PAGE, Inheritance.SHARE);
      }
      case DUPLICATE_WIRED -> wire(cpu, Protection.READ);
    }
  }

  /** If only for reading, the pages are those of a copy, too, when they are wired. */
  private void wire(Cpu cpu, Protection protection) {
    for (int i = 0; i < PAGES; i++) {
      cpu.set(JAVA_LONG, AT + (long) i * PAGE, 7 + i);
    }
    Vmspace copy = space.fork();
    assertThat(copy.isExited()).isFalse();
    space.protect(AT, (long) PAGES * PAGE, protection);
    if (protection == Protection.READ_WRITE) {
      copy.close();
    }
    space.paging().wire(AT, (long) PAGES * PAGE);
  }

  private void run(Operation operation) {
    long length = (long) PAGES * PAGE;
    switch (operation) {
      case WIRE -> space.paging().wire(AT, length);
      case WIRE_ALL -> space.paging().wireAll(true, true);
      case MAP_WIRED -> space.map(MapRequest.anonymous(length).wired());
      case FORK_WIRED, FORK_WIRED_SHARED -> space.fork().close();
      case DUPLICATE_WIRED -> {
        long second = space.duplicate(AT, length);
        space.unmap(second, length);
      }
      case REMAP_WIRED -> data = space.remap(AT, length, 2 * length);
    }
  }

  /** Takes all frames but some. */
  private void leave(long free) {
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(hog);
      long at = hog.map((long) FRAMES * PAGE, Protection.READ_WRITE);
      for (int i = 0; vm.statistics().freeFrames() > free; i++) {
        try {
          cpu.set(JAVA_BYTE, at + (long) i * PAGE, (byte) 1);
        } catch (MemoryFault e) {
          assertThat(e.reason()).isEqualTo(MemoryFault.Reason.OUT_OF_MEMORY);
          return;
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void allOrNothing(Operation operation) {
    int failures = 0;
    for (int free = 0; free <= 2 * PAGES; free++) {
      NoMemoryTest one = new NoMemoryTest();
      failures += one.isRefused(operation, free) ? 1 : 0;
      one.vm.close();
    }
    assertThat(failures).as("%s without memory", operation).isPositive();
    vm.close();
  }

  private boolean isRefused(Operation operation, int free) {
    try (Cpu cpu = vm.newCpu()) {
      prepare(operation, cpu);
      leave(free);
      List<String> layout = Entries.layout(space);
      long used = vm.statistics().usedFrames();
      long wired = space.paging().wiredBytes();
      boolean refused = false;
      try {
        run(operation);
      } catch (MapException e) {
        assertThat(e.reason()).isEqualTo(MapException.Reason.NO_MEMORY);
        refused = true;
        assertThat(Entries.layout(space)).as("%s, %d free", operation, free).isEqualTo(layout);
        assertThat(space.paging().wiredBytes()).isEqualTo(wired);
        if (operation.givesBack) {
          assertThat(vm.statistics().usedFrames()).isEqualTo(used);
        }
      }
      assertThat(vm.audit()).as("%s, %d free", operation, free).isEmpty();
      hog.close();
      assertThat(cpu.get(JAVA_LONG, data)).isEqualTo(7);
      if (operation.givesBack) {
        for (int i = 0; i < PAGES; i++) {
          assertThat(cpu.get(JAVA_LONG, AT + (long) i * PAGE)).isEqualTo(7 + i);
        }
      }
      // What was refused can be done now, and nothing is left wired at the end.
      if (refused) {
        run(operation);
      }
      space.close();
      assertThat(vm.audit()).isEmpty();
      return refused;
    }
  }

  @Test
  void discardNeedsNoMemoryOfPages() {
    try (Cpu cpu = vm.newCpu()) {
      cpu.attach(space);
      space.map(AT, (long) PAGES * PAGE, Protection.READ_WRITE);
      cpu.bulk().fill(AT, (long) PAGES * PAGE, (byte) 1);
      leave(0);
      space.paging().discard(AT, (long) PAGES * PAGE);
      assertThat(space.paging().resident(AT, (long) PAGES * PAGE)).doesNotContain(true);
      assertThat(vm.audit()).isEmpty();
    }
    vm.close();
  }
}
