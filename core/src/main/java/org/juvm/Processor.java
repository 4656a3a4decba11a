package org.juvm;

import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;
import org.juvm.anon.Amap;
import org.juvm.base.Access;
import org.juvm.base.PageSize;
import org.juvm.fault.Fault;
import org.juvm.fault.FaultHandler;
import org.juvm.fault.FaultOutcome;
import org.juvm.map.VmMap;
import org.juvm.pmap.Pmap;
import org.juvm.pmap.Tlb;
import org.juvm.ram.Native;
import org.juvm.sync.LockOrder;
import org.juvm.trace.Counters;

/**
 * The slow half of a {@link Cpu}: what happens when its translation cache has no answer. Shared by
 * the cpu and its views. For the thread that attached it.
 *
 * <p>The methods {@link #resolve}, {@link #load} and {@link #store} are long on purpose. The
 * just-in-time compiler inlines what is small or, up to a size (325 bytes of code), what is hot.
 * Were these inlined into the accessors of {@link Cpu}, a program that misses often would make the
 * accessors too big to be inlined into their callers in turn, where alone the layout is a constant;
 * an access would then cost a hundred nanoseconds. A test holds them above that size.
 */
final class Processor {
  private static final boolean NATIVE_IS_LITTLE_ENDIAN =
      ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;

  private final Vm vm;
  private final FaultHandler faults;
  private final PageSize pageSize;
  final int number;
  final Counters counters = new Counters();
  final Tlb tlb;
  final Fault fault;

  /** What the processor is attached to, unless that is the kernel's address space. */
  private @Nullable Vmspace vmspace;

  /** The map of what it is attached to. */
  private @Nullable VmMap map;

  /** The number of what it is attached to. */
  private long id;

  /** The page tables of that. */
  private @Nullable Pmap pmap;

  Processor(Vm vm, int number) {
    this.vm = vm;
    this.number = number;
    faults = vm.faults();
    pageSize = vm.machine().pageSize();
    tlb = new Tlb(pageSize, counters);
    fault = new Fault(number, tlb, counters);
  }

  @Nullable Vmspace vmspace() {
    return vmspace;
  }

  PageSize pageSize() {
    return pageSize;
  }

  void attach(Vmspace to) {
    attach(to.vm(), to.map(), to.id());
    vmspace = to;
  }

  /** Attaches to the map of an address space, of a program or the kernel. */
  void attach(Vm owner, VmMap to, long number) {
    if (owner != vm) {
      throw new IllegalArgumentException("address space of another system: " + number);
    }
    if (vm.isClosed()) {
      throw Vm.closedException();
    }
    detach();
    Pmap tables = to.pmap();
    tables.attach(tlb);
    map = to;
    id = number;
    pmap = tables;
  }

  void detach() {
    Pmap from = pmap;
    if (from != null) {
      from.detach(tlb);
      vmspace = null;
      map = null;
      pmap = null;
    }
  }

  /**
   * Makes the next lookup of an address likely to succeed: loads its translation into the cache, or
   * takes a fault.
   *
   * @throws MemoryFault if the access cannot be done
   */
  void miss(long address, Access access) {
    resolve(address, access, 0);
  }

  /** Takes a fault that lends pages; see {@link FaultHandler#lend}. {@link #fault} has them. */
  void lend(long address, Access access, int maximum) {
    resolve(address, access, maximum);
  }

  private void resolve(long address, Access access, int pagesToLend) {
    VmMap attached = map;
    Thread owner = tlb.owner();
    if (vm.isClosed()) {
      throw new IllegalStateException(
          "the system is closed: cpu=" + number + ", address=0x" + Long.toHexString(address));
    }
    if (attached == null) {
      throw new IllegalStateException(
          "the cpu is not attached to an address space: cpu="
              + number
              + ", address=0x"
              + Long.toHexString(address));
    }
    if (!Thread.currentThread().equals(owner)) {
      throw new WrongThreadException(
          "the cpu belongs to the thread that attached it: cpu="
              + number
              + ", owner="
              + owner
              + ", address=0x"
              + Long.toHexString(address));
    }
    assert attached.pmap().equals(tlb.pmap()) : id;
    if (pagesToLend == 0 && attached.pmap().fill(tlb, address, access)) {
      return;
    }
    assert LockOrder.noneHeld();
    FaultOutcome outcome =
        pagesToLend == 0
            ? faults.resolve(attached, fault, address, access)
            : faults.lend(attached, fault, address, access, pagesToLend);
    if (outcome != FaultOutcome.RESOLVED && vm.isClosed()) {
      throw Vm.closedException();
    }
    switch (outcome) {
      case RESOLVED -> {}
      case NOT_MAPPED -> throw new MemoryFault(id, address, access, MemoryFault.Reason.NOT_MAPPED);
      case PROTECTION -> throw new MemoryFault(id, address, access, MemoryFault.Reason.PROTECTION);
      case STACK_LIMIT ->
          throw new MemoryFault(id, address, access, MemoryFault.Reason.STACK_LIMIT);
      case IO_ERROR -> throw MemoryFault.unreadable(id, address, access, fault);
      case BEYOND_END -> throw new MemoryFault(id, address, access, MemoryFault.Reason.BEYOND_END);
      case OUT_OF_MEMORY ->
          throw new MemoryFault(id, address, access, MemoryFault.Reason.OUT_OF_MEMORY);
    }
  }

  /** The page tables in use, if this thread may use them. */
  Pmap checkedPmap(long address, Access access) {
    Pmap tables = pmap;
    if (tables == null || vm.isClosed() || !Thread.currentThread().equals(tlb.owner())) {
      miss(address, access);
      throw new IllegalStateException("the cpu is used by two threads: cpu=" + number);
    }
    return tables;
  }

  void giveBack(@Nullable Amap amap, int frame, int count, Access access) {
    faults.giveBack(number, amap, frame, count, access);
  }

  long nativeAddress(int frame, long address) {
    return vm.machine().ram().address(frame) + pageSize.offset(address);
  }

  // ---- scalars that missed ----

  /**
   * Loads a scalar; its bytes are in the low end of the result, in native order. The first miss of
   * a page is served from the page table, only the next one fills the translation cache: so random
   * access over much memory pays neither for fills nor for their fence.
   */
  long load(long address, int bytes, long alignment) {
    if ((address & (alignment - 1)) != 0) {
      throw misaligned(address, alignment);
    }
    int inFirst = Math.min(bytes, pageSize.bytes() - pageSize.offset(address));
    long second = address + inFirst;
    while (true) {
      Pmap tables = checkedPmap(address, Access.READ);
      if (inFirst < bytes || !tlb.missedAgain(address)) {
        long revocations = tables.revocations();
        tlb.announce(inFirst == bytes ? address : Tlb.EVERYWHERE);
        long at = tables.loadAddress(address);
        long next = inFirst == bytes ? at : tables.loadAddress(second);
        tlb.withdraw();
        if (at != Pmap.MISS && next != Pmap.MISS) {
          long value =
              switch (inFirst == bytes ? bytes : 0) {
                case 1 -> Native.ALL.get(ValueLayout.JAVA_BYTE, at);
                case 2 -> Native.ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, at);
                case 4 -> Native.ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at);
                case 8 -> Native.ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
                default -> loadSplit(at, next, inFirst, bytes);
              };
          VarHandle.acquireFence();
          if (tables.revocations() == revocations) {
            return value;
          }
        }
        miss(at == Pmap.MISS ? address : second, Access.READ);
      } else {
        miss(address, Access.READ);
      }
      long[] words = tlb.words();
      int i = Tlb.index(address, tlb.indexShift());
      long page = tlb.page(address);
      if (inFirst == bytes && Tlb.loads(words, i, page)) {
        long at = Tlb.translate(words, i, address);
        long value =
            switch (bytes) {
              case 1 -> Native.ALL.get(ValueLayout.JAVA_BYTE, at);
              case 2 -> Native.ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, at);
              case 4 -> Native.ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at);
              default -> Native.ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
            };
        if (Tlb.stillLoads(words, i, page)) {
          return value;
        }
      }
    }
  }

  /** Loads a scalar that lies in two pages. */
  private static long loadSplit(long first, long second, int inFirst, int bytes) {
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      long at = i < inFirst ? first + i : second + i - inFirst;
      long one = Native.ALL.get(ValueLayout.JAVA_BYTE, at) & 0xff;
      value |= one << shift(i, bytes);
    }
    return value;
  }

  private static int shift(int i, int bytes) {
    return (NATIVE_IS_LITTLE_ENDIAN ? i : bytes - 1 - i) * Byte.SIZE;
  }

  private static IllegalArgumentException misaligned(long address, long alignment) {
    return new IllegalArgumentException(
        "misaligned access: address=0x" + Long.toHexString(address) + ", alignment=" + alignment);
  }

  /**
   * Stores a scalar whose bytes are in the low end of the value, in native order. If it lies in two
   * pages, nothing is stored before both can be stored to.
   */
  void store(long address, int bytes, long alignment, long value) {
    if ((address & (alignment - 1)) != 0) {
      throw misaligned(address, alignment);
    }
    int inFirst = Math.min(bytes, pageSize.bytes() - pageSize.offset(address));
    long second = address + inFirst;
    while (true) {
      Pmap tables = checkedPmap(address, Access.WRITE);
      if (inFirst == bytes && tlb.missedAgain(address)) {
        // Only for the accesses to come; this one uses the page table, which says the same.
        boolean _ = tables.fill(tlb, address, Access.WRITE);
      }
      long at;
      tlb.announce(inFirst == bytes ? address : Tlb.EVERYWHERE);
      try {
        at = tables.storeAddress(address);
        long next = inFirst == bytes ? at : tables.storeAddress(second);
        if (at != Pmap.MISS && next != Pmap.MISS) {
          switch (inFirst == bytes ? bytes : 0) {
            case 1 -> Native.ALL.set(ValueLayout.JAVA_BYTE, at, (byte) value);
            case 2 -> Native.ALL.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) value);
            case 4 -> Native.ALL.set(ValueLayout.JAVA_INT_UNALIGNED, at, (int) value);
            case 8 -> Native.ALL.set(ValueLayout.JAVA_LONG_UNALIGNED, at, value);
            default -> storeSplit(at, next, inFirst, bytes, value);
          }
          return;
        }
      } finally {
        tlb.withdraw();
      }
      miss(at == Pmap.MISS ? address : second, Access.WRITE);
    }
  }

  /** Stores a scalar that lies in two pages. */
  private static void storeSplit(long first, long second, int inFirst, int bytes, long value) {
    for (int i = 0; i < bytes; i++) {
      long at = i < inFirst ? first + i : second + i - inFirst;
      Native.ALL.set(ValueLayout.JAVA_BYTE, at, (byte) (value >>> shift(i, bytes)));
    }
  }
}
