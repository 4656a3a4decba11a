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
import org.juvm.trace.Counters;

/**
 * The slow half of a {@link Cpu}: what happens when its translation cache has no answer. Shared by
 * the cpu and its views. For the thread that attached it.
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

  /** The address space that the processor is attached to. */
  private @Nullable Vmspace vmspace;

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
    if (to.vm() != vm) {
      throw new IllegalArgumentException("vmspace of another system: " + to);
    }
    if (vm.isClosed()) {
      throw Vm.closedException();
    }
    detach();
    Pmap tables = to.map().pmap();
    tables.attach(tlb);
    vmspace = to;
    pmap = tables;
  }

  void detach() {
    Vmspace from = vmspace;
    if (from != null) {
      from.map().pmap().detach(tlb);
      vmspace = null;
      pmap = null;
    }
  }

  /** The address space, if this thread may use it. */
  private Vmspace checked() {
    Vmspace attached = vmspace;
    if (vm.isClosed()) {
      throw Vm.closedException();
    }
    if (attached == null) {
      throw new IllegalStateException("the cpu is not attached to a vmspace");
    }
    if (!Thread.currentThread().equals(tlb.owner())) {
      throw new WrongThreadException("the cpu was attached by thread " + tlb.owner());
    }
    return attached;
  }

  /**
   * Makes the next lookup of an address likely to succeed, or throws.
   *
   * @throws MemoryFault if the access cannot be done
   */
  void miss(long address, Access access) {
    Vmspace attached = checked();
    VmMap map = attached.map();
    if (map.pmap().fill(tlb, address, access)) {
      return;
    }
    check(faults.resolve(map, fault, address, access), attached, address, access);
  }

  /** Wires pages; see {@link FaultHandler#wire}. The result is in {@link #fault}. */
  void wire(long address, Access access, int maximum) {
    Vmspace attached = checked();
    check(faults.wire(attached.map(), fault, address, access, maximum), attached, address, access);
  }

  void unwire(Amap amap, int frame, int count) {
    faults.unwire(number, amap, frame, count);
  }

  long nativeAddress(int frame, long address) {
    return vm.machine().ram().address(frame) + pageSize.offset(address);
  }

  private static void check(FaultOutcome outcome, Vmspace vmspace, long address, Access access) {
    MemoryFault.Reason reason =
        switch (outcome) {
          case RESOLVED -> null;
          case NOT_MAPPED -> MemoryFault.Reason.NOT_MAPPED;
          case PROTECTION -> MemoryFault.Reason.PROTECTION;
          case OUT_OF_MEMORY -> MemoryFault.Reason.OUT_OF_MEMORY;
        };
    if (reason != null) {
      throw new MemoryFault(vmspace.id(), address, access, reason);
    }
  }

  // ---- scalars that missed ----

  private boolean straddles(long address, int bytes) {
    return pageSize.offset(address) > pageSize.bytes() - bytes;
  }

  private static void checkAligned(long address, long alignment) {
    if ((address & (alignment - 1)) != 0) {
      throw new IllegalArgumentException(
          "misaligned access: address=0x" + Long.toHexString(address) + ", alignment=" + alignment);
    }
  }

  /** The page tables in use, or null. Loads need no more than this: they validate themselves. */
  @Nullable Pmap pmap() {
    return pmap;
  }

  /** The page tables in use, for stores by the owner. */
  Pmap checkedPmap() {
    return checked().map().pmap();
  }

  /**
   * Loads a scalar; its bytes are in the low end of the result, in native order. The first miss of
   * a page is served from the page table, only the next one fills the translation cache: so random
   * access over much memory pays neither for fills nor for their fence.
   */
  long load(long address, int bytes, long alignment) {
    checkAligned(address, alignment);
    if (straddles(address, bytes)) {
      return loadStraddling(address, bytes);
    }
    while (true) {
      Pmap tables = pmap;
      if (tables != null && !tlb.missedAgain(address)) {
        long revocations = tables.revocations();
        long at = tables.loadAddress(address);
        if (at != Pmap.MISS) {
          long value = loadNative(at, bytes);
          VarHandle.acquireFence();
          if (tables.revocations() == revocations) {
            return value;
          }
        }
      }
      miss(address, Access.READ);
      long[] words = tlb.words();
      int i = tlb.index(words, address);
      long page = tlb.page(address);
      if (Tlb.loads(words, i, page)) {
        long value = loadNative(Tlb.translate(words, i, address), bytes);
        if (Tlb.stillLoads(words, i, page)) {
          return value;
        }
      }
    }
  }

  private static long loadNative(long at, int bytes) {
    return switch (bytes) {
      case 1 -> Native.ALL.get(ValueLayout.JAVA_BYTE, at);
      case 2 -> Native.ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, at);
      case 4 -> Native.ALL.get(ValueLayout.JAVA_INT_UNALIGNED, at);
      default -> Native.ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
    };
  }

  private static void storeNative(long at, int bytes, long value) {
    switch (bytes) {
      case 1 -> Native.ALL.set(ValueLayout.JAVA_BYTE, at, (byte) value);
      case 2 -> Native.ALL.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) value);
      case 4 -> Native.ALL.set(ValueLayout.JAVA_INT_UNALIGNED, at, (int) value);
      default -> Native.ALL.set(ValueLayout.JAVA_LONG_UNALIGNED, at, value);
    }
  }

  private long loadStraddling(long address, int bytes) {
    long second = pageSize.truncate(address + bytes - 1);
    int inFirst = (int) (second - address);
    while (true) {
      Pmap tables = checkedPmap();
      long revocations = tables.revocations();
      long low = tables.loadAddress(address);
      long high = tables.loadAddress(second);
      if (low == Pmap.MISS || high == Pmap.MISS) {
        miss(low == Pmap.MISS ? address : second, Access.READ);
        continue;
      }
      long value = 0;
      for (int i = 0; i < bytes; i++) {
        long at = i < inFirst ? low + i : high + i - inFirst;
        long one = Native.ALL.get(ValueLayout.JAVA_BYTE, at) & 0xff;
        value |= one << shift(i, bytes);
      }
      VarHandle.acquireFence();
      if (tables.revocations() == revocations) {
        return value;
      }
    }
  }

  private static int shift(int i, int bytes) {
    return (NATIVE_IS_LITTLE_ENDIAN ? i : bytes - 1 - i) * Byte.SIZE;
  }

  /** Stores a scalar whose bytes are in the low end of the value, in native order. */
  void store(long address, int bytes, long alignment, long value) {
    checkAligned(address, alignment);
    if (straddles(address, bytes)) {
      storeStraddling(address, bytes, value);
      return;
    }
    while (true) {
      long at = beginStore(address);
      try {
        if (at != Pmap.MISS) {
          storeNative(at, bytes, value);
          return;
        }
      } finally {
        tlb.withdraw();
      }
      miss(address, Access.WRITE);
    }
  }

  /**
   * Announces a store that missed and translates it, from the page table if it is the first miss of
   * its page, else from the cache after filling it. The caller withdraws.
   */
  private long beginStore(long address) {
    Pmap tables = checkedPmap();
    boolean fill = tlb.missedAgain(address) && tables.fill(tlb, address, Access.WRITE);
    tlb.announce(address);
    if (!fill) {
      return tables.storeAddress(address);
    }
    long[] words = tlb.words();
    int i = tlb.index(words, address);
    return Tlb.stores(words, i, tlb.page(address)) ? Tlb.translate(words, i, address) : Pmap.MISS;
  }

  /** Stores nothing before both pages can be stored to. */
  private void storeStraddling(long address, int bytes, long value) {
    long second = pageSize.truncate(address + bytes - 1);
    int inFirst = (int) (second - address);
    while (true) {
      Pmap tables = checkedPmap();
      long low;
      tlb.announceEverywhere();
      try {
        low = tables.storeAddress(address);
        long high = tables.storeAddress(second);
        if (low != Pmap.MISS && high != Pmap.MISS) {
          for (int i = 0; i < bytes; i++) {
            long at = i < inFirst ? low + i : high + i - inFirst;
            Native.ALL.set(ValueLayout.JAVA_BYTE, at, (byte) (value >>> shift(i, bytes)));
          }
          return;
        }
      } finally {
        tlb.withdraw();
      }
      miss(low == Pmap.MISS ? address : second, Access.WRITE);
    }
  }
}
