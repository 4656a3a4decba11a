package org.juvm.wasm;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.juvm.Cpu;
import org.juvm.MapException;
import org.juvm.MemoryFault;
import org.juvm.Vm;
import org.juvm.Vmspace;
import org.juvm.base.Protection;
import run.endive.runtime.ConstantEvaluators;
import run.endive.runtime.Instance;
import run.endive.runtime.WasmRuntimeException;
import run.endive.wasm.UninstantiableException;
import run.endive.wasm.types.ActiveDataSegment;
import run.endive.wasm.types.DataSegment;
import run.endive.wasm.types.MemoryLimits;
import run.endive.wasm.types.PassiveDataSegment;

/**
 * A WebAssembly linear memory whose bytes live in an address space of their own.
 *
 * <p>Pages of the guest cost nothing until they are touched, count against the memory of the {@link
 * Vm}, and are shared with the memories that {@link #fork()} made until one side writes.
 *
 * <p>An access outside the memory throws {@link WasmRuntimeException}, which the engine hands to
 * its caller as a trap. A vm that has no page left throws {@link MemoryFault}, which no guest can
 * catch.
 *
 * <p>A memory that is not shared in the sense of WebAssembly may be used by one thread at a time;
 * to hand it to another thread, the usual means of safe publication are enough. A shared one may be
 * used by any number of threads. {@link #fork()} and {@link #close()} want the guest idle.
 */
public final class VmMemory extends AtomicMemory implements AutoCloseable {
  /*
   * The guest's address 0 is at BASE, far from both ends of the vmspace. Guest addresses are ints, and
   * BASE + address extends their sign: what the guest means as 2 GiB and above lies below BASE, what it
   * means as an offset close to 2 GiB lies between the end of the largest memory and BASE + 2 GiB. Nothing
   * is ever mapped in either range, so the MMU finds every access out of bounds, and the hit path has no
   * comparison of its own. Guest functions are compiled as a whole, with each of their accesses inlined,
   * hence the accessors are kept as small as they can be.
   */
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Vmspace space;
  private final MemoryLimits limits;

  /** The window of an unshared memory; null in a shared one, where each thread has its own. */
  private final @Nullable Cpu single;

  @SuppressWarnings("ThreadLocalUsage") // one per memory is meant: a window belongs to one vmspace
  private final ThreadLocal<Cpu> perThread = ThreadLocal.withInitial(this::newCpu);

  private final Queue<Window> windows = new ConcurrentLinkedQueue<>();

  /** The thread that {@link #single} is attached by. */
  private Thread user = Thread.currentThread();

  /** Size in WebAssembly pages of 64 KiB. Changed under the monitor of this memory. */
  private volatile int pages;

  /** Data segments that the parent had dropped when it was forked. */
  private final BitSet droppedBefore;

  /** Whether the first instance finds the bytes of a parent, and must not initialize them. */
  private boolean inherited;

  private DataSegment[] segments = {};

  /** A window into the vmspace and the thread that looks through it. */
  private record Window(Thread thread, Cpu cpu) {}

  private VmMemory(Vmspace space, MemoryLimits limits, BitSet droppedBefore, boolean inherited) {
    this.space = space;
    this.limits = limits;
    this.droppedBefore = droppedBefore;
    this.inherited = inherited;
    this.single = limits.shared() ? null : newCpu();
  }

  /**
   * Makes a memory of zeros.
   *
   * @param vm where its pages come from
   * @param limits initial and maximum size in WebAssembly pages, and whether threads share it
   * @return the memory, to be closed by the caller
   */
  public static VmMemory allocate(Vm vm, MemoryLimits limits) {
    var memory = new VmMemory(vm.newVmspace(), limits, new BitSet(), false);
    memory.map(0, limits.initialPages());
    memory.pages = limits.initialPages();
    return memory;
  }

  /**
   * Makes a second memory with the same bytes, copied page by page when either side writes. No
   * guest code may be running on this memory. The next instance that is built with the new memory
   * takes it as it is: its data segments are not copied into it again.
   *
   * @return the memory, to be closed by the caller
   */
  public VmMemory fork() {
    var dropped = new BitSet(segments.length);
    for (int i = 0; i < segments.length; i++) {
      dropped.set(i, segments[i].equals(PassiveDataSegment.EMPTY));
    }
    var child = new VmMemory(space.fork(), limits, dropped, true);
    child.pages = pages;
    return child;
  }

  /**
   * The address space that holds the bytes. The guest's address 0 is at {@link #BASE}.
   *
   * @return the vmspace of this memory alone
   */
  public Vmspace vmspace() {
    return space;
  }

  /** Gives all pages back. Later accesses throw. Calling it twice does nothing. */
  @Override
  public void close() {
    windows.forEach(window -> window.cpu().close());
    space.close();
  }

  private Cpu newCpu() {
    windows.removeIf(VmMemory::closeIfOrphaned);
    var cpu = space.vm().newCpu();
    cpu.attach(space);
    windows.add(new Window(Thread.currentThread(), cpu));
    return cpu;
  }

  private static boolean closeIfOrphaned(Window window) {
    if (window.thread().isAlive()) {
      return false;
    }
    window.cpu().close();
    return true;
  }

  /**
   * The window for one access, which throws WrongThreadException if another thread used it last.
   */
  private Cpu cpu() {
    var cpu = single;
    return cpu != null ? cpu : perThread.get();
  }

  @Override
  Cpu ownCpu() {
    var cpu = single;
    if (cpu == null) {
      return perThread.get();
    }
    if (!Thread.currentThread().equals(user)) {
      cpu.attach(space);
      user = Thread.currentThread();
    }
    return cpu;
  }

  // Size.

  @Override
  public int pages() {
    return pages;
  }

  @Override
  public int initialPages() {
    return limits.initialPages();
  }

  @Override
  public int maximumPages() {
    return Math.min(limits.maximumPages(), RUNTIME_MAX_PAGES);
  }

  @Override
  public boolean shared() {
    return limits.shared();
  }

  @Override
  public synchronized int grow(int size) {
    int before = pages;
    int after = before + size;
    if (size < 0 || after < before || after > maximumPages()) {
      return -1;
    }
    try {
      map(before, size);
    } catch (MapException noSpace) {
      return -1;
    }
    pages = after;
    return before;
  }

  private void map(int firstPage, int count) {
    if (count > 0) {
      space.map(
          BASE + (long) firstPage * PAGE_SIZE, (long) count * PAGE_SIZE, Protection.READ_WRITE);
    }
  }

  // Contents at instantiation, and data segments.

  @Override
  public synchronized void zero() {
    int count = pages;
    if (!inherited && count > 0) {
      space.unmap(BASE, (long) count * PAGE_SIZE);
      map(0, count);
    }
  }

  @Override
  public void initialize(Instance instance, DataSegment[] dataSegments) {
    initialize(instance, dataSegments, 0);
  }

  @Override
  public void initialize(
      Instance instance, DataSegment @Nullable [] dataSegments, int memoryIndex) {
    segments = dataSegments == null ? new DataSegment[0] : dataSegments;
    if (inherited) {
      inherited = false;
      droppedBefore.stream().forEach(this::drop);
      return;
    }
    for (var segment : segments) {
      if (segment instanceof ActiveDataSegment active && active.index() == memoryIndex) {
        var data = active.data();
        int offset =
            (int) ConstantEvaluators.computeConstantValue(instance, active.offsetInstructions())[0];
        if (isOutside(offset, data.length)) {
          throw new UninstantiableException(outOfBounds(offset, data.length).getMessage());
        }
        ownCpu().bulk().write(BASE + offset, data, 0, data.length);
      }
    }
  }

  @Override
  public void initPassiveSegment(int segment, int destination, int offset, int size) {
    write(destination, segments[segment].data(), offset, size);
  }

  @Override
  public void drop(int segment) {
    segments[segment] = PassiveDataSegment.EMPTY;
  }

  // Many bytes at a time: bounds first, so that a trap changes nothing.

  @Override
  public void write(int address, byte[] data, int offset, int size) {
    if (offset < 0 || size < 0 || offset > data.length - size) {
      throw new WasmRuntimeException(
          "out of bounds memory access: bytes "
              + offset
              + " to "
              + ((long) offset + size)
              + " of a data segment of "
              + data.length);
    }
    requireInside(address, size);
    ownCpu().bulk().write(BASE + address, data, offset, size);
  }

  @Override
  public byte[] readBytes(int address, int length) {
    requireInside(address, length);
    var bytes = new byte[length];
    ownCpu().bulk().read(BASE + address, bytes, 0, length);
    return bytes;
  }

  @Override
  public void fill(byte value, int from, int to) {
    requireInside(from, to - from);
    ownCpu().bulk().fill(BASE + from, to - from, value);
  }

  @Override
  public void copy(int destination, int source, int size) {
    requireInside(source, size);
    requireInside(destination, size);
    ownCpu().bulk().copy(BASE + source, BASE + destination, size);
  }

  @Override
  public String readCString(int address) {
    try {
      return ownCpu().bulk().getString(BASE + address);
    } catch (MemoryFault fault) {
      throw isOutOfBounds(fault) ? outOfBounds(address, 1) : fault;
    }
  }

  @Override
  public String readCString(int address, Charset charset) {
    return charset.equals(StandardCharsets.UTF_8)
        ? readCString(address)
        : super.readCString(address, charset);
  }

  // One value at a time. See the top of the class.

  @Override
  public byte read(int address) {
    try {
      return cpu().get(ValueLayout.JAVA_BYTE, BASE + address);
    } catch (RuntimeException e) {
      recover(e, address, Byte.BYTES);
      return read(address);
    }
  }

  @Override
  public void writeByte(int address, byte value) {
    try {
      cpu().set(ValueLayout.JAVA_BYTE, BASE + address, value);
    } catch (RuntimeException e) {
      recover(e, address, Byte.BYTES);
      writeByte(address, value);
    }
  }

  @Override
  public short readShort(int address) {
    try {
      return cpu().get(SHORT, BASE + address);
    } catch (RuntimeException e) {
      recover(e, address, Short.BYTES);
      return readShort(address);
    }
  }

  @Override
  public long readU16(int address) {
    return Short.toUnsignedLong(readShort(address));
  }

  @Override
  public void writeShort(int address, short value) {
    try {
      cpu().set(SHORT, BASE + address, value);
    } catch (RuntimeException e) {
      recover(e, address, Short.BYTES);
      writeShort(address, value);
    }
  }

  @Override
  public int readInt(int address) {
    try {
      return cpu().get(INT, BASE + address);
    } catch (RuntimeException e) {
      recover(e, address, Integer.BYTES);
      return readInt(address);
    }
  }

  @Override
  public void writeI32(int address, int value) {
    try {
      cpu().set(INT, BASE + address, value);
    } catch (RuntimeException e) {
      recover(e, address, Integer.BYTES);
      writeI32(address, value);
    }
  }

  @Override
  public long readLong(int address) {
    try {
      return cpu().get(LONG, BASE + address);
    } catch (RuntimeException e) {
      recover(e, address, Long.BYTES);
      return readLong(address);
    }
  }

  @Override
  public void writeLong(int address, long value) {
    try {
      cpu().set(LONG, BASE + address, value);
    } catch (RuntimeException e) {
      recover(e, address, Long.BYTES);
      writeLong(address, value);
    }
  }

  @Override
  public float readFloat(int address) {
    try {
      return cpu().get(FLOAT, BASE + address);
    } catch (RuntimeException e) {
      recover(e, address, Float.BYTES);
      return readFloat(address);
    }
  }

  @Override
  public long readF32(int address) {
    return readInt(address);
  }

  @Override
  public void writeF32(int address, float value) {
    try {
      cpu().set(FLOAT, BASE + address, value);
    } catch (RuntimeException e) {
      recover(e, address, Float.BYTES);
      writeF32(address, value);
    }
  }

  @Override
  public double readDouble(int address) {
    try {
      return cpu().get(DOUBLE, BASE + address);
    } catch (RuntimeException e) {
      recover(e, address, Double.BYTES);
      return readDouble(address);
    }
  }

  @Override
  public long readF64(int address) {
    return readLong(address);
  }

  @Override
  public void writeF64(int address, double value) {
    try {
      cpu().set(DOUBLE, BASE + address, value);
    } catch (RuntimeException e) {
      recover(e, address, Double.BYTES);
      writeF64(address, value);
    }
  }

  /**
   * Returns if the access can be done again: the window has moved to this thread.
   *
   * @param failure what became of the access; anything but a change of threads is thrown, as a trap
   *     if nothing was mapped there, else as it is
   */
  private void recover(RuntimeException failure, int address, int size) {
    if (failure instanceof WrongThreadException && !Thread.currentThread().equals(user)) {
      ownCpu();
    } else if (isOutOfBounds(failure)) {
      throw outOfBounds(address, size);
    } else {
      throw failure;
    }
  }

  private static boolean isOutOfBounds(RuntimeException failure) {
    return failure instanceof MemoryFault fault && fault.reason() == MemoryFault.Reason.NOT_MAPPED;
  }
}
