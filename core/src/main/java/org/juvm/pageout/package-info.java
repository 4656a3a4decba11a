/**
 * Makes memory free: the page daemon, and what decides which pages go.
 *
 * <p>{@link org.juvm.pageout.PageDaemon} is one thread per system. It sleeps until free memory runs
 * low or somebody waits for some, and then scans: it asks the replacement policy for one page after
 * another until enough memory is on its way to being free.
 *
 * <pre>
 *                 owner locked        no lock                         no lock         owner locked
 *  policy offers ------------> busy ----------> unmapped, all of a -+---------------> gone: free
 *      ^                                        batch at once       | clean
 *      |                                                            | dirty
 *      |   kept: in use, no slot, error                             v
 *      +----------------------------------------------------- being written
 * </pre>
 *
 * <p>A page that is taken is first made busy, under the lock of its owner, so that faults wait for
 * it; then its mappings go, together with those of the whole batch, because taking rights from
 * running processors is what costs most. From then on its bytes do not change. If they are also
 * elsewhere, the owner forgets the frame. Else they are written: anonymous pages to swap, as many
 * at once as there are consecutive slots, {@link org.juvm.pageout.Cluster}; pages of files by their
 * objects. Others write, so the daemon goes on meanwhile; it waits for nobody but for a bounded
 * number of writes to swap. A client's pager that blocks for ever keeps its own pages, and stops
 * nobody else.
 *
 * <p>The replacement policies are behind {@link org.juvm.page.ReplacementPolicy} and made by {@link
 * org.juvm.pageout.ReplacementPolicies}. {@code TwoQueueClock}, the default, is a byte per frame
 * and two hands that sweep over the bytes; a page fault pays one store for it. The others keep a
 * ring of pages, {@code PageRing}, under one lock of rank {@code PAGE_QUEUE}: {@code Clock}, and
 * {@code ClockPro}, which also remembers pages that have left memory, in {@code History}. All
 * tables are outside the heap, and nothing is allocated for a page. A policy neither locks owners
 * nor does I/O, so a simulation over a trace runs the same classes as a live system; {@code
 * docs/replacement.md} has the hit ratios.
 *
 * <p>{@link org.juvm.pageout.SwapOff} empties a swap area by reading everything back.
 *
 * <p>Source: {@code uvm_pdaemon.c}; {@code uvm_pdpolicy}.
 */
package org.juvm.pageout;
