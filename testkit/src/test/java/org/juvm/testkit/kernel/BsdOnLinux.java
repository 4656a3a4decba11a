package org.juvm.testkit.kernel;

import java.util.stream.LongStream;
import org.juvm.testkit.kernel.Layout.Residence;

/**
 * A system that follows BSD, made of Linux: it takes every difference of the table the BSD way, so
 * that the table can be tested without another system. Where BSD leaves something open it does now
 * this, now that.
 */
final class BsdOnLinux implements MemoryCalls {
  private final LinuxMemory linux;
  private final Layout layout = new Layout();

  BsdOnLinux(LinuxMemory linux) {
    this.linux = linux;
  }

  private static boolean isMisaligned(long address) {
    return Layout.floor(address) != address;
  }

  /** The range of a call, with its start aligned down. */
  private static Step aligned(Step.Call call, long address, long length, int option) {
    long start = Layout.floor(address);
    return Step.of(call, start, length + address - start, option);
  }

  private Answer done(Step step) {
    Answer answer = step.perform(linux, new byte[0]);
    if (answer.isDone()) {
      layout.apply(step);
    }
    return answer;
  }

  @Override
  public Answer mmap(long address, long length, int protection, int flags, int descriptor) {
    boolean fixed = (flags & Bsd.MAP_FIXED) != 0;
    boolean anonymous = (flags & Bsd.MAP_ANON) != 0;
    if ((flags & Bsd.MAP_TYPE) == Bsd.MAP_TYPE || (fixed && isMisaligned(address))) {
      return Answer.failed("EINVAL");
    }
    if (fixed && length < 0) {
      return Answer.failed("EOVERFLOW");
    }
    if (fixed && length == TOO_LONG) {
      return Answer.failed("EFBIG");
    }
    if (anonymous && descriptor != -1) {
      return Answer.failed("EINVAL");
    }
    if (anonymous && length == 0) {
      return Answer.of(address);
    }
    int type = (flags & Bsd.MAP_TYPE) == 0 ? Bsd.MAP_PRIVATE : 0;
    long hint = address == NO_HINT ? address : Layout.ceiling(address);
    Answer answer = linux.mmap(hint, length, protection, flags | type, descriptor);
    if (answer.isDone() && Layout.isInside(answer.value(), length)) {
      layout.apply(Step.mmap(answer.value(), length, protection, flags, -1));
    }
    return answer;
  }

  @Override
  public Answer munmap(long address, long length) {
    if (!Layout.isInside(address, 0)) {
      return linux.munmap(address, length);
    }
    if (isMisaligned(address)) {
      return Answer.failed("EINVAL");
    }
    Step step = Step.of(Step.Call.MUNMAP, address, length, 0);
    return step.length() == 0 ? Answer.DONE : done(step);
  }

  @Override
  public Answer mprotect(long address, long length, int protection) {
    if (length < 0) {
      return Answer.failed("EINVAL");
    }
    Step step = aligned(Step.Call.MPROTECT, address, length, protection & 7);
    return layout.hasHole(step) ? Answer.failed("ENOMEM") : done(step);
  }

  @Override
  public Answer madvise(long address, long length, int advice) {
    if (length < 0 || advice == Bsd.MADV_UNKNOWN) {
      return Answer.failed("EINVAL");
    }
    Step step = aligned(Step.Call.MADVISE, address, length, advice);
    boolean free = advice == Bsd.MADV_FREE;
    if ((free || advice == Bsd.MADV_DONTNEED) && layout.hasHole(step)) {
      return Answer.failed("EFAULT");
    }
    if (free) {
      if (layout.any(step, layout::isLocked)) {
        return Answer.failed("EBUSY");
      }
      drop(step);
    }
    return Answer.DONE;
  }

  /** Throws every other page away. */
  private void drop(Step step) {
    Layout.range(step.address(), step.length())
        .filter(number -> number % 2 == 0)
        .forEach(
            number -> {
              long page = (long) number * PAGE_SIZE;
              Answer dropped = linux.madvise(page, PAGE_SIZE, Bsd.MADV_DONTNEED);
              Bout.same(Answer.DONE, dropped);
              layout.setResidence(number, Residence.OPEN);
            });
  }

  @Override
  public Answer msync(long address, long length, int flags) {
    int either = Bsd.MS_ASYNC | Bsd.MS_SYNC;
    if (flags == 0 || flags > 7 || (flags & either) == either || length < 0) {
      return Answer.failed("EINVAL");
    }
    Step step = aligned(Step.Call.MSYNC, address, length, 0).withFlags(flags);
    if (step.length() == 0) {
      boolean mapped = layout.isMapped((int) (address / PAGE_SIZE));
      return mapped ? Answer.DONE : Answer.failed("EINVAL");
    }
    if (layout.hasHole(step)) {
      return Answer.failed("EFAULT");
    }
    if (step.has(Bsd.MS_INVALIDATE)) {
      if (layout.any(step, layout::isLocked)) {
        return Answer.failed("EBUSY");
      }
      drop(step);
    }
    return Answer.DONE;
  }

  @Override
  public Answer mlock(long address, long length) {
    Step step = aligned(Step.Call.MLOCK, address, length, 0);
    if (length < 0 || layout.hasHole(step)) {
      return Answer.failed("ENOMEM");
    }
    return layout.any(step, number -> !layout.isReadable(number))
        ? Answer.failed("EINVAL")
        : done(step);
  }

  @Override
  public Answer munlock(long address, long length) {
    Step step = aligned(Step.Call.MUNLOCK, address, length, 0);
    return length < 0 || layout.hasHole(step) ? Answer.failed("ENOMEM") : done(step);
  }

  @Override
  public Answer mincore(long address, long length, byte[] resident) {
    return length <= 0 ? Answer.failed("EINVAL") : linux.mincore(address, length, resident);
  }

  @Override
  public Answer mremap(long address, long length, long target, long targetLength, int flags) {
    boolean fixed = (flags & Bsd.MAP_FIXED) != 0;
    if ((flags & ~Bsd.MAP_FIXED) != 0
        || isMisaligned(address)
        || (fixed && isMisaligned(target))
        || length <= 0
        || targetLength == 0) {
      return Answer.failed("EINVAL");
    }
    if (targetLength < 0) {
      return Answer.failed("ENOMEM");
    }
    long bytes = Layout.ceiling(length);
    long newBytes = Layout.ceiling(targetLength);
    if (!fixed || target == address) {
      if (newBytes <= bytes) {
        return newBytes == bytes
            ? Answer.of(address)
            : withValue(munmap(address + newBytes, bytes - newBytes), address);
      }
      if (layout.isFree(address + bytes, newBytes - bytes)) {
        Remaps.grow(linux, address + bytes, address + newBytes);
        mark(address + bytes - PAGE_SIZE, address + bytes, newBytes - bytes);
        return Answer.of(address);
      }
    }
    if (fixed && !layout.isFree(target, newBytes)) {
      return Answer.failed("ENOMEM");
    }
    long to = fixed ? target : linux.mmap(NO_HINT, newBytes, 0, anonymous(), -1).value();
    return moved(address, bytes, to, newBytes);
  }

  private static int anonymous() {
    return Bsd.MAP_PRIVATE | Bsd.MAP_ANON;
  }

  private static Answer withValue(Answer answer, long value) {
    return answer.isDone() ? Answer.of(value) : answer;
  }

  private Answer moved(long address, long bytes, long to, long newBytes) {
    long both = Math.min(bytes, newBytes);
    Remaps.movePages(linux, address, both, to);
    boolean inside = Layout.isInside(to, newBytes);
    if (inside) {
      layout.move((int) (address / PAGE_SIZE), (int) (to / PAGE_SIZE), (int) (both / PAGE_SIZE));
    }
    if (inside && newBytes > bytes) {
      Remaps.grow(linux, to + bytes, to + newBytes);
      mark(to + bytes - PAGE_SIZE, to + bytes, newBytes - bytes);
    }
    Bout.same(Answer.DONE, munmap(address, bytes));
    return Answer.of(to);
  }

  /** New pages are as the last one. */
  private void mark(long last, long from, long length) {
    LongStream.iterate(from, at -> at < from + length, at -> at + PAGE_SIZE)
        .forEach(at -> layout.set((int) (at / PAGE_SIZE), layout.page((int) (last / PAGE_SIZE))));
  }

  @Override
  public Answer load(long address) {
    return linux.load(address);
  }

  @Override
  public Answer store(long address, byte value) {
    return linux.store(address, value);
  }

  @Override
  public Answer read(long page, byte[] bytes) {
    return linux.read(page, bytes);
  }

  @Override
  public void empty() {
    linux.empty();
  }
}
