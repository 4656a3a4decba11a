/**
 * Locks with ranks.
 *
 * <p>{@link org.juvm.sync.LockRank} is the lock order of the whole system, outermost first. Each
 * lock is made with its rank, and a thread may take a lock only if it holds none of the same or of
 * a later rank. With assertions enabled {@link org.juvm.sync.LockOrder} checks this at every
 * acquisition; without them it costs nothing.
 *
 * <p>Two forms: {@link org.juvm.sync.RankedLock}, mutual exclusion, and {@link
 * org.juvm.sync.RankedReadWriteLock}, whose read side is striped so that readers on different
 * processors do not write to the same cache line.
 */
package org.juvm.sync;
