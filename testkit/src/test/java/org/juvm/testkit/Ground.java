package org.juvm.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.juvm.Cpu;
import org.juvm.MapException;
import org.juvm.MemoryFault;
import org.juvm.PagingProbe;
import org.juvm.SharedMemory;
import org.juvm.Vm;
import org.juvm.base.Access;
import org.juvm.base.Limit;

/** Where a {@link Duel} takes place: the system, its spaces, and where in them a command means. */
final class Ground implements AutoCloseable {
  static final int MAXIMUM_SPACES = 6;
  private static final int CPUS = 3;

  /** Most of what happens lies in so many pages around the border of two page tables. */
  private static final int PAGES = 150;

  private static final long FIRST_PAGE = 3 * 512 - PAGES / 2;
  private static final long MINIMUM = 1 << 16;
  private static final long MAXIMUM = 1L << 47;

  /** Shared memory and what it must be like. */
  record Shared(SharedMemory real, ModelObject model) {}

  /** Enough for everything, so that no page ever leaves memory. */
  private static final int AMPLE_FRAMES = 16384;

  /** Far less than most histories touch. */
  private static final int FEW_FRAMES = 64;

  private static final int SLOTS = 8192;

  private final Vm vm;
  private final int pageSize;
  private final boolean paging;
  private final List<Pair> pairs = new ArrayList<>();

  /** Shared memory that is not closed. */
  private final List<Shared> open = new ArrayList<>();

  private final Cpu[] cpus = new Cpu[CPUS];

  Ground(int pageSize, boolean paging) {
    this.pageSize = pageSize;
    this.paging = paging;
    vm =
        Vm.builder()
            .memory((long) (paging ? FEW_FRAMES : AMPLE_FRAMES) * pageSize)
            .pageSize(pageSize)
            .swap(paging ? (long) SLOTS * pageSize : 0)
            .boot();
    for (int i = 0; i < CPUS; i++) {
      cpus[i] = vm.newCpu();
    }
    addSpace();
  }

  void addSpace() {
    Pair pair = new Pair(vm.newVmspace(), new ModelSpace(pageSize, MINIMUM, MAXIMUM));
    pair.real().setLimit(Limit.LOCKED, mostLocked());
    pair.model().lockedLimit = mostLocked();
    pairs.add(pair);
  }

  /** What all spaces together wire at most must fit into memory. */
  long mostLocked() {
    return paging ? (long) FEW_FRAMES / 2 / MAXIMUM_SPACES * pageSize : Long.MAX_VALUE;
  }

  /** Whether pages leave memory, which is not in the model. */
  boolean isPaging() {
    return paging;
  }

  /** How many pages there are. */
  long pages() {
    return paging ? PagingProbe.pages(vm) : vm.statistics().usedFrames();
  }

  @Override
  public void close() {
    vm.close();
  }

  Vm vm() {
    return vm;
  }

  int pageSize() {
    return pageSize;
  }

  List<Pair> pairs() {
    return pairs;
  }

  List<Shared> open() {
    return open;
  }

  Cpu attached(Pair pair, Command command) {
    Cpu cpu = cpus[command.cpu() % CPUS];
    if (cpu.vmspace() != pair.real()) {
      cpu.attach(pair.real());
    }
    return cpu;
  }

  ModelBytes bytesOf(Pair pair) {
    return new ModelBytes(this, pair.model(), false);
  }

  // ---- where ----

  long address(Pair pair, int choice) {
    if (choice % 16 == 15) {
      return (FIRST_PAGE + ((choice % 3 + 1L) << 24) + choice / 16 % 8) * pageSize;
    }
    List<Long> mapped = pair.model().pages();
    if (choice % 16 > 7 && !mapped.isEmpty()) {
      long page = mapped.get(choice / 16 % mapped.size());
      if (choice % 16 == 14 && pair.model().slotAt(page * pageSize).stack != null) {
        return belowStack(pair.model(), page, choice / 16 % 200) * pageSize;
      }
      return page * pageSize;
    }
    return (FIRST_PAGE + choice / 16 % PAGES) * pageSize;
  }

  private static long belowStack(ModelSpace model, long page, int distance) {
    long lowest = page;
    while (model.slots().containsKey(lowest)) {
      lowest--;
    }
    return Math.max(1, lowest - distance / (distance % 3 + 1));
  }

  long length(Command command) {
    int most = command.target() % 4 == 0 ? 80 : 8;
    return (1L + command.target() / 4 % most) * pageSize;
  }

  long offset(Command command) {
    // Half of all accesses are close to the end of a page.
    int offset = command.offset() % pageSize;
    return command.offset() / pageSize % 2 == 0 ? pageSize - 1 - offset % 9 : offset;
  }

  static int bytes(Command command) {
    return (int) Long.remainderUnsigned(command.value(), command.option() % 2 == 0 ? 40 : 5000);
  }

  // ---- outcomes ----

  String outcome(Supplier<?> operation) {
    try {
      return String.valueOf(operation.get());
    } catch (MemoryFault e) {
      return fault(e.reason().name(), e.access(), e.address());
    } catch (MapException e) {
      return e.reason().name();
    }
  }

  String outcome(Runnable operation) {
    return outcome(
        () -> {
          operation.run();
          return "";
        });
  }

  String fault(String reason, Access access, long address) {
    return reason + " " + access + " " + Long.toHexString(Math.floorDiv(address, (long) pageSize));
  }

  static void same(Object expected, Object found) {
    if (!Objects.equals(expected, found)) {
      throw new AssertionError("model: " + expected + "\nfound: " + found);
    }
  }

  /** Throws an {@link AssertionError} that says what is wrong, unless a condition holds. */
  @SuppressWarnings("AnnotateFormatMethod")
  static void require(boolean condition, String what, Object... values) {
    if (!condition) {
      throw new AssertionError(what.formatted(values));
    }
  }
}
