package org.juvm.posix;

import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;
import org.juvm.MapException;
import org.juvm.Mapping;
import org.juvm.Paging;
import org.juvm.Vmspace;
import org.juvm.base.Advice;
import org.juvm.base.Protection;

/** The calls about which pages are in memory, in one address space. */
final class PagingCalls {
  private static final int SYNC_FLAGS = Mman.MS_ASYNC | Mman.MS_INVALIDATE | Mman.MS_SYNC;
  private static final int BOTH_SYNCS = Mman.MS_ASYNC | Mman.MS_SYNC;
  private static final int WIRE_FLAGS = Mman.MCL_CURRENT | Mman.MCL_FUTURE;

  private final Vmspace vmspace;
  private final Paging paging;

  PagingCalls(Vmspace vmspace) {
    this.vmspace = vmspace;
    paging = vmspace.paging();
  }

  void madvise(long addr, long len, int advice) {
    Call call = new Call("madvise", addr, len, advice);
    PageRange range = PageRange.around(call, vmspace, addr, len, Errno.EINVAL);
    boolean known = advice >= Mman.MADV_NORMAL && advice <= Mman.MADV_NOSYNC;
    boolean done = advice != Mman.MADV_SPACEAVAIL && advice != Mman.MADV_SETMAP;
    call.require(known && done, Errno.EINVAL);
    if (range.isEmpty()) {
      return;
    }
    try {
      advise(call, range, advice);
    } catch (MapException e) {
      throw call.refused(e);
    }
  }

  void mcontrol(long addr, long len, int behav, long value) {
    if (behav != Mman.MADV_SETMAP) {
      madvise(addr, len, behav);
      return;
    }
    Call call = new Call("mcontrol", addr, len, behav, value);
    PageRange range = PageRange.around(call, vmspace, addr, len, Errno.EINVAL);
    if (range.isEmpty()) {
      return;
    }
    try {
      paging.setPageTable(range.start(), range.length(), value);
    } catch (MapException e) {
      throw call.refused(e);
    }
  }

  private void advise(Call call, PageRange range, int advice) {
    long start = range.start();
    long length = range.length();
    switch (advice) {
      case Mman.MADV_NORMAL -> paging.advise(start, length, Advice.NORMAL);
      case Mman.MADV_RANDOM -> paging.advise(start, length, Advice.RANDOM);
      case Mman.MADV_SEQUENTIAL -> paging.advise(start, length, Advice.SEQUENTIAL);
      case Mman.MADV_DONTNEED -> {
        requireMapped(call, range);
        paging.deactivate(start, length);
      }
      case Mman.MADV_FREE -> {
        requireMapped(call, range);
        paging.discard(start, length);
      }
      case Mman.MADV_NOSYNC -> paging.writeLazily(start, length, true);
      case Mman.MADV_AUTOSYNC -> paging.writeLazily(start, length, false);
      case Mman.MADV_NOCORE -> paging.conceal(start, length, true);
      case Mman.MADV_CORE -> paging.conceal(start, length, false);
      case Mman.MADV_INVAL -> paging.invalidate(start, length);
      default -> paging.prefault(start, length);
    }
  }

  private void requireMapped(Call call, PageRange range) {
    call.require(vmspace.permits(range.start(), range.length(), Protection.NONE), Errno.EFAULT);
  }

  void msync(long addr, long len, int flags) {
    Call call = new Call("msync", addr, len, flags);
    call.require(
        (flags & ~SYNC_FLAGS) == 0 && flags != 0 && (flags & BOTH_SYNCS) != BOTH_SYNCS,
        Errno.EINVAL);
    PageRange range = PageRange.around(call, vmspace, addr, len, Errno.EINVAL);
    if (len == 0) {
      range = mappingAt(call, addr);
    }
    boolean invalidate = (flags & Mman.MS_INVALIDATE) != 0;
    try {
      if ((flags & Mman.MS_ASYNC) != 0 && !invalidate) {
        paging.cleanLater(range.start(), range.length());
      } else {
        paging.clean(range.start(), range.length(), invalidate);
      }
    } catch (MapException e) {
      throw call.refused(e, Errno.EFAULT, Errno.ENOMEM);
    } catch (UncheckedIOException e) {
      throw call.failed(Errno.EIO, e);
    }
  }

  private PageRange mappingAt(Call call, long addr) {
    for (Mapping mapping : vmspace.mappings()) {
      if (mapping.start() <= addr && addr < mapping.end()) {
        return new PageRange(mapping.start(), mapping.length());
      }
    }
    throw call.failed(Errno.EINVAL);
  }

  void mincore(long addr, long len, byte @Nullable [] vec) {
    Call call = new Call("mincore", addr, len);
    call.require(
        PageRange.isAligned(addr, vmspace) && len != 0 && PageRange.canRound(len, vmspace),
        Errno.EINVAL);
    long length = PageRange.round(len, vmspace);
    // A range that ends with the last address does not wrap around, nor can it be mapped.
    call.require(Long.compareUnsigned(length, -addr) <= 0 || addr == 0, Errno.EINVAL);
    long pages = Long.divideUnsigned(length, vmspace.vm().pageSize());
    if (vec == null || vec.length < pages) {
      throw call.failed(Errno.EFAULT);
    }
    PageRange range = PageRange.around(call, vmspace, addr, len, Errno.ENOMEM);
    boolean[] resident;
    try {
      resident = paging.resident(range.start(), range.length());
    } catch (MapException e) {
      throw call.refused(e);
    }
    for (int i = 0; i < resident.length; i++) {
      vec[i] = (byte) (resident[i] ? 1 : 0);
    }
  }

  void mlock(long addr, long len) {
    Call call = new Call("mlock", addr, len);
    PageRange range = PageRange.around(call, vmspace, addr, len, Errno.ENOMEM);
    if (range.isEmpty()) {
      return;
    }
    try {
      paging.wire(range.start(), range.length());
    } catch (MapException e) {
      throw call.refused(e, Errno.ENOMEM, Errno.EAGAIN);
    }
  }

  void munlock(long addr, long len) {
    Call call = new Call("munlock", addr, len);
    PageRange range = PageRange.around(call, vmspace, addr, len, Errno.ENOMEM);
    if (range.isEmpty()) {
      return;
    }
    try {
      paging.unwire(range.start(), range.length());
    } catch (MapException e) {
      throw call.refused(e);
    }
  }

  void mlockall(int flags) {
    Call call = new Call("mlockall", flags);
    call.require(flags != 0 && (flags & ~WIRE_FLAGS) == 0, Errno.EINVAL);
    try {
      paging.wireAll((flags & Mman.MCL_CURRENT) != 0, (flags & Mman.MCL_FUTURE) != 0);
    } catch (MapException e) {
      throw call.refused(e);
    }
  }

  void munlockall() {
    paging.unwireAll();
  }
}
