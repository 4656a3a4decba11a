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
 * <p>A {@link org.juvm.kernel.Pool} gives out memory of any size on a submap that is its limit. Its
 * slabs are wired memory in frames that follow one another, cut into objects of one size; a {@code
 * SizeClass} has the slabs of a size, a {@code SlabTable} finds the slab of an address, a {@code
 * SlabSource} makes slabs and gives them back. In front of the slabs each thread has magazines of
 * its own, in a {@code Stripe}, which it takes without a locked instruction. {@code
 * docs/kernel-memory.md} follows one allocation through all of them.
 *
 * <p>{@link org.juvm.kernel.PagerMap} is what the system itself has here: buffers for pages that
 * are encrypted on their way to swap.
 *
 * <p>Locks: a map, then an object, then what lies below, as everywhere; two maps are never locked
 * together, also not a map and its submap. The list of ranges has a lock of rank {@code SYSTEM}. A
 * stripe has the rank {@code STRIPE}, and a size class, the table of slabs and the list of buffers
 * that of {@code POOL}: who has a stripe takes the lock of a size class, and never one of a map.
 * Who waits, for memory, for addresses, for a buffer or for what clients give back, holds none.
 *
 * <p>Source: {@code uvm_km.c}; {@code pool(9)}.
 */
package org.juvm.kernel;
