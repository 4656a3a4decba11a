package org.juvm.posix;

import org.juvm.MapException;
import org.juvm.MapRequest;
import org.juvm.Vmspace;
import org.juvm.base.Limit;
import org.juvm.base.Protection;

/**
 * The heap of an address space: the mapping from a base to the break, which moves. Processes that
 * share the address space share it.
 *
 * <p>Thread-safe: one monitor guards the break and is held while the mapping follows it, and while
 * the address space is forked, so that the child's break fits its heap. Only calls that move or
 * copy the break wait for it.
 *
 * <p>Source: {@code brk(2)}; {@code sys_obreak}.
 */
final class ProgramBreak {
  private final Object lock = new Object();

  /** Page aligned. Guarded by lock. */
  private long base;

  /** The address after the last byte of the heap, any number from base. Guarded by lock. */
  private long end;

  ProgramBreak(long base) {
    this(base, base);
  }

  private ProgramBreak(long base, long end) {
    this.base = base;
    this.end = end;
  }

  /** Moves an empty heap. */
  void setBase(Call call, Vmspace vmspace, long address) {
    call.require(PageRange.isAligned(address, vmspace), Errno.EINVAL);
    PageRange.around(call, vmspace, address, 0, Errno.EINVAL);
    synchronized (lock) {
      call.require(end == base, Errno.EBUSY);
      base = address;
      end = address;
    }
  }

  /** Moves the break; returns where it is. */
  long moveTo(Call call, Vmspace vmspace, long address) {
    synchronized (lock) {
      move(call, vmspace, address);
      return end;
    }
  }

  /** Moves the break; returns where it was. */
  long moveBy(Call call, Vmspace vmspace, long increment) {
    synchronized (lock) {
      long before = end;
      long after = before + increment;
      // The break is below 2^48, so that a sum that wraps around is negative: below the base.
      move(call, vmspace, after);
      return before;
    }
  }

  private void move(Call call, Vmspace vmspace, long address) {
    call.require(
        address >= base && Long.compareUnsigned(address, Vmspace.MAXIMUM_ADDRESS) <= 0,
        Errno.ENOMEM);
    long from = PageRange.round(end, vmspace);
    long to = PageRange.round(address, vmspace);
    try {
      if (to > from) {
        call.require(to - base <= vmspace.limit(Limit.DATA), Errno.ENOMEM);
        vmspace.map(MapRequest.anonymous(to - from).protection(Protection.READ_WRITE).at(from));
      } else if (to < from) {
        vmspace.unmap(to, from - to);
      }
    } catch (MapException e) {
      throw call.refused(e);
    }
    end = address;
  }

  /** A fork of an address space with its heap. */
  Image fork(Vmspace vmspace) {
    synchronized (lock) {
      return new Image(vmspace.fork(), new ProgramBreak(base, end));
    }
  }

  /** An address space for one process alone. */
  Image unshare(Vmspace vmspace) {
    synchronized (lock) {
      Vmspace own = vmspace.unshare();
      return new Image(own, own == vmspace ? this : new ProgramBreak(base, end));
    }
  }

  /** What a process executes in return for its reference to an address space. */
  Image exec(Vmspace current, Vmspace image) {
    synchronized (lock) {
      return new Image(current.exec(image), new ProgramBreak(base, end));
    }
  }
}
