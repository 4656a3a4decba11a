/**
 * The machine: page tables, translation caches, reverse mappings and the protocol that makes
 * changing them safe.
 *
 * <p>A {@link org.juvm.pmap.Pmap} is one address space as the machine sees it: a radix tree of page
 * tables whose entries ({@link org.juvm.pmap.Pte}) name a frame and rights. It is a cache: what it
 * holds can be found again by a fault, so entries may be missing but never wrong. A {@link
 * org.juvm.pmap.Tlb} belongs to one processor and caches translations of one pmap; loads and stores
 * of programs go through it and through nothing else. {@link org.juvm.pmap.ReverseMap} knows for
 * each frame which page table entries map it. {@link org.juvm.pmap.Pmaps} is the set of all pmaps
 * of one system.
 *
 * <p>Who may change what: pages are entered under the lock of their map and that of the frame's
 * owner; what is taken out of page tables, or loses rights, does so under the lock of the pmap as
 * well. Any processor sets the referenced and modified bits of an entry with a compare-and-set, as
 * hardware does. Page tables are read by processors without a lock. A translation cache is filled
 * by its own processor and emptied by anybody who holds the pmap's lock.
 *
 * <p>Rights are only ever taken away through {@link org.juvm.pmap.Shootdown}; read that class first
 * to see why no processor can store through a translation that is gone. Whole subtrees of a page
 * table are write-protected by one bit in the entry above them, which is what makes fork
 * independent of the number of resident pages.
 */
package org.juvm.pmap;
