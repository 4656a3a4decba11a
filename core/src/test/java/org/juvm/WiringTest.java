package org.juvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.juvm.AuditedVms.assertFault;
import static org.juvm.AuditedVms.assertRefused;
import static org.juvm.Program.PAGE;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.juvm.base.Inheritance;
import org.juvm.base.Limit;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;

/** Wiring of single address spaces: what is wired, for how long, and what fails. */
class WiringTest {
  private static final long AT = 1 << 20;

  @RegisterExtension final AuditedVms vms = new AuditedVms();

  private Program program(int frames, int pages) {
    Program program = Program.in(vms.boot(frames));
    program.space.map(AT, (long) pages * PAGE, Protection.READ_WRITE);
    return program;
  }

  private static List<Integer> wirings(Program program) {
    return program.space.mappings().stream().map(Mapping::wirings).toList();
  }

  @Test
  void M14_wiringMakesAllPagesAndCountsOncePerUser() {
    Program program = program(64, 8);
    Paging paging = program.space.paging();
    program.set(AT + 3 * PAGE, 3);
    paging.wire(AT + PAGE, 4 * PAGE);
    assertThat(program.usedFrames()).isEqualTo(4);
    assertThat(paging.wiredBytes()).isEqualTo(4 * PAGE);
    assertThat(wirings(program)).containsExactly(0, 1, 0);
    assertThat(program.space.mappings().get(1).flags()).containsExactly(MapFlag.USER_WIRED);
    assertThat(paging.resident(AT, 8 * PAGE))
        .containsExactly(false, true, true, true, true, false, false, false);
    long faults = program.vm.statistics().faults();
    paging.wire(AT + 2 * PAGE, 4 * PAGE);
    assertThat(program.vm.statistics().faults() - faults).as("only what is new").isEqualTo(1);
    assertThat(paging.wiredBytes()).isEqualTo(5 * PAGE);
    assertThat(wirings(program)).allMatch(count -> count <= 1);
    paging.unwire(AT + PAGE, 5 * PAGE);
    paging.unwire(AT, 8 * PAGE);
    assertThat(paging.wiredBytes()).isZero();
    assertThat(program.layout(AT)).containsExactly("0+8 rw-");
    assertThat(program.get(AT + 3 * PAGE)).isEqualTo(3);
  }

  /** Making wired memory takes no fault any more. */
  @Test
  void M14_wiredPagesAreReadyForUse() {
    Program program = program(64, 4);
    program.space.paging().wire(AT, 4 * PAGE);
    long faults = program.vm.statistics().faults();
    program.number(AT, 4);
    assertThat(program.vm.statistics().faults()).isEqualTo(faults);
  }

  @Test
  void M9_holesAndMissingRightsAreRefusedBeforeAnythingIsWired() {
    Program program = program(64, 4);
    Paging paging = program.space.paging();
    program.space.map(AT + 5 * PAGE, PAGE, Protection.READ_WRITE);
    program.space.map(AT + 6 * PAGE, PAGE, Protection.NONE);
    List<Mapping> before = program.space.mappings();
    assertRefused(MapException.Reason.NOT_MAPPED, () -> paging.wire(AT, 6 * PAGE));
    assertRefused(MapException.Reason.NOT_MAPPED, () -> paging.wire(AT - PAGE, 2 * PAGE));
    assertRefused(MapException.Reason.NO_ACCESS, () -> paging.wire(AT + 5 * PAGE, 2 * PAGE));
    assertRefused(MapException.Reason.NOT_MAPPED, () -> paging.unwire(AT, 6 * PAGE));
    assertThat(program.space.mappings()).isEqualTo(before);
    assertThat(program.usedFrames()).isZero();
  }

  /** Wiring lets go of the map while it works; others wait for it, and find whole entries. */
  @Test
  void M9_othersWaitForARangeInTransition() throws InterruptedException {
    Program program = program(256, 64);
    Vmspace space = program.space;
    AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    List<Runnable> works =
        List.of(
            () -> space.paging().wire(AT, 64 * PAGE),
            () -> space.paging().unwire(AT + 16 * PAGE, 32 * PAGE),
            () -> space.protect(AT + 8 * PAGE, 16 * PAGE, Protection.READ),
            () -> space.protect(AT, 64 * PAGE, Protection.READ_WRITE),
            () -> space.map(MapRequest.anonymous(8 * PAGE).replacing(AT + 40 * PAGE)),
            () -> space.fork().close());
    List<Thread> threads = new ArrayList<>();
    for (Runnable work : works) {
      threads.add(
          Thread.ofPlatform()
              .uncaughtExceptionHandler((thread, e) -> failure.set(e))
              .start(
                  () -> {
                    for (int i = 0; i < 100; i++) {
                      work.run();
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(failure.get()).isNull();
    assertThat(program.vm.audit()).isEmpty();
    assertThat(space.mappedBytes()).isEqualTo(64 * PAGE);
    space.paging().unwireAll();
    assertThat(space.paging().wiredBytes()).isZero();
    space.unmap(AT, 64 * PAGE);
    assertThat(program.usedFrames()).isZero();
  }

  @Test
  void F12_wiringMoreThanThereIsTakesNothing() {
    Program program = program(32, 100);
    program.number(AT, 5);
    Paging paging = program.space.paging();
    assertRefused(MapException.Reason.NO_MEMORY, () -> paging.wire(AT, 100 * PAGE));
    assertThat(program.usedFrames()).isEqualTo(5);
    assertThat(paging.wiredBytes()).isZero();
    assertThat(wirings(program)).containsExactly(0);
    assertRefused(MapException.Reason.NO_MEMORY, () -> paging.wireAll(true, true));
    assertThat(program.usedFrames()).isEqualTo(5);
    assertThat(program.space.mappedBytes()).isEqualTo(100 * PAGE);
    program.space.map(2 * AT, PAGE, Protection.READ_WRITE);
    assertThat(paging.wiredBytes()).as("the future is not wired").isZero();
    paging.wire(AT, 20 * PAGE);
    assertThat(program.usedFrames()).isEqualTo(20);
    assertThat(program.get(AT + 4 * PAGE)).isEqualTo(5);
  }

  /** Memory ends in the middle of the second mapping: the first is not wired either. */
  @Test
  void F12_failureInTheSecondMappingUnwiresTheFirst() {
    Vm vm = vms.boot(32);
    Program program = Program.in(vm);
    program.space.map(AT, 5 * PAGE, Protection.READ_WRITE);
    program.number(AT, 5);
    try (SharedMemory memory = vm.sharedMemory().create(40 * PAGE)) {
      program.space.map(MapRequest.of(memory, 0, 40 * PAGE).at(AT + 5 * PAGE).shared());
      Paging paging = program.space.paging();
      List<Mapping> before = program.space.mappings();
      assertRefused(MapException.Reason.NO_MEMORY, () -> paging.wire(AT, 45 * PAGE));
      assertRefused(MapException.Reason.NO_MEMORY, () -> paging.wireAll(true, true));
      assertThat(program.space.mappings()).isEqualTo(before);
      assertThat(vm.audit()).isEmpty();
      memory.resize(0);
      assertThat(program.usedFrames()).as("no page of it is wired").isEqualTo(5);
      program.space.unmap(AT, PAGE);
      assertThat(program.usedFrames()).isEqualTo(4);
      assertThat(program.get(AT + 4 * PAGE)).isEqualTo(5);
    }
  }

  /** Copies are lacking for a mapping whose pages a child has, too. */
  @Test
  void F12_copiesThatAreLackingAreNotBegun() {
    Program program = program(32, 20);
    program.number(AT, 20);
    Program child = program.fork();
    Paging paging = program.space.paging();
    assertRefused(MapException.Reason.NO_MEMORY, () -> paging.wire(AT, 20 * PAGE));
    assertThat(program.usedFrames()).isEqualTo(20);
    child.space.close();
    paging.wire(AT, 20 * PAGE);
    assertThat(program.usedFrames()).isEqualTo(20);
    for (int i = 0; i < 20; i++) {
      assertThat(program.get(AT + (long) i * PAGE)).isEqualTo(i + 1);
    }
    program.space.unmap(AT, 20 * PAGE);
    assertThat(program.usedFrames()).isZero();
  }

  @Test
  void M14_limitOfWhatIsWired() {
    Program program = program(64, 8);
    Paging paging = program.space.paging();
    program.space.setLimit(Limit.LOCKED, 4 * PAGE);
    assertRefused(MapException.Reason.LIMIT, () -> paging.wire(AT, 5 * PAGE));
    assertRefused(MapException.Reason.LIMIT, () -> paging.wireAll(true, true));
    assertThat(program.usedFrames()).isZero();
    paging.wire(AT, 4 * PAGE);
    paging.wire(AT, 4 * PAGE);
    assertRefused(MapException.Reason.LIMIT, () -> paging.wire(AT + 3 * PAGE, 2 * PAGE));
    program.space.unmap(AT, PAGE);
    assertThat(paging.wiredBytes()).isEqualTo(3 * PAGE);
    paging.wire(AT + 3 * PAGE, 2 * PAGE);
    assertThat(paging.wiredBytes()).isEqualTo(4 * PAGE);
    program.space.setLimit(Limit.LOCKED, 0);
    assertThat(paging.wiredBytes()).as("what is more already stays").isEqualTo(4 * PAGE);
    paging.wireAll(false, true);
    assertRefused(MapException.Reason.LIMIT, () -> program.space.map(PAGE, Protection.READ_WRITE));
    assertThat(program.space.mappedBytes()).isEqualTo(7 * PAGE);
  }

  @Test
  void M14_wiredRangesSplitAndGo() {
    Program program = program(64, 8);
    Paging paging = program.space.paging();
    paging.wire(AT, 8 * PAGE);
    program.number(AT, 8);
    program.space.protect(AT + 2 * PAGE, PAGE, Protection.READ);
    program.space.unmap(AT + 4 * PAGE, PAGE);
    assertThat(program.layout(AT)).containsExactly("0+2 rw-", "2+1 r--", "3+1 rw-", "5+3 rw-");
    assertThat(wirings(program)).containsOnly(1);
    assertThat(paging.wiredBytes()).isEqualTo(7 * PAGE);
    assertThat(program.usedFrames()).isEqualTo(7);
    paging.unwire(AT + 6 * PAGE, PAGE);
    assertThat(paging.wiredBytes()).isEqualTo(6 * PAGE);
    program.space.unmap(AT, 6 * PAGE);
    assertThat(program.usedFrames()).isEqualTo(2);
    assertThat(program.get(AT + 7 * PAGE)).isEqualTo(8);
    assertThat(paging.wiredBytes()).isEqualTo(PAGE);
  }

  @Test
  void M19_wiredPagesAreCopiedForTheChildAtOnce() {
    Program parent = program(64, 8);
    parent.number(AT, 6);
    parent.space.paging().wire(AT, 4 * PAGE);
    Statistics before = parent.vm.statistics();
    Program child = parent.fork();
    assertThat(parent.usedFrames() - before.usedFrames()).isEqualTo(4);
    assertThat(wirings(child)).containsOnly(0);
    assertThat(child.space.paging().wiredBytes()).isZero();
    assertThat(wirings(parent)).containsExactly(1, 0);
    for (int i = 0; i < 4; i++) {
      parent.set(AT + (long) i * PAGE, -i);
    }
    Statistics after = parent.vm.statistics();
    assertThat(after.copies()).as("the parent's pages stay its own").isEqualTo(before.copies());
    for (int i = 0; i < 6; i++) {
      assertThat(child.get(AT + (long) i * PAGE)).isEqualTo(i + 1);
    }
    child.set(AT, 99);
    assertThat(parent.get(AT)).isZero();
  }

  /** A child of memory that is wired and shared needs no copies, so none can be lacking. */
  @Test
  void M19_forkNeedsMemoryOnlyForWhatIsCopied() {
    Vm vm = vms.boot(32);
    Program parent = Program.in(vm);
    parent.space.map(MapRequest.anonymous(18 * PAGE).at(AT).shared().wired());
    parent.number(AT, 18);
    Program child = parent.fork();
    assertThat(vm.statistics().usedFrames()).isEqualTo(18);
    child.set(AT, 5);
    assertThat(parent.get(AT)).isEqualTo(5);
    child.space.close();
    parent.space.inherit(AT, 18 * PAGE, Inheritance.NONE);
    parent.space.fork().close();
    long second = parent.space.duplicate(AT, 18 * PAGE);
    assertThat(parent.get(second)).isEqualTo(5);
    parent.space.unmap(second, 18 * PAGE);
    parent.space.unmap(AT, 18 * PAGE);
    try (SharedMemory memory = vm.sharedMemory().create(18 * PAGE)) {
      parent.space.map(MapRequest.of(memory, 0, 18 * PAGE).at(AT).shared().wired());
      parent.space.inherit(AT, 18 * PAGE, Inheritance.COPY);
      Program copy = parent.fork();
      parent.set(AT, 6);
      assertThat(copy.get(AT)).isEqualTo(6);
      assertThat(vm.statistics().usedFrames()).isEqualTo(18);
    }
  }

  /** A page that a child sees is wired for reading, then made writable, then written. */
  @Test
  void M14_copyOfAWiredPageIsWired() {
    Program parent = program(64, 2);
    parent.number(AT, 2);
    Program child = parent.fork();
    parent.space.protect(AT, 2 * PAGE, Protection.READ);
    parent.space.paging().wire(AT, 2 * PAGE);
    assertThat(parent.usedFrames()).as("nothing is copied for reading").isEqualTo(2);
    parent.space.protect(AT, 2 * PAGE, Protection.READ_WRITE);
    parent.set(AT, 10);
    assertThat(parent.usedFrames()).isEqualTo(3);
    assertThat(child.get(AT)).isEqualTo(1);
    // The copy stays where it is, although there is another child now.
    Program second = parent.fork();
    long copies = parent.vm.statistics().copies();
    parent.set(AT, 11);
    assertThat(parent.vm.statistics().copies()).isEqualTo(copies);
    assertThat(second.get(AT)).isEqualTo(10);
    assertThat(parent.vm.audit()).isEmpty();
    parent.space.paging().unwire(AT, 2 * PAGE);
    parent.space.close();
    child.space.close();
    second.space.close();
    assertThat(parent.usedFrames()).isZero();
  }

  @Test
  void M14_wiredPrivatePageOfSharedMemoryIsReplacedByItsCopy() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().create(2 * PAGE)) {
      program.space.map(
          MapRequest.of(memory, 0, 2 * PAGE).at(AT).protection(Protection.READ).wired());
      assertThat(memory.residentPages()).isEqualTo(2);
      program.space.protect(AT, 2 * PAGE, Protection.READ_WRITE);
      program.set(AT, 1);
      assertThat(vm.statistics().promotions()).isEqualTo(1);
      assertThat(vm.audit()).isEmpty();
      assertThat(program.usedFrames()).isEqualTo(3);
      // The page that was left is not wired any more: it goes with the size.
      memory.resize(0);
      assertThat(program.usedFrames()).isEqualTo(2);
      assertThat(program.get(AT)).isEqualTo(1);
      program.space.paging().unwire(AT, 2 * PAGE);
      assertThat(program.usedFrames()).isEqualTo(1);
    }
  }

  @Test
  void M14_sharedMemoryWiredByTwo() {
    Vm vm = vms.boot(64);
    Program one = Program.in(vm);
    Program two = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().create(4 * PAGE)) {
      one.space.map(MapRequest.of(memory, 0, 4 * PAGE).at(AT).shared().wired());
      two.space.map(MapRequest.of(memory, 0, 4 * PAGE).at(AT).shared().wired());
      one.number(AT, 4);
      assertThat(vm.statistics().usedFrames()).isEqualTo(4);
      memory.resize(PAGE);
      assertThat(vm.statistics().usedFrames()).as("wired pages stay").isEqualTo(4);
      assertFault(MemoryFault.Reason.BEYOND_END, AT + 2 * PAGE, () -> one.get(AT + 2 * PAGE));
      one.space.paging().unwire(AT, 4 * PAGE);
      assertThat(vm.statistics().usedFrames()).isEqualTo(4);
      memory.resize(3 * PAGE);
      assertThat(one.get(AT + 2 * PAGE)).as("what comes back is zeros").isZero();
      assertThat(one.get(AT)).isEqualTo(1);
      two.space.paging().unwire(AT, 4 * PAGE);
      assertThat(vm.statistics().usedFrames()).as("the fourth is beyond the end").isEqualTo(3);
      assertThat(vm.audit()).isEmpty();
    }
  }

  @Test
  void M14_wiringBeyondTheEndIsRefused() {
    Vm vm = vms.boot(64);
    Program program = Program.in(vm);
    try (SharedMemory memory = vm.sharedMemory().create(2 * PAGE)) {
      MapRequest request = MapRequest.of(memory, 0, 4 * PAGE).at(AT).shared();
      program.space.map(request);
      Paging paging = program.space.paging();
      List<Mapping> before = program.space.mappings();
      assertRefused(MapException.Reason.BEYOND_END, () -> paging.wire(AT, 4 * PAGE));
      assertRefused(MapException.Reason.BEYOND_END, () -> paging.wireAll(true, false));
      assertThat(program.space.mappings()).isEqualTo(before);
      paging.wire(AT, 2 * PAGE);
      program.space.unmap(AT, 4 * PAGE);
      assertRefused(MapException.Reason.BEYOND_END, () -> program.space.map(request.wired()));
      assertThat(program.space.mappings()).isEmpty();
    }
  }

  @Test
  void M14_wireAllOfNowAndOfTheFuture() {
    Program program = program(128, 4);
    Vmspace space = program.space;
    Paging paging = space.paging();
    space.map(2 * AT, PAGE, Protection.NONE);
    paging.wireAll(true, false);
    assertThat(paging.wiredBytes()).isEqualTo(4 * PAGE);
    assertThat(wirings(program)).containsExactly(1, 0);
    long next = space.map(2 * PAGE, Protection.READ_WRITE);
    assertThat(paging.wiredBytes()).isEqualTo(4 * PAGE);
    paging.wireAll(false, true);
    assertThat(paging.wiredBytes()).isEqualTo(4 * PAGE);
    space.map(3 * AT, 2 * PAGE, Protection.READ);
    space.map(4 * AT, 2 * PAGE, Protection.NONE);
    assertThat(paging.wiredBytes()).isEqualTo(6 * PAGE);
    space.remap(next, 2 * PAGE, 5 * PAGE);
    assertThat(paging.wiredBytes()).as("only what was added").isEqualTo(9 * PAGE);
    assertThat(program.usedFrames()).isEqualTo(9);
    paging.unwireAll();
    assertThat(paging.wiredBytes()).isZero();
    assertThat(wirings(program)).containsOnly(0);
    space.map(5 * AT, PAGE, Protection.READ_WRITE);
    assertThat(paging.wiredBytes()).isZero();
  }

  @Test
  void M20_futureWiringAppliesToStacksThatGrow() {
    Program program = Program.in(vms.boot(256));
    Vmspace space = program.space;
    space.paging().wireAll(false, true);
    long low = space.map(MapRequest.stack(1 << 20));
    long top = low + (1 << 20);
    assertThat(space.paging().wiredBytes()).isEqualTo(128 << 10);
    program.set(top - (200 << 10), 1);
    assertThat(space.paging().wiredBytes()).isEqualTo(256 << 10);
    assertThat(program.usedFrames()).isEqualTo(64);
    // No more than may be wired.
    space.setLimit(Limit.LOCKED, (256 << 10) + 3 * PAGE);
    long lowest = top - (256 << 10);
    program.set(lowest - 3 * PAGE, 3);
    assertThat(space.paging().wiredBytes()).isEqualTo((256 << 10) + 3 * PAGE);
    long mapped = space.mappedBytes();
    long beyond = lowest - 4 * PAGE;
    assertFault(MemoryFault.Reason.STACK_LIMIT, beyond, () -> program.set(beyond, 4));
    assertThat(space.mappedBytes()).isEqualTo(mapped);
  }

  /** Shared wired memory must be one memory: nobody's store may replace a wired page. */
  @Test
  void A9_wiredPagesOfSharedMemoryAreTheOwnersBeforeOthersSeeThem() {
    Program parent = program(64, 2);
    parent.number(AT, 2);
    Program snapshot = parent.fork();
    parent.space.protect(AT, 2 * PAGE, Protection.READ);
    parent.space.paging().wire(AT, 2 * PAGE);
    parent.space.inherit(AT, 2 * PAGE, Inheritance.SHARE);
    Program sharer = parent.fork();
    sharer.space.protect(AT, 2 * PAGE, Protection.READ_WRITE);
    sharer.set(AT, 9);
    assertThat(parent.get(AT)).isEqualTo(9);
    assertThat(snapshot.get(AT)).isEqualTo(1);
    assertThat(parent.vm.audit()).isEmpty();
    parent.space.close();
    assertThat(sharer.get(AT)).isEqualTo(9);
    snapshot.space.close();
    sharer.space.close();
    assertThat(parent.usedFrames()).isZero();
  }
}
