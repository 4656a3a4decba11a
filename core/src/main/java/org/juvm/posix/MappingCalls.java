package org.juvm.posix;

import org.juvm.MapException;
import org.juvm.Vmspace;
import org.juvm.base.Inheritance;

/** The calls that change mappings that there are, in one address space. */
final class MappingCalls {
  private static final int REMAP_FLAGS =
      Mman.MAP_FIXED | Mman.MAP_REMAPDUP | 0xff << Mman.ALIGNMENT_SHIFT;

  private final Vmspace vmspace;

  MappingCalls(Vmspace vmspace) {
    this.vmspace = vmspace;
  }

  void munmap(long addr, long len) {
    Call call = new Call("munmap", addr, len);
    call.require(PageRange.isAligned(addr, vmspace), Errno.EINVAL);
    if (len == 0) {
      return;
    }
    PageRange range = PageRange.around(call, vmspace, addr, len, Errno.EINVAL);
    try {
      vmspace.unmap(range.start(), range.length());
    } catch (MapException e) {
      throw call.refused(e);
    }
  }

  void mprotect(long addr, long len, int prot) {
    Call call = new Call("mprotect", addr, len, prot);
    PageRange range = PageRange.around(call, vmspace, addr, len, Errno.EINVAL);
    if (range.isEmpty()) {
      return;
    }
    try {
      vmspace.protect(range.start(), range.length(), Rights.of(prot));
    } catch (MapException e) {
      throw call.refused(e);
    }
  }

  void minherit(long addr, long len, int inherit) {
    Call call = new Call("minherit", addr, len, inherit);
    PageRange range = PageRange.around(call, vmspace, addr, len, Errno.EINVAL);
    Inheritance inheritance =
        switch (inherit) {
          case Mman.MAP_INHERIT_SHARE -> Inheritance.SHARE;
          case Mman.MAP_INHERIT_COPY -> Inheritance.COPY;
          case Mman.MAP_INHERIT_NONE -> Inheritance.NONE;
          case Mman.MAP_INHERIT_ZERO -> Inheritance.ZERO;
          default -> throw call.failed(Errno.EINVAL);
        };
    if (range.isEmpty()) {
      return;
    }
    try {
      vmspace.inherit(range.start(), range.length(), inheritance);
    } catch (MapException e) {
      throw call.refused(e);
    }
  }

  void mimmutable(long addr, long len) {
    Call call = new Call("mimmutable", addr, len);
    PageRange range = PageRange.around(call, vmspace, addr, len, Errno.EINVAL);
    if (range.isEmpty()) {
      return;
    }
    try {
      vmspace.makeImmutable(range.start(), range.length());
    } catch (MapException e) {
      throw call.refused(e);
    }
  }

  long mremap(long oldAddr, long oldLen, long newAddr, long newLen, int flags) {
    Call call = new Call("mremap", oldAddr, oldLen, newAddr, newLen, flags);
    call.require((flags & ~REMAP_FLAGS) == 0, Errno.EINVAL);
    call.require(oldLen != 0 && newLen != 0, Errno.EINVAL);
    PageRange old = PageRange.from(call, vmspace, oldAddr, oldLen, Errno.EINVAL);
    boolean fixed = (flags & Mman.MAP_FIXED) != 0;
    long alignment = alignment(call, flags, fixed);
    call.require(!fixed || (newAddr & (alignment - 1)) == 0, Errno.EINVAL);
    call.require(
        Long.compareUnsigned(newLen, Vmspace.MAXIMUM_ADDRESS) <= 0
            && alignment < Vmspace.MAXIMUM_ADDRESS,
        Errno.ENOMEM);
    PageRange added = new PageRange(newAddr, PageRange.round(newLen, vmspace));
    try {
      boolean twice = (flags & Mman.MAP_REMAPDUP) != 0;
      if (fixed) {
        return twice ? duplicateTo(old, added) : move(old, added);
      }
      return twice
          ? duplicate(old, added, alignment)
          : vmspace.remap(old.start(), old.length(), added.length(), newAddr, alignment);
    } catch (MapException e) {
      throw call.refused(e, Errno.EFAULT, Errno.ENOMEM);
    }
  }

  private long alignment(Call call, int flags, boolean fixed) {
    int shift = flags >>> Mman.ALIGNMENT_SHIFT;
    // Beyond 62 it would be no positive number of bytes; nothing is aligned like that but 0.
    call.require(shift < Long.SIZE - (fixed ? 1 : 0), Errno.EINVAL);
    return Math.max(1L << Math.min(shift, Long.SIZE - 2), vmspace.vm().pageSize());
  }

  private long move(PageRange old, PageRange added) {
    vmspace.remapTo(old.start(), old.length(), added.length(), added.start());
    return added.start();
  }

  private long duplicateTo(PageRange old, PageRange added) {
    long kept = Math.min(old.length(), added.length());
    vmspace.duplicateTo(old.start(), kept, added.start());
    if (added.length() > kept) {
      try {
        vmspace.remapTo(added.start(), kept, added.length(), added.start());
      } catch (MapException e) {
        vmspace.unmap(added.start(), kept);
        throw e;
      }
    }
    return added.start();
  }

  private long duplicate(PageRange old, PageRange added, long alignment) {
    long kept = Math.min(old.length(), added.length());
    long start = vmspace.duplicate(old.start(), kept, added.start(), alignment);
    if (added.length() == kept) {
      return start;
    }
    try {
      return vmspace.remap(start, kept, added.length(), added.start(), alignment);
    } catch (MapException e) {
      vmspace.unmap(start, kept);
      throw e;
    }
  }
}
