/**
 * Swap: where pages are that found no room in memory.
 *
 * <p>{@link org.juvm.swap.SwapSpace} is all swap of one system, seen as one drum of slots, each of
 * which holds a page. A slot is a number from one; zero is none. {@link org.juvm.swap.SwapArea} is
 * one device: a {@link org.juvm.store.Store} behind a range of the drum, with a priority and its
 * statistics. {@code SlotMap} knows which slots of an area are free, and finds runs of them, since
 * what is written together is written next to each other.
 *
 * <p>Who owns a slot is not known here: it is the anon or object whose page is in it. The owner
 * frees it, and sees to it that nobody reads a slot while it is written, and that no transfer is
 * under way when it is freed. A slot whose device failed is marked bad: it is never given out
 * again, and the other slots of the device go on.
 *
 * <p>Locks are of rank {@code POOL}: one per area for its slots, one for the list of areas, never
 * both at a time. No lock is held during a transfer. What allocation and lookup read of the list
 * are immutable snapshots.
 *
 * <p>Source: the role is that of {@code uvm_swap}.
 */
package org.juvm.swap;
