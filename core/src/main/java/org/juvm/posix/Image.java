package org.juvm.posix;

import org.juvm.Vmspace;

/** What a process runs in: an address space, and the break that belongs to it. */
record Image(Vmspace vmspace, ProgramBreak heap) {

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
    return heap.fork(vmspace);
  }

  /** For another process, in the same address space. */
  Image share() {
    return new Image(vmspace.reference(), heap);
  }

  /** For this process alone, in return for its reference. */
  Image unshare() {
    return heap.unshare(vmspace);
  }

  /** A copy of this for a process, in return for its reference to what it ran in. */
  Image execInsteadOf(Vmspace current) {
    return heap.exec(current, vmspace);
  }
}
