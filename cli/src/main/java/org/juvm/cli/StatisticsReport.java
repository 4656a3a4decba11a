package org.juvm.cli;

import java.io.PrintWriter;
import org.juvm.Statistics;

/** What {@code --stat} prints, one number a line as {@code vmstat -s} does. */
final class StatisticsReport {
  private StatisticsReport() {}

  static void print(Statistics statistics, PrintWriter to) {
    line(to, statistics.pageSize(), "bytes per page");
    line(to, statistics.frames(), "pages managed");
    line(to, statistics.freeFrames(), "pages free");
    line(to, statistics.peakFrames(), "pages resident at the peak");
    line(to, statistics.faults(), "page faults");
    line(to, statistics.zeroFills(), "  zero filled (case 2B)");
    line(to, statistics.direct(), "  direct (case 1A)");
    line(to, statistics.copies(), "  copied on write (case 1B)");
    line(to, statistics.unresolved(), "  unresolved (case 0)");
    line(to, statistics.tlbFills(), "translations filled into TLBs");
    line(to, statistics.shootdowns(), "TLB shootdowns");
    line(to, statistics.forks(), "forks");
    line(to, statistics.maps(), "mappings made");
    line(to, statistics.unmaps(), "mappings removed");
    to.flush();
  }

  private static void line(PrintWriter to, long number, String what) {
    to.printf("%12d %s%n", number, what);
  }
}
