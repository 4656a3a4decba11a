package org.juvm.testkit.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import org.juvm.Cpu;
import org.juvm.MemoryFault;
import org.juvm.Vm;
import org.juvm.posix.PosixException;
import org.juvm.posix.PosixProcess;

/** Juvm, through its POSIX face: a process for one sequence. Flags are NetBSD's on both sides. */
final class JuvmMemory implements MemoryCalls {
  /** Far from where mappings go that have no hint, as in the kernel. */
  private static final long BASE = 42L << 40;

  /** A call of the POSIX face that returns nothing. */
  private interface Action {
    void run();
  }

  /** A call of the POSIX face that returns an address. */
  private interface Placement {
    long place();
  }

  private final PosixProcess process;
  private final Cpu cpu;

  /**
   * A new process.
   *
   * @param vm with pages of {@link MemoryCalls#PAGE_SIZE} bytes
   */
  JuvmMemory(Vm vm) {
    process = PosixProcess.create(vm);
    cpu = vm.newCpu();
    cpu.attach(process.vmspace());
  }

  private static Answer outcome(Action action) {
    try {
      action.run();
      return Answer.DONE;
    } catch (PosixException e) {
      return Answer.failed(e.errno().name());
    } catch (MemoryFault e) {
      boolean noMemory = e.reason() == MemoryFault.Reason.OUT_OF_MEMORY;
      return Answer.failed(noMemory ? "ENOMEM" : "EFAULT");
    }
  }

  private static Answer placed(Placement placement) {
    long[] address = new long[1];
    Answer answer = outcome(() -> address[0] = placement.place());
    return answer.isDone() ? Answer.of(address[0] - BASE) : answer;
  }

  @Override
  public Answer mmap(long address, long length, int protection, int flags, int descriptor) {
    long hint = address == NO_HINT ? 0 : BASE + address;
    return placed(() -> process.mmap(hint, length, protection, flags, descriptor, 0));
  }

  @Override
  public Answer munmap(long address, long length) {
    return outcome(() -> process.munmap(BASE + address, length));
  }

  @Override
  public Answer mprotect(long address, long length, int protection) {
    return outcome(() -> process.mprotect(BASE + address, length, protection));
  }

  @Override
  public Answer madvise(long address, long length, int advice) {
    return outcome(() -> process.madvise(BASE + address, length, advice));
  }

  @Override
  public Answer msync(long address, long length, int flags) {
    return outcome(() -> process.msync(BASE + address, length, flags));
  }

  @Override
  public Answer mlock(long address, long length) {
    return outcome(() -> process.mlock(BASE + address, length));
  }

  @Override
  public Answer munlock(long address, long length) {
    return outcome(() -> process.munlock(BASE + address, length));
  }

  @Override
  public Answer mincore(long address, long length, byte[] resident) {
    return outcome(() -> process.mincore(BASE + address, length, resident));
  }

  @Override
  public Answer mremap(long address, long length, long target, long targetLength, int flags) {
    return placed(() -> process.mremap(BASE + address, length, BASE + target, targetLength, flags));
  }

  @Override
  public Answer load(long address) {
    byte[] value = new byte[1];
    Answer answer = outcome(() -> value[0] = cpu.get(JAVA_BYTE, BASE + address));
    return answer.isDone() ? Answer.of(value[0]) : answer;
  }

  @Override
  public Answer store(long address, byte value) {
    return outcome(() -> cpu.set(JAVA_BYTE, BASE + address, value));
  }

  @Override
  public Answer read(long page, byte[] bytes) {
    return outcome(() -> cpu.bulk().read(BASE + page, bytes, 0, bytes.length));
  }

  @Override
  public void empty() {
    cpu.close();
    process.vmspace().close();
  }
}
