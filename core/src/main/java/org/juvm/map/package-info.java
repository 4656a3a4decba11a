/**
 * Address spaces as programs see them: which ranges are mapped, with what, and what may be done
 * there.
 *
 * <p>A {@link org.juvm.map.VmMap} is an ordered set of {@link org.juvm.map.MapEntry map entries}, a
 * balanced tree ({@link org.juvm.map.EntryTree}) that also knows the largest hole below each node,
 * and so finds free space as fast as it finds an address. Each entry is a range of addresses with
 * equal attributes and two layers of memory:
 *
 * <pre>
 *   entry   [start, end)  rights, inheritance, advice, flags, wirings
 *     upper layer    amap, slot         private pages, or none yet
 *     lower layer    object, offset     shared memory, or nothing: zeros
 *   or
 *     submap         another map, with a lock of its own, is responsible
 * </pre>
 *
 * <p>What changes a map is an operation with a class of its own: {@link org.juvm.map.Mapper},
 * {@link org.juvm.map.Unmapper}, {@link org.juvm.map.Protector}, {@link org.juvm.map.Adviser},
 * {@link org.juvm.map.Remapper}, {@link org.juvm.map.StackGrower} and {@link org.juvm.map.Forker};
 * wiring is with the faults that it consists of. Each takes the map's lock for writing, checks
 * everything first, splits entries at the ends of its range, does its work, and joins entries that
 * nothing distinguishes any more ({@link org.juvm.map.Clipper}). So the number of entries is as
 * small as it can be, and an operation that fails has changed nothing.
 *
 * <p>An operation that takes long, as wiring does, lets go of the lock and leaves its entries
 * <em>in transition</em>. Faults go on there; other operations wait until it is done, holding
 * nothing ({@link org.juvm.map.VmMap#lockStable}). They wait for all of their range at once, before
 * they mark anything, so that two of them cannot wait for each other.
 *
 * <p>Fork is lazy twice. Parent and child refer to the same amap and both entries are marked
 * <em>needs-copy</em>: whoever faults first gets an amap of its own, which in turn shares all nodes
 * with the other. Wired memory is copied at once: a page that is wired stays where it is.
 *
 * <p>Sources: {@code uvm_map.c} and {@code vm_map.c} of the BSDs.
 */
package org.juvm.map;
