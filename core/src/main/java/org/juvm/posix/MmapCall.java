package org.juvm.posix;

import org.juvm.MapException;
import org.juvm.MapRequest;
import org.juvm.SharedMemory;
import org.juvm.Vmspace;
import org.juvm.base.MapFlag;
import org.juvm.base.Protection;
import org.juvm.base.VirtualPte;

/**
 * One call of mmap: its arguments, checked in the order of NetBSD's {@code sys_mmap}, so that of
 * several errors the same one is reported, and then turned into a {@link MapRequest}.
 */
final class MmapCall {
  private static final int BOTH_TYPES = Mman.MAP_SHARED | Mman.MAP_PRIVATE;
  private static final int READ_WRITE = Mman.PROT_READ | Mman.PROT_WRITE;

  /** The binary logarithm of {@link Vmspace#MAXIMUM_ADDRESS}: more cannot be aligned to. */
  private static final int MAXIMUM_ALIGNMENT_SHIFT =
      Long.numberOfTrailingZeros(Vmspace.MAXIMUM_ADDRESS);

  private static final long VIRTUAL_MEMORY = 1L << VirtualPte.ADDRESS_BITS;

  private final Vmspace vmspace;
  private final Call call;
  private final Descriptors descriptors;
  private final long addr;
  private final long len;
  private final int prot;
  private final int flags;
  private final int fd;
  private final long offset;

  /** Bytes from the start of the page that offset is in, for memory that has offsets. */
  private final int inPage;

  MmapCall(
      Vmspace vmspace,
      Descriptors descriptors,
      long addr,
      long len,
      int prot,
      int flags,
      int fd,
      long offset) {
    this.vmspace = vmspace;
    this.descriptors = descriptors;
    this.addr = addr;
    this.len = len;
    this.prot = prot;
    this.flags = flags;
    this.fd = fd;
    this.offset = offset;
    call = new Call("mmap", addr, len, prot, flags, fd, offset);
    inPage = isAnonymous() ? 0 : (int) (offset & (vmspace.vm().pageSize() - 1));
  }

  private boolean has(int flag) {
    return (flags & flag) != 0;
  }

  private boolean isAnonymous() {
    return has(Mman.MAP_ANON | Mman.MAP_GROWSDOWN | Mman.MAP_GUARD);
  }

  /** The address of the first byte. */
  long run() {
    call.require((flags & BOTH_TYPES) != BOTH_TYPES, Errno.EINVAL);
    call.require(
        PageRange.canRound(len, vmspace)
            && Long.compareUnsigned(len, -vmspace.vm().pageSize() - (long) inPage) <= 0,
        Errno.ENOMEM);
    long length = PageRange.round(len + inPage, vmspace);
    if (has(Mman.MAP_FIXED)) {
      checkFixed(addr - inPage, length);
    } else {
      call.require(!has(Mman.MAP_EXCL), Errno.EINVAL);
    }
    if (isAnonymous()) {
      return anonymous(length);
    }
    OpenDescription opened = descriptors.acquire(call, fd);
    try {
      return opened(opened, length) + inPage;
    } finally {
      opened.release();
    }
  }

  private void checkFixed(long start, long length) {
    call.require(PageRange.isAligned(start, vmspace), Errno.EINVAL);
    long end = start + length;
    call.require(Long.compareUnsigned(start, Vmspace.MINIMUM_ADDRESS) >= 0, Errno.EINVAL);
    call.require(Long.compareUnsigned(end, Vmspace.MAXIMUM_ADDRESS) <= 0, Errno.EFBIG);
    call.require(Long.compareUnsigned(start, end) <= 0, Errno.EOVERFLOW);
  }

  private long anonymous(long length) {
    call.require(fd == -1 && !has(Mman.MAP_VPAGETABLE), Errno.EINVAL);
    checkGuard();
    checkStack();
    call.require(!has(Mman.MAP_NOFAULT), Errno.EINVAL);
    long alignment = alignment(addr);
    if (length == 0) {
      return nothing();
    }
    checkLength(length);
    if (has(Mman.MAP_GROWSDOWN)) {
      // The guard is the program's own affair: the whole length can be used, as in NetBSD.
      return map(MapRequest.stack(length).guard(0), addr, alignment);
    }
    MapRequest request = MapRequest.anonymous(length);
    if (has(Mman.MAP_SHARED)) {
      request.shared();
    }
    if (has(Mman.MAP_GUARD)) {
      request.maximum(Protection.NONE);
    }
    return map(request, addr, alignment);
  }

  /** As in FreeBSD: a guard is nothing but a place. */
  private void checkGuard() {
    int others =
        Mman.MAP_SHARED | Mman.MAP_GROWSDOWN | Mman.MAP_WIRED | Mman.MAP_NOFAULT | Mman.MAP_NOSYNC;
    call.require(
        !has(Mman.MAP_GUARD) || (len != 0 && prot == Mman.PROT_NONE && offset == 0 && !has(others)),
        Errno.EINVAL);
  }

  /** As a stack in FreeBSD and OpenBSD. */
  private void checkStack() {
    call.require(
        !has(Mman.MAP_GROWSDOWN)
            || (len != 0 && (prot & READ_WRITE) == READ_WRITE && !has(Mman.MAP_SHARED)),
        Errno.EINVAL);
  }

  private long opened(OpenDescription opened, long length) {
    call.require(len != 0 && offset >= 0, Errno.EINVAL);
    checkPageTable();
    long start = offset - inPage;
    long limit = has(Mman.MAP_VPAGETABLE) ? VIRTUAL_MEMORY : SharedMemory.MAXIMUM_BYTES;
    call.require(
        start <= limit && Long.compareUnsigned(length, limit - start) <= 0, Errno.EOVERFLOW);
    // As in DragonFly; OpenBSD would share it.
    call.require(!opened.isDevice() || !has(Mman.MAP_PRIVATE), Errno.EINVAL);
    Protection rights = Rights.of(prot);
    Protection maximum = Protection.READ_WRITE_EXECUTE;
    if (has(Mman.MAP_SHARED) && !opened.isWritable()) {
      maximum = Protection.READ_EXECUTE;
    }
    MapRequest request = opened.toMap(call, start, length).maximum(maximum);
    call.require(opened.isReadable() && maximum.includes(rights), Errno.EACCES);
    long alignment = alignment(addr - inPage);
    checkLength(length);
    if (has(Mman.MAP_SHARED)) {
      request.shared();
    }
    if (has(Mman.MAP_VPAGETABLE)) {
      request.pageTable(0);
    }
    return map(request, addr - inPage, alignment);
  }

  /** As in DragonFly, which must be able to write to the tables; and there is one copy of them. */
  private void checkPageTable() {
    call.require(
        !has(Mman.MAP_VPAGETABLE)
            || ((prot & READ_WRITE) == READ_WRITE && has(Mman.MAP_SHARED) && !has(Mman.MAP_WIRED)),
        Errno.EINVAL);
  }

  private void checkLength(long length) {
    call.require(Long.compareUnsigned(length, Vmspace.MAXIMUM_ADDRESS) <= 0, Errno.ENOMEM);
  }

  /** The alignment asked for, bytes, at least a page. */
  private long alignment(long start) {
    int shift = flags >>> Mman.ALIGNMENT_SHIFT;
    call.require(shift < Long.SIZE, Errno.EINVAL);
    long alignment = Math.max(1L << Math.min(shift, MAXIMUM_ALIGNMENT_SHIFT), pageSize());
    if (has(Mman.MAP_FIXED)) {
      call.require((start & (alignment - 1)) == 0, Errno.EINVAL);
    } else {
      call.require(shift < MAXIMUM_ALIGNMENT_SHIFT, Errno.ENOMEM);
    }
    return alignment;
  }

  private int pageSize() {
    return vmspace.vm().pageSize();
  }

  /** The place of an empty mapping: an address where one could be, though none is made. */
  private long nothing() {
    long top = Vmspace.MAXIMUM_ADDRESS - pageSize();
    boolean possible =
        Long.compareUnsigned(addr, Vmspace.MINIMUM_ADDRESS) >= 0
            && Long.compareUnsigned(addr, top) <= 0;
    return possible ? addr & -pageSize() : Vmspace.MINIMUM_ADDRESS;
  }

  private long map(MapRequest request, long start, long alignment) {
    Protection rights = Rights.of(prot);
    // Nothing that cannot be accessed is wired; known before anything is replaced.
    call.require(!has(Mman.MAP_WIRED) || rights != Protection.NONE, Errno.EINVAL);
    request.protection(rights).alignment(alignment);
    setFlag(request, Mman.MAP_CONCEAL, MapFlag.NO_CORE);
    setFlag(request, Mman.MAP_NOSYNC, MapFlag.NO_SYNC);
    setFlag(request, Mman.MAP_NOFAULT, MapFlag.NO_FAULT);
    if (has(Mman.MAP_WIRED)) {
      request.wired();
    }
    if (!has(Mman.MAP_FIXED)) {
      // A hint that is free is taken, so that MAP_TRYFIXED needs nothing more.
      request.near(start);
    } else if (has(Mman.MAP_EXCL)) {
      request.at(start);
    } else {
      request.replacing(start);
    }
    try {
      return vmspace.map(request);
    } catch (MapException e) {
      throw refused(e);
    }
  }

  private PosixException refused(MapException refusal) {
    return refusal.reason() == MapException.Reason.OCCUPIED
        ? call.failed(Errno.EINVAL, refusal)
        : call.refused(refusal);
  }

  private void setFlag(MapRequest request, int flag, MapFlag property) {
    if (has(flag)) {
      request.flag(property);
    }
  }
}
