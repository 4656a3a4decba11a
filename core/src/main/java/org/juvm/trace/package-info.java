/**
 * What happened, in numbers. {@link org.juvm.trace.Counter} names each event that is counted, in
 * the words of the BSDs' {@code uvmexp}; {@link org.juvm.trace.Counters} is one block of them.
 *
 * <p>Each processor has a block of its own and adds to it without locked instructions; events that
 * happen outside any processor go to one shared block. A total is the sum over all blocks.
 */
package org.juvm.trace;
