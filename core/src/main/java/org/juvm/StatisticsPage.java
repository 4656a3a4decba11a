package org.juvm;

import org.juvm.base.Protection;
import org.juvm.object.KernelPage;
import org.juvm.object.MemoryObject;

/**
 * A page that the system writes and that programs map to read: counts and sizes of the whole
 * system, without a call. {@link StatisticsField} says what is where; {@link StatisticsReading}
 * reads it all at one moment.
 *
 * <pre>{@code
 * long at = vmspace.map(MapRequest.of(vm.statisticsPage()));
 * long faults = cpu.get(JAVA_LONG, at + StatisticsField.FAULTS.offset());
 * }</pre>
 *
 * <p>The page is written every 10 ms. It can never be stored to by programs, is always in memory,
 * is never copied, and has one size. Every mapping of it is shared, with children too, unless they
 * inherit nothing or zeros. Thread-safe.
 *
 * <p>Obtained by {@link Vm#statisticsPage}. Source: {@code /dev/kpmap}.
 */
public final class StatisticsPage extends Mappable {
  private final Vm vm;
  private final KernelPage page;

  /** The caller keeps the reference to the object. */
  StatisticsPage(Vm vm, KernelPage page) {
    this.vm = vm;
    this.page = page;
  }

  @Override
  Vm vm() {
    return vm;
  }

  @Override
  MemoryObject reference() {
    if (!page.tryReference()) {
      throw Vm.closedException();
    }
    return page;
  }

  @Override
  Protection most() {
    return Protection.READ;
  }

  /**
   * The size: one page.
   *
   * @return bytes
   */
  public long size() {
    return vm.pageSize();
  }
}
