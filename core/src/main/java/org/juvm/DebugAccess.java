package org.juvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.juvm.anon.Amap;
import org.juvm.base.Access;
import org.juvm.base.PageSize;
import org.juvm.fault.Fault;
import org.juvm.fault.FaultHandler;
import org.juvm.fault.FaultOutcome;
import org.juvm.ram.Native;
import org.juvm.trace.Counters;

/**
 * Reads and writes an address space as a debugger does: past the protection of its mappings, up to
 * their maximum protection. What is written to private memory stays private, even where the program
 * itself may not write. Thread-safe; the program may run meanwhile. Obtained by {@link
 * Vmspace#debug}.
 *
 * <p>Source: {@code ptrace(2)} with PT_IO; {@code uvm_io}; the override of {@code vm_map_lookup}.
 */
public final class DebugAccess {
  private final Vmspace vmspace;
  private final FaultHandler faults;
  private final PageSize pageSize;

  DebugAccess(Vmspace vmspace) {
    this.vmspace = vmspace;
    faults = vmspace.vm().faults();
    pageSize = vmspace.vm().machine().pageSize();
  }

  /**
   * Reads bytes.
   *
   * @param address first address
   * @param target receives them
   * @param offset where in the target
   * @param length number of bytes, at least 0
   * @throws MemoryFault if a page is not mapped, or may never be read; bytes before it were read
   */
  public void read(long address, MemorySegment target, long offset, long length) {
    MemorySegment part = target.asSlice(offset, length);
    each(
        address,
        length,
        Access.READ,
        (page, at) -> MemorySegment.copy(page, 0, part, at, page.byteSize()));
  }

  /**
   * Writes bytes.
   *
   * @param address first address
   * @param source has them
   * @param offset where in the source
   * @param length number of bytes, at least 0
   * @throws MemoryFault if a page is not mapped, or may never be written; bytes before it were
   *     written
   */
  public void write(long address, MemorySegment source, long offset, long length) {
    MemorySegment part = source.asSlice(offset, length);
    each(
        address,
        length,
        Access.WRITE,
        (page, at) -> MemorySegment.copy(part, at, page, 0, page.byteSize()));
  }

  /** Does something with a part of a page. */
  @FunctionalInterface
  private interface Step {
    void with(MemorySegment page, long at);
  }

  private void each(long address, long length, Access access, Step step) {
    if (vmspace.vm().isClosed()) {
      throw Vm.closedException();
    }
    Fault fault = new Fault(0, null, new Counters());
    try {
      for (long done = 0; done < length; ) {
        long at = address + done;
        long run = Math.min(length - done, pageSize.bytes() - pageSize.offset(at));
        one(fault, at, run, access, done, step);
        done += run;
      }
    } finally {
      fault.finish(vmspace.vm().machine());
    }
  }

  private void one(Fault fault, long address, long run, Access access, long done, Step step) {
    FaultOutcome outcome = faults.override(vmspace.map(), fault, address, access);
    if (outcome != FaultOutcome.RESOLVED) {
      throw MemoryFault.of(vmspace.id(), address, access, outcome);
    }
    @Nullable Amap amap = fault.amap();
    int frame = fault.frame();
    try (Arena arena = Arena.ofConfined()) {
      long where = vmspace.vm().machine().ram().address(frame) + pageSize.offset(address);
      step.with(Native.segment(where, run, arena), done);
    } finally {
      faults.giveBack(0, amap, frame, 1, access);
    }
  }
}
