package org.juvm.posix;

import org.juvm.MapRequest;
import org.juvm.StatisticsPage;

/**
 * The page of statistics, opened as a device for characters. It is used by mapping it only.
 *
 * <p>Source: {@code /dev/kpmap} of DragonFly.
 */
final class OpenStatisticsPage extends OpenWithoutBytes {
  /** Where it is. */
  static final String PATH = "/dev/kpmap";

  private final StatisticsPage page;

  OpenStatisticsPage(StatisticsPage page) {
    this.page = page;
  }

  @Override
  boolean isDevice() {
    return true;
  }

  @Override
  MapRequest toMap(Call call, long offset, long length) {
    return MapRequest.of(page, offset, length);
  }

  @Override
  int read(Call call, byte[] target) {
    throw call.failed(Errno.ENODEV);
  }
}
