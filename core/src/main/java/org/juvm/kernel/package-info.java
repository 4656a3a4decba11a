/**
 * The kernel's own memory: addresses, and an allocator on top of them.
 *
 * <p>{@link org.juvm.kernel.KernelSpace} is the kernel's address space. It has addresses that no
 * program has, one page table, and a map like any other: faults there go through the one fault
 * handler. A {@link org.juvm.kernel.KernelRange} is all of it, or a submap with a lock of its own.
 * {@link org.juvm.kernel.KernelAllocator} allocates in a range: wired memory, memory that is made
 * on demand and may go to swap, or addresses without memory.
 *
 * <p>The page at a kernel address has, in its {@link org.juvm.object.KernelObject}, the index that
 * the address has, counted from the first kernel address. So nothing has to be remembered to find
 * one from the other; and when an address is unmapped its page is free at once.
 *
 * <p>Locks: a map, then an object, then what lies below, as everywhere; two maps are never locked
 * together, also not a map and its submap. The list of ranges has a lock of rank {@code SYSTEM}.
 * Who waits, for memory or for addresses, holds none.
 *
 * <p>Source: {@code uvm_km.c}.
 */
package org.juvm.kernel;
