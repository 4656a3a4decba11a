package org.juvm.posix;

import org.juvm.MapRequest;
import org.juvm.StatisticsPage;

/**
 * The page of statistics, opened as a device for characters. It is used by mapping it only.
 *
 * <p>Source: {@code /dev/kpmap} of DragonFly.
 */
final class OpenStatisticsPage extends OpenDescription {
  /** Where it is. */
  static final String PATH = "/dev/kpmap";

  private final StatisticsPage page;

  OpenStatisticsPage(StatisticsPage page) {
    super(true, false);
    this.page = page;
  }

  @Override
  boolean isDevice() {
    return true;
  }

  @Override
  void closed() {}

  @Override
  MapRequest toMap(Call call, long offset, long length) {
    return MapRequest.of(page, offset, length);
  }

  /** As of every device. */
  @Override
  long size(Call call) {
    return 0;
  }

  @Override
  void resize(Call call, long size) {
    throw call.failed(Errno.EINVAL);
  }

  @Override
  void sync(Call call) {}

  @Override
  int read(Call call, byte[] target) {
    throw call.failed(Errno.ENODEV);
  }

  @Override
  void write(Call call, byte[] source) {
    throw call.failed(Errno.EBADF);
  }

  /** There is nothing to be read at any offset. */
  @Override
  long seek(Call call, long offset, int whence) {
    return 0;
  }
}
