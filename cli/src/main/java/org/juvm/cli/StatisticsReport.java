package org.juvm.cli;

import java.io.PrintWriter;
import java.util.List;
import org.juvm.Statistics;
import org.juvm.SwapDevice;
import org.juvm.Vm;

/** What {@code --stat} prints: one number a line as {@code vmstat -s} does, then swap devices. */
final class StatisticsReport {
  private static final long KIB = 1024;

  private StatisticsReport() {}

  static void print(Vm vm, PrintWriter to) {
    Statistics statistics = vm.statistics();
    line(to, statistics.pageSize(), "bytes per page");
    line(to, statistics.frames(), "pages managed");
    line(to, statistics.freeFrames(), "pages free");
    line(to, statistics.activePages(), "pages active");
    line(to, statistics.inactivePages(), "pages inactive");
    line(to, statistics.peakFrames(), "pages resident at the peak");
    line(to, statistics.faults(), "page faults");
    line(to, statistics.zeroFills(), "  zero filled (case 2B)");
    line(to, statistics.direct(), "  direct (case 1A)");
    line(to, statistics.copies(), "  copied on write (case 1B)");
    line(to, statistics.unresolved(), "  unresolved (case 0)");
    line(to, statistics.majorFaults(), "  that waited for a page to be read");
    line(to, statistics.memoryWaits(), "waits for memory");
    line(to, statistics.neighbours(), "neighbours mapped by faults");
    line(to, statistics.swapIns() + statistics.pageIns(), "pages paged in");
    line(to, statistics.swapOuts() + statistics.pageOuts(), "pages paged out");
    line(to, statistics.evictions(), "pages that left memory");
    line(to, statistics.scans(), "scans of the page daemon");
    line(to, statistics.tlbFills(), "translations filled into TLBs");
    line(to, statistics.shootdowns(), "TLB shootdowns");
    line(to, statistics.forks(), "forks");
    line(to, statistics.maps(), "mappings made");
    line(to, statistics.unmaps(), "mappings removed");
    List<SwapDevice> devices = vm.swap().devices();
    if (!devices.isEmpty()) {
      printDevices(devices, statistics.pageSize(), to);
    }
    to.flush();
  }

  /** As {@code swapctl -l} does. */
  private static void printDevices(List<SwapDevice> devices, long pageSize, PrintWriter to) {
    to.printf(
        "%-24s %10s %10s %10s %8s %8s %8s%n",
        "Device", "1K-blocks", "Used", "Avail", "Capacity", "Priority", "Bad");
    for (SwapDevice device : devices) {
      long size = device.pages() * pageSize / KIB;
      long used = device.pagesInUse() * pageSize / KIB;
      long bad = device.pagesBad() * pageSize / KIB;
      to.printf(
          "%-24s %10d %10d %10d %7d%% %8d %8d%n",
          device.name(),
          size,
          used,
          size - used - bad,
          Math.round(100.0 * used / size),
          device.priority(),
          bad);
    }
  }

  private static void line(PrintWriter to, long number, String what) {
    to.printf("%12d %s%n", number, what);
  }
}
