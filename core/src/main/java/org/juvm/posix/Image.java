package org.juvm.posix;

import org.juvm.MapException;
import org.juvm.Vmspace;

/** What a process runs in: an address space, and the break that belongs to it. */
record Image(Vmspace vmspace, ProgramBreak heap) {

  /** With an empty heap at the usual place. */
  static Image of(Vmspace vmspace) {
    return new Image(vmspace, new ProgramBreak(PosixProcess.DEFAULT_BREAK_BASE));
  }

  void setBreakBase(long address) {
    heap.setBase(new Call("set_break_base", address), vmspace, address);
  }

  long brk(long addr) {
    return heap.moveTo(new Call("brk", addr), vmspace, addr);
  }

  long sbrk(long increment) {
    return heap.moveBy(new Call("sbrk", increment), vmspace, increment);
  }

  /** For another process, with copies of both. */
  Image fork() {
    try {
      return heap.fork(vmspace);
    } catch (MapException e) {
      throw new Call("fork").refused(e);
    }
  }

  /** For another process, in the same address space. */
  Image share() {
    return new Image(vmspace.reference(), heap);
  }

  /** For this process alone, in return for its reference. */
  Image unshare() {
    try {
      return heap.unshare(vmspace);
    } catch (MapException e) {
      throw new Call("unshare").refused(e);
    }
  }

  /** A copy of this for a process, in return for its reference to what it ran in. */
  Image exec(Vmspace current) {
    try {
      return heap.exec(current, vmspace);
    } catch (MapException e) {
      throw new Call("execve").refused(e);
    }
  }

  /** Nothing for a process, in return for its reference to what it ran in. */
  static Image execNothing(Vmspace current) {
    return of(current.exec(null));
  }
}
