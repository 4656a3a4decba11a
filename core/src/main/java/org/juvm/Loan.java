package org.juvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.juvm.base.Access;
import org.juvm.fault.FaultOutcome;
import org.juvm.fault.LentFrames;
import org.juvm.loan.Lender;
import org.juvm.map.MapOutcome;
import org.juvm.ram.Ram;

/**
 * The bytes of a range of an address space as they were when it was lent. They can be read as real
 * segments, and written to a channel without a copy, until the loan is closed; they do not change,
 * whatever is done to the address space. Its programs store to copies meanwhile.
 *
 * <p>The pages of a loan stay in memory. A range that nobody has touched takes none.
 *
 * <p>Obtained by {@link AddressMap#lend}, for the thread that called it, or by {@link
 * AddressMap#lendToAll}, for any thread. Source: {@code uvm_loan}, {@code uvm_unloan}.
 */
public final class Loan implements AutoCloseable {
  private final Vm vm;
  private final Arena arena;
  private final Lender lender;
  private final List<MemorySegment> segments;
  private final long length;

  private Loan(Vm vm, Arena arena, Lender lender) {
    this.vm = vm;
    this.arena = arena;
    this.lender = lender;
    length = (long) lender.lent().size() * vm.pageSize();
    segments = segments(vm.machine().ram(), lender.lent(), arena);
  }

  static Loan of(AddressMap map, long start, long end, Arena arena) {
    Vm vm = map.vm();
    long pages = (end - start) / vm.pageSize();
    Lender lender = new Lender(map.map(), vm.faults(), start, pages);
    if (!vm.machine().ram().use()) {
      throw Vm.closedException();
    }
    Loan loan = null;
    try {
      FaultOutcome outcome = lender.lend(end);
      if (outcome != FaultOutcome.RESOLVED) {
        throw MemoryFault.of(map.id(), lender.address(), Access.READ, outcome);
      }
      if (lender.isRefused()) {
        map.check(MapOutcome.WIRED, "lend", lender.address(), vm.pageSize());
      }
      loan = new Loan(vm, arena, lender);
      return loan;
    } finally {
      if (loan == null) {
        lender.takeBack();
        vm.machine().ram().drop();
      }
    }
  }

  private static List<MemorySegment> segments(Ram ram, LentFrames lent, Arena arena) {
    List<MemorySegment> segments = new ArrayList<>();
    for (int i = 0; i < lent.size(); ) {
      int frame = lent.frame(i);
      int end = i + 1;
      if (frame == LentFrames.ZEROS) {
        while (end < lent.size() && lent.frame(end) == frame) {
          end++;
        }
        MemorySegment zeros = ram.zeros(end - i, arena);
        segments.add(zeros);
        end = i + (int) ram.pageSize().vpn(zeros.byteSize());
      } else {
        while (end < lent.size() && lent.frame(end) == frame + end - i) {
          end++;
        }
        segments.add(ram.frames(frame, end - i, arena));
      }
      i = end;
    }
    return List.copyOf(segments);
  }

  /**
   * The bytes, in the order of addresses: a segment for each run of pages that follow one another
   * in memory. They can only be read, and not be used any more when the loan is closed.
   *
   * @return at least one segment; together they have {@link #length} bytes
   */
  public List<MemorySegment> segments() {
    return segments;
  }

  /**
   * How much is lent.
   *
   * @return bytes, whole pages
   */
  public long length() {
    return length;
  }

  /**
   * Gives the pages back. Those that their owner does not have any more are free. Closing twice
   * does nothing.
   *
   * @throws WrongThreadException if only another thread can use the loan
   * @throws IllegalStateException if a segment is being used by a transfer; nothing has changed
   */
  @Override
  public void close() {
    if (!arena.scope().isAlive()) {
      return;
    }
    arena.close();
    lender.takeBack();
    vm.machine().ram().drop();
  }
}
