package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.Program.PAGE;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Advice;
import org.juvm.base.Inheritance;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;

/** A map as text. */
class MapViewTest {
  private static final long AT = 1 << 20;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  @Test
  void M27_showsEveryEntryAndWhatIsBehindIt() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    Vmspace space = program.space;
    try (SharedMemory memory = vm.sharedMemory().create(3 * PAGE)) {
      space.map(AT, 4 * PAGE, Protection.READ_WRITE);
      program.number(AT, 3);
      space.paging().wire(AT, PAGE);
      space.map(MapRequest.of(memory, PAGE, 2 * PAGE).shared().at(2 * AT));
      space.map(
          MapRequest.of(memory, 0, PAGE)
              .at(3 * AT)
              .protection(Protection.READ)
              .maximum(Protection.READ_WRITE)
              .inheritance(Inheritance.NONE)
              .advice(Advice.RANDOM)
              .flag(MapFlag.NO_CORE));
      space.map(MapRequest.stack(1 << 20).at(4 * AT));
      space.reference();
      List<String> lines =
          space
              .show()
              .lines()
              .map(line -> line.replaceAll("(amap|object) [0-9a-f]{8}", "$1 ID"))
              .toList();
      assertThat(lines)
          .containsExactly(
              "vmspace " + space.id() + ": references=2, holds=1",
              "map 10000-800000000000: entries=5, size=159744, resident=3, peak=3, wired=4096",
              "  100000-101000 rw-/rwx copy normal user_wired wired=1",
              "    amap ID: slots=0+1 of 4, anons=1, references=2",
              "  101000-104000 rw-/rwx copy normal",
              "    amap ID: slots=1+3 of 4, anons=2, references=2",
              "  200000-202000 rw-/rwx share normal",
              "    object ID: page=1, size=12288, resident=0, references=3",
              "  300000-301000 r--/rw- none random no_core needs_copy",
              "    object ID: page=0, size=12288, resident=0, references=3, copy on write",
              "  4e0000-500000 rw-/rwx copy normal stack needs_copy stack=400000-500000");
      space.close();
      assertThat(space.show()).contains("references=1, holds=1").doesNotContain("exited");
      Program child = program.fork();
      assertThat(child.space.show()).contains("needs_copy").doesNotContain("wired=1");
      space.close();
    }
  }
}
