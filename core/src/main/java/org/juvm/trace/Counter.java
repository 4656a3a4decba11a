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
  /** Faults that failed because no frame was left (flt_noram). */
  NO_RAM,
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
  HEAVY_FENCES
}
