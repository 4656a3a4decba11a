/**
 * Which pages go when memory is needed.
 *
 * <p>The replacement policies, all behind {@link org.juvm.page.ReplacementPolicy} and made by
 * {@link org.juvm.pageout.ReplacementPolicies}. {@code TwoQueueClock}, the default, is a byte per
 * frame and two hands that sweep over the bytes; a page fault pays one store for it. The others
 * keep a ring of pages, {@code PageRing}, under one lock of rank {@code PAGE_QUEUE}: {@code Clock},
 * and {@code ClockPro}, which also remembers pages that have left memory, in {@code History}. All
 * tables are outside the heap, and nothing is allocated for a page.
 *
 * <p>A policy neither locks owners nor does I/O. It says which page is the best to take, and is
 * told what became of it. So a simulation over a trace runs the same classes as a live system.
 * {@code docs/replacement.md} has the hit ratios.
 */
package org.juvm.pageout;
