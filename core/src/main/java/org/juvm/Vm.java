package org.juvm;

import java.lang.foreign.MemorySegment;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.juvm.base.PageSize;
import org.juvm.base.Replacement;
import org.juvm.fault.FaultHandler;
import org.juvm.kernel.KernelSpace;
import org.juvm.map.Machine;
import org.juvm.map.VmMap;
import org.juvm.object.DeviceObject;
import org.juvm.object.PageSource;
import org.juvm.object.PagerObject;
import org.juvm.page.ReplacementPolicy;
import org.juvm.pageout.ClockSettings;
import org.juvm.pageout.PageDaemon;
import org.juvm.pageout.ReplacementPolicies;
import org.juvm.ram.Ram;
import org.juvm.store.PageIo;
import org.juvm.sync.LockRank;
import org.juvm.sync.RankedLock;
import org.juvm.trace.Counters;

/**
 * A virtual memory system: a fixed amount of memory, and the address spaces that share it.
 * Thread-safe. Several can run in one process; they have nothing in common.
 */
public final class Vm implements AutoCloseable {
  private final Machine machine;
  private final FaultHandler faults;
  private final PageDaemon daemon;

  private final RankedLock lock = new RankedLock(LockRank.SYSTEM);

  /** Address spaces that have not been closed. Guarded by lock. */
  private final Set<Vmspace> vmspaces = new LinkedHashSet<>();

  private final SharedMemories sharedMemory = new SharedMemories(this);
  private final Handles handles = new Handles(this);
  private final Swap swap = new Swap(this);
  private final MappedFiles files = new MappedFiles(this);
  private final KernelSpace kernelSpace;
  private final KernelMap kernel;
  private final Cpus cpus = new Cpus(this);
  private final SystemPages pages = new SystemPages(this, InstantSource.system());

  /** Guarded by lock. */
  private long nextVmspace = 1;

  private volatile boolean closed;

  /** What a system can be told when it is booted. */
  public static final class Builder {
    private long memory = 64L << 20;
    private int pageSize = 4096;
    private long swap;
    private Replacement replacement = Replacement.TWO_QUEUE;

    private Builder() {}

    /**
     * Sets how much memory the pages of all address spaces may take together. Bookkeeping comes on
     * top: about 40 bytes for each resident page.
     *
     * @param bytes from 16 pages to 2^28 pages less one; rounded down to whole pages. Default 64
     *     MiB
     * @return this
     */
    public Builder memory(long bytes) {
      memory = bytes;
      return this;
    }

    /**
     * Sets the size of a page.
     *
     * @param bytes a power of two from 1 KiB to 64 KiB. Default 4 KiB
     * @return this
     */
    public Builder pageSize(int bytes) {
      pageSize = bytes;
      return this;
    }

    /**
     * Lets anonymous memory be more than there is memory: pages that are not used go to a temporary
     * file, which takes space only as far as it is used, and is gone when the system is closed. See
     * {@link Vm#swap} for other devices.
     *
     * @param bytes the largest size of the file, rounded down to whole pages. Default 0: no swap
     * @return this
     */
    public Builder swap(long bytes) {
      swap = bytes;
      return this;
    }

    /**
     * Sets how the page that goes is chosen when memory is needed.
     *
     * @param policy which way. Default TWO_QUEUE
     * @return this
     */
    public Builder replacement(Replacement policy) {
      replacement = policy;
      return this;
    }

    /**
     * Starts the system. Address space is reserved for all the memory; the host commits it when it
     * is first used.
     *
     * @return the running system
     * @throws IllegalArgumentException if the memory, the page size or the size of swap is out of
     *     range
     * @throws java.io.UncheckedIOException if the file for swap cannot be made
     */
    public Vm boot() {
      Ram ram = Machine.ram(memory, PageSize.ofBytes(pageSize));
      Machine machine = Machine.of(ram, new PageIo(ram.segment(), ram.pageSize()));
      Vm vm = new Vm(machine, replacement);
      if (swap != 0) {
        try {
          SwapDevice _ = vm.swap.addTemporary(swap, 0, false);
        } catch (RuntimeException e) {
          vm.close();
          throw e;
        }
      }
      return vm;
    }
  }

  private Vm(Machine machine, Replacement replacement) {
    this.machine = machine;
    faults = new FaultHandler(machine);
    kernelSpace = new KernelSpace(machine);
    daemon = new PageDaemon(machine, kernelSpace::trim);
    kernel = new KernelMap(this, kernelSpace.all());
    ReplacementPolicy policy =
        ReplacementPolicies.create(
            replacement,
            machine.ram().frames(),
            ReplacementPolicies.references(machine.pmaps()),
            ClockSettings.DEFAULT);
    machine.allocator().connect(policy, daemon, machine.swap()::free);
  }

  /**
   * Starts to describe a system.
   *
   * @return a builder with defaults
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * The size of a page.
   *
   * @return bytes
   */
  public int pageSize() {
    return machine.pageSize().bytes();
  }

  /**
   * The budget.
   *
   * @return bytes of memory for pages
   */
  public long memory() {
    return machine.pageSize().address(machine.ram().frames());
  }

  /**
   * Makes an empty address space.
   *
   * @return the address space; close it to end it
   * @throws IllegalStateException if the system is closed
   */
  public Vmspace newVmspace() {
    return register(new VmMap(machine));
  }

  /**
   * Memory that several mappings can show.
   *
   * @return the shared memory of this system
   */
  public SharedMemories sharedMemory() {
    return sharedMemory;
  }

  /**
   * Files that can be mapped.
   *
   * @return the files of this system
   */
  public MappedFiles files() {
    return files;
  }

  /**
   * Memory that belongs to no address space.
   *
   * @return all addresses of this system's kernel
   */
  public KernelMap kernel() {
    return kernel;
  }

  /**
   * Where anonymous pages go when memory is short.
   *
   * @return the swap devices of this system
   */
  public Swap swap() {
    return swap;
  }

  /**
   * Makes memory whose pages a client provides: they are read when they are first accessed. If the
   * pager is a {@link WritablePager}, pages that were changed are written back when memory is
   * short, and when nothing refers to them any more.
   *
   * @param pager reads and writes pages
   * @param size bytes, from 0 to 2^46; rounded up to whole pages
   * @return the memory; close it when it is mapped everywhere
   * @throws IllegalStateException if the system is closed
   */
  public PagedMemory newPagedMemory(Pager pager, long size) {
    SharedMemories.checkSize(size);
    long bytes = machine.pageSize().round(size);
    PageSource source = new ClientPages(pager, machine.counters());
    PagerObject object = new PagerObject(machine.objectSupport(), source, bytes);
    PagedMemory memory = new PagedMemory(handles, object, source.isReadOnly());
    handles.open(memory);
    daemon.start();
    return memory;
  }

  /**
   * Makes native memory of the client mappable.
   *
   * @param segment native memory that other threads can use, too, from an address that is a
   *     multiple of 8, whole pages and at least one; if it is read-only, nobody can store to it
   * @return the memory; close it before the segment's arena
   * @throws IllegalArgumentException if the segment is not like that, or there would be more than
   *     2^24 pages of such memory
   * @throws IllegalStateException if the system is closed, or the segment's arena
   */
  public DeviceMemory newDeviceMemory(MemorySegment segment) {
    if (!segment.scope().isAlive()) {
      throw new IllegalStateException("the arena of the segment is closed");
    }
    if (!segment.isNative()
        || !segment.isAccessibleBy(Thread.ofPlatform().unstarted(() -> {}))
        || segment.address() % Long.BYTES != 0
        || segment.byteSize() == 0
        || !machine.pageSize().isAligned(segment.byteSize())) {
      throw new IllegalArgumentException("segment cannot be mapped: segment=" + segment);
    }
    int first = machine.ram().devices().add(segment);
    if (first < 0) {
      throw new IllegalArgumentException("too many pages: segment=" + segment);
    }
    DeviceObject device = new DeviceObject(machine.objectSupport(), first, segment.byteSize());
    DeviceMemory memory = new DeviceMemory(handles, device, segment);
    handles.open(memory);
    return memory;
  }

  /**
   * The address spaces that have not ended, and those that have and are held.
   *
   * @return a snapshot, oldest first
   */
  public List<Vmspace> vmspaces() {
    lock.lock();
    try {
      return List.copyOf(vmspaces);
    } finally {
      lock.unlock();
    }
  }

  Vmspace register(VmMap map) {
    lock.lock();
    try {
      if (!closed) {
        Vmspace vmspace = new Vmspace(this, nextVmspace++, map);
        vmspaces.add(vmspace);
        return vmspace;
      }
    } finally {
      lock.unlock();
    }
    throw closedException();
  }

  void unregister(Vmspace vmspace) {
    lock.lock();
    try {
      vmspaces.remove(vmspace);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Makes a processor that is attached to nothing.
   *
   * @return the processor; close it when its thread is done
   * @throws IllegalStateException if the system is closed
   */
  public Cpu newCpu() {
    return cpus.newCpu();
  }

  /**
   * Counts and sizes.
   *
   * @return what was seen just now
   * @throws IllegalStateException if the system is closed
   */
  public Statistics statistics() {
    checkOpen();
    long open;
    lock.lock();
    try {
      open = vmspaces.size();
    } finally {
      lock.unlock();
    }
    Counters counted = new Counters();
    cpus.count(counted);
    return Meter.read(machine, counted, open);
  }

  /**
   * The page that shows what {@link #statistics} does, or most of it, to programs that map it. It
   * is made by the first call, which takes one page of memory until the system is closed, and
   * starts the thread that writes it.
   *
   * @return the page, always the same
   * @throws OutOfMemoryError if there is no page of memory for it, now
   * @throws IllegalStateException if the system is closed
   */
  public StatisticsPage statisticsPage() {
    checkOpen();
    return pages.statistics();
  }

  /** The maps of all address spaces that have not been forgotten, and the kernel's. */
  List<VmMap> maps() {
    List<VmMap> maps = new ArrayList<>();
    lock.lock();
    try {
      vmspaces.forEach(vmspace -> maps.add(vmspace.map()));
      maps.add(kernel.map());
      return maps;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Recomputes every reference, frame and mapping from the address spaces and compares. Only exact
   * while no other thread uses the system.
   *
   * @return a sentence for each difference; empty if everything is consistent
   * @throws IllegalStateException if the system is closed
   */
  public List<String> audit() {
    checkOpen();
    return new SystemAudit(this).run();
  }

  /**
   * Ends all address spaces, writes what was changed in files and by pagers, and gives the memory
   * of all pages back to the host, at once or when the last {@link Loan} is closed; the bookkeeping
   * goes when nothing refers to the system any more. Afterwards every access of every processor
   * throws {@link IllegalStateException}. Closing twice does nothing.
   */
  @Override
  public void close() {
    List<Vmspace> ending;
    lock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      ending = List.copyOf(vmspaces);
    } finally {
      lock.unlock();
    }
    ending.forEach(Vmspace::end);
    pages.closeAll();
    sharedMemory.closeAll();
    files.closeAll();
    handles.closeAll();
    daemon.close();
    machine.swap().close();
    kernelSpace.close();
    machine.ram().drop();
  }

  Machine machine() {
    return machine;
  }

  KernelSpace kernelSpace() {
    return kernelSpace;
  }

  Handles handles() {
    return handles;
  }

  SystemPages pages() {
    return pages;
  }

  Cpus cpus() {
    return cpus;
  }

  PageDaemon daemon() {
    return daemon;
  }

  FaultHandler faults() {
    return faults;
  }

  boolean isClosed() {
    return closed;
  }

  private void checkOpen() {
    if (closed) {
      throw closedException();
    }
  }

  static IllegalStateException closedException() {
    return new IllegalStateException("the virtual memory system is closed");
  }
}
