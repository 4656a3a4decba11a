/**
 * Pages: what is known about each frame, and which frames are free.
 *
 * <p>{@link org.juvm.page.FrameTable} holds a descriptor per frame, as structure of arrays indexed
 * by frame number: who owns it and in which state it is. A frame is <em>free</em> (on a free list
 * or in a processor's cache) or <em>allocated</em> (it belongs to the owner that asked for it). An
 * allocated frame can be <em>wired</em>: somebody uses its bytes through a raw address. A wired
 * frame whose owner gives it up is <em>released</em>: it stays allocated, owned by nobody, until
 * the last wiring goes, and is free then.
 *
 * <pre>
 *            allocate                    wire
 *   free  ------------->  allocated  &lt;----------&gt;  wired
 *     ^                       |         unwire       |
 *     |         free          |                      | free by its owner
 *     +-----------------------+                      v
 *     +-------------------------------------  wired, released
 *                    last unwire
 * </pre>
 *
 * <p>{@link org.juvm.page.FrameAllocator} hands frames out: from a small cache per processor first,
 * which is refilled in batches from one global list. Frames that were never used since boot are
 * known to be zero (the host guarantees it) and are used last, so that memory that the host has
 * already committed is reused first. The last few frames are a reserve that ordinary allocations do
 * not get.
 */
package org.juvm.page;
