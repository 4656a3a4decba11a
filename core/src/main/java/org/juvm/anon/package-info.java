/**
 * Anonymous memory: the upper layer of a mapping.
 *
 * <p>An <em>anon</em> is one page of anonymous memory. It is a number; {@link
 * org.juvm.anon.AnonTable} knows its frame and how many references it has. An {@link
 * org.juvm.anon.Amap} is a set of numbered slots, each of which may hold an anon; map entries refer
 * to ranges of slots. Two amaps that have an anon in common both see the same page, and whoever
 * writes makes a copy first: that is all that copy-on-write is.
 *
 * <p>The slots of an amap are the leaves of a radix tree, {@link org.juvm.anon.AmapTree}, whose
 * nodes are shared between amaps and counted like anons are. So to copy an amap is to refer to its
 * root once more, and a write copies the few nodes on the path to its slot, never the whole amap.
 * An anon may be written in place only if it has one reference and every node on the path to it has
 * one reference too: {@link org.juvm.anon.Amap#isExclusive}.
 *
 * <p>One lock guards a family of amaps, their nodes and their anons; amaps that share anything are
 * of one family, because the copy of an amap takes over its lock.
 *
 * <p>Sources: {@code uvm_amap.c}, {@code uvm_anon.c}; C. Cranor and G. Parulkar, "The UVM Virtual
 * Memory System", USENIX 1999; the sharing of inner nodes follows J. Driscoll et al., "Making Data
 * Structures Persistent", 1989, path copying.
 */
package org.juvm.anon;
