package org.juvm;

import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;
import org.juvm.trace.Counter;

/**
 * What stands on the statistics page of a system, and where. Each field is 8 bytes in the byte
 * order of the host, at an offset that never changes; new fields are added behind the last.
 *
 * <p>The first three fields and those of sizes never change. {@link #SEQUENCE} is odd while the
 * page is being written: fields that are to fit together are read between two loads of it that give
 * the same even number, in the orders that {@link StatisticsReading} keeps. A single field can be
 * loaded at any time.
 *
 * <p>Source: the headers, versions and ticks of {@code upmap.h}; the counters of {@code uvmexp}.
 */
public enum StatisticsField {
  /** {@link #MAGIC_NUMBER}. */
  MAGIC(0, null),
  /** {@link #CURRENT_VERSION}; raised when a field is added. */
  VERSION(8, null),
  /** Bytes from the start of the page to the end of its last field. */
  LENGTH(16, null),
  /** Two more for each time that the page was written; odd meanwhile. */
  SEQUENCE(24, null),
  /** Bytes in a page. */
  PAGE_SIZE(32, null),
  /** Pages of memory, the budget. */
  MEMORY(40, null),
  /** When the system was booted: milliseconds since 1970. */
  BOOT_TIME(48, null),
  /** Nanoseconds from then to the last tick. */
  UPTIME(56, null),
  /** How often the clock has ticked, which is when the page is written. */
  TICKS(64, null),
  /** Nanoseconds between ticks as they are meant; they can be late. */
  TICK_LENGTH(72, null),
  /** Pages of memory that hold nothing. */
  FREE(80, null),
  /** Pages of swap. */
  SWAP(88, null),
  /** Pages of swap that hold something. */
  SWAP_IN_USE(96, null),
  /** Page faults. */
  FAULTS(104, Counter.FAULTS),
  /** Faults that waited for a page to be read. */
  MAJOR_FAULTS(112, Counter.MAJOR_FAULTS),
  /** Faults that failed because of the address or the protection. */
  UNRESOLVED(120, Counter.UNRESOLVED),
  /** Faults that failed because no page was left. */
  OUT_OF_MEMORY(128, Counter.NO_RAM),
  /** Faults that failed because a page could not be read. */
  READ_ERRORS(136, Counter.READ_ERRORS),
  /** Times that a fault waited for memory. */
  MEMORY_WAITS(144, Counter.MEMORY_WAITS),
  /** Times that a fault waited for a page on its way in or out. */
  BUSY_WAITS(152, Counter.BUSY_WAITS),
  /** Faults that made a zero-filled page. */
  ZERO_FILLS(160, Counter.ZERO_FILLS),
  /** Faults that mapped an anonymous page that was there. */
  DIRECT(168, Counter.DIRECT),
  /** Faults that copied a page before a write. */
  COPIES(176, Counter.COPIES),
  /** Faults that mapped an object's page as it is. */
  OBJECT_PAGES(184, Counter.OBJECT_PAGES),
  /** Faults that copied an object's page before a private write. */
  PROMOTIONS(192, Counter.PROMOTIONS),
  /** Resident pages that faults mapped beside their own. */
  NEIGHBOURS(200, Counter.NEIGHBOURS),
  /** Faults that let a stack grow. */
  STACK_GROWTHS(208, Counter.STACK_GROWTHS),
  /** Faults that first made an amap for a mapping. */
  AMAP_COPIES(216, Counter.AMAP_COPIES),
  /** Pages read from swap. */
  SWAP_INS(224, Counter.SWAP_INS),
  /** Pages written to swap. */
  SWAP_OUTS(232, Counter.SWAP_OUTS),
  /** Pages of files and clients' pagers that were read. */
  PAGE_INS(240, Counter.PAGE_INS),
  /** Pages of files and clients' pagers that were written. */
  PAGE_OUTS(248, Counter.PAGE_OUTS),
  /** Pages that clients' pagers could not write. */
  WRITE_ERRORS(256, Counter.WRITE_ERRORS),
  /** Pages that left memory. */
  EVICTIONS(264, Counter.EVICTIONS),
  /** Times that the page daemon looked for pages to take. */
  SCANS(272, Counter.SCANS),
  /** Pages that it looked at. */
  SCANNED(280, Counter.SCANNED),
  /** Address spaces forked. */
  FORKS(288, Counter.FORKS),
  /** Mappings made. */
  MAPS(296, Counter.MAPS),
  /** Calls that removed mappings. */
  UNMAPS(304, Counter.UNMAPS),
  /** Calls that changed protection. */
  PROTECTS(312, Counter.PROTECTS),
  /** Translations loaded by processors. */
  TLB_FILLS(320, Counter.TLB_FILLS),
  /** Revocations that concerned processors of other threads. */
  SHOOTDOWNS(328, Counter.SHOOTDOWNS),
  /** Those that had to fence all threads. */
  HEAVY_FENCES(336, Counter.HEAVY_FENCES),
  /** Pages lent to clients. */
  LOANS(344, Counter.LOANS),
  /** Pages that got a new frame because the old one was on loan. */
  LOAN_BREAKS(352, Counter.LOAN_BREAKS);

  /** How a field is loaded. */
  public static final ValueLayout.OfLong LAYOUT = ValueLayout.JAVA_LONG;

  /** What {@link #MAGIC} holds: the letters JUVMSTAT, the first in the highest byte. */
  public static final long MAGIC_NUMBER = 0x4a55_564d_5354_4154L;

  /** What {@link #VERSION} holds. */
  public static final long CURRENT_VERSION = 1;

  private final int offset;
  private final @Nullable Counter counter;

  StatisticsField(int offset, @Nullable Counter counter) {
    this.offset = offset;
    this.counter = counter;
  }

  /**
   * Where the field is.
   *
   * @return bytes from the start of the page
   */
  public int offset() {
    return offset;
  }

  /** The counter that the field shows; null if it shows something else. */
  @Nullable Counter counter() {
    return counter;
  }
}
