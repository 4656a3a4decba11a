/**
 * Native memory, and the only floor that knows where it comes from.
 *
 * <p>{@link org.juvm.ram.Host} is the boundary to the host kernel: it reserves address space
 * without committing memory, gives memory back, and fences all threads. A {@link
 * org.juvm.ram.Reservation} is one such reserved range. On it stand {@link org.juvm.ram.Ram}, the
 * frames that hold the clients' bytes, {@link org.juvm.ram.ByteTable}, {@link
 * org.juvm.ram.IntTable} and {@link org.juvm.ram.LongTable}, bookkeeping arrays that cost memory
 * only where they are used, and {@link org.juvm.ram.BlockPool}, an allocator of equal blocks for
 * page tables and amap nodes.
 *
 * <p>Everything is addressed with absolute addresses through one segment, {@link
 * org.juvm.ram.Native#ALL}, that spans the whole address space of the process. That is what makes a
 * translated access one addition and one load; the safety that other programs get from segment
 * bounds comes here from the page tables and, for this floor, from assertions.
 *
 * <p>The frames are given back to the host when a system is closed, an address range only when
 * nothing can reach its reservation any more. So a thread that is late, and loads through a
 * translation of a closed system, reads zeros and then notices; it never touches an unmapped
 * address.
 */
package org.juvm.ram;
