package org.juvm.posix;

import org.jspecify.annotations.Nullable;
import org.juvm.SharedMemories;
import org.juvm.SharedMemory;

/** The calls about shared memory with names, of one process. */
final class SharedMemoryCalls {
  private static final int OPEN_FLAGS = Mman.O_RDWR | Mman.O_CREAT | Mman.O_EXCL | Mman.O_TRUNC;

  /** As PATH_MAX, with the zero at the end. */
  private static final int NAME_MAXIMUM = 1023;

  private final SharedMemories memories;
  private final Descriptors descriptors;

  SharedMemoryCalls(SharedMemories memories, Descriptors descriptors) {
    this.memories = memories;
    this.descriptors = descriptors;
  }

  int shmOpen(String name, int oflag) {
    Call call = new Call("shm_open", name, oflag);
    checkName(call, name);
    call.require((oflag & ~OPEN_FLAGS) == 0, Errno.EINVAL);
    boolean writable = (oflag & Mman.O_RDWR) != 0;
    SharedMemory memory = find(call, name, oflag);
    if (writable && (oflag & Mman.O_TRUNC) != 0) {
      memory.resize(0);
    }
    return descriptors.open(new OpenMemory(memory, writable));
  }

  private SharedMemory find(Call call, String name, int oflag) {
    boolean create = (oflag & Mman.O_CREAT) != 0;
    boolean exclusive = create && (oflag & Mman.O_EXCL) != 0;
    // Another process can take the name or give it up between the two attempts.
    while (true) {
      SharedMemory memory = exclusive ? null : memories.find(name);
      if (memory == null && create) {
        memory = memories.create(name, 0);
      }
      if (memory != null) {
        return memory;
      }
      call.require(create, Errno.ENOENT);
      call.require(!exclusive, Errno.EEXIST);
    }
  }

  void shmUnlink(String name) {
    Call call = new Call("shm_unlink", name);
    checkName(call, name);
    call.require(memories.unlink(name), Errno.ENOENT);
  }

  private static void checkName(Call call, @Nullable String name) {
    if (name == null) {
      throw call.failed(Errno.EFAULT);
    }
    call.require(!name.isEmpty() && !name.equals("/") && name.indexOf(0) < 0, Errno.EINVAL);
    call.require(name.length() <= NAME_MAXIMUM, Errno.ENAMETOOLONG);
  }
}
