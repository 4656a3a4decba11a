/**
 * Address spaces as programs see them: which ranges are mapped, with what, and what may be done
 * there.
 *
 * <p>A {@link org.juvm.map.VmMap} is an ordered set of {@link org.juvm.map.MapEntry map entries}, a
 * balanced tree ({@link org.juvm.map.EntryTree}) that also knows the largest hole below each node,
 * and so finds free space as fast as it finds an address. Each entry is a range of addresses with
 * equal attributes and a range of slots of an amap.
 *
 * <p>What changes a map is an operation with a class of its own: {@link org.juvm.map.Mapper},
 * {@link org.juvm.map.Unmapper}, {@link org.juvm.map.Protector} and {@link org.juvm.map.Forker}.
 * Each takes the map's lock for writing, checks everything first, splits entries at the ends of its
 * range, does its work, and joins entries that nothing distinguishes any more.
 *
 * <p>Fork is lazy twice. Parent and child refer to the same amap and both entries are marked
 * <em>needs-copy</em>: whoever faults first gets an amap of its own, which in turn shares all nodes
 * with the other.
 *
 * <p>Sources: {@code uvm_map.c} and {@code vm_map.c} of the BSDs.
 */
package org.juvm.map;
