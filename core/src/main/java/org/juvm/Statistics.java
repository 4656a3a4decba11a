package org.juvm;

/**
 * Counts since boot and current sizes of one system, as {@code vmstat} shows them. Counters are
 * read one by one while processors go on, so that they need not fit together to the last event.
 *
 * @param pageSize bytes in a page
 * @param frames pages of memory, the budget
 * @param freeFrames pages that hold nothing
 * @param peakFrames largest number of pages that were in use at one time; up to 32 free pages per
 *     processor of the host count as used
 * @param vmspaces address spaces that have not ended
 * @param faults page faults
 * @param zeroFills faults that made a zero-filled page (case 2B)
 * @param direct faults that mapped a page that was there (case 1A)
 * @param copies faults that copied a page before a write (case 1B)
 * @param objectPages faults that mapped a page of shared memory as it is (case 2A)
 * @param promotions faults that copied a page of shared memory before a private write (case 2B)
 * @param stackGrowths faults that let a stack grow
 * @param unresolved faults that failed because of the address or the protection (case 0)
 * @param outOfMemory faults that failed because no page was left
 * @param majorFaults faults that waited for a page to be read
 * @param memoryWaits times that a fault waited for memory
 * @param busyWaits times that a fault waited for a page on its way in or out
 * @param readErrors faults that failed because a page could not be read
 * @param neighbours resident pages that faults mapped beside their own
 * @param swapIns pages read from swap
 * @param swapOuts pages written to swap
 * @param pageIns pages of files and of clients' pagers that were read
 * @param pageOuts pages of files and of clients' pagers that were written
 * @param evictions pages that left memory
 * @param scans times that the page daemon looked for pages to take
 * @param scanned pages that it looked at
 * @param activePages pages that are not among the next to leave memory
 * @param inactivePages pages that are
 * @param swapPages pages of swap
 * @param swapPagesInUse pages of swap that hold something; it may be in memory, too
 * @param swapPagesOnly pages of swap that hold what is not in memory
 * @param swapPagesBad pages of swap that have failed
 * @param amapCopies faults that first made an amap for a mapping
 * @param tlbFills translations loaded by processors
 * @param forks address spaces forked
 * @param maps mappings made
 * @param unmaps calls that removed mappings
 * @param protects calls that changed protection
 * @param shootdowns revocations that concerned processors of other threads
 * @param heavyFences those that had to fence all threads
 * @param pageTables page tables in use, 4 KiB each
 * @param amapNodes nodes of amaps in use, 268 bytes each
 * @param objectNodes nodes of shared memory in use, 264 bytes each
 */
public record Statistics(
    int pageSize,
    long frames,
    long freeFrames,
    long peakFrames,
    long vmspaces,
    long faults,
    long zeroFills,
    long direct,
    long copies,
    long objectPages,
    long promotions,
    long stackGrowths,
    long unresolved,
    long outOfMemory,
    long majorFaults,
    long memoryWaits,
    long busyWaits,
    long readErrors,
    long neighbours,
    long swapIns,
    long swapOuts,
    long pageIns,
    long pageOuts,
    long evictions,
    long scans,
    long scanned,
    long activePages,
    long inactivePages,
    long swapPages,
    long swapPagesInUse,
    long swapPagesOnly,
    long swapPagesBad,
    long amapCopies,
    long tlbFills,
    long forks,
    long maps,
    long unmaps,
    long protects,
    long shootdowns,
    long heavyFences,
    long pageTables,
    long amapNodes,
    long objectNodes) {

  /**
   * Pages in use.
   *
   * @return frames that are not free
   */
  public long usedFrames() {
    return frames - freeFrames;
  }
}
