package org.juvm;

import static org.juvm.base.VirtualPte.LARGE;
import static org.juvm.base.VirtualPte.VALID;
import static org.juvm.base.VirtualPte.WRITABLE;

import org.juvm.base.PageSize;
import org.juvm.base.VirtualPte;

/**
 * A guest that keeps page tables, as tests see one. Its memory is mapped page by page from {@link
 * #PHYSICAL} on, where it stores its tables, and by way of them from {@link #VIRTUAL} on.
 */
final class Guest {
  static final long PHYSICAL = 1L << 32;
  static final long VIRTUAL = 1L << 46;

  /** How much virtual memory is mapped. */
  static final long LENGTH = 1L << 46;

  final Program program;
  final PageSize pageSize;

  /** The first page that is not in use. Page 0 is none, so that no entry names it by mistake. */
  private long next = 1;

  Guest(Program program, Mappable memory, long size) {
    this(program);
    MapRequest physical = request(memory, 0, size);
    program.space.map(physical.shared().at(PHYSICAL));
    program.space.map(request(memory, 0, LENGTH).pageTable(0).at(VIRTUAL));
  }

  private Guest(Program program) {
    this.program = program;
    pageSize = PageSize.ofBytes(program.vm.pageSize());
  }

  /** The same guest, run by another processor. */
  Guest in(Program other) {
    Guest guest = new Guest(other);
    guest.next = next;
    return guest;
  }

  private static MapRequest request(Mappable memory, long offset, long length) {
    return switch (memory) {
      case SharedMemory shared -> MapRequest.of(shared, offset, length);
      case MappedFile file -> MapRequest.of(file, offset, length);
      case PagedMemory paged -> MapRequest.of(paged, offset, length);
      case DeviceMemory device -> MapRequest.of(device, offset, length);
      default -> throw new IllegalArgumentException("unknown memory: " + memory);
    };
  }

  static Guest boot(Vm vm, long pages) {
    long size = pages * vm.pageSize();
    return new Guest(Program.in(vm), vm.sharedMemory().create(size), size);
  }

  long bytes() {
    return pageSize.bytes();
  }

  int levels() {
    return VirtualPte.levels(pageSize);
  }

  /** Takes a page, and returns its offset in the memory. */
  long newPage() {
    return pageSize.address(next++);
  }

  /** A new address space without anything in it. */
  long newRoot() {
    return VirtualPte.of(newPage(), WRITABLE);
  }

  void setRoot(long root) {
    program.space.paging().setPageTable(VIRTUAL, LENGTH, root);
  }

  /** Where in the memory an entry is; makes the tables on the way. */
  long place(long root, long address, int level) {
    long pte = root;
    for (int each = levels() - 1; ; each--) {
      long at = pageSize.address(VirtualPte.page(pte, pageSize));
      at += VirtualPte.position(address, each, pageSize);
      if (each == level) {
        return at;
      }
      pte = physical(at);
      if ((pte & VALID) == 0) {
        pte = VirtualPte.of(newPage(), WRITABLE);
        setPhysical(at, pte);
      }
    }
  }

  /** Maps a page that is at an offset of the memory. */
  void map(long root, long address, long offset, long bits) {
    setPhysical(place(root, address, 0), VirtualPte.of(offset, bits));
  }

  /** Maps pages in sequence by one entry. */
  void mapLarge(long root, long address, int level, long offset, long bits) {
    setPhysical(place(root, address, level), VirtualPte.of(offset, bits | LARGE));
  }

  long entry(long root, long address, int level) {
    return physical(place(root, address, level));
  }

  void change(long root, long address, int level, long entry) {
    setPhysical(place(root, address, level), entry);
  }

  /** Sets bits in the entries of all levels. */
  void setAtAllLevels(long root, long address, long bits) {
    for (int level = 0; level < levels(); level++) {
      change(root, address, level, entry(root, address, level) | bits);
    }
  }

  /** The bits A and M of an entry. */
  long marks(long root, long address, int level) {
    return entry(root, address, level) & (VirtualPte.ACCESSED | VirtualPte.MODIFIED);
  }

  void invalidate(long address, long length) {
    program.space.paging().invalidate(VIRTUAL + address, length);
  }

  long physical(long offset) {
    return program.get(PHYSICAL + offset);
  }

  void setPhysical(long offset, long value) {
    program.set(PHYSICAL + offset, value);
  }

  long get(long address) {
    return program.get(VIRTUAL + address);
  }

  void set(long address, long value) {
    program.set(VIRTUAL + address, value);
  }
}
