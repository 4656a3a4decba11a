package org.juvm.trace;

/** An event that is counted. The names in parentheses are those of {@code uvmexp}. */
public enum Counter {
  /** Page faults taken (faults). */
  FAULTS,
  /** Case 0 and refusals: nothing mapped, or not with the right that was needed. */
  UNRESOLVED,
  /** Case 1A: an anon was there and was mapped as it is (flt_anon). */
  DIRECT,
  /** Case 1B: an anon was there and was copied before a write (flt_acow). */
  COPIES,
  /** Case 2B without an object: a zero-filled page was made (flt_przero). */
  ZERO_FILLS,
  /** Case 2A: an object's page was mapped as it is (flt_obj). */
  OBJECT_PAGES,
  /** Case 2B with an object: its page was copied before a write (flt_prcopy). */
  PROMOTIONS,
  /** Faults that let a stack grow. */
  STACK_GROWTHS,
  /** Faults that had to give a map entry an amap of its own first (flt_amcopy). */
  AMAP_COPIES,
  /** Faults that failed because no frame was left and none could be made free (fltnoram). */
  NO_RAM,
  /** Faults that waited for a transfer of their own (majflt). */
  MAJOR_FAULTS,
  /** Faults that had to wait until some memory was free. */
  MEMORY_WAITS,
  /** Faults that found their page on its way in or out and waited (fltpgwait). */
  BUSY_WAITS,
  /** Faults that failed because a page could not be read. */
  READ_ERRORS,
  /** Resident neighbours that faults mapped, too (fltnamap, fltnomap). */
  NEIGHBOURS,
  /** Anonymous pages read from swap (pgswapin). */
  SWAP_INS,
  /** Anonymous pages written to swap (pgswapout). */
  SWAP_OUTS,
  /** Pages of files and clients' pagers that were read (pageins). */
  PAGE_INS,
  /** Pages of files and clients' pagers that were written (pdpageouts). */
  PAGE_OUTS,
  /** Pages that clients' pagers could not write. */
  WRITE_ERRORS,
  /** Pages that left memory (pdfreed). */
  EVICTIONS,
  /** Times that the page daemon looked for pages to take (pdrevs). */
  SCANS,
  /** Pages that it looked at (pdscans). */
  SCANNED,
  /** Translations loaded from the page table without a fault. */
  TLB_FILLS,
  /** Address spaces copied. */
  FORKS,
  /** Mappings made. */
  MAPS,
  /** Calls that removed mappings. */
  UNMAPS,
  /** Calls that changed protection. */
  PROTECTS,
  /** Times that translations were revoked. */
  SHOOTDOWNS,
  /** Revocations that had to fence every running thread of the process. */
  HEAVY_FENCES,
  /** Pages lent to clients (loans). */
  LOANS,
  /** Pages that got a new frame because the old one was on loan (loanbreaks). */
  LOAN_BREAKS
}
