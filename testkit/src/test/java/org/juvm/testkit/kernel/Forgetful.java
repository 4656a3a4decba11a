package org.juvm.testkit.kernel;

/** A system with a mistake: what is unmapped in the last quarter of the arena stays. */
final class Forgetful implements MemoryCalls {
  private final MemoryCalls right;

  Forgetful(LinuxMemory linux) {
    right = new BsdOnLinux(linux);
  }

  @Override
  public Answer munmap(long address, long length) {
    boolean forgotten = address >= SIZE / 4 * 3 && Layout.isInside(address, length);
    return forgotten ? Answer.DONE : right.munmap(address, length);
  }

  @Override
  public Answer mmap(long address, long length, int protection, int flags, int descriptor) {
    return right.mmap(address, length, protection, flags, descriptor);
  }

  @Override
  public Answer mprotect(long address, long length, int protection) {
    return right.mprotect(address, length, protection);
  }

  @Override
  public Answer madvise(long address, long length, int advice) {
    return right.madvise(address, length, advice);
  }

  @Override
  public Answer msync(long address, long length, int flags) {
    return right.msync(address, length, flags);
  }

  @Override
  public Answer mlock(long address, long length) {
    return right.mlock(address, length);
  }

  @Override
  public Answer munlock(long address, long length) {
    return right.munlock(address, length);
  }

  @Override
  public Answer mincore(long address, long length, byte[] resident) {
    return right.mincore(address, length, resident);
  }

  @Override
  public Answer mremap(long address, long length, long target, long targetLength, int flags) {
    return right.mremap(address, length, target, targetLength, flags);
  }

  @Override
  public Answer load(long address) {
    return right.load(address);
  }

  @Override
  public Answer store(long address, byte value) {
    return right.store(address, value);
  }

  @Override
  public Answer read(long page, byte[] bytes) {
    return right.read(page, bytes);
  }

  @Override
  public void empty() {
    right.empty();
  }
}
