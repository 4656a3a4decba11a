package org.juvm.posix;

import org.jspecify.annotations.Nullable;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Limit;

/**
 * A process, as far as its memory is concerned: an address space, the break of its heap, and
 * descriptors of files and shared memory. Its calls are those of the manual pages, with the numbers
 * of {@link Mman}; where BSD systems differ, they follow NetBSD.
 *
 * <p>Addresses and lengths are in bytes and unsigned: any 64-bit number may be given. Addresses
 * that can be mapped go from {@link Vmspace#MINIMUM_ADDRESS} to {@link Vmspace#MAXIMUM_ADDRESS}.
 * Lengths are rounded up to whole pages. A call that says <em>pages of the range</em> takes
 * addresses inside pages, too, and means all pages that have a byte of the range; length 0 does
 * nothing there. A call that fails throws {@link PosixException} and has changed nothing, unless it
 * says otherwise.
 *
 * <p>Thread-safe. What a process consists of is replaced as a whole by exec and unshare; these two
 * and exit exclude each other by one monitor, for which no other call waits. A call that runs while
 * another thread replaces the address space or ends the process is done in the old one, or throws
 * {@link IllegalStateException}, as every call of a process that has exited does. Calls that change
 * mappings are ordered by the address space itself; those about descriptors by their table, and
 * those about the break by the break.
 */
public final class PosixProcess extends DescriptorCalls implements AutoCloseable {
  /** Where the heap starts if nothing else is said: 64 GiB, above what mmap uses first. */
  public static final long DEFAULT_BREAK_BASE = 1L << 36;

  /** Guards the changes of image and exited. */
  private final Object life = new Object();

  private volatile Image image;
  private volatile boolean exited;

  private PosixProcess(Image image, Descriptors descriptors) {
    super(descriptors);
    this.image = image;
  }

  /**
   * Makes a process with an empty address space, no descriptors and no limits.
   *
   * @param vm the system that it lives in
   * @return the process; it must exit
   * @throws IllegalStateException if the system is closed
   */
  public static PosixProcess create(Vm vm) {
    return new PosixProcess(Image.of(vm.newVmspace()), new Descriptors());
  }

  /**
   * The address space: what a {@link org.juvm.Cpu} is attached to. Another one after exec, and
   * after unshare if it was shared.
   *
   * @return the address space; one that may have ended if the process has exited
   */
  public Vmspace vmspace() {
    return image.vmspace();
  }

  private Image running() {
    if (exited) {
      throw exitedException();
    }
    return image;
  }

  private MappingCalls mappings() {
    return new MappingCalls(running().vmspace());
  }

  private PagingCalls paging() {
    return new PagingCalls(running().vmspace());
  }

  @Override
  Vm runningVm() {
    return running().vmspace().vm();
  }

  static IllegalStateException exitedException() {
    return new IllegalStateException("the process has exited");
  }

  // ---- mappings ----

  /**
   * Maps memory. ({@code mmap(2)})
   *
   * <p>Unknown bits of prot and flags say nothing. PROT_WRITE and PROT_EXEC imply PROT_READ.
   * Without MAP_FIXED the address is a hint: it is taken if it is free, else the next free place
   * above it, else the lowest. With MAP_ANON the offset says nothing; an anonymous mapping of
   * length 0 maps nothing and succeeds.
   *
   * <p>MAP_EXCL makes MAP_FIXED refuse to replace anything. MAP_STACK says nothing, as in NetBSD.
   * MAP_GROWSDOWN needs PROT_READ and PROT_WRITE: the range is the stack's whether mapped or not,
   * its upper end is mapped, and it grows down to addr as it is touched, within RLIMIT_STACK; it
   * implies MAP_ANON. MAP_GUARD needs PROT_NONE and offset 0 and implies MAP_ANON: nothing can be
   * accessed there or be made accessible.
   *
   * <p>An offset inside a page gives an address inside a page, at the byte asked for; addr must
   * then be at the same place in its page if it is fixed. A shared mapping by a descriptor that is
   * not open for writing can never be made writable.
   *
   * <p>MAP_VPAGETABLE needs MAP_SHARED, PROT_READ, PROT_WRITE and a descriptor: offset is then one
   * of the virtual memory, and nothing can be accessed before {@link #mcontrol} has set a root.
   *
   * <p>If the mapping was fixed and must be wired, with MAP_WIRED or after mlockall, and that is
   * not possible, what was there is gone and nothing is there.
   *
   * @param addr where, or a hint; 0: anywhere
   * @param len bytes
   * @param prot an or of PROT_READ, PROT_WRITE and PROT_EXEC, or PROT_NONE
   * @param flags an or of MAP constants, and {@link Mman#MAP_ALIGNED}
   * @param fd a descriptor of a file or of shared memory, or -1 with MAP_ANON
   * @param offset bytes from the start of the file or the shared memory
   * @return the address of the first byte
   * @throws PosixException EINVAL for both types at once, a length of 0 without MAP_ANON, MAP_ANON
   *     with a descriptor, a negative offset, MAP_ALIGNED of 64 and more, a fixed address that is
   *     not aligned or is too low, MAP_EXCL without MAP_FIXED or where something is mapped, wrong
   *     company of MAP_GUARD, MAP_GROWSDOWN and MAP_VPAGETABLE, MAP_NOFAULT with MAP_ANON,
   *     MAP_WIRED with PROT_NONE; EFBIG if a fixed range is too high; EOVERFLOW if it wraps around,
   *     or the offset goes beyond what can exist; EBADF; ENODEV for a directory; EACCES if prot is
   *     more than the descriptor gives; EPERM if an immutable mapping would be replaced; ENOMEM for
   *     a length that wraps around when rounded, no space, a limit, or memory for wiring
   */
  public long mmap(long addr, long len, int prot, int flags, int fd, long offset) {
    Vmspace vmspace = running().vmspace();
    return new MmapCall(vmspace, descriptors(), addr, len, prot, flags, fd, offset).run();
  }

  /**
   * Removes all mappings in a range; holes are allowed, and length 0. ({@code munmap(2)})
   *
   * @param addr page aligned
   * @param len bytes
   * @throws PosixException EINVAL if the address is not aligned or the range leaves the address
   *     space; EPERM if something is immutable; ENOMEM if there is no memory to split a mapping
   */
  public void munmap(long addr, long len) {
    mappings().munmap(addr, len);
  }

  /**
   * Sets the rights of the pages of the range. ({@code mprotect(2)})
   *
   * @param addr any address
   * @param len bytes
   * @param prot as for mmap
   * @throws PosixException EINVAL if the range leaves the address space; ENOMEM if there is a hole;
   *     EACCES if a mapping may never have these rights; EPERM if it is immutable
   */
  public void mprotect(long addr, long len, int prot) {
    mappings().mprotect(addr, len, prot);
  }

  /**
   * Sets what a child gets of the pages of the range. Holes are left out. ({@code minherit(2)})
   *
   * @param addr any address
   * @param len bytes
   * @param inherit one of MAP_INHERIT_SHARE, COPY, NONE and ZERO
   * @throws PosixException EINVAL for any other value, or if the range leaves the address space;
   *     EPERM if something is immutable
   */
  public void minherit(long addr, long len, int inherit) {
    mappings().minherit(addr, len, inherit);
  }

  /**
   * Makes the place, the rights and the inheritance of the pages of the range final. Holes are left
   * out. Exec to an empty image ends it. ({@code mimmutable(2)} of OpenBSD)
   *
   * @param addr any address
   * @param len bytes
   * @throws PosixException EINVAL if the range leaves the address space; EPERM if a writable
   *     mapping is zeroed at fork
   */
  public void mimmutable(long addr, long len) {
    mappings().mimmutable(addr, len);
  }

  /**
   * Changes the length of a range that has no holes, and its place if there is no room, or another
   * one is asked for. Nothing is copied. ({@code mremap(2)} of NetBSD)
   *
   * <p>With MAP_FIXED the new range must be free: nothing is replaced, and it may overlap the old
   * one only if it starts with it. With MAP_REMAPDUP the old range stays, and the new one shows the
   * same memory.
   *
   * @param oldAddr page aligned
   * @param oldLen bytes, not 0
   * @param newAddr where, with MAP_FIXED; else where the search for space starts
   * @param newLen bytes, not 0
   * @param flags an or of MAP_FIXED, MAP_REMAPDUP and {@link Mman#MAP_ALIGNED}
   * @return the address of the new range
   * @throws PosixException EINVAL for other flags, a length of 0, addresses that are not aligned,
   *     or an old range that leaves the address space; EFAULT if it has a hole; EPERM if it is
   *     immutable; ENOMEM if the new place is occupied, there is none, or a limit is exceeded
   */
  public long mremap(long oldAddr, long oldLen, long newAddr, long newLen, int flags) {
    return mappings().mremap(oldAddr, oldLen, newAddr, newLen, flags);
  }

  // ---- paging ----

  /**
   * Says how the pages of the range will be used. Holes are left out but by MADV_DONTNEED and
   * MADV_FREE. ({@code madvise(2)})
   *
   * @param addr any address
   * @param len bytes
   * @param advice one of the MADV constants
   * @throws PosixException EINVAL for any other value, MADV_SPACEAVAIL and MADV_SETMAP, or if the
   *     range leaves the address space; for MADV_FREE also EBUSY if something is wired, EPERM if it
   *     is immutable and not writable, ENOMEM; for MADV_FREE and MADV_DONTNEED EFAULT if there is a
   *     hole
   */
  public void madvise(long addr, long len, int advice) {
    paging().madvise(addr, len, advice);
  }

  /**
   * As {@link #madvise}, and sets page tables. Holes are left out. ({@code mcontrol(2)} of
   * DragonFly)
   *
   * @param addr any address
   * @param len bytes
   * @param behav one of the MADV constants
   * @param value for MADV_SETMAP the root, an {@link org.juvm.base.VirtualPte}; else ignored
   * @throws PosixException as {@link #madvise}; EINVAL for MADV_SETMAP if something in the range
   *     was mapped without MAP_VPAGETABLE: then nothing has changed
   */
  public void mcontrol(long addr, long len, int behav, long value) {
    paging().mcontrol(addr, len, behav, value);
  }

  /**
   * Writes the pages of the range back to their files. Length 0 means the whole mapping that the
   * address is in. ({@code msync(2)})
   *
   * @param addr any address
   * @param len bytes
   * @param flags MS_ASYNC or MS_SYNC, and MS_INVALIDATE; this alone implies MS_SYNC
   * @throws PosixException EINVAL for other flags or none, if the range leaves the address space,
   *     or nothing is mapped at the address if the length is 0; EFAULT if there is a hole; EBUSY if
   *     something wired would be dropped; EIO if something could not be written, which stays in
   *     memory
   */
  public void msync(long addr, long len, int flags) {
    paging().msync(addr, len, flags);
  }

  /**
   * Says which pages of a range are in memory. ({@code mincore(2)})
   *
   * @param addr page aligned
   * @param len bytes, not 0
   * @param vec gets 1 for a page in memory, else 0; what is longer than the range stays as it is
   * @throws PosixException EINVAL for an address that is not aligned, length 0 or a range that
   *     wraps around; EFAULT if vec is null or too short; ENOMEM if there is a hole
   */
  public void mincore(long addr, long len, byte @Nullable [] vec) {
    paging().mincore(addr, len, vec);
  }

  /**
   * Brings the pages of the range into memory and keeps them there; once is as good as often.
   * ({@code mlock(2)})
   *
   * @param addr any address
   * @param len bytes
   * @throws PosixException ENOMEM if the range leaves the address space or has a hole, or a page
   *     cannot be had; EAGAIN over RLIMIT_MEMLOCK; EINVAL for a mapping without rights or with
   *     MAP_VPAGETABLE
   */
  public void mlock(long addr, long len) {
    paging().mlock(addr, len);
  }

  /**
   * Takes mlock back for the pages of the range. ({@code munlock(2)})
   *
   * @param addr any address
   * @param len bytes
   * @throws PosixException ENOMEM if the range leaves the address space or has a hole
   */
  public void munlock(long addr, long len) {
    paging().munlock(addr, len);
  }

  /**
   * Wires everything that has rights. ({@code mlockall(2)})
   *
   * @param flags MCL_CURRENT for what is mapped, MCL_FUTURE for what will be, or both
   * @throws PosixException EINVAL for other flags or none, or a mapping with MAP_VPAGETABLE; ENOMEM
   *     over RLIMIT_MEMLOCK, or if a page cannot be had
   */
  public void mlockall(int flags) {
    paging().mlockall(flags);
  }

  /** Takes back all mlock and mlockall. ({@code munlockall(2)}) */
  public void munlockall() {
    paging().munlockall();
  }

  // ---- heap ----

  /**
   * Puts an empty heap to another place, as a program's data segment does.
   *
   * @param address page aligned
   * @throws PosixException EINVAL if it is not aligned or not in the address space; EBUSY if the
   *     heap is not empty
   */
  public void setBreakBase(long address) {
    running().setBreakBase(address);
  }

  /**
   * Moves the end of the heap; what is added consists of zeros, what is cut off is freed. ({@code
   * brk(2)})
   *
   * @param addr the address after the last byte of the heap
   * @return the same
   * @throws PosixException ENOMEM below the base, over RLIMIT_DATA if it grows, or if something is
   *     in the way; EPERM if it shrinks and is immutable
   */
  public long brk(long addr) {
    return running().brk(addr);
  }

  /**
   * Moves the end of the heap by so many bytes. ({@code sbrk(2)})
   *
   * @param increment bytes, signed; 0: it stays
   * @return where the end was before
   * @throws PosixException as {@link #brk}
   */
  public long sbrk(long increment) {
    return running().sbrk(increment);
  }

  // ---- limits ----

  /**
   * A limit. ({@code getrlimit(2)}) Limits belong to the address space: processes that share it
   * have the same. There is one value, not a soft and a hard one.
   *
   * @param resource RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK or RLIMIT_MEMLOCK
   * @return bytes, or RLIM_INFINITY
   * @throws PosixException EINVAL for any other resource
   */
  public long getrlimit(int resource) {
    return running().vmspace().limit(Resource.limit(new Call("getrlimit", resource), resource));
  }

  /**
   * Sets a limit. What is more already stays. ({@code setrlimit(2)})
   *
   * @param resource as for {@link #getrlimit}
   * @param bytes the limit, or RLIM_INFINITY
   * @throws PosixException EINVAL for any other resource, or a negative limit
   */
  public void setrlimit(int resource, long bytes) {
    Call call = new Call("setrlimit", resource, bytes);
    Limit limit = Resource.limit(call, resource);
    call.require(bytes >= 0, Errno.EINVAL);
    running().vmspace().setLimit(limit, bytes);
  }

  // ---- life ----

  /**
   * Makes a child with a copy of the address space, subject to inheritance, the same break and the
   * same descriptors. What was wired is not wired in the child. ({@code fork(2)})
   *
   * @return the child; it must exit
   * @throws PosixException ENOMEM if pages that must be copied at once could not be
   */
  public PosixProcess fork() {
    return child(running().fork());
  }

  /**
   * Makes a child in the same address space, with the same break: what one changes, the other sees,
   * until it calls exec, unshare or exit. The descriptors are copied. The parent is not stopped.
   * ({@code vfork(2)})
   *
   * @return the child; it must exit
   */
  public PosixProcess vfork() {
    return child(running().share());
  }

  private PosixProcess child(Image its) {
    return new PosixProcess(its, descriptors().copy());
  }

  /**
   * Starts another program: the address space is replaced by an empty one, or by a copy of an
   * image. Limits and descriptors stay; what mlockall said about the future does not, and with an
   * empty image there is nothing immutable. The heap is empty and starts at {@link
   * #DEFAULT_BREAK_BASE}, or is as in the image. ({@code execve(2)})
   *
   * @param program a process of the same system whose address space is copied, or null
   * @throws PosixException ENOMEM as {@link #fork}
   */
  public void exec(@Nullable PosixProcess program) {
    if (program != null && program.vmspace().vm() != vmspace().vm()) {
      throw new IllegalArgumentException("image of another system");
    }
    synchronized (life) {
      Vmspace current = running().vmspace();
      image = program == null ? Image.execNothing(current) : program.running().exec(current);
    }
  }

  /**
   * Ends the sharing of the address space that {@link #vfork} began: the process gets a copy for
   * itself, if another one has it, too. ({@code vmspace_unshare})
   *
   * @throws PosixException ENOMEM as {@link #fork}
   */
  public void unshare() {
    synchronized (life) {
      image = running().unshare();
    }
  }

  /**
   * Ends the process: its address space ends unless another one shares it, its descriptors are
   * closed. Doing it twice does nothing. ({@code _exit(2)})
   */
  public void exit() {
    synchronized (life) {
      if (exited) {
        return;
      }
      exited = true;
      image.vmspace().close();
    }
    descriptors().closeAll();
  }

  /** As {@link #exit}. */
  @Override
  public void close() {
    exit();
  }
}
