package org.juvm.testkit.kernel;

/**
 * One call of a sequence.
 *
 * @param call which
 * @param address where; see {@link MemoryCalls}
 * @param length bytes
 * @param option protection, advice, or the byte that is stored
 * @param flags of mmap, msync or mremap
 * @param target where to, or the file descriptor of mmap
 * @param targetLength bytes there
 */
record Step(
    Call call, long address, long length, int option, int flags, long target, long targetLength) {

  /** The calls. */
  enum Call {
    MMAP,
    MUNMAP,
    MPROTECT,
    MADVISE,
    MSYNC,
    MLOCK,
    MUNLOCK,
    MINCORE,
    MREMAP,
    LOAD,
    STORE
  }

  static Step mmap(long address, long length, int protection, int flags, int descriptor) {
    return new Step(Call.MMAP, address, length, protection, flags, descriptor, 0);
  }

  static Step munmap(long address, long length) {
    return of(Call.MUNMAP, address, length, 0);
  }

  static Step mprotect(long address, long length, int protection) {
    return of(Call.MPROTECT, address, length, protection);
  }

  static Step mremap(long address, long length, long target, long targetLength, int flags) {
    return new Step(Call.MREMAP, address, length, 0, flags, target, targetLength);
  }

  static Step of(Call call, long address, long length, int option) {
    return new Step(call, address, length, option, 0, 0, 0);
  }

  boolean has(int flag) {
    return (flags & flag) != 0;
  }

  Step withRange(long newAddress, long newLength) {
    return new Step(call, newAddress, newLength, option, flags, target, targetLength);
  }

  Step withOption(int newOption) {
    return new Step(call, address, length, newOption, flags, target, targetLength);
  }

  Step withFlags(int newFlags) {
    return new Step(call, address, length, option, newFlags, target, targetLength);
  }

  /** Does it; mincore fills the array. */
  Answer perform(MemoryCalls calls, byte[] resident) {
    return switch (call) {
      case MMAP -> calls.mmap(address, length, option, flags, (int) target);
      case MUNMAP -> calls.munmap(address, length);
      case MPROTECT -> calls.mprotect(address, length, option);
      case MADVISE -> calls.madvise(address, length, option);
      case MSYNC -> calls.msync(address, length, flags);
      case MLOCK -> calls.mlock(address, length);
      case MUNLOCK -> calls.munlock(address, length);
      case MINCORE -> calls.mincore(address, length, resident);
      case MREMAP -> calls.mremap(address, length, target, targetLength, flags);
      case LOAD -> calls.load(address);
      case STORE -> calls.store(address, (byte) option);
    };
  }

  private static String hex(long number) {
    if (number == MemoryCalls.NO_HINT) {
      return "none";
    }
    return number < 0 ? "-0x" + Long.toHexString(-number) : "0x" + Long.toHexString(number);
  }

  @Override
  public String toString() {
    String range = hex(address) + ", " + hex(length);
    String arguments =
        switch (call) {
          case MMAP -> range + ", prot " + option + ", flags " + hex(flags) + ", fd " + target;
          case MPROTECT -> range + ", prot " + option;
          case MADVISE -> range + ", advice " + option;
          case MSYNC -> range + ", flags " + flags;
          case MREMAP ->
              range + ", " + hex(target) + ", " + hex(targetLength) + ", flags " + hex(flags);
          case LOAD -> hex(address);
          case STORE -> hex(address) + ", " + (option & 0xff);
          case MUNMAP, MLOCK, MUNLOCK, MINCORE -> range;
        };
    return call + "(" + arguments + ")";
  }
}
